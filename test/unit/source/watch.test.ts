import { readFileSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import { type FakeApiServer, isWatch, recorded, type Request } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { kubeconfigFor, useServer } from "../../support/source.ts";

describe("a watch of the kubernetes source", () => {
  const { server: current, run, watching } = useServer();
  let server: FakeApiServer;
  beforeEach(() => {
    server = current();
  });

  it("resumes silently after a clean close, from the last version and without a list", async () => {
    const source = await watching();
    server.create("before");
    await source.until(() => source.events.length === 1);
    const lists = server.asked("list").length;
    server.closeWatches();
    server.create("between");
    await source.until(() => source.events.length === 2);
    expect(server.asked("list").length).toBe(lists);
    expect(server.asked("watch")[1]?.query.get("resourceVersion")).toBe(
      source.events[0]?.resourceVersion,
    );
    expect(source.called("sourceFailed")).toEqual([]);
    expect(source.called("sourceResumed")).toEqual([["sourceResumed", "kubernetes", "closed"]]);
  });

  it("keeps the checkpoint of a quiet cluster young", async () => {
    const source = await watching();
    await source.clock.advance(300_000);
    const before = source.checkpoints[0]?.at ?? 0;
    server.closeWatches();
    await source.until(() => (source.checkpoints[0]?.at ?? 0) > before);
    expect(source.checkpoints[0]?.at).toBe(source.clock.now());
  });

  it("takes it for routine, all day long, that a quiet cluster has compacted what it stands on", async () => {
    const source = await watching();
    for (let time = 1; time <= 5; time += 1) {
      await source.clock.advance(300_000);
      server.compact();
      server.closeWatches();
      await source.until(() => source.called("sourceResumed").length === time);
      await server.until(() => server.watching === 1);
    }
    expect(source.called("sourceResumed").map((call) => call[2])).toEqual(Array(5).fill("expired"));
    expect(source.called("sourceFailed"), "nothing to wait for").toEqual([]);
    expect(source.gaps).toEqual([]);
    expect(server.asked("list").filter((one) => one.query.get("limit") === "500")).toHaveLength(5);
    server.create("at-last");
    await source.until(() => source.events.length === 1);
  });

  it("does not hammer a server that ends each watch at once", async () => {
    const source = await watching({ skipWaits: false });
    server.closeWatches();
    await source.until(() => source.called("sourceFailed").length === 1);
    expect(source.called("sourceFailed")[0]).toMatchObject([
      "sourceFailed",
      "kubernetes",
      "closed",
      expect.stringContaining("at once"),
      800,
    ]);
  });

  it("connects again after a reset and has missed nothing", async () => {
    const source = await watching();
    server.create("before");
    await source.until(() => source.events.length === 1);
    server.resetConnections();
    server.create("between");
    await source.until(() => source.events.length === 2);
    expect(source.names).toEqual(["before@1", "between@1"]);
    expect(source.called("sourceFailed")[0]?.[2]).toBe("network");
    expect(source.called("sourceResumed").map((call) => call[2])).toEqual(["network"]);
  });

  it("drops half a line together with the connection that broke in it", async () => {
    const source = await watching();
    server.send('{"type":"ADDED","object":{"kind":"Event","metadata":{"na');
    server.resetConnections();
    server.create("whole");
    await source.until(() => source.events.length === 1);
    expect(source.names).toEqual(["whole@1"]);
    expect(source.called("sourceGarbage")).toEqual([]);
  });

  it("waits longer and longer, at most 30 s, while the server is down, and says so", async () => {
    const source = await watching();
    await server.down();
    await source.until(() => source.called("sourceFailed").length === 9);
    const waits = source.called("sourceFailed").map((call) => call[4]);
    expect(waits.slice(0, 8)).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
    expect(source.called("sourceFailed")[1]?.[3]).toMatch(
      /no connection to http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/,
    );
    server.create("while-down");
    await server.up();
    await source.until(() => source.events.length === 1);
    expect(source.names).toEqual(["while-down@1"]);
  });

  it("waits for a server that is down from the start", async () => {
    await server.down();
    const source = run();
    await source.until(() => source.called("sourceFailed").length === 2);
    expect(source.synced).toBe(0);
    await server.up();
    await source.until(() => source.synced === 1);
  });

  it("asks again which cluster it is where the API server could not say, once for all namespaces", async () => {
    const asks = (request: Request) => request.path.endsWith("/namespaces/kube-system");
    server.answer({ status: 503, headers: {}, body: "etcd is away" }, asks, 2);
    const source = run({ config: { namespaces: ["shop"] } });
    await source.until(() => source.synced === 1);
    expect(source.called("sourceFailed").map((call) => call[2])).toEqual(["server", "server"]);
    expect(source.checkpoints[0]?.cluster).toContain("uid=11111111-");
    await source.stop();
    const before = server.requests.filter(asks).length;
    const three = run({ config: { namespaces: ["shop", "pay", "bank"] } });
    await three.until(() => three.synced === 1);
    expect(server.requests.filter(asks).length - before).toBe(1);
  });

  it("waits as long as a 429 tells it", async () => {
    const source = await watching();
    server.answer(
      {
        status: 429,
        headers: { "Retry-After": "17" },
        body: '{"kind":"Status","reason":"TooManyRequests","message":"slow down","code":429}',
      },
      isWatch,
    );
    server.create("a");
    await source.until(() => source.events.length === 1);
    server.closeWatches();
    await source.until(() => source.called("sourceFailed").length === 1);
    expect(source.called("sourceFailed")[0]).toEqual([
      "sourceFailed",
      "kubernetes",
      "throttled",
      expect.stringContaining("slow down"),
      17_000,
    ]);
  });

  it("tries again after errors of the server", async () => {
    server.answer({ status: 503, headers: {}, body: "upstream connect error" }, isWatch, 2);
    const source = run();
    await server.until(() => server.watching === 1);
    await source.clock.advance(200);
    await source.until(() => source.synced === 1);
    expect(source.called("sourceFailed").map((call) => call[2])).toEqual(["server", "server"]);
    expect(source.called("sourceFailed")[0]?.[3]).toBe(
      "the API server answered 503: upstream connect error",
    );
  });

  it("replaces a connection that fell silent beyond its time", async () => {
    const source = await watching();
    server.fallSilent();
    server.create("unheard");
    await source.clock.advance(329_000);
    expect(server.asked("watch")).toHaveLength(1);
    server.speakAgain();
    await source.clock.advance(2_000);
    await source.until(() => source.events.length === 1);
    expect(source.names).toEqual(["unheard@1"]);
    expect(source.called("sourceFailed")[0]?.[2]).toBe("stalled");
  });

  it("lets a watch be that outlives its time but still speaks", async () => {
    const source = await watching();
    await source.clock.advance(320_000);
    server.create("still-here");
    await source.until(() => source.events.length === 1);
    await source.clock.advance(20_000);
    expect(server.asked("watch")).toHaveLength(1);
    expect(source.called("sourceFailed")).toEqual([]);
  });

  it("gives up on a server that takes a request and never answers", async () => {
    server.answer(null, isWatch);
    const source = run();
    await server.until(() => server.asked("watch").length === 1);
    await source.clock.advance(31_000);
    await source.until(() => source.synced === 1);
    expect(source.called("sourceFailed")[0]?.[3]).toMatch(/no answer from .* within 30 s/);
  });

  it("reads its credentials anew after a 401", async () => {
    const file = kubeconfigFor(server, { token: "expired" });
    const clock = new FakeClock();
    const client = createKubeClient({ kubeconfig: file, context: null }, { clock });
    const source = await watching({ client, clock });
    writeFileSync(file, readFileSync(file, "utf8").replace("expired", "renewed"));
    server.answer(recorded("list-401"), isWatch);
    server.create("a");
    await source.until(() => source.events.length === 1);
    server.closeWatches();
    server.create("b");
    await source.until(() => source.events.length === 2);
    expect(server.asked("watch").map((request) => request.headers.authorization)).toEqual([
      "Bearer expired",
      "Bearer expired",
      "Bearer renewed",
    ]);
  });

  it("never tells a token", async () => {
    const source = await watching();
    await server.down();
    await source.until(() => source.called("sourceFailed").length === 2);
    expect(JSON.stringify(source.calls)).not.toContain("s3cret-token");
  });

  it("ends at once when told to, whatever it waits for", async () => {
    await server.down();
    const source = run({ skipWaits: false });
    await source.until(() => source.called("sourceFailed").length === 1);
    await source.stop();
    expect(source.clock.sleeping).toBe(0);
  });
});
