import { beforeEach, describe, expect, it } from "vitest";
import { type FakeApiServer, isWatch, recorded } from "../../support/apiserver.ts";
import { useServer } from "../../support/source.ts";
import { afterSeeing } from "./support.ts";

/** We know more than the cluster does: etcd was restored, or one of its servers lags behind. */
describe("a version of the future", () => {
  const { server: current, run, watching } = useServer();
  let server: FakeApiServer;
  beforeEach(() => {
    server = current();
  });
  const afterARun = () => afterSeeing(server, watching, "before");

  it("at the start: told as a gap, everything listed, nothing hangs", async () => {
    server.create("kept-1");
    const restored = Number(server.version);
    const checkpoint = await afterARun();
    server.restore(restored);
    const source = run({ resume: [checkpoint] });
    await source.until(() => source.synced === 1);
    expect(source.gaps).toEqual(["futureVersion"]);
    expect(source.names).toEqual(["kept-1@1"]);
    expect(source.checkpoints[0]?.resourceVersion).toBe(String(restored));
    server.create("after");
    await source.until(() => source.events.length === 2);
  });

  it("after a connection broke: found before the watch is opened", async () => {
    const source = await watching();
    const restored = Number(server.version);
    for (const name of ["a", "b", "c"]) server.create(name);
    await source.until(() => source.events.length === 3);
    await server.down();
    server.restore(restored);
    server.create("after-restore");
    await server.up();
    await source.until(() => source.gaps.length === 1);
    expect(source.names).toContain("after-restore@1");
    expect(source.gaps).toEqual(["futureVersion"]);
    server.create("later");
    await source.until(() => source.names.includes("later@1"));
  });

  it("said by a server with a watch cache: the same", async () => {
    const source = await watching();
    const restored = Number(server.version);
    server.create("seen");
    await source.until(() => source.events.length === 1);
    server.restore(restored);
    server.answer(recorded("list-504-future"), isWatch);
    server.closeWatches();
    await source.until(() => source.gaps.length === 1);
    expect(source.gaps).toEqual(["futureVersion"]);
  });

  it("said by one of several servers that lags behind: waited for, with no gap and no list of all", async () => {
    const source = await watching({ config: { replayMs: 86_400_000 } });
    server.create("seen");
    await source.until(() => source.events.length === 1);
    const whole = () => server.asked("list").filter((one) => one.query.get("limit") === "500");
    const before = whole().length;
    server.answer(recorded("list-504-future"), isWatch, 3);
    server.closeWatches();
    server.create("later");
    await source.until(() => source.events.length === 2);
    expect(source.gaps).toEqual([]);
    expect(whole()).toHaveLength(before);
    expect(source.called("sourceFailed").map((call) => call[4])).toEqual([800, 1600, 3200]);
    expect(source.called("sourceFailed")[0]?.[3]).toContain("Too large resource version");
  });

  it.each([
    ["a load balancer without a server", 502, "no healthy upstream"],
    ["a server that is just starting", 503, "etcd is not ready"],
    ["a server with too much to do", 429, "too many requests"],
  ])("found also where %s answered in between, after a clean end", async (_, status, body) => {
    const source = await watching();
    const restored = Number(server.version);
    for (const name of ["a", "b", "c"]) server.create(name);
    await source.until(() => source.events.length === 3);
    server.answer({ status, headers: {}, body }, isWatch);
    server.restore(restored);
    server.create("after-restore");
    server.closeWatches();
    await source.until(() => source.gaps.length === 1);
    expect(source.gaps).toEqual(["futureVersion"]);
    expect(source.names).toContain("after-restore@1");
  });

  it("that is no version at all to this server: lists", async () => {
    const checkpoint = await afterARun();
    const source = run({ resume: [{ ...checkpoint, resourceVersion: "abc" }] });
    await source.until(() => source.synced === 1);
    expect(source.names).toEqual(["before@1"]);
  });
});
