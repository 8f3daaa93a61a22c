#!/usr/bin/env node
// Black-box delivery benchmark for programs that forward Kubernetes events over HTTP.
// No dependencies (Node >= 18, Linux /proc). Loopback only. See README.md.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import https from "node:https";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { furtherScenarios, unprepared } from "./further.mjs";
import { account, disorder, ranges } from "./stats.ts";

const HERE = path.dirname(fileURLToPath(import.meta.url));
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const note = (...a) => console.error(new Date().toISOString().slice(11, 23), ...a);

// ---------------------------------------------------------------- arguments
const args = process.argv.slice(2);
const opt = (k, d) => {
  const i = args.indexOf("--" + k);
  return i < 0 ? d : args[i + 1];
};
const ALL = [
  "startup",
  "latency",
  "throughput200",
  "throughputmax",
  "sink500",
  "sink429",
  "sinkhang",
  "slowsink",
  "kill9",
  "sigterm",
  "sigtermhang",
  "badchars",
  "updates",
  "newapi",
];
const cfg = {
  name: opt("name", "candidate"),
  start: opt("start"),
  kubeconfig: opt("kubeconfig", process.env.KUBECONFIG),
  scenarios: opt("scenarios", ALL.join(",")).split(","),
  out: opt("out"),
  work: opt("work", path.join(os.tmpdir(), "delivery-bench")),
  port: Number(opt("port", 0)), // 0: any free one
  ns: opt("namespace", "bench"),
  count: Number(opt("count", 5000)),
  rate: Number(opt("rate", 200)),
  outage: Number(opt("outage", 600)), // s
  old: Number(opt("old", 120000)), // events the caller has made before the scenario old120k
  oldRun: opt("old-run", "old"), // their prefix
  backlog: Number(opt("backlog", 60000)),
  expireCmd: opt("expire-cmd"), // makes every resourceVersion expire; needed by the scenario old120k only
  settle: Number(opt("settle", 45)), // s without an arrival after which what is missing counts as lost
  maxDrain: Number(opt("max-drain", 400)), // s
  readyTimeout: Number(opt("ready-timeout", 120)), // s
  objects: Number(opt("objects", 20)), // involved objects that really exist
  conns: Number(opt("conns", 16)),
  evgen: opt("evgen"), // optional faster generator for the throughput scenarios (see README)
  restartCmd: opt("apiserver-restart-cmd"), // needed by the scenario "apirestart" only
  tls: opt("tls"), // "PORT,cert.pem,key.pem": a second, HTTPS listener
  extraEnv: Object.fromEntries(
    args.flatMap((a, i) => (a === "--env" ? [args[i + 1].split(/=(.*)/s).slice(0, 2)] : [])),
  ),
};
if (!cfg.start) {
  console.error(`usage: bench.mjs --start 'CMD' [--name N] [--kubeconfig F] [--scenarios ${ALL.join(",")},apirestart] [--out F.json]
  CMD runs as "sh -c 'exec CMD'" with RECV_URL, RECV_PORT, KUBECONFIG and BENCH_STATE (a folder that outlives a restart) in its environment.`);
  process.exit(2);
}
fs.mkdirSync(cfg.work, { recursive: true });

