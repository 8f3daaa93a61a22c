// As in src/bin.js before all the rest: the memory a Pod has.
import "../src/runtime.ts";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { runApp } from "../src/app/app.ts";
import { createSenders, httpClient } from "../src/app/senders.ts";
import { systemClock } from "../src/clock.ts";
import { loadConfig } from "../src/config/load.ts";
import type { KubeEvent } from "../src/event/event.ts";
import { jsonLog } from "../src/observe/log.ts";
import { createMetrics } from "../src/observe/metrics.ts";
import { createObserver } from "../src/observe/observe.ts";
import type { PreflightSource, SourceItem } from "../src/source/source.ts";
import { createTemplates } from "../src/template/templates.ts";
import { sinks as registry } from "../sinks/index.ts";
import { Mariadb } from "../test/support/mariadb.ts";

/**
 * The whole program but for the cluster (pump, ledger on disk, lane, sink) into a MariaDB of its own:
 *   npm run bench:mysql -- rows [N]          N events as fast as they are taken: rows in a second
 *   npm run bench:mysql -- outage [SECONDS]  200 events in a second, the database killed for so long in the middle
 */
const [scenario = "rows", argument] = process.argv.slice(2);
const BATCH = 100;
const dataDir = mkdtempSync(path.join(tmpdir(), "kube-crier-bench-"));
const db = await Mariadb.start();
await db.sql("CREATE DATABASE history");

/** Of 50 namespaces; every tenth is a further occurrence of an event before it. */
function event(n: number): KubeEvent {
  const again = n % 10 === 9;
  const uid = `00000000-0000-4000-8000-${String(again ? n - 1 : n).padStart(12, "0")}`;
  const count = again ? 2 : 1;
  const seen = new Date().toISOString();
  const name = `web-${n % 5000}-7d4b9c6f5d-x2x9z`;
  return {
    key: `${uid}@${count}`,
    uid,
    resourceVersion: String(n),
    eventName: `${name}.17a1f2`,
    eventNamespace: `team-${n % 50}`,
    cluster: "prod-a",
    type: n % 3 === 0 ? "Warning" : "Normal",
    reason: ["BackOff", "Pulled", "Started", "FailedScheduling", "Unhealthy"][n % 5] ?? "",
    message: `Back-off restarting failed container web in pod ${name}_team-${n % 50}(${uid}) ${n}`,
    action: null,
    object: {
      kind: "Pod",
      apiVersion: "v1",
      namespace: `team-${n % 50}`,
      name,
      uid,
      fieldPath: "spec.containers{web}",
    },
    related: null,
    reporter: { component: "kubelet", host: `node-${n % 100}`, instance: null },
    count,
    firstSeen: seen,
    lastSeen: seen,
  };
}

/** @param rate events in a second; `null`: as they are taken */
function source(total: number, rate: number | null): PreflightSource {
  return {
    name: "bench",
    preflight: () => Promise.resolve(),
    async *batches() {
      const started = performance.now();
      let sent = 0;
      while (sent < total) {
        const due =
          rate === null ? total : Math.floor(((performance.now() - started) / 1000) * rate);
        const items: SourceItem[] = [];
        for (; sent < Math.min(due, total) && items.length < BATCH; sent += 1)
          items.push({ kind: "event", event: event(sent), checkpoint: null });
        if (items.length > 0) yield items;
        else await systemClock.sleep(5);
      }
    },
  };
}

async function run(total: number, rate: number | null): Promise<number> {
  const { config } = loadConfig({
    flags: {
      source: ["file:-"],
      sink: [`mysql:?root@tcp(127.0.0.1:${db.port})/history?charset=utf8mb4&table=kube_event`],
      dataDir,
      clusterName: "prod-a",
    },
    registry,
    env: { TZ: "UTC" },
  });
  const metrics = createMetrics("bench", ["bench"], ["mysql"]);
  const log = jsonLog(scenario === "outage" ? "warn" : "error", process.stderr);
  const { observer, tally } = createObserver(log, metrics, systemClock);
  const templates = createTemplates({
    builtinDir: path.resolve(import.meta.dirname, "../templates"),
    overrides: [],
  });
  const client = httpClient("bench");
  const started = performance.now();
  const summary = await runApp(
    config,
    {
      clock: systemClock,
      random: Math.random,
      makeId: randomUUID,
      observer,
      tally,
      metrics,
      sources: [source(total, rate)],
      openSenders: () =>
        Promise.resolve(
          createSenders(config, new Map([["mysql", templates.get("mysql")]]), {
            client,
            stdout: process.stdout,
            clock: systemClock,
            observer,
          }),
        ),
    },
    new AbortController().signal,
  );
  client.close();
  if (summary.dead + summary.lost + summary.pending > 0)
    throw new Error(`not all was told: ${JSON.stringify(summary)}`);
  return (performance.now() - started) / 1000;
}

/** How many events have no row, or not their last count, and how many have a second one. */
async function judge(total: number): Promise<string> {
  const [row] = await db.sql(
    "SELECT COUNT(*) AS `rows`, COUNT(DISTINCT event_id) AS events, SUM(`count`) AS told FROM kube_event",
    "history",
  );
  const { rows, events, told } = row as { rows: number; events: number; told: string };
  const wanted = total - Math.floor(total / 10);
  return `${wanted - events} missing, ${rows - events} second rows, ${total - Number(told)} counts missing (${rows} rows of ${total} occurrences)`;
}

try {
  if (scenario === "rows") {
    const total = Number(argument ?? 100_000);
    const cpu = process.cpuUsage();
    const seconds = await run(total, null);
    const { user, system } = process.cpuUsage(cpu);
    process.stdout.write(
      `${total} occurrences in ${seconds.toFixed(1)} s: ${Math.round(total / seconds)} rows/s; ${await judge(total)}; CPU ${((user + system) / 1e6).toFixed(1)} s, peak RSS ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB\n`,
    );
  } else {
    const seconds = Number(argument ?? 60);
    const total = 200 * (seconds + 20);
    const running = run(total, 200);
    await systemClock.sleep(10_000);
    await db.kill();
    process.stdout.write(`the database is killed\n`);
    await systemClock.sleep(seconds * 1000);
    await db.up();
    process.stdout.write(`the database is back after ${seconds} s\n`);
    const took = await running;
    process.stdout.write(`${total} occurrences in ${took.toFixed(1)} s; ${await judge(total)}\n`);
  }
} finally {
  await db.destroy();
  rmSync(dataDir, { recursive: true, force: true });
}
