import { Chance } from "./random.ts";

/** What can go wrong, by who has it: what stands in one list never happens to it twice at once. */
export const INJECTIONS = {
  /** The API server, and what lies behind it. */
  cluster: ["apiserver restart", "compact stale", "compact open", "forget", "none"],
  /** The way to the API server. */
  road: ["api stall", "api half-open", "api cut", "api truncate", "api drip", "none"],
  /** Receivers and the ways to them. */
  hook: [
    "hook 500",
    "hook 429",
    "hook 400",
    "hook hang",
    "hook reset",
    "hook slow",
    "hook stall",
    "hook cut",
    "hook truncate",
  ],
  chat: ["chat busy", "chat muted", "chat refused", "chat 500", "chat cut", "chat stall"],
  database: ["mysql down", "mysql kill", "none"],
  /** The program and the machine it runs on. */
  process: ["kill", "terminate", "disk full", "clock", "kill", "terminate"],
  /** Two replicas, of which mostly the leader is meant. */
  pair: ["kill", "terminate", "cut off", "freeze", "cut off", "clock"],
  events: ["burst", "updates", "large", "burst"],
  /** Of seeds whose `--max-age` is short: cut off until what happened is too old to be told singly. */
  blind: ["blind"],
} as const;

export type Track = keyof typeof INJECTIONS;
export type Injection = Exclude<(typeof INJECTIONS)[Track][number], "none">;

export interface Step {
  /** Milliseconds since the beginning; it may begin later where the one before it took longer. */
  readonly at: number;
  readonly what: Injection;
  /** How long it goes on, where that is not given by its nature. */
  readonly forMs: number;
  /** How much, in events or in the share of requests it meets. */
  readonly size: number;
}

export interface Schedule {
  readonly seed: number;
  readonly seconds: number;
  /** One watch for all namespaces, or one for each of two. */
  readonly scope: "all" | "two";
  /** Where the ledger is; with a database, what to do while that is away. */
  readonly ledger: "file" | "bypass" | "block";
  /** Two share a database, and one of them leads. */
  readonly replicas: 1 | 2;
  /** `--max-age` in milliseconds; `null`: longer than all of it. */
  readonly maxAgeMs: number | null;
  /** Messages a minute that the chat allows: the less, the more becomes digests. */
  readonly rate: number;
  readonly tracks: Readonly<Record<Track, readonly Step[]>>;
}

/** How far apart things on a track begin, and how long they go on: milliseconds. */
const PACE: Readonly<Record<Track, { readonly every: Range; readonly lasts: Range }>> = {
  cluster: { every: [9_000, 16_000], lasts: [1_000, 4_000] },
  road: { every: [4_000, 9_000], lasts: [500, 4_000] },
  hook: { every: [2_500, 6_000], lasts: [500, 3_000] },
  chat: { every: [4_000, 9_000], lasts: [500, 3_000] },
  database: { every: [8_000, 15_000], lasts: [500, 3_000] },
  process: { every: [6_000, 11_000], lasts: [1_000, 4_000] },
  pair: { every: [9_000, 14_000], lasts: [1_000, 4_000] },
  events: { every: [700, 2_500], lasts: [0, 0] },
  blind: { every: [10_000, 15_000], lasts: [0, 0] },
};

type Range = readonly [least: number, most: number];

/** Everything that is going to happen. The same seed and length is the same schedule; what cannot be had is left out, and moves nothing else. */
export function schedule(
  seed: number,
  seconds: number,
  without: ReadonlySet<Injection> = new Set(),
): Schedule {
  // A cluster that forgets all its Events can be told from one that lost some only where nobody else's are watched.
  const scope = new Chance(seed, "scope").next() < 0.5 ? "all" : "two";
  const database = new Chance(seed, "ledger").pick(["file", "file", "bypass", "block"] as const);
  const ledger = without.has("mysql down") ? "file" : database;
  const share = new Chance(seed, "replicas").next();
  const replicas = ledger !== "file" && share >= 0.75 ? 2 : 1;
  const isShort = replicas === 1 && new Chance(seed, "max-age").next() < 0.25;
  const maxAgeMs = isShort ? 2_000 : null;
  const idle = (what: Injection) =>
    // What was written and not told yet, and is forgotten then, is told by nobody.
    (what === "forget" && (scope === "all" || isShort)) ||
    (ledger !== "file" && what === "disk full");
  const of = (track: Track) =>
    steps(seed, seconds, track).filter(({ what }) => !without.has(what) && !idle(what));
  const tracks = {
    cluster: of("cluster"),
    road: of("road"),
    hook: of("hook"),
    chat: of("chat"),
    database: of("database"),
    process: replicas === 1 ? of("process") : [],
    pair: replicas === 2 ? of("pair") : [],
    events: of("events"),
    blind: isShort ? of("blind") : [],
  };
  const rate = new Chance(seed, "rate").pick([60, 120, 600]);
  return { seed, seconds, scope, ledger, replicas, maxAgeMs, rate, tracks };
}

function steps(seed: number, seconds: number, track: Track): readonly Step[] {
  const chance = new Chance(seed, track);
  const { every, lasts } = PACE[track];
  const found: Step[] = [];
  for (let at = chance.between(0, every[0]); at < seconds * 1000; at += chance.between(...every)) {
    const what = chance.pick<Injection | "none">(INJECTIONS[track]);
    const step = { at, forMs: chance.between(...lasts), size: chance.next() };
    if (what !== "none") found.push({ ...step, what });
  }
  return found;
}

/** For people: one line a step, in order. */
export function describeSchedule({
  seed,
  seconds,
  scope,
  ledger,
  replicas,
  maxAgeMs,
  rate,
  tracks,
}: Schedule): string {
  const lines = Object.values(tracks)
    .flat()
    .toSorted((a, b) => a.at - b.at)
    .map(
      ({ at, what, forMs, size }) =>
        `${(at / 1000).toFixed(1).padStart(6)} s  ${what.padEnd(18)} ${(forMs / 1000).toFixed(1)} s  ${size.toFixed(2)}`,
    );
  return [
    `seed ${seed}, ${seconds} s, ${scope === "all" ? "one watch" : "two watches"}, ${ledger === "file" ? "a file" : `a database (${ledger})`} for the ledger, ${replicas === 1 ? "one process" : "two replicas"}, ${maxAgeMs === null ? "" : `what is older than ${maxAgeMs / 1000} s in digests, `}${rate} messages a minute; again: CHAOS_SEED=${seed} CHAOS_SECONDS=${seconds}`,
    ...lines,
  ].join("\n");
}