// ---------------------------------------------------------------- kube API
function loadKubeconfig(file) {
  const s = fs.readFileSync(file, "utf8");
  const get = (k) => s.match(new RegExp('["\\s{]' + k + '["]?:\\s*["]?([^"\\s,}]+)'))?.[1];
  const blob = (k) => {
    const data = get(k + "-data");
    if (data) return Buffer.from(data, "base64");
    const f = get(k);
    return f ? fs.readFileSync(path.resolve(path.dirname(file), f)) : undefined;
  };
  return {
    server: get("server"),
    ca: blob("certificate-authority"),
    cert: blob("client-certificate"),
    key: blob("client-key"),
    token: get("token"),
    insecure: get("insecure-skip-tls-verify") === "true",
  };
}
class Api {
  constructor(kc) {
    this.u = new URL(kc.server);
    this.mod = this.u.protocol === "https:" ? https : http;
    this.agent = new this.mod.Agent({
      keepAlive: true,
      maxSockets: cfg.conns,
      ca: kc.ca,
      cert: kc.cert,
      key: kc.key,
      rejectUnauthorized: !kc.insecure && !!kc.ca,
    });
    this.token = kc.token;
  }
  req(method, p, body, ctype = "application/json") {
    return new Promise((resolve, reject) => {
      const data = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const r = this.mod.request(
        {
          agent: this.agent,
          host: this.u.hostname,
          port: this.u.port,
          method,
          path: p,
          timeout: 30000,
          headers: {
            Accept: "application/json",
            ...(data ? { "Content-Type": ctype, "Content-Length": data.length } : {}),
            ...(this.token ? { Authorization: "Bearer " + this.token } : {}),
          },
        },
        (res) => {
          const c = [];
          res.on("data", (d) => c.push(d));
          res.on("error", reject);
          res.on("end", () =>
            resolve({ status: res.statusCode, text: Buffer.concat(c).toString() }),
          );
        },
      );
      r.on("timeout", () => r.destroy(new Error("timeout")));
      r.on("error", reject);
      r.end(data);
    });
  }
}
const upstream = loadKubeconfig(cfg.kubeconfig);
const api = new Api(upstream);
let objects = [];
async function prepareCluster() {
  await api.req("POST", "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: cfg.ns },
  });
  objects = [];
  for (let i = 0; i < cfg.objects; i++) {
    const name = "bench-obj-" + i;
    const base = `/api/v1/namespaces/${cfg.ns}/configmaps`;
    await api.req("POST", base, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, labels: { app: "bench", n: String(i) } },
    });
    const o = JSON.parse((await api.req("GET", `${base}/${name}`)).text);
    objects.push({
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: cfg.ns,
      name,
      uid: o.metadata.uid,
      resourceVersion: o.metadata.resourceVersion,
    });
  }
}
const clearEvents = () => api.req("DELETE", `/api/v1/namespaces/${cfg.ns}/events`).catch(() => {});

