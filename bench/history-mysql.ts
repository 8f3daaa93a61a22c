import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import { type Clock, systemClock } from "../src/clock.ts";
import { Days } from "../src/history/mysql/days.ts";
import { openDatabaseReaderBeside } from "../src/history/open.ts";
import { Thread } from "../src/history/thread.ts";
import { openMysqlLedger } from "../src/ledger/mysql/open.ts";
import type { Entry } from "../src/ledger/ledger.ts";
import { migrate } from "../src/ledger/mysql/schema.ts";
import { Session } from "../src/ledger/mysql/session.ts";
import type { LedgerTarget } from "../src/ledger/mysql/target.ts";
import { Mariadb } from "../test/support/mariadb.ts";
import { aDatabase } from "../test/support/mysql-ledger.ts";
import { recordingObserver } from "../test/support/observer.ts";
import { measure, say } from "./history/ask.ts";
import { Happenings } from "./history/events.ts";
import { BASE, copyIndex, copyLedger, type Load, loadBase, toldOf } from "./history/load.ts";

/**
 * A seeded history in a MariaDB of its own, asked as people ask, alone and while 200 events a second arrive:
 *   npm run bench:history-mysql -- [--times=10] [--stages=10] [--days=3] [--rounds=15] [--memory=2G]
 * 1,048,576 events of so many days, told so many times over, each time on earlier days; judged after each of the stages. Some 1.7 GB of disk for each, until it has ended.
 */
const { values } = parseArgs({
  options: {
    times: { type: "string", default: "10" },
    stages: { type: "string", default: "10" },
    days: { type: "string", default: "3" },
    rounds: { type: "string", default: "15" },
    memory: { type: "string", default: "2G" },
  },
});
const DAY_MS = 86_400_000;
const [times, days, rounds] = [values.times, values.days, values.rounds].map(Number) as [
  number,
  number,
  number,
];
const stages = values.stages.split(",").map(Number);
const PROBE = 10_000;
const PER_SECOND = 200;
const DISK_MAX = 25e9;
const begun = performance.now();
const tell = (line: string) =>
  say(`${((performance.now() - begun) / 1000).toFixed(0).padStart(5)} s  ${line}`);

const server = await Mariadb.start({
  args: [
    `--innodb-buffer-pool-size=${values.memory}`,
    "--innodb-log-file-size=512M",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-doublewrite=0",
    "--secure-file-priv=",
  ],
});
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => void server.destroy().finally(() => process.exit(1)));

/** Whole days, the last of which has just ended: by this clock. */
const until = Math.floor(Date.now() / DAY_MS) * DAY_MS;
let shift = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() + shift };

function openLedger(target: LedgerTarget, salt: string) {
  return openMysqlLedger(
    {
      target,
      clock,
      observer: recordingObserver().observer,
      makeId: idsOf(`${salt}-${Math.random()}`),
      historyMs: 365 * DAY_MS,
      maxBytes: 2 ** 50,
      away: "block",
      term: null,
    },
    new AbortController().signal,
  );
}

async function insertion(database: string): Promise<number> {
  const ledger = await openLedger(await aDatabase(server, database), database);
  const happenings = new Happenings(Math.floor(Math.random() * 1e9));
  const start = performance.now();
  for (let made = 0; made < PROBE; made += 100) {
    await ledger.outbox.add(
      Array.from({ length: 100 }, () => entryOf(happenings)),
      [],
      new AbortController().signal,
    );
    settleAll(ledger.outbox);
  }
  await ledger.outbox.written();
  const rate = (PROBE * 1000) / (performance.now() - start);
  await ledger.close();
  return rate;
}

function idsOf(salt: string): () => string {
  let made = 0;
  return () => `${salt}-${(made += 1)}`.slice(0, 64);
}

function entryOf(happenings: Happenings): Entry {
  const event = happenings.next(clock.now());
  const sinks = toldOf(event);
  const alert = { kind: "event", event } as const;
  return { event, alert, sinks, ...(sinks.length === 0 ? { suppressed: "noSink" } : {}) };
}

function settleAll(outbox: Awaited<ReturnType<typeof openMysqlLedger>>["outbox"]): void {
  const at = clock.now();
  for (const sink of ["ding-oncall", "nodes"])
    for (const { id } of outbox.due(sink, at, 500, new Set()))
      outbox.settle(id, { kind: "delivered", at, sent: "", answer: "HTTP 200: ok", tookMs: 12 });
}

