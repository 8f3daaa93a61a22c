import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../src/clock.ts";
import { indexPath, openReaderBeside, placesIn } from "../src/history/open.ts";
import { Engine } from "../src/history/sqlite/engine.ts";
import { databasePath, openDatabase } from "../src/ledger/database.ts";
import { measure, say } from "./history/ask.ts";
import { BATCH, Filler } from "./history/fill.ts";

/**
 * A seeded history in SQLite, asked as people ask, alone and while 200 events a second arrive:
 *   npm run bench:history -- [--events=1000000] [--rounds=40] [--data-dir=DIR]
 * A directory that holds a ledger already is used as it is.
 */
const { values } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    days: { type: "string", default: "7" },
    rounds: { type: "string", default: "40" },
    "data-dir": { type: "string" },
  },
});
const events = Math.min(20_000_000, Number(values.events));
const rounds = Number(values.rounds);
const own = values["data-dir"] === undefined;
const dataDir = values["data-dir"] ?? mkdtempSync(path.join(tmpdir(), "kube-crier-bench-history-"));
const SPAN = Number(values.days) * 86_400_000;
/** Measured on so many events at each end. */
const PROBE = 20_000;
const PER_SECOND = 200;

function fill(dir: string, seed: number, count: number, from: number, to: number): number {
  const db = openDatabase(dir, 5_000);
  const filler = new Filler(db, seed);
  const begun = performance.now();
  for (let made = 0; made < count; made += BATCH)
    filler.batch(Math.min(BATCH, count - made), (index) =>
      Math.floor(from + ((made + index) / count) * (to - from)),
    );
  const seconds = (performance.now() - begun) / 1000;
  db.close();
  return count / seconds;
}

function bytesOf(file: string): number {
  return ["", "-wal"].reduce(
    (sum, part) => sum + (statSync(file + part, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

const UNTIL = Date.now();
if (!existsSync(databasePath(dataDir))) {
  const rate = fill(dataDir, 7, events, UNTIL - SPAN, UNTIL - 60_000);
  say(`filled with ${events} events, ${Math.round(rate)}/s`);
}
const empty = mkdtempSync(path.join(tmpdir(), "kube-crier-bench-empty-"));
const before = fill(empty, 8, PROBE, UNTIL - 60_000, UNTIL - 30_000);
rmSync(empty, { recursive: true });
const after = fill(dataDir, 9, PROBE, UNTIL - 60_000, UNTIL - 30_000);
say(
  `insertion: ${Math.round(before)}/s into an empty ledger, ${Math.round(after)}/s into this one: ${Math.round((100 * after) / before)} %`,
);

const engine = new Engine(placesIn(dataDir), systemClock);
const indexing = performance.now();
const indexed = bytesOf(indexPath(dataDir)) > 0 ? 0 : events + PROBE;
while (engine.work());
if (indexed > 0) {
  const seconds = (performance.now() - indexing) / 1000;
  say(
    `indexed in ${seconds.toFixed(0)} s, ${Math.round((seconds * 1e6) / indexed)} µs for each event`,
  );
}
await engine.close();
const db = openDatabase(dataDir, 5_000);
const held = Number(db.prepare("SELECT COUNT(*) AS n FROM occurrence").get()?.["n"]);
const deliveries = Number(db.prepare("SELECT COUNT(*) AS n FROM delivery").get()?.["n"]);
say(
  `on disk for each of ${held} events and ${(deliveries / held).toFixed(2)} deliveries of it: ${Math.round(bytesOf(databasePath(dataDir)) / held)} bytes of ledger, ${Math.round(bytesOf(indexPath(dataDir)) / held)} of index`,
);

const reader = openReaderBeside(dataDir, () => 0, systemClock);
await measure("alone", reader, rounds);

const going = new AbortController();
const filler = new Filler(db, 10);
let arrived = 0;
let slowest = 0;
const arriving = (async () => {
  const begun = performance.now();
  while (!going.signal.aborted) {
    const due = Math.floor(((performance.now() - begun) / 1000) * PER_SECOND) - arrived;
    if (due > 0) {
      const writing = performance.now();
      filler.batch(Math.min(due, BATCH), () => Date.now() - 200);
      slowest = Math.max(slowest, performance.now() - writing);
      arrived += Math.min(due, BATCH);
    }
    await pause(50);
  }
  return arrived / ((performance.now() - begun) / 1000);
})();
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
await measure(`while ${PER_SECOND} events/s arrive`, reader, rounds);
going.abort();
const rate = await arriving;
say(
  `\n${Math.round(rate)} events/s arrived; the thread that delivers: slowest write ${slowest.toFixed(0)} ms, event loop late by ${(delay.percentile(99) / 1e6 - 10).toFixed(0)} ms (p99); ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`,
);
await reader.close();
db.close();
if (own) rmSync(dataDir, { recursive: true });