// ---------------------------------------------------------------- event generator
const isoSec = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
const isoMicro = (ms) => new Date(ms).toISOString().replace("Z", "000Z");
const REASONS = [
  "BackOff",
  "Unhealthy",
  "FailedScheduling",
  "FailedMount",
  "OOMKilling",
  "Evicted",
  "NodeNotReady",
  "Pulled",
  "Killing",
  "Created",
];
function eventBody(run, seq, t, text) {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${run}-${seq}`, namespace: cfg.ns },
    involvedObject: objects[seq % objects.length],
    reason: REASONS[seq % REASONS.length],
    type: "Warning",
    message: `seq=${seq} t=${t} p=${run}${text === undefined ? "" : " " + text}`,
    source: { component: "bench", host: "node-" + (seq % 7) },
    firstTimestamp: isoSec(t),
    lastTimestamp: isoSec(t),
    count: 1,
  };
}
// Creates one event; keeps trying under the same name while the API server is away. Resolves to the record.
async function createEvent(run, seq, { text, newApi, name } = {}) {
  const rec = { seq, t: Date.now(), acked: 0, text };
  let body = eventBody(run, seq, rec.t, text);
  if (name !== undefined) body.metadata.name = name;
  let p = `/api/v1/namespaces/${cfg.ns}/events`;
  if (newApi) {
    p = `/apis/events.k8s.io/v1/namespaces/${cfg.ns}/events`;
    body = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: body.metadata,
      eventTime: isoMicro(rec.t),
      reportingController: "bench.example/ctl",
      reportingInstance: "bench-0",
      action: "Testing",
      reason: body.reason,
      regarding: body.involvedObject,
      note: body.message,
      type: "Warning",
    };
  }
  for (let tries = 0; ; tries++) {
    try {
      const r = await api.req("POST", p, body);
      if (r.status === 201 || r.status === 409) {
        rec.acked = Date.now();
        return rec;
      }
      rec.error = r.status + " " + r.text.slice(0, 200);
      if (r.status < 429) return rec;
    } catch (e) {
      rec.error = e.message;
    }
    if (tries > 600) return rec;
    await sleep(100);
  }
}
// The next occurrence of an event that is there.
async function bumpEvent(run, name, seq, count) {
  const t = Date.now();
  const path = `/api/v1/namespaces/${cfg.ns}/events/${name}`;
  const body = { count, lastTimestamp: isoSec(t), message: `seq=${seq} t=${t} p=${run}` };
  const r = await api.req("PATCH", path, body, "application/merge-patch+json");
  return { seq, t, acked: r.status === 200 ? Date.now() : 0 };
}
// rate 0 = as fast as the connections allow
async function generate(run, count, rate, books) {
  const t0 = Date.now();
  const pending = new Set();
  const one = (seq) => {
    const p = createEvent(run, seq).then((r) => {
      books.push(r);
      return pending.delete(p);
    });
    pending.add(p);
    return p;
  };
  if (rate > 0) {
    for (let seq = 0; seq < count;) {
      const due = Math.min(count, Math.floor(((Date.now() - t0) / 1000) * rate) + 1);
      while (seq < due) void one(seq++);
      await sleep(4);
    }
  } else {
    let seq = 0;
    await Promise.all(
      Array.from({ length: cfg.conns }, async () => {
        while (seq < count) await one(seq++);
      }),
    );
  }
  while (pending.size) await Promise.all(pending);
  books.sort((a, b) => a.seq - b.seq);
  return {
    ms: Date.now() - t0,
    perSecond: Math.round((books.length / Math.max(1, Date.now() - t0)) * 1000),
  };
}

// The same through an external generator whose messages are "seq=N t=MS p=PREFIX ..." and whose -log lines are "C seq ms ...".
async function generateExternally(run, count, rate, books) {
  const log = path.join(cfg.work, `${run}.evgen`);
  fs.rmSync(log, { force: true });
  const out = [];
  const p = spawn(
    cfg.evgen,
    [
      "-kubeconfig",
      cfg.kubeconfig,
      "-n",
      String(count),
      "-rate",
      String(rate),
      "-prefix",
      run,
      "-namespaces",
      cfg.ns,
      "-start-seq",
      "0",
      "-log",
      log,
    ],
    { stdio: ["ignore", "pipe", 2] },
  );
  p.stdout.on("data", (d) => out.push(d));
  await new Promise((r) => p.once("close", r));
  for (const l of fs.readFileSync(log, "utf8").split("\n")) {
    const f = l.split(" ");
    if (f[0] === "C") books.push({ seq: Number(f[1]), t: Number(f[2]), acked: Number(f[2]) });
  }
  fs.rmSync(log);
  const o = JSON.parse(Buffer.concat(out).toString());
  return {
    ms: Math.round(o.elapsed_s * 1000),
    perSecond: Math.round(o.ops_per_s),
    failed: o.failed,
    createLatencyMs: o.latency_ms,
    external: true,
  };
}

// ---------------------------------------------------------------- receiver control
const ctl = (p, body) =>
  new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : JSON.stringify(body);
    const r = http.request(
      { host: "127.0.0.1", port: cfg.port, path: "/_ctl/" + p, method: data ? "POST" : "GET" },
      (res) => {
        const c = [];
        res.on("data", (d) => c.push(d));
        res.on("end", () => {
          try {
            resolve(JSON.parse(Buffer.concat(c).toString()));
          } catch (e) {
            reject(e);
          }
        });
      },
    );
    r.on("error", reject);
    r.end(data);
  });
const mode = (m) => ctl("mode", m);
const stats = async (run) => ctl("stats" + (run ? "?run=" + run : ""));

// ---------------------------------------------------------------- the candidate
function procTree(pid) {
  const out = [];
  const walk = (p) => {
    out.push(p);
    try {
      for (const c of fs.readFileSync(`/proc/${p}/task/${p}/children`, "utf8").trim().split(" "))
        if (c) walk(Number(c));
    } catch {
      /* gone */
    }
  };
  walk(pid);
  return out;
}
class Candidate {
  constructor(tag) {
    this.tag = tag;
    this.peakRss = 0;
    this.cpuDone = 0;
    this.cpuNow = 0;
    this.starts = 0;
  }
  start(env = {}) {
    const log = fs.openSync(path.join(cfg.work, `${cfg.name}-${this.tag}.log`), "a");
    this.startedAt = Date.now();
    this.starts++;
    this.exit = null;
    this.child = spawn("sh", ["-c", "exec " + cfg.start], {
      detached: true,
      stdio: ["ignore", log, log],
      env: {
        ...process.env,
        KUBECONFIG: cfg.kubeconfig,
        RECV_URL: `http://127.0.0.1:${cfg.port}/hook`,
        RECV_URL_OTHER: `http://127.0.0.1:${cfg.port}/other`,
        RECV_PORT: String(cfg.port),
        BENCH_STATE: path.join(cfg.work, "state-" + cfg.name),
        ...cfg.extraEnv,
        ...env,
      },
    });
    fs.closeSync(log);
    this.pid = this.child.pid;
    this.exited = new Promise((r) =>
      this.child.once("exit", (code, signal) => {
        this.exit = { code, signal, at: Date.now() };
        r(this.exit);
      }),
    );
    clearInterval(this.timer);
    this.timer = setInterval(() => this.sample(), 250);
    this.sample();
  }
  sample() {
    if (this.exit) return;
    let rss = 0,
      cpu = 0,
      threads = 0;
    for (const p of procTree(this.pid)) {
      try {
        const st = fs.readFileSync(`/proc/${p}/stat`, "utf8");
        const f = st.slice(st.lastIndexOf(")") + 2).split(" ");
        cpu += (Number(f[11]) + Number(f[12])) / 100;
        threads += Number(f[17]);
        rss += Number(f[21]) * 4;
      } catch {
        /* gone */
      }
    }
    if (rss) {
      this.rss = rss;
      this.peakRss = Math.max(this.peakRss, rss);
      this.cpuNow = cpu;
      this.threads = threads;
    }
  }
  cpu() {
    this.sample();
    return +(this.cpuDone + this.cpuNow).toFixed(2);
  }
  async signal(sig, waitMs) {
    this.sample();
    if (this.exit) return this.exit;
    const at = Date.now();
    try {
      process.kill(sig === "SIGKILL" ? -Number(this.pid) : this.pid, sig);
    } catch {
      /* gone */
    }
    const r = await Promise.race([this.exited, sleep(waitMs).then(() => null)]);
    if (r) {
      clearInterval(this.timer);
      this.cpuDone += this.cpuNow;
      this.cpuNow = 0;
      return { ...r, ms: r.at - at };
    }
    return null;
  }
  async stop() {
    if (!this.exit && !(await this.signal("SIGTERM", 5000))) await this.signal("SIGKILL", 5000);
    clearInterval(this.timer);
  }
}
// Starts the candidate and creates a probe event every 250 ms until one arrives.
async function ready(c, tag) {
  const run = `${tag}-probe${c.starts}`;
  c.start();
  const books = [];
  let seq = 0,
    st;
  const until = Date.now() + cfg.readyTimeout * 1000;
  for (;;) {
    void createEvent(run, seq++).then((r) => books.push(r));
    await sleep(250);
    st = await stats(run);
    if (st.run.attempts) break;
    if (c.exit) throw new Error("the candidate exited: " + JSON.stringify(c.exit));
    if (Date.now() > until) throw new Error("no probe arrived within " + cfg.readyTimeout + " s");
  }
  for (let last = -1; last !== (await stats()).requests;) {
    last = (await stats()).requests;
    await sleep(2000);
  }
  const arr = await ctl("arrivals?run=" + run);
  return {
    execToFirstArrivalMs: Math.min(...arr.map((a) => a[2])) - c.startedAt,
    execToFirstCoveredEventMs: Math.min(...arr.map((a) => a[1])) - c.startedAt, // created time of the oldest probe that was delivered
  };
}
async function drain(run, books, { settle = cfg.settle, c } = {}) {
  const t0 = Date.now();
  for (;;) {
    const st = await stats(run);
    const created = books.filter((b) => b.acked).length;
    const idle = Date.now() - Math.max(t0, st.run.lastAt);
    if (st.run.unique >= created && idle > 3000) return st;
    if (idle > settle * 1000 || Date.now() - t0 > cfg.maxDrain * 1000) return st;
    if (c?.exit && idle > 3000) return st;
    await sleep(500);
  }
}
async function tally(run, books) {
  const arr = await ctl("arrivals?run=" + run);
  return { ...account(books, arr), arr };
}
const usage = (c) => ({
  rssPeakMiB: Math.round(c.peakRss / 1024),
  rssEndMiB: Math.round((c.rss || 0) / 1024),
  cpuSeconds: c.cpu(),
  threads: c.threads,
});

