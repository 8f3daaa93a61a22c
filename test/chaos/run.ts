import { until } from "../support/crier.ts";
import { type Mariadb } from "../support/mariadb.ts";
import { audit } from "./accountant.ts";
import type { Books, SinkFacts, Span } from "./books.ts";
import { ACTS } from "./injections.ts";
import { readLedger } from "./ledger.ts";
import type { Schedule, Step } from "./schedule.ts";
import { CONCURRENCY, Stage } from "./stage.ts";

const AT_LAST_MS = 15_000;
const PULSE_MS = 250;
const STARVED_MS = 1_500;

export interface Outcome {
  readonly complaints: readonly string[];
  /** What happened, for people. */
  readonly story: readonly string[];
  readonly log: string;
  readonly books: Books;
}

/** Plays a schedule, lets everything come to rest, and audits. */
export async function play(schedule: Schedule, mariadb: Mariadb | null): Promise<Outcome> {
  const stage = new Stage(schedule, mariadb);
  const story: string[] = [];
  const began = Date.now();
  const ended: (() => void)[] = [];
  const note = (text: string) => story.push(`${((Date.now() - began) / 1000).toFixed(1)} ${text}`);
  try {
    await stage.set();
    await stage.parts.crew.start();
    note("ready");
    const from = Date.now();
    const disturbed: Span[] = [];
    const pulse = setInterval(heartbeat(disturbed), PULSE_MS);
    ended.push(() => clearInterval(pulse));
    const track = async ([name, steps]: readonly [string, readonly Step[]]) => {
      for (const step of steps) {
        await new Promise((resolve) =>
          setTimeout(resolve, Math.max(0, from + step.at - Date.now())),
        );
        if (Date.now() - from > (schedule.seconds + 5) * 1000) return;
        note(`> ${step.what}`);
        const began = Date.now();
        await ACTS[step.what](stage, step);
        if (name === "cluster") disturbed.push({ from: began, to: Date.now() });
        note(`< ${step.what}`);
      }
    };
    // A step that fails must not leave the others running on a stage that is struck.
    const played = await Promise.allSettled(Object.entries(schedule.tracks).map(track));
    for (const one of played) if (one.status === "rejected") throw one.reason as Error;
    await rest(stage, note);
    const books = await collect(stage, disturbed);
    const of = (state: string) => books.deliveries.filter((one) => one.state === state).length;
    note(
      `${of("dead")} dead, ${of("folded")} folded, ${books.accepted.filter(({ doubtful }) => doubtful).length} doubtful`,
    );
    note(
      `${books.created.length} occurrences, ${books.attempted.size} unanswered, ${books.accepted.length} accepted, ${books.deaths.length} processes`,
    );
    for (const { life, term, from: at } of books.election?.reigns ?? [])
      note(`process ${life} led in term ${term} from ${((at - began) / 1000).toFixed(1)} on`);
    const complaints = [...audit(books.books), ...books.contradictions];
    return { complaints, story, log: stage.parts.crew.log, books: books.books };
  } catch (error) {
    const log = stage.parts.crew.log;
    throw new Error(`${String(error)}\n${story.join("\n")}\n${log.slice(-20_000)}`, {
      cause: error,
    });
  } finally {
    for (const end of ended) end();
    await stage.parts.maker.forget();
    await stage.strike();
  }
}

/** Notes when this machine was too busy to do anything. */
function heartbeat(busy: Span[]): () => void {
  let last = Date.now();
  return () => {
    const now = Date.now();
    if (now - last > STARVED_MS) busy.push({ from: last, to: now });
    last = now;
  };
}

/** Everything is well again: what is owed is told, and the program ends. */
async function rest({ parts }: Stage, note: (text: string) => void): Promise<void> {
  const { crew, maker, hook } = parts;
  await crew.ready();
  note("at rest");
  // Whatever was created before it comes before it, in its namespace.
  for (const namespace of new Set(maker.created.map((one) => one.namespace))) {
    const told = async () => {
      const last = await maker.create(false, namespace);
      if (last === null) return undefined;
      const isTold = () => (hook.has(`${last.uid}@1`) ? true : undefined);
      // One that a list brings may be too old to be told singly.
      return await until(isTold, `${last.name} to be told`, AT_LAST_MS).catch(() => undefined);
    };
    await until(told, `an Event in ${namespace} to be told`, 90_000);
  }
  note("caught up");
  await until(
    async () => {
      const text = await crew.metrics();
      const owed = [
        ...(text ?? "").matchAll(/^kube_crier_deliveries_pending\{sink="\w+"\} (\d+)$/gm),
      ];
      return owed.length > 0 && owed.every(([, count]) => count === "0") ? true : undefined;
    },
    "all that is owed to be told",
    120_000,
  );
  note("settled");
  await crew.finish();
}

async function collect(stage: Stage, disturbed: readonly Span[]): Promise<Collected> {
  const { hook, chat, hookWay, chatWay, maker, crew } = stage.parts;
  const { contradictions, events, deliveries } = await readLedger(stage.ledger);
  const accepted = [...hook.accepted(hookWay.faults), ...chat.accepted(chatWay.faults)];
  const none: ReadonlySet<string> = new Set();
  const sinks: SinkFacts[] = [
    {
      name: "hook",
      wants: "all",
      concurrency: CONCURRENCY.hook,
      rows: null,
      refused: hook.refused,
    },
    {
      name: "chat",
      wants: "Warning",
      concurrency: CONCURRENCY.chat,
      rows: null,
      refused: chat.refused,
    },
  ];
  if (stage.database !== null) {
    const rows = await stage.database.server.sql(
      "SELECT event_id, count FROM kube_event",
      stage.database.name,
    );
    const byUid = new Map(rows.map((row) => [String(row["event_id"]), Number(row["count"])]));
    sinks.push({
      name: "table",
      wants: "all",
      concurrency: CONCURRENCY.table,
      rows: byUid,
      refused: none,
    });
  }
  const books: Books = {
    created: maker.created,
    attempted: maker.attempted,
    accepted,
    sinks,
    events,
    deliveries,
    deaths: crew.deaths,
    watched: crew.watched,
    listed: crew.listed,
    election: crew.election(disturbed),
  };
  return { ...books, books, contradictions };
}

interface Collected extends Books {
  readonly books: Books;
  readonly contradictions: readonly string[];
}
