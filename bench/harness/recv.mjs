#!/usr/bin/env node
// Loopback HTTP(S) receiver for delivery benchmarks. No dependencies.
//
//   node recv.mjs --port 18080 [--tls PORT cert.pem key.pem] [--log requests.jsonl]
//   (--tls adds a second, HTTPS listener; both feed the same books)
//
// Every request outside /_ctl is a delivery. Its arrival time is taken when the
// request head has been parsed; every "seq=N t=MS p=RUN" found in the raw body
// (valid JSON or not, single or batch) is recorded with that arrival time.
//
// Control (loopback only):
//   POST /_ctl/mode   {"mode":"ok"|"status"|"hang"|"slow"|"reset","status":500,"delayMs":0,
//                      "headers":{"Retry-After":"2"},"body":"...", "path":"/other"} (that path only)
//   POST /_ctl/reset  forget everything recorded
//   POST /_ctl/unhang destroy the sockets that are still hanging
//   GET  /_ctl/stats?run=R       counts for one run
//   GET  /_ctl/arrivals?run=R    [[seq,t,at,status],...] (status 0 = never answered)
//   GET  /_ctl/bodies?run=R      raw bodies (kept only if {"keepBodies":true} was set by mode)
import http from "node:http";
import https from "node:https";
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const MARK = /seq=(\d+) t=(\d+) p=([A-Za-z0-9_-]+)/g;

