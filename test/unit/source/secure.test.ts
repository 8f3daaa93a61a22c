import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeApiServer, isList } from "../../support/apiserver.ts";
import { settle } from "../../support/clock.ts";
import { RunningSource } from "../../support/source.ts";

describe("over TLS", () => {
  let server: FakeApiServer;
  const running: RunningSource[] = [];
  const run = (options: ConstructorParameters<typeof RunningSource>[1] = {}): RunningSource => {
    const source = new RunningSource(server, options);
    running.push(source);
    return source;
  };

  beforeEach(async () => {
    server = await FakeApiServer.start({ secure: true });
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((source) => source.stop()));
    await server.close();
  });

  it("events arrive, over a reset too", async () => {
    const source = run();
    await server.until(() => server.watching === 1);
    server.create("a");
    await source.until(() => source.events.length === 1);
    server.resetConnections();
    server.create("b");
    await source.until(() => source.events.length === 2);
    expect(source.names).toEqual(["a@1", "b@1"]);
  });

  it("one connection serves whatever watch and list there is, not one each time", async () => {
    const source = run();
    await server.until(() => server.watching === 1);
    for (const name of ["a", "b", "c", "d"]) {
      server.create(name);
      await source.until(() => source.names.includes(`${name}@1`));
      const asked = server.asked("watch").length;
      server.closeWatches();
      await server.until(() => server.asked("watch").length > asked);
    }
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it("a thousand watches one after the other leave nothing behind", async () => {
    const source = run();
    await server.until(() => server.watching === 1);
    for (let index = 0; index < 1_000; index += 1) {
      const asked = server.asked("watch").length;
      server.create(`e${index}`);
      await source.until(() => source.events.length === index + 1);
      server.closeWatches();
      await server.until(() => server.asked("watch").length > asked && server.watching === 1);
    }
    await settle();
    // The guard of the one open watch, and the wait for its acceptance.
    expect(source.clock.sleeping).toBeLessThanOrEqual(2);
    expect(server.connections).toBeLessThanOrEqual(2);
    expect(new Set(source.names).size).toBe(1_000);
  });

  it("a page that is too big is asked for in smaller ones", async () => {
    const message = "x".repeat(1_400_000);
    for (let index = 0; index < 60; index += 1) server.create(`fat-${index}`, { message });
    const source = run({ config: { replayMs: 24 * 3_600_000 } });
    await source.until(() => source.synced === 1);
    expect(source.events).toHaveLength(60);
    const limits = server.requests.filter(isList).map((request) => request.query.get("limit"));
    expect(limits).toEqual([
      "1",
      "500",
      "50",
      "5",
      ...Array.from({ length: limits.length - 4 }, () => "5"),
    ]);
  }, 60_000);

  it("ends in the middle of a list when told to", async () => {
    for (let index = 0; index < 3_000; index += 1) server.create(`e${index}`);
    const source = run({ config: { replayMs: 24 * 3_600_000 } });
    await server.until(() => server.requests.some((request) => request.query.has("continue")));
    await source.stop();
    await server.until(() => server.watching === 0);
    expect(source.synced).toBe(0);
    expect(source.clock.sleeping).toBe(0);
  });
});
