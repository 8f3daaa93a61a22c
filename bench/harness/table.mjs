#!/usr/bin/env node
// table.mjs A.json B.json ... -> a Markdown table, one column per candidate. Files with the same "name=" prefix can be merged: X=A.json,B.json
import fs from "node:fs";

const cols = process.argv.slice(2).map((a) => {
  const [name, files] = a.includes("=") ? a.split("=") : [null, a];
  const s = {};
  let n = name;
  for (const f of files.split(",")) {
    const d = JSON.parse(fs.readFileSync(f));
    n ??= d.name;
    for (const [k, v] of Object.entries(d.scenarios)) if (!v.error || !s[k]) s[k] = v;
  }
  return { name: n, s };
});
const ms = (v) =>
  v == null
    ? "-"
    : v >= 10000
      ? (v / 1000).toFixed(0) + " s"
      : v >= 1000
        ? (v / 1000).toFixed(1) + " s"
        : v + " ms";
const lat = (v) => (v.latencyMs ? `${ms(v.latencyMs.p50)} / ${ms(v.latencyMs.p99)}` : "-");
const of = (v) => `${v.delivered} of ${v.created}`;
const rows = [
  ["exec to first arrival", "startup", (v) => ms(v.execToFirstArrivalMs)],
  ["oldest event covered after exec", "startup", (v) => ms(v.execToFirstCoveredEventMs)],
  ["RSS idle", "startup", (v) => v.rssIdleMiB + " MiB"],
  [
    "120,000 events there already: first arrival, RSS peak",
    "backlog",
    (v) => `${ms(v.execToFirstArrivalMs)}, ${v.process.rssPeakMiB} MiB`,
  ],
  ["latency at 2/s, p50 / p99", "latency", lat],
  ["delivered at 2/s", "latency", of],
  ["200/s: delivered", "throughput200", of],
  ["200/s: latency p50 / p99", "throughput200", lat],
  [
    "200/s: CPU, RSS peak",
    "throughput200",
    (v) => `${v.cpuSecondsOfLoad} s, ${v.process.rssPeakMiB} MiB`,
  ],
  [
    "max rate: delivered (created/s)",
    "throughputmax",
    (v) => `${of(v)} (${v.generator.perSecond}/s)`,
  ],
  [
    "max rate: done after the last create, CPU, RSS peak",
    "throughputmax",
    (v) =>
      `${ms(v.deliverySpanMs - v.generator.ms)}, ${v.cpuSecondsOfLoad} s, ${v.process.rssPeakMiB} MiB`,
  ],
  ["max rate: latency p50 / p99", "throughputmax", lat],
  [
    "500 for 20 s: lost, duplicated",
    "sink500",
    (v) => `${v.lost}, ${v.duplicated} of ${v.created}`,
  ],
  [
    "429 for 20 s: lost, duplicated",
    "sink429",
    (v) => `${v.lost}, ${v.duplicated} of ${v.created}`,
  ],
  [
    "hang for 20 s: lost",
    "sinkhang",
    (v) =>
      `${v.lost} of ${v.created}; ${v.afterReceiverClosedTheHungSockets.lost} once the receiver closed the socket`,
  ],
  [
    "slow receiver: at once, RSS with backlog, lost",
    "slowsink",
    (v) => `${v.maxConcurrentRequests}, ${v.rssWithBacklogMiB} MiB, ${v.lost}`,
  ],
  [
    "kill -9: lost (before / down / after), duplicated",
    "kill9",
    (v) =>
      `${v.lost} (${v.lostCreatedBeforeKill} / ${v.lostCreatedWhileDown} / ${v.lostCreatedAfterRestart}), ${v.duplicated} of ${v.created}`,
  ],
  [
    "SIGTERM: exit, delivered by then, lost, duplicated",
    "sigterm",
    (v) =>
      `${typeof v.exit === "string" ? v.exit : `${v.exit.signal ?? "code " + v.exit.code} ${ms(v.exit.ms)}`}, ${v.deliveredAtExit}, ${v.lost}, ${v.duplicated} of ${v.created}`,
  ],
  [
    "SIGTERM with a hung receiver",
    "sigtermhang",
    (v) =>
      `${typeof v.exit === "string" ? v.exit : `${v.exit.signal ?? "code " + v.exit.code} ${ms(v.exit.ms)}`}; lost ${v.lost} of ${v.created}`,
  ],
  [
    "awkward messages: intact / invalid JSON",
    "badchars",
    (v) => `${v.intact} / ${v.invalidJson} of ${v.cases}`,
  ],
  [
    "deliveries of one event bumped to count 5",
    "updates",
    (v) =>
      Object.entries(v.deliveriesPerEvent)
        .map(([n, e]) => `${n} (${e} events)`)
        .join(", ") || "none",
  ],
  ["events.k8s.io/v1 delivered", "newapi", of],
  [
    "API server restart: lost, duplicated",
    "apirestart",
    (v) => `${v.lost}, ${v.duplicated} of ${v.created}`,
  ],
];
console.log(
  `| measure | ${cols.map((c) => c.name).join(" | ")} |\n|---|${cols.map(() => "---").join("|")}|`,
);
for (const [label, key, f] of rows) {
  const cells = cols.map((c) => {
    const v = c.s[key];
    if (!v) return "";
    if (v.error) return "error: " + v.error;
    try {
      return f(v);
    } catch {
      return "?";
    }
  });
  if (cells.some(Boolean)) console.log(`| ${String(label)} | ${cells.map(String).join(" | ")} |`);
}
