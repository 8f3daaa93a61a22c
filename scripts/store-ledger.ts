import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Clock } from "../src/clock.ts";
import type { Alert } from "../src/event/alert.ts";
import { exportLedger } from "../src/ledger/export.ts";
import type { Entry } from "../src/ledger/ledger.ts";
import { openLedger } from "../src/ledger/open.ts";
import { MIGRATIONS } from "../src/ledger/schema.ts";
import type { Observer } from "../src/observe/observer.ts";
import { anEvent } from "../test/support/events.ts";

/**
 * Keeps a ledger of the present version, with what it holds, as test/fixtures/ledger/vN.db and vN.ndjson: whatever comes later must be
 * able to open it. Run once for each new version of the tables: `npx node scripts/store-ledger.ts`.
 */
const FOLDER = path.resolve(import.meta.dirname, "../test/fixtures/ledger");
const name = path.join(FOLDER, `v${MIGRATIONS.length}`);
if (existsSync(`${name}.db`)) {
  process.stderr.write(`${name}.db is there already; a version that was released never changes\n`);
  process.exit(1);
}

const START = Date.parse("2026-11-20T08:00:00Z");
let now = START;
const clock: Clock = {
  now: () => now,
  sleep: (_ms, signal) =>
    new Promise((resolve) => signal?.addEventListener("abort", () => resolve())),
};
let made = 0;
const dataDir = mkdtempSync(path.join(tmpdir(), "kube-crier-store-"));
const ledger = openLedger({
  dataDir,
  historyMs: 7 * 86_400_000,
  maxBytes: 2 ** 30,
  clock,
  observer: new Proxy({} as Observer, { get: () => () => undefined }),
  makeId: () => `d${(made += 1)}`,
});
const { outbox } = ledger;
const never = new AbortController().signal;

const entry = (n: number, sinks: readonly string[], message: string): Entry => {
  const uid = `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
  const event = anEvent({ uid, count: n, message, object: { name: `web-${n}` } });
  return { event, alert: { kind: "event", event }, sinks };
};
const gap: Alert = {
  kind: "gap",
  cluster: "prod-a",
  since: "2026-11-20T05:00:00.000Z",
  until: "2026-11-20T07:00:00.000Z",
  cause: "downtime",
};
const digest: Alert = {
  kind: "digest",
  cluster: "prod-a",
  total: 2,
  from: "2026-11-20T08:05:30Z",
  to: "2026-11-20T08:05:30Z",
  lines: [
    {
      count: 2,
      severity: "warning",
      reason: "BackOff",
      namespace: "shop",
      kind: "Pod",
      workload: "web",
      objects: 2,
    },
  ],
  moreKinds: 0,
};

// d1 … d7: one of everything a delivery can come to.
await outbox.add(
  [
    entry(1, ["ops", "audit"], "plain"),
    entry(2, ["ops"], "镜像拉取失败 \u0000 <!channel> 🙂 \"quoted\" 'and' \\"),
    entry(3, ["chat"], "x".repeat(10_000)),
    entry(4, ["chat"], ""),
  ],
  [
    {
      scope: "kubernetes:*",
      cluster: "9f2",
      resourceVersion: "81234",
      at: now,
      witness: { uid: "00000000-0000-4000-8000-000000000004", type: "Warning", at: now },
    },
  ],
  never,
);
await outbox.add([{ event: null, alert: gap, sinks: ["audit"] }], [], never);
outbox.attempting("ops", now);
now += 60_000;
outbox.settle("d1", { kind: "delivered", at: now, sent: "{}", answer: "HTTP 200: ok" });
outbox.settle("d2", { kind: "dead", at: now, reason: "auth", detail: "310000", counted: true });
outbox.settle("d3", {
  kind: "retry",
  at: now,
  notBefore: now + 30_000,
  reason: "throttled",
  detail: "130101",
  counted: true,
});
outbox.fold("chat", ["d4", "d5"], digest, now);
await ledger.close();

mkdirSync(FOLDER, { recursive: true });
const rows = [...exportLedger(dataDir, null)].map((row) => `${JSON.stringify(row)}\n`);
writeFileSync(`${name}.ndjson`, rows.join(""));
copyFileSync(path.join(dataDir, "ledger.db"), `${name}.db`);
rmSync(dataDir, { recursive: true });
process.stdout.write(`kept ${name}.db and what it holds\n`);