// ---------------------------------------------------------------- scenarios
const load = (count, rate) => async (c, run) => {
  const books = [];
  const cpu0 = c.cpu();
  const big = cfg.evgen && count > 100;
  const gen = await (big ? generateExternally : generate)(run, count, rate, books);
  await drain(run, books, { c });
  const t = await tally(run, books);
  return {
    generator: gen,
    receiverConnections: (await stats()).connections,
    ...t.summary,
    lostSeq: ranges(t.lost.map((b) => b.seq)),
    cpuSecondsOfLoad: +(c.cpu() - cpu0).toFixed(2),
  };
};
// 10 events/s for 60 s; the fault starts with the 20th arrival and lasts 20 s
const fault = (m) => async (c, run) => {
  const books = [];
  const gen = generate(run, 600, 10, books);
  const limit = Date.now() + 90000;
  while ((await stats(run)).run.attempts < 20 && Date.now() < limit) await sleep(50);
  const from = Date.now();
  await mode(m);
  await sleep(20000);
  await mode({ mode: "ok" });
  const to = Date.now();
  await gen;
  await drain(run, books, { c });
  const before = await tally(run, books);
  const out = {
    faultSeconds: (to - from) / 1000,
    ...before.summary,
    lostSeq: ranges(before.lost.map((b) => b.seq)),
  };
  out.lostCreatedDuringFault = before.lost.filter((b) => b.t >= from && b.t < to).length;
  out.lostCreatedAfterFault = before.lost.filter((b) => b.t >= to).length;
  if (m.mode === "hang") {
    out.hungSockets = (await ctl("unhang", {})).destroyed;
    await sleep(1000);
    await drain(run, books, { c });
    const after = await tally(run, books);
    out.afterReceiverClosedTheHungSockets = {
      delivered: after.summary.delivered,
      lost: after.summary.lost,
      duplicated: after.summary.duplicated,
    };
  }
  return out;
};
const BAD = {
  plain: "plain text",
  doublequote: 'Error: "container \\"app\\" failed" said "kubelet"'.replaceAll('\\"', '"'),
  newline: "line one\nline two\n\tindented line three",
  crlf: "line one\r\nline two",
  backslash: 'C:\\path\\users\\new \\d+ \\"',
  trailingbackslash: "ends with a backslash\\",
  unicode: "\u4e2d\u6587\u544a\u8b66 \u00e9\u00df \u{1F680} \u2028 \u200f end",
  html: "<a href='x'>&amp;</a> <script>1</script>",
  ansi: "\u001b[31mred\u001b[0m \u0007 \u0001",
  template: "{{ .Message }} {{- nope }} ${HOME} $(id) %s %d %!n",
  jsonlike: '"},"EventType":"Normal","x":{"y":"',
  long10k: 'x"y\n\u4e2d '.repeat(1500).slice(0, 10000),
};
const leaves = (v, out = []) => {
  if (typeof v === "string") out.push(v);
  else if (v && typeof v === "object") for (const x of Object.values(v)) leaves(x, out);
  return out;
};
const SCENARIOS = {
  // the same with many events in the cluster already; the caller made them
  backlog: async (c) => {
    await sleep(10000);
    return {
      rssIdleMiB: Math.round(c.rss / 1024),
      cpuSecondsSinceExec: c.cpu(),
      threads: c.threads,
    };
  },
  startup: async (c) => {
    await sleep(10000);
    const idle = {
      rssIdleMiB: Math.round(c.rss / 1024),
      cpuSecondsSinceExec: c.cpu(),
      threads: c.threads,
    };
    const exit = await c.signal("SIGTERM", 60000);
    return { ...idle, stopIdleMs: exit?.ms ?? null };
  },
  latency: load(60, 2),
  throughput200: load(cfg.count, cfg.rate),
  latency500: load(cfg.count, 500),
  throughputmax: load(cfg.count, 0),
  sink500: fault({ mode: "status", status: 500 }),
  sink429: fault({ mode: "status", status: 429, headers: { "Retry-After": "3" } }),
  sinkhang: fault({ mode: "hang" }),
  // --count events as fast as possible while the receiver needs 100 ms for each request; after 60 s it is fast again
  slowsink: async (c, run) => {
    const books = [];
    await mode({ mode: "ok", delayMs: 100 });
    const t0 = Date.now();
    const gen = await (cfg.evgen ? generateExternally : generate)(run, cfg.count, 0, books);
    await sleep(Math.max(0, 60000 - (Date.now() - t0)));
    c.sample();
    const slow = await stats(run);
    const rss = Math.round(c.rss / 1024);
    await mode({ mode: "ok" });
    await drain(run, books, { c });
    const t = await tally(run, books);
    return {
      generator: gen,
      deliveredWhileSlow: slow.run.unique,
      maxConcurrentRequests: slow.maxInflight,
      rssWithBacklogMiB: rss,
      ...t.summary,
      lostSeq: ranges(t.lost.map((b) => b.seq)),
    };
  },
  // 20 events/s for 60 s; kill -9 at 20 s, started again 5 s later
  kill9: async (c, run) => {
    const books = [];
    const gen = generate(run, 1200, 20, books);
    await sleep(20000);
    const killed = Date.now();
    await c.signal("SIGKILL", 5000);
    const atKill = (await stats(run)).run.unique;
    await sleep(5000);
    const restarted = Date.now();
    c.start();
    await gen;
    await drain(run, books, { c });
    const t = await tally(run, books);
    return {
      ...t.summary,
      deliveredAtKill: atKill,
      downMs: restarted - killed,
      lostCreatedBeforeKill: t.lost.filter((b) => b.t < killed).length,
      lostCreatedWhileDown: t.lost.filter((b) => b.t >= killed && b.t < restarted).length,
      lostCreatedAfterRestart: t.lost.filter((b) => b.t >= restarted).length,
      lostSeq: ranges(t.lost.map((b) => b.seq)),
    };
  },
  // 500 events as fast as possible, the receiver needing 20 ms for each; SIGTERM right after the last one was created
  sigterm: async (c, run) => {
    const books = [];
    await mode({ mode: "ok", delayMs: 20 });
    await generate(run, 500, 0, books);
    const exit = await c.signal("SIGTERM", 60000);
    if (!exit) await c.signal("SIGKILL", 5000);
    await sleep(500);
    const atExit = await tally(run, books);
    await sleep(2000);
    c.start();
    await drain(run, books, { c });
    const end = await tally(run, books);
    return {
      exit: exit
        ? { code: exit.code, signal: exit.signal, ms: exit.ms }
        : "did not exit within 60 s of SIGTERM (killed)",
      created: end.summary.created,
      deliveredAtExit: atExit.summary.delivered,
      deliveredAfterRestart: end.summary.delivered,
      lost: end.summary.lost,
      duplicated: end.summary.duplicated,
      lostSeq: ranges(end.lost.map((b) => b.seq)),
    };
  },
  // the receiver never answers; SIGTERM once the first request hangs. How long until the process is gone?
  sigtermhang: async (c, run) => {
    const books = [];
    await mode({ mode: "hang" });
    await generate(run, 20, 0, books);
    const until = Date.now() + 70000;
    while (!(await stats(run)).run.attempts && Date.now() < until) await sleep(100);
    const exit = await c.signal("SIGTERM", 60000);
    if (!exit) await c.signal("SIGKILL", 5000);
    await ctl("unhang", {});
    await mode({ mode: "ok" });
    c.start();
    await drain(run, books, { c });
    const t = await tally(run, books);
    return {
      exit: exit
        ? { code: exit.code, signal: exit.signal, ms: exit.ms }
        : "did not exit within 60 s of SIGTERM (killed)",
      created: t.summary.created,
      deliveredAfterRestart: t.summary.delivered,
      lost: t.summary.lost,
    };
  },
  badchars: async (c, run) => {
    await mode({ mode: "ok", keepBodies: true });
    const books = [];
    let seq = 0;
    const names = Object.keys(BAD);
    for (const n of names) books.push(await createEvent(run, seq++, { text: BAD[n] }));
    await drain(run, books, { c });
    const bodies = await ctl("bodies?run=" + run);
    fs.writeFileSync(
      path.join(cfg.work, `${cfg.name}-badchars-bodies.json`),
      JSON.stringify(bodies, null, 1),
    );
    const out = {};
    for (const [i, n] of names.entries()) {
      const want = `seq=${i} t=${books[i].t} p=${run} ${BAD[n]}`;
      const b = bodies.find((x) => x.seq === i);
      if (!books[i].acked) {
        out[n] = "not accepted by the API server: " + books[i].error;
        continue;
      }
      if (!b) {
        out[n] = "not delivered";
        continue;
      }
      let doc;
      try {
        doc = JSON.parse(b.body);
      } catch (e) {
        out[n] = "INVALID JSON: " + e.message.slice(0, 90);
        continue;
      }
      const has = leaves(doc).some((s) => s.includes(want));
      const got = leaves(doc).find((s) => s.includes(`seq=${i} t=${books[i].t} p=${run}`));
      out[n] = has
        ? "intact"
        : `valid JSON, text altered (${got ? got.length : 0} of ${want.length} characters)`;
    }
    const v = Object.values(out);
    return {
      cases: names.length,
      intact: v.filter((x) => x === "intact").length,
      invalidJson: v.filter((x) => x.startsWith("INVALID")).length,
      out,
    };
  },
  // 20 events, each bumped to count 5 by four patches 1 s apart: how many deliveries does that make?
  updates: async (c, run) => {
    const books = [];
    for (let s = 0; s < 20; s++) books.push(await createEvent(run, s));
    for (let n = 2; n <= 5; n++) {
      await sleep(1000);
      for (let s = 0; s < 20; s++) {
        const t = Date.now();
        await api.req(
          "PATCH",
          `/api/v1/namespaces/${cfg.ns}/events/${run}-${s}`,
          { count: n, lastTimestamp: isoSec(t), message: `seq=${s} t=${t} p=${run}` },
          "application/merge-patch+json",
        );
      }
    }
    await drain(run, books, { c });
    await sleep(cfg.settle * 1000);
    const t = await tally(run, books);
    const per = {};
    for (const [seq] of t.arr) per[seq] = (per[seq] || 0) + 1;
    const hist = {};
    for (const n of Object.values(per)) hist[n] = (hist[n] || 0) + 1;
    const outOfOrderInObject = disorder(
      t.arr,
      ([seq]) => seq,
      ([, created]) => created,
    );
    return {
      events: 20,
      versionsPerEvent: 5,
      deliveries: t.arr.length,
      deliveriesPerEvent: hist,
      outOfOrderInObject,
    };
  },
  // 20 events through events.k8s.io/v1 (eventTime only, no lastTimestamp, count 0)
  newapi: async (c, run) => {
    await mode({ mode: "ok", keepBodies: true });
    const books = [];
    for (let s = 0; s < 20; s++) books.push(await createEvent(run, s, { newApi: true }));
    await drain(run, books, { c });
    const t = await tally(run, books);
    const bodies = await ctl("bodies?run=" + run);
    return { ...t.summary, sampleBody: bodies[0]?.body?.slice(0, 1500) };
  },
  // 20 events/s for 60 s; the API server is restarted at 20 s. Creates are retried under the same name.
  apirestart: async (c, run) => {
    if (!cfg.restartCmd) throw new Error("--apiserver-restart-cmd is needed");
    const books = [];
    const gen = generate(run, 1200, 20, books);
    await sleep(20000);
    const t0 = Date.now();
    await new Promise((r) =>
      spawn("sh", ["-c", cfg.restartCmd], { stdio: ["ignore", 2, 2] }).once("exit", r),
    );
    const t1 = Date.now();
    await gen;
    await drain(run, books, { c });
    const t = await tally(run, books);
    return {
      restartCommandMs: t1 - t0,
      ...t.summary,
      candidateExited: c.exit,
      lostSeq: ranges(t.lost.map((b) => b.seq)),
      lostAckedBeforeRestart: t.lost.filter((b) => b.acked < t0).length,
      lostAckedLater: t.lost.filter((b) => b.acked >= t0).length,
    };
  },
};

