// Scenarios that need much of something: events, time, or sinks. `harness` is what bench.mjs has to offer.
import fs from "node:fs";
import path from "node:path";
import { disorder, percentiles, ranges } from "./stats.ts";
import { watchProxy } from "./proxy.ts";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** kube-crier is started with --max-age=60s for old120k: nobody can make an event whose creation is older than it is. */
const TOO_OLD_MS = 75_000;

/** @returns scenarios by name; those in `unprepared` start the candidate themselves */
export function furtherScenarios(harness) {
  const { cfg, createEvent, generate, generateMany, drain, tally, mode, stats } = harness;

  /** What the candidate keeps between its runs. */
  const stateBytes = () => {
    let bytes = 0;
    const walk = (dir) => {
      for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
        const place = path.join(dir, entry.name);
        if (entry.isDirectory()) walk(place);
        else bytes += fs.statSync(place).size;
      }
    };
    walk(path.join(cfg.work, "state-" + cfg.name));
    return bytes;
  };
  const mib = (bytes) => Math.round(bytes / 1048576);

  return {
    // exec to the moment the API server answers the first watch, five times; a proxy that both pass sees it
    firstwatch: async (c) => {
      const proxy = await watchProxy(harness.upstream, cfg.work);
      const times = [];
      try {
        for (let n = 0; n < 5; n += 1) {
          const established = proxy.next();
          c.start({ KUBECONFIG: proxy.kubeconfig });
          const at = await Promise.race([established, sleep(cfg.readyTimeout * 1000)]);
          if (at === undefined) throw new Error("no watch was established");
          times.push(at - c.startedAt);
          await sleep(2000);
          const exit = await c.signal("SIGTERM", 30000);
          if (!exit) await c.signal("SIGKILL", 5000);
        }
      } finally {
        await proxy.close();
      }
      return { execToFirstWatchMs: percentiles(times).p50, each: times };
    },

    // the caller has made --old events before; here 100 events come while the candidate is away, and 100 more 75 s later; its
    // resourceVersion expires meanwhile
    old120k: async (c, run) => {
      await sleep(10000);
      c.sample();
      const before = { rss: mib(c.rss * 1024), old: (await stats(cfg.oldRun)).run };
      await c.signal("SIGKILL", 5000);
      for (let seq = 0; seq < 100; seq += 1) await createEvent(`${run}-late`, seq);
      const made = Date.now();
      await harness.command(cfg.expireCmd);
      await sleep(Math.max(0, made + TOO_OLD_MS - Date.now()));
      const books = [];
      await generate(`${run}-young`, 100, 50, books);
      const sentBefore = (await stats()).requests;
      const cpu = c.cpu();
      c.start();
      // Those that do not list what they have missed begin with what comes now.
      await drain(`${run}-young`, books, { settle: Math.max(30, cfg.settle), c });
      await sleep(15000);
      c.sample();
      const young = await tally(`${run}-young`, books);
      const late = (await stats(`${run}-late`)).run.unique;
      const old = (await stats(cfg.oldRun)).run;
      const oldAfter = old.attempts - before.old.attempts;
      const { requests } = await stats();
      return {
        oldThere: cfg.old,
        oldSentAtStart: before.old.attempts,
        rssAtStartMiB: before.rss,
        oldSentAfterExpiry: oldAfter,
        ...young.summary,
        tooOldSentSingly: late,
        otherRequests: requests - sentBefore - young.summary.attempts - late - oldAfter,
        cpuSecondsAfterExpiry: +(c.cpu() - cpu).toFixed(2),
        lostSeq: ranges(young.lost.map(({ seq }) => seq)),
      };
    },

    // the receiver refuses connections' requests for --outage seconds while 100 events a second come
    outage10m: async (c, run) => {
      const books = [];
      const count = cfg.outage * 100;
      await mode({ mode: "status", status: 503 });
      const cpu0 = c.cpu();
      const generated = await generateMany(run, count, 100, books);
      c.sample();
      const owed = { rss: mib(c.rss * 1024), peak: mib(c.peakRss * 1024), state: stateBytes() };
      await mode({ mode: "ok" });
      const from = Date.now();
      await drain(run, books, { settle: Math.max(90, cfg.settle), c });
      const all = await tally(run, books);
      const until = all.arr.reduce((latest, [, , at]) => Math.max(latest, at), from);
      return {
        outageSeconds: cfg.outage,
        generator: generated,
        rssOwedMiB: owed.rss,
        rssPeakOwedMiB: owed.peak,
        stateOwedMiB: mib(owed.state),
        drainedInMs: until - from,
        perSecond: Math.round((all.summary.delivered / Math.max(1, until - from)) * 1000),
        ...all.summary,
        lostSeq: ranges(all.lost.map(({ seq }) => seq)),
        cpuSecondsOfLoad: +(c.cpu() - cpu0).toFixed(2),
      };
    },

    // needs a start command with RECV_URL_OTHER: latency at RECV_URL while --backlog events drain to the other one, and in the quiet
    drain: async (c, run) => {
      await mode({ mode: "status", status: 503, path: "/other" });
      const seconds = 30;
      const live = async (name, stop) => {
        const books = [];
        for (let n = 0; !stop(n); n += 1) {
          books.push(await createEvent(name, n));
          await sleep(50);
        }
        await drain(name, books, { settle: 10, c });
        return (await tally(name, books)).summary;
      };
      const quiet = await live(`${run}-quiet`, (n) => n >= seconds * 20);
      const books = [];
      await generateMany(`${run}-many`, cfg.backlog, 0, books);
      await drain(`${run}-many`, books, { c });
      await mode({ mode: "ok", path: "/other" });
      const from = Date.now();
      let done = false;
      const watching = (async () => {
        const run2 = `${run}-many@/other`;
        const limit = Date.now() + cfg.maxDrain * 1000;
        while ((await stats(run2)).run.unique < books.length && Date.now() < limit)
          await sleep(250);
        done = true;
        return Date.now() - from;
      })();
      const busy = await live(`${run}-busy`, () => done);
      const drainedInMs = await watching;
      const other = (await stats(`${run}-many@/other`)).run;
      return {
        backlog: books.length,
        drainedInMs,
        perSecond: Math.round((other.unique / drainedInMs) * 1000),
        otherTwice: other.duplicates,
        otherMissing: books.length - other.unique,
        quiet: quiet.latencyMs,
        busy: busy.latencyMs,
        lost: quiet.lost + busy.lost,
        duplicated: quiet.duplicated + busy.duplicated,
      };
    },

    // 20 objects, one event each that is created and then patched 49 times as fast as it goes, each by itself in order; the receiver
    // needs 20 ms for each, so that whoever sends several at once can get it wrong
    order: async (c, run) => {
      await mode({ mode: "ok", delayMs: 20 });
      const versions = 50;
      const books = [];
      await Promise.all(
        Array.from({ length: 20 }, async (_, object) => {
          for (let version = 0; version < versions; version += 1) {
            const seq = object * versions + version;
            if (version === 0)
              books.push(await createEvent(run, seq, { name: `${run}-${object}` }));
            else books.push(await harness.bumpEvent(run, `${run}-${object}`, seq, version + 1));
          }
        }),
      );
      await drain(run, books, { c });
      const { summary, arr } = await tally(run, books);
      return {
        ...summary,
        objects: 20,
        versions,
        outOfOrderInObject: disorder(
          arr,
          ([seq]) => Math.floor(seq / versions),
          ([seq]) => seq,
        ),
      };
    },

    // --count events as fast as they are taken; kill -9 in the middle of it, started again at once
    kill9max: async (c, run) => {
      const books = [];
      await mode({ mode: "ok", delayMs: 5 });
      const made = generateMany(run, cfg.count, 0, books);
      const limit = Date.now() + 60000;
      while ((await stats(run)).run.unique < cfg.count / 5 && Date.now() < limit) await sleep(20);
      const { maxInflight } = await stats();
      await c.signal("SIGKILL", 5000);
      c.start();
      await made;
      await mode({ mode: "ok" });
      await drain(run, books, { c });
      const { summary, lost } = await tally(run, books);
      return { ...summary, inFlightAtMost: maxInflight, lostSeq: ranges(lost.map((b) => b.seq)) };
    },
  };
}

/** Scenarios that start the candidate themselves. */
export const unprepared = new Set(["firstwatch"]);
