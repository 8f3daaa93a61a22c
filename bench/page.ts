import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { systemClock } from "../src/clock.ts";
import type { KubeEvent } from "../src/event/event.ts";
import { placesIn } from "../src/history/open.ts";
import { Engine } from "../src/history/sqlite/engine.ts";
import { openDatabase } from "../src/ledger/database.ts";
import { Happenings } from "./history/events.ts";
import { BATCH, Filler } from "./history/fill.ts";
import type { Got } from "./page/load.ts";

/**
 * What a page that many look at costs those who are to be told: `run` with events coming in at a rate and going out to an HTTP receiver,
 * alone, and while the page is read and followed by so many. Bounded: about two minutes.
 *   npm run bench:page -- [--readers=200] [--tails=500] [--think=1000] [--rate=200] [--seconds=30] [--events=200000] [--idle]
 */
const { values } = parseArgs({
  options: {
    readers: { type: "string", default: "200" },
    tails: { type: "string", default: "500" },
    think: { type: "string", default: "1000" },
    rate: { type: "string", default: "200" },
    seconds: { type: "string", default: "30" },
    events: { type: "string", default: "200000" },
    idle: { type: "boolean", default: false },
  },
});
const rate = Number(values.rate);
const seconds = Math.min(600, Number(values.seconds));
const ROOT = path.resolve(import.meta.dirname, "..");
const say = (line: string) => process.stdout.write(`${line}\n`);

function fill(dataDir: string, count: number): void {
  const db = openDatabase(dataDir, 5_000);
  const filler = new Filler(db, 7);
  const end = Date.now() - 60_000;
  for (let made = 0; made < count; made += BATCH)
    filler.batch(Math.min(BATCH, count - made), (index) =>
      Math.floor(end - (1 - (made + index) / count) * 7 * 86_400_000),
    );
  db.close();
}

/** As an API server would send it. */
function wireOf(event: KubeEvent, n: number): string {
  const { kind, apiVersion, namespace, name, uid } = event.object;
  return `${JSON.stringify({
    apiVersion: "v1",
    kind: "Event",
    metadata: {
      name: event.eventName,
      namespace: event.eventNamespace,
      uid: event.uid,
      resourceVersion: event.resourceVersion,
    },
    involvedObject: { kind, apiVersion, name, uid, ...(namespace === null ? {} : { namespace }) },
    reason: event.reason,
    message: `${event.message} #${n}#`,
    type: event.type,
    count: event.count,
    firstTimestamp: event.firstSeen,
    lastTimestamp: event.lastSeen,
    source: { component: event.reporter.component, host: event.reporter.host },
  })}\n`;
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const made = new Map<number, number>();
const latencies: number[] = [];
const receiver = http
  .createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const at = performance.now();
      response.end("ok");
      const n = Number(/#(\d+)#/.exec(Buffer.concat(parts).toString("utf8"))?.[1]);
      const begun = made.get(n);
      if (begun === undefined) return;
      made.delete(n);
      latencies.push(at - begun);
    });
  })
  .listen(0, "127.0.0.1");
await once(receiver, "listening");
const sink = `webhook:http://127.0.0.1:${(receiver.address() as AddressInfo).port}/?level=Normal`;

execFileSync("npm", ["run", "-s", "build"], { cwd: ROOT, stdio: "inherit" });
const dataDir = mkdtempSync(path.join(tmpdir(), "kube-crier-bench-page-"));
fill(dataDir, Number(values.events));
const engine = new Engine(placesIn(dataDir), systemClock);
while (engine.work());
await engine.close();

const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const run = spawn(
  process.execPath,
  [
    path.join(ROOT, "dist/kube-crier.js"),
    "run",
    "--source=file:-",
    "--stay",
    `--sink=${sink}`,
    `--data-dir=${dataDir}`,
    "--listen=127.0.0.1:0",
    `--web-listen=127.0.0.1:${port}`,
    "--log-level=warn",
  ],
  {
    stdio: ["pipe", "ignore", "inherit"],
    env: { ...process.env, MALLOC_ARENA_MAX: "1" },
  },
);
const ended = once(run, "exit");

async function isUp(): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      if ((await fetch(`${url}/api/v1/whoami`)).ok) return;
    } catch {
      await pause(100);
    }
  }
  throw new Error("run does not serve its page");
}

function ofProcess(field: string): number {
  const text = readFileSync(`/proc/${run.pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) / 1024;
}

/** Seconds of the processor that `run` has used. */
function processorTime(): number {
  const fields = readFileSync(`/proc/${run.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const happenings = new Happenings(Date.now());
let numbered = 0;

async function feed(title: string): Promise<void> {
  latencies.length = 0;
  made.clear();
  const begun = performance.now();
  const busy = processorTime();
  let sent = 0;
  let rss = 0;
  while (performance.now() - begun < seconds * 1000) {
    const due = Math.floor(((performance.now() - begun) / 1000) * rate) - sent;
    for (let n = 0; n < due; n += 1) {
      numbered += 1;
      made.set(numbered, performance.now());
      run.stdin.write(wireOf(happenings.next(Date.now()), numbered));
    }
    sent += due;
    if (sent % 50 < due) rss = Math.max(rss, ofProcess("VmRSS"));
    await pause(5);
  }
  for (let waited = 0; made.size > 0 && waited < 100; waited += 1) await pause(100);
  const used = (processorTime() - busy) / seconds;
  const sorted = latencies.toSorted((a, b) => a - b);
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((q) => quantile(sorted, q).toFixed(1));
  say(
    `${title.padEnd(14)} ${sent} events, ${made.size} not told; told after p50 ${p50} ms, p90 ${p90} ms, p99 ${p99} ms; ${Math.round(rss)} MiB resident at most; ${Math.round(100 * used)} % of a core`,
  );
}

try {
  await isUp();
  await feed("to warm up");
  await feed("alone");
  const orders = {
    url,
    readers: Number(values.readers),
    tails: Number(values.tails),
    thinkMs: Number(values.think),
  };
  // Even at the lowest priority a process takes its turns; of Linux's idle class it runs where nobody else does.
  const asIdle = { execPath: "chrt", execArgv: ["--idle", "0", process.execPath] };
  const load = fork(
    path.join(import.meta.dirname, "page/load.ts"),
    [JSON.stringify(orders)],
    values.idle ? asIdle : {},
  );
  await pause(5_000);
  load.send("measure");
  await feed("looked at");
  load.send("stop");
  const [got] = (await once(load, "message")) as [Got];
  say(
    `readers: ${got.answers} answers (${got.perSecond.toFixed(0)}/s), p50 ${got.p50.toFixed(0)} ms, p95 ${got.p95.toFixed(0)} ms, p99 ${got.p99.toFixed(0)} ms; ${got.cut} cut short; refused: ${JSON.stringify(got.refused)}`,
  );
  say(
    `tails: ${got.tailRows} rows (${(got.tailBytes / 1e6).toFixed(0)} MB), ${got.tailsLost} lost, ${got.gaps} gaps`,
  );
  await pause(2_000);
  await feed("alone again");
} finally {
  run.stdin.end();
  run.kill("SIGTERM");
  await ended;
  receiver.close();
  receiver.closeAllConnections();
  rmSync(dataDir, { recursive: true });
}