/** Bytes of the history's files of that name. */
function onDisk(like: string): number {
  const said = execFileSync("sh", ["-c", `du -cb ${server.dir}/data/history/${like} | tail -1`], {
    encoding: "utf8",
  });
  return Number(said.split("\t")[0]);
}

/** What is kept for each event by now, and how people and the program fare with it. */
async function judge(target: LedgerTarget, told: number): Promise<void> {
  await server.sql("FLUSH TABLES", "history");
  const held = BASE * told;
  const all = onDisk("*.ibd");
  const index = onDisk("kube_crier_history*.ibd");
  tell(
    `on disk for each of ${held} events: ${Math.round((all - index) / held)} bytes of ledger, ${Math.round(index / held)} of index; ${(all / 1e9).toFixed(1)} GB`,
  );
  shift = until - Date.now();
  // In turn: other work on the machine meets both.
  const [empty, full]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 3; turn += 1) {
    empty.push(await insertion(`empty${told}_${turn}`));
    full.push(await insertion("history"));
  }
  const rates = (all: readonly number[]) => all.map((one) => Math.round(one)).join(", ");
  const middle = (all: readonly number[]) => all.toSorted((a, b) => a - b)[1] ?? 0;
  tell(
    `insertion: ${rates(empty)}/s into an empty ledger, ${rates(full)}/s into this one: ${Math.round((100 * middle(full)) / middle(empty))} % of the middle ones`,
  );
  let arrived = 0;
  const reader = openDatabaseReaderBeside(target, () => arrived, systemClock);
  await measure("alone", reader, rounds, () => clock.now());
  const ledger = await openLedger(target, "arriving");
  const going = new AbortController();
  const happenings = new Happenings(10 + told);
  const arriving = (async () => {
    const start = performance.now();
    while (!going.signal.aborted) {
      const due = Math.floor(((performance.now() - start) / 1000) * PER_SECOND) - arrived;
      if (due > 0) {
        const some = Array.from({ length: Math.min(100, due) }, () => entryOf(happenings));
        await ledger.outbox.add(some, [], new AbortController().signal);
        settleAll(ledger.outbox);
        arrived += some.length;
      }
      await pause(20);
    }
    return arrived / ((performance.now() - start) / 1000);
  })();
  await measure(`while ${PER_SECOND} events/s arrive`, reader, rounds, () => clock.now());
  going.abort();
  tell(
    `${Math.round(await arriving)} events/s arrived; ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`,
  );
  await reader.close();
  await ledger.close();
}

try {
  const target = await aDatabase(server, "history");
  const load: Load = { server, database: "history", times, days, until };
  const session = new Session(target, 600_000);
  await migrate(session);
  await new Days().cover(session, until - times * days * DAY_MS, until + 2 * DAY_MS);
  // What comes before is copied, and so is what it is looked up in.
  const top = BASE * (times - 1) - 1;
  await session.query(
    `UPDATE kube_crier_history SET low = 0, high = ${top}, worded = ${top} WHERE one = 1`,
  );
  const thread = new Thread({ target }, systemClock);
  const cpu = process.cpuUsage();
  const state = { loaded: false };
  const loading = loadBase(load).finally(() => (state.loaded = true));
  loading.catch(() => undefined);
  for (let left = BASE; !state.loaded || left > 1_000;) {
    await pause(1_000);
    const [[newest, high] = []] = await session.query(
      "SELECT (SELECT MAX(seq) FROM kube_crier_occurrence), high FROM kube_crier_history",
    );
    // Of an empty ledger the index would be begun anew.
    if (newest !== null) thread.index();
    left = newest === null ? BASE : Number(newest) - Number(high);
  }
  await loading;
  await thread.close();
  const [[low] = []] = await session.query("SELECT low FROM kube_crier_history");
  if (Number(low) !== 0) throw new Error(`the index goes down to ${String(low)} only`);
  await session.end();
  const { user, system } = process.cpuUsage(cpu);
  tell(
    `${BASE} events loaded and indexed: ${((user + system) / BASE).toFixed(0)} µs of our processor for each, made by us as well`,
  );
  for (let told = 1; ;) {
    const isFull = onDisk("*.ibd") * (1 + 1 / told) > DISK_MAX;
    if (stages.includes(told) || isFull) await judge(target, told);
    if (told >= times || isFull) break;
    await Promise.all([copyLedger(load, told), copyIndex(load, told)]);
    told += 1;
    tell(`${BASE * told} events`);
  }
} finally {
  await server.destroy();
}
