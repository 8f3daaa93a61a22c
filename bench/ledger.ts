import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { orderedId } from "../src/event/id.ts";
import { normalize } from "../src/event/normalize.wire.ts";
import type { KubeEvent } from "../src/event/event.ts";
import { openDatabase } from "../src/ledger/database.ts";
import { Retention } from "../src/ledger/retention.ts";
import { SqliteStore } from "../src/ledger/sqlite.ts";
import type { Write } from "../src/ledger/store.ts";
import { fileEvents } from "./file/events.ts";
import { percentiles } from "./harness/stats.ts";

/** `npm run bench:ledger -- [N] [FOLDER]`: how fast N events become owed in an SQLite file, and what the questions of a lane and the cleaning cost then. */
const [argument = "1000000", folder = tmpdir()] = process.argv.slice(2);
const count = Number(argument);
const BATCH = 100;
const dataDir = mkdtempSync(path.join(folder, "kube-crier-bench-"));
const db = openDatabase(dataDir, 1000);
const store = new SqliteStore(db);
const retention = new Retention(db);
const from = new Date("2026-01-01T00:00:00Z");
let at = from.getTime();
const tell = (line: string): void => void process.stdout.write(`${line}\n`);

function take(event: KubeEvent): Write {
  at += 1;
  const delivery = {
    id: orderedId(at, randomUUID()),
    sink: "ops",
    alert: { kind: "event", event } as const,
    attempts: 0,
    owedAt: at,
    notBefore: at,
  };
  return { kind: "take", event, receivedAt: at, force: false, deliveries: [delivery] };
}

const times: number[] = [];
let writes: Write[] = [];
for (const chunk of fileEvents({ count, seed: 1, from })) {
  for (const line of chunk.trimEnd().split("\n")) {
    const event = normalize(JSON.parse(line), "demo", from.toISOString());
    if (event !== null) writes.push(take(event));
    if (writes.length < BATCH) continue;
    const began = performance.now();
    store.write(writes);
    times.push(performance.now() - began);
    writes = [];
  }
}
const spent = times.reduce((sum, time) => sum + time, 0);
const { p50, p99, max } = percentiles(times);
tell(
  `${count} owed, ${Math.round((times.length * BATCH * 1000) / spent)}/s; ${BATCH} take p50 / p99 / max ${[p50, p99, max].map((ms) => ms?.toFixed(1)).join(" / ")} ms; ${Math.round(retention.usedBytes() / 1_048_576)} MiB`,
);

function measure(name: string, work: () => unknown, times = 20): void {
  const began = performance.now();
  for (let n = 0; n < times; n += 1) work();
  tell(`${name.padEnd(36)} ${((performance.now() - began) / times).toFixed(3)} ms`);
}
const now = at + 1;
measure("the next 32 that are due", () => store.due("ops", now, 32));
measure("when the next one falls due", () => store.nextAt("ops", now));
measure("whether anything is owed at all", () => store.nextAt("ops", 0));
measure("all that is pending, counted", () => store.pending("ops", now), 3);
measure("a look for old history: none", () => retention.prune(from.getTime(), now, 0, BATCH));
measure("a look for old history: all owed", () => retention.prune(now, now, 0, BATCH));
measure("bytes in use", () => retention.usedBytes());
measure("the oldest 100 given up", () => retention.overflow(BATCH, now), 5);
const due = [...store.due("ops", now, 1_000)];
measure(
  "one delivered",
  () => {
    const { id = "" } = due.pop() ?? {};
    const outcome = { kind: "delivered", at: now, sent: "{}", answer: "ok" } as const;
    store.write([{ kind: "settle", id, outcome, failed: 0, tries: [] }]);
  },
  1_000,
);
db.close();
rmSync(dataDir, { recursive: true });
