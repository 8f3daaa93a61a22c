import * as fc from "fast-check";
import { expect, it } from "vitest";
import { openHistory } from "../../src/ledger/open.ts";
import type { RunningSimulator } from "../../src/simulate/start.ts";
import { isWatch, recorded } from "../support/apiserver.ts";
import type { Inbox, Reply } from "../support/inbox.ts";
import { seeded } from "../support/life.ts";
import { World } from "../support/world.ts";

const MINUTE = 60_000;
const ROBOT = "dingtalk/ops";

/** What may happen to a cluster, to the way to it, to the receivers and to kube-crier itself. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("events" as const),
      n: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("counts" as const), n: fc.integer({ min: 1, max: 5 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), n: fc.integer({ min: 0, max: 90 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "kill" as const,
        "restart" as const,
        "compact" as const,
        "expire" as const,
        "close" as const,
        "reset" as const,
        "down" as const,
        "up" as const,
        "garbage" as const,
        "refuse" as const,
      ),
      n: fc.constant(0),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("robot" as const, "hook" as const),
      n: fc.integer({ min: 0, max: 5 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** 10 KB that a template, a chat, a line reader or a database could stumble over. */
const HOSTILE = `<!channel> {{event.uid}} '; -- \u2028 \ud800 你好 😀 @all \n`.repeat(200);

const REPLIES: readonly Reply[] = [
  { status: 200 },
  { status: 500 },
  { status: 429, headers: { "retry-after": "20" } },
  "reset",
  "hang",
  { status: 200, body: "fine" },
];
const FAULTS = [
  null,
  { kind: "status", status: 503, seconds: 40 },
  { kind: "reset", requests: 3 },
  { kind: "lost", requests: 2 },
  { kind: "hang", seconds: 25 },
  { kind: "status", status: 200, body: '{"errcode":-1,"errmsg":"busy"}', requests: 4 },
] as const;

/** A world that lives through the steps, and then for an hour in peace. */
async function live(steps: readonly Step[], seed: number) {
  const world = await World.begin();
  const { api } = world;
  const chats = await world.chats();
  const inbox = await world.inbox();
  const flags = {
    sink: [
      `dingtalk:${chats.webhook("dingtalk", "ops")}&lang=en&timeout=5s`,
      `webhook:${inbox.url}/hook?timeout=5s`,
    ],
  };
  const random = seeded(seed);
  let life = await world.watching(flags);
  let up = true;
  const counts = new Map<string, number>();
  const start = () => {
    life = world.start(flags);
  };
  for (const { do: what, n } of steps) {
    switch (what) {
      case "events":
        for (let i = 0; i < n; i += 1) {
          const name = `event-${counts.size}`;
          counts.set(name, 1);
          // One in ten is worse than the others, one in ten is long, and hostile.
          api.create(name, {
            ...(random() < 0.1 ? { reason: "OOMKilling" } : {}),
            ...(random() < 0.1 ? { message: `message of ${name} ${HOSTILE}` } : {}),
          });
        }
        break;
      case "counts":
        for (const name of [...counts.keys()].slice(-n)) {
          counts.set(name, (counts.get(name) ?? 0) + 1);
          api.update(name);
        }
        break;
      case "wait":
        await world.pass(n);
        break;
      case "kill":
        world.kill(life);
        start();
        break;
      case "restart": {
        const ending = life.stop();
        await world.pass(30);
        await ending;
        start();
        break;
      }
      case "compact":
        api.compact();
        break;
      case "expire":
        api.expireWatches();
        break;
      case "close":
        api.closeWatches();
        break;
      case "reset":
        api.resetConnections();
        break;
      case "down":
        if (up) await api.down();
        up = false;
        break;
      case "up":
        if (!up) await api.up();
        up = true;
        break;
      case "garbage":
        api.send("]}{\n<html>\n");
        break;
      case "refuse":
        api.answer({ ...recorded("watch-410-expired"), status: 410 }, isWatch, 1);
        api.answer({ status: 500, headers: {}, body: "no" }, undefined, 1);
        break;
      case "robot":
        chats.control({ robot: ROBOT, fault: FAULTS[n] ?? null });
        break;
      case "hook":
        inbox.reply(REPLIES[n] ?? { status: 200 });
        break;
    }
    await world.pass(0);
  }
  if (!up) await api.up();
  chats.control({ robot: ROBOT, fault: null });
  inbox.reply({ status: 200 });
  await world.pass(1200);
  const summary = life.stop();
  await world.end();
  return { world, chats, inbox, counts, summary: await summary };
}

/** Per event: the counts with which it was told, and under which keys. */
function tellings(inbox: Inbox): ReadonlyMap<string, ReadonlySet<unknown>> {
  const told = new Map<string, Set<unknown>>();
  for (const { body, headers } of inbox.requests) {
    const { event } = JSON.parse(body) as { event: { eventName: string; count: number } };
    const occurrence = `${event.eventName}@${event.count}`;
    told.set(occurrence, (told.get(occurrence) ?? new Set()).add(headers["idempotency-key"]));
  }
  return told;
}

function busiestMinute(chats: RunningSimulator): number {
  const times = chats.messages(ROBOT).map(({ at }) => Date.parse(at));
  return Math.max(
    0,
    ...times.map((from) => times.filter((at) => at >= from && at < from + MINUTE).length),
  );
}

it(
  "whatever happens, in whatever order: everything is told, nothing under two keys, and no rate is exceeded",
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 14 }),
        fc.nat(),
        async (steps, seed) => {
          const { world, chats, inbox, counts, summary } = await live(steps, seed);
          expect(summary).toMatchObject({ pending: 0, lost: 0 });

          const told = tellings(inbox);
          for (const [name, count] of counts)
            expect(told.has(`${name}@${count}`), `${name} as it was in the end`).toBe(true);
          expect(
            [...told].filter(([, keys]) => keys.size > 1),
            "under two keys",
          ).toEqual([]);

          expect(busiestMinute(chats)).toBeLessThanOrEqual(20);
          const refused = chats.messages(ROBOT).filter(({ state }) => state === "refused");
          expect(refused).toEqual([]);
          // Every occurrence that the robot is owed is in exactly one message: its own, or a digest's number.
          const history = openHistory(world.dataDir, "read");
          const rows = history.deliveries({ sink: "dingtalk", limit: 100_000 });
          history.close();
          const ended = rows.filter(({ state }) => state === "delivered");
          const sum = ended.reduce(
            (all, { alert }) => all + (alert.kind === "digest" ? alert.total : 1),
            0,
          );
          expect(sum).toBe(told.size);
          expect(rows.filter(({ state }) => state === "dead" || state === "pending")).toEqual([]);
          const shown = new Set(
            chats
              .messages(ROBOT)
              .filter(({ state }) => state === "shown")
              .map(({ idempotencyKey }) => idempotencyKey),
          );
          expect(ended.filter(({ id }) => !shown.has(id))).toEqual([]);
        },
      ),
      { numRuns: 30 },
    );
  },
);