const command = (line) =>
  new Promise((resolve) =>
    spawn("sh", ["-c", line], { stdio: ["ignore", 2, 2] }).once("exit", resolve),
  );
const generateMany = (...args) => (cfg.evgen ? generateExternally : generate)(...args);
Object.assign(
  SCENARIOS,
  furtherScenarios({
    cfg,
    api,
    upstream,
    createEvent,
    bumpEvent,
    generate,
    generateMany,
    drain,
    tally,
    ctl,
    mode,
    stats,
    command,
  }),
);

// ---------------------------------------------------------------- main
let current;
const recvArgs = [path.join(HERE, "recv.mjs"), "--port", String(cfg.port)];
if (cfg.tls) recvArgs.push("--tls", ...cfg.tls.split(","));
const recv = spawn(process.execPath, recvArgs, { stdio: ["ignore", "pipe", 2] });
let ending = false;
cfg.port = await new Promise((resolve, reject) => {
  recv.stdout.on("data", (d) => {
    const m = String(d).match(/listening (\d+)/);
    if (m) resolve(Number(m[1]));
  });
  recv.once("exit", () => {
    reject(new Error("the receiver could not listen"));
    if (!ending) {
      current?.signal("SIGKILL", 1000);
      note("the receiver ended");
      process.exit(1);
    }
  });
});
const result = {
  name: cfg.name,
  start: cfg.start,
  when: new Date().toISOString(),
  settleSeconds: cfg.settle,
  scenarios: {},
};
const save = () => cfg.out && fs.writeFileSync(cfg.out, JSON.stringify(result, null, 2) + "\n");
const base = Date.now().toString(36);
const bye = async () => {
  ending = true;
  if (current) await current.signal("SIGKILL", 3000);
  recv.kill();
  process.exit(130);
};
process.on("SIGINT", () => void bye());
process.on("SIGTERM", () => void bye());
try {
  await prepareCluster();
  for (const [i, s] of cfg.scenarios.entries()) {
    if (!SCENARIOS[s]) {
      result.scenarios[s] = { error: "no such scenario" };
      continue;
    }
    const run = `${base}${i}${s}`;
    note(cfg.name, s, "...");
    await ctl("reset", {});
    await mode({ mode: "ok" });
    fs.rmSync(path.join(cfg.work, "state-" + cfg.name), { recursive: true, force: true });
    fs.mkdirSync(path.join(cfg.work, "state-" + cfg.name), { recursive: true });
    const c = (current = new Candidate(s));
    const t0 = Date.now();
    try {
      const start = unprepared.has(s) ? {} : await ready(c, run);
      const r = await SCENARIOS[s](c, run);
      result.scenarios[s] = {
        ...(s === "startup" || s === "backlog" ? start : {}),
        ...r,
        process: usage(c),
        exitedByItself: c.exit && s !== "sigterm" ? c.exit : undefined,
        seconds: Math.round((Date.now() - t0) / 1000),
      };
    } catch (e) {
      result.scenarios[s] = { error: String(e.message || e), exit: c.exit };
    }
    await c.stop();
    await ctl("unhang", {});
    await mode({ mode: "ok" });
    await clearEvents();
    note(cfg.name, s, JSON.stringify(result.scenarios[s]));
    save();
  }
} finally {
  ending = true;
  if (current) await current.stop();
  recv.kill();
}
save();
console.log(JSON.stringify(result, null, 2));
process.exit(0);