export class Receiver {
  constructor({ log } = {}) {
    this.mode = { mode: "ok", status: 500, delayMs: 0 };
    this.modes = new Map();
    this.log = log ? fs.createWriteStream(log, { flags: "a" }) : null;
    this.hung = new Set();
    this.inflight = 0;
    this.reset();
  }
  reset() {
    this.modes.clear();
    this.runs = new Map();
    this.requests = 0;
    this.unmarked = 0;
    this.maxInflight = 0;
    this.connections = 0;
    this.lastAt = 0;
  }
  run(id) {
    let r = this.runs.get(id);
    if (!r) {
      r = {
        arrivals: [],
        ok: new Map(),
        attempts: 0,
        lastAt: 0,
        badJson: 0,
        bodies: [],
        methods: {},
        paths: {},
        ctypes: {},
      };
      this.runs.set(id, r);
    }
    return r;
  }
  handle(req, res) {
    if (req.url.startsWith("/_ctl")) return this.control(req, res);
    const at = Date.now();
    if (!req.socket.counted) {
      req.socket.counted = true;
      this.connections++;
    } // connections that carried deliveries
    const [path] = req.url.split("?");
    const mode = this.modes.get(path) ?? this.mode; // the mode at arrival decides the answer
    // What comes to another path than the usual one has books of its own.
    const beside = path === "/other" ? "@/other" : "";
    this.inflight++;
    this.maxInflight = Math.max(this.maxInflight, this.inflight);
    const chunks = [];
    req.on("data", (c) => chunks.push(c));
    req.on("error", () => {});
    res.on("close", () => {
      this.inflight--;
      this.hung.delete(req.socket);
    });
    req.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      let valid = true;
      try {
        JSON.parse(body);
      } catch {
        valid = false;
      }
      const status =
        mode.mode === "status"
          ? mode.status
          : mode.mode === "hang" || mode.mode === "reset"
            ? 0
            : 200;
      this.requests++;
      this.lastAt = at;
      const seen = new Set();
      let n = 0;
      for (const m of body.matchAll(MARK)) {
        const key = m[3] + "/" + m[1];
        if (seen.has(key)) continue; // one body may carry the same message twice (e.g. text + json)
        seen.add(key);
        n++;
        const r = this.run(m[3] + beside);
        const seq = Number(m[1]);
        r.attempts++;
        r.lastAt = at;
        if (!valid) r.badJson++;
        r.arrivals.push([seq, Number(m[2]), at, status]);
        if (status >= 200 && status < 300) r.ok.set(seq, (r.ok.get(seq) || 0) + 1);
        r.methods[req.method] = (r.methods[req.method] || 0) + 1;
        r.ctypes[req.headers["content-type"] || ""] =
          (r.ctypes[req.headers["content-type"] || ""] || 0) + 1;
        const p = req.url.split("?")[0];
        r.paths[p] = (r.paths[p] || 0) + 1;
        if (this.mode.keepBodies && r.bodies.length < 2000) {
          r.bodies.push({
            seq,
            at,
            status,
            valid,
            method: req.method,
            url: req.url,
            headers: req.headers,
            body,
          });
        }
      }
      if (!n) this.unmarked++;
      if (this.log)
        this.log.write(
          JSON.stringify({
            at,
            method: req.method,
            url: req.url,
            len: body.length,
            n,
            valid,
            status,
          }) + "\n",
        );
      const answer = () => {
        if (mode.mode === "hang") {
          this.hung.add(req.socket);
          return;
        }
        if (mode.mode === "reset") {
          req.socket.destroy();
          return;
        }
        const out = mode.mode === "status" ? mode.status : 200;
        const text =
          mode.body ??
          (out === 200
            ? '{"errcode":0,"errmsg":"ok","code":0,"StatusCode":0}'
            : "receiver mode " + out);
        res.writeHead(out, { "Content-Type": "application/json", ...mode.headers });
        res.end(text);
      };
      if (mode.delayMs > 0) setTimeout(answer, mode.delayMs);
      else answer();
    });
  }
  control(req, res) {
    const url = new URL(req.url, "http://x");
    const chunks = [];
    req.on("data", (c) => chunks.push(c));
    req.on("end", () => {
      const send = (o) => {
        res.writeHead(200, { "Content-Type": "application/json" });
        res.end(JSON.stringify(o));
      };
      const run = url.searchParams.get("run");
      switch (url.pathname) {
        case "/_ctl/mode": {
          const wanted = { delayMs: 0, ...JSON.parse(Buffer.concat(chunks).toString() || "{}") };
          if (wanted.path) this.modes.set(wanted.path, wanted);
          else this.mode = wanted;
          return send(wanted);
        }
        case "/_ctl/reset":
          this.reset();
          return send({});
        case "/_ctl/unhang": {
          const n = this.hung.size;
          for (const s of this.hung) s.destroy();
          this.hung.clear();
          return send({ destroyed: n });
        }
        case "/_ctl/stats": {
          const r = run ? this.run(run) : null;
          return send({
            now: Date.now(),
            requests: this.requests,
            unmarked: this.unmarked,
            hung: this.hung.size,
            inflight: this.inflight,
            maxInflight: this.maxInflight,
            connections: this.connections,
            lastAt: this.lastAt,
            ...(r
              ? {
                  run: {
                    attempts: r.attempts,
                    unique: r.ok.size,
                    duplicates: [...r.ok.values()].reduce((a, n) => a + n - 1, 0),
                    badJson: r.badJson,
                    lastAt: r.lastAt,
                    methods: r.methods,
                    paths: r.paths,
                    contentTypes: r.ctypes,
                  },
                }
              : {}),
          });
        }
        case "/_ctl/arrivals":
          return send(this.run(run).arrivals);
        case "/_ctl/bodies":
          return send(this.run(run).bodies);
        default:
          res.writeHead(404);
          return res.end();
      }
    });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const a = process.argv.slice(2);
  const opt = (k) => {
    const i = a.indexOf(k);
    return i < 0 ? undefined : a[i + 1];
  };
  const rec = new Receiver({ log: opt("--log") });
  const open = (srv, port, what) => {
    srv.keepAliveTimeout = 65000;
    srv.requestTimeout = 0;
    srv.headersTimeout = 0;
    srv.listen(port, "127.0.0.1", () => console.log(what, srv.address().port));
  };
  const handler = (q, s) => rec.handle(q, s);
  open(http.createServer(handler), Number(opt("--port") ?? 18080), "listening");
  const i = a.indexOf("--tls");
  if (i >= 0)
    open(
      https.createServer(
        { cert: fs.readFileSync(a[i + 2]), key: fs.readFileSync(a[i + 3]) },
        handler,
      ),
      Number(a[i + 1]),
      "tls",
    );
}
