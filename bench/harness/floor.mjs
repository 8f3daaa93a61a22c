#!/usr/bin/env node
// Positive control for the harness: the simplest forwarder that should lose nothing.
// list/watch core/v1 events -> POST each to RECV_URL, in order, with a 3 s timeout, retried for ever;
// the resourceVersion of what has been delivered is kept in BENCH_STATE/rv and resumed from.
import fs from "node:fs";
import http from "node:http";
import https from "node:https";

const kc = fs.readFileSync(process.env.KUBECONFIG, "utf8");
const get = (k) => kc.match(new RegExp('["\\s{]' + k + '["]?:\\s*["]?([^"\\s,}]+)'))?.[1];
const b64 = (k) => (get(k) ? Buffer.from(get(k), "base64") : undefined);
const server = new URL(get("server"));
const api = {
  host: server.hostname,
  port: server.port,
  ca: b64("certificate-authority-data"),
  cert: b64("client-certificate-data"),
  key: b64("client-key-data"),
  headers: get("token") ? { Authorization: "Bearer " + get("token") } : {},
};
const file = process.env.BENCH_STATE + "/rv";
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const queue = [];
let wake = () => {};
let rv = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const post = (body) =>
  new Promise((resolve) => {
    const r = http.request(
      process.env.RECV_URL,
      { method: "POST", agent, timeout: 3000, headers: { "Content-Type": "application/json" } },
      (res) => {
        res.resume();
        res.on("end", () => resolve(res.statusCode));
      },
    );
    r.on("timeout", () => r.destroy(new Error("timeout")));
    r.on("error", () => resolve(0));
    r.end(body);
  });
void (async () => {
  let saved = 0;
  for (;;) {
    const ev = queue[0];
    if (!ev) {
      await new Promise((r) => {
        wake = r;
        setTimeout(r, 200);
      });
      continue;
    }
    const s = await post(
      JSON.stringify({
        type: ev.type,
        reason: ev.reason,
        message: ev.message,
        object: ev.involvedObject,
      }),
    );
    if (s < 200 || s > 299) {
      await sleep(200);
      continue;
    }
    queue.shift();
    if (Date.now() - saved > 50 || !queue.length) {
      fs.writeFileSync(file, ev.metadata.resourceVersion);
      saved = Date.now();
    }
  }
})();

const call = (path, onRes) =>
  new Promise((resolve, reject) => {
    (server.protocol === "https:" ? https : http)
      .get({ ...api, path }, (res) => onRes(res, resolve, reject))
      .on("error", reject);
  });
for (;;) {
  try {
    if (!rv) {
      rv = await call("/api/v1/events?limit=1", (res, ok, no) => {
        const c = [];
        res
          .on("data", (d) => c.push(d))
          .on("end", () => {
            try {
              ok(JSON.parse(Buffer.concat(c)).metadata.resourceVersion);
            } catch (e) {
              no(e);
            }
          });
      });
      fs.writeFileSync(file, rv);
    }
    await call(`/api/v1/events?watch=1&resourceVersion=${rv}`, (res, ok, no) => {
      if (res.statusCode === 410) {
        rv = "";
        res.resume();
        return ok();
      }
      if (res.statusCode !== 200) {
        res.resume();
        return no(new Error("watch " + res.statusCode));
      }
      let buf = "";
      res.setEncoding("utf8");
      res
        .on("error", no)
        .on("aborted", ok)
        .on("end", ok)
        .on("data", (d) => {
          buf += d;
          const lines = buf.split("\n");
          buf = lines.pop();
          for (const l of lines) {
            const w = JSON.parse(l);
            if (w.type === "ERROR") {
              rv = "";
              res.destroy();
              return ok();
            }
            rv = w.object.metadata.resourceVersion;
            if (w.type === "ADDED" || w.type === "MODIFIED") {
              queue.push(w.object);
              wake();
            }
          }
        });
    });
  } catch (e) {
    console.error(new Date().toISOString(), e.message);
    await sleep(300);
  }
}
