import { beforeEach, describe, expect, it } from "vitest";
import { type FakeApiServer, recorded } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { useServer } from "../../support/source.ts";

describe("the kubernetes source", () => {
  const { server: current, run, watching } = useServer();
  let server: FakeApiServer;
  beforeEach(() => {
    server = current();
  });
  describe("first start", () => {
    it("begins now: what is already there is not told", async () => {
      server.create("old");
      const source = await watching();
      server.create("new");
      await source.until(() => source.events.length === 1);
      expect(source.names).toEqual(["new@1"]);
      expect(source.events[0]).toMatchObject({ cluster: "prod-a", reason: "BackOff" });
    });

    it("leaves a checkpoint before anything happens, so that a crash loses nothing from then on", async () => {
      server.create("old");
      const source = await watching();
      expect(source.checkpoints).toMatchObject([
        { scope: "kubernetes:*", resourceVersion: server.version, at: source.clock.now() },
      ]);
    });

    it("asks for one Event, not for all, to learn where now is", async () => {
      await watching();
      expect(server.asked("list").map((request) => request.query.get("limit"))).toEqual(["1"]);
    });

    it("replays what was seen within the time asked for, in the order it happened", async () => {
      server.create("z-first", { lastTimestamp: "2026-11-20T08:50:00Z" });
      server.create("too-old");
      server.create("a-second", { lastTimestamp: "2026-11-20T08:55:00Z" });
      const clock = new FakeClock("2026-11-20T09:00:00Z");
      const source = run({ config: { replayMs: 15 * 60_000 }, clock });
      await source.until(() => source.synced === 1);
      expect(source.names).toEqual(["z-first@1", "a-second@1"]);
      server.create("from-now-on");
      await source.until(() => source.events.length === 3);
    });
  });

  describe("occurrences", () => {
    it("are not made by a new label on an Event that was listed and was too old to tell", async () => {
      server.create("old");
      const clock = new FakeClock("2026-11-20T09:00:00Z");
      const source = await watching({ config: { replayMs: 60_000 }, clock });
      server.update("old", { count: 1 });
      server.update("old", { count: 2 });
      await source.until(() => source.events.length > 0);
      expect(source.names).toEqual(["old@2"]);
    });

    it("are ADDED and MODIFIED that count on; not metadata, not DELETED", async () => {
      const source = await watching();
      server.create("web");
      server.update("web");
      server.update("web", {
        count: 2,
        metadata: { ...server.update("web", { count: 2 }).metadata, labels: { a: "b" } },
      });
      server.remove("web");
      server.create("last");
      await source.until(() => source.names.includes("last@1"));
      expect(source.names).toEqual(["web@1", "web@2", "last@1"]);
    });

    it("moves the checkpoint on with what is no occurrence", async () => {
      const source = await watching();
      server.create("web");
      server.remove("web");
      await source.until(() => source.checkpoints[0]?.resourceVersion === server.version);
      expect(source.checkpoints[0]?.resourceVersion).toBe(server.version);
    });

    it("uses bookmarks where a server sends them", async () => {
      const source = await watching();
      expect(server.asked("watch")[0]?.query.get("allowWatchBookmarks")).toBe("true");
      server.send(
        `{"type":"BOOKMARK","object":{"kind":"Event","metadata":{"resourceVersion":"4711"}}}\n`,
      );
      await source.until(() => source.checkpoints[0]?.resourceVersion === "4711");
      expect(source.events).toEqual([]);
    });

    it("come with a checkpoint each: taken so far, resumed from there", async () => {
      const source = await watching();
      server.create("a");
      server.create("b");
      await source.until(() => source.events.length === 2);
      const versions = source.items.flatMap((item) =>
        item.kind === "event"
          ? [[item.event.resourceVersion, item.checkpoint?.resourceVersion]]
          : [],
      );
      for (const [event, checkpoint] of versions) expect(checkpoint).toBe(event);
    });

    it("keeps what a recorded watch of a real server says", async () => {
      const source = await watching();
      server.send(recorded("watch").body);
      await source.until(() => source.events.length >= 3);
      expect(
        source.events.map((event) => `${event.object.kind} ${event.reason} ${event.count}`),
      ).toEqual([
        "PersistentVolumeClaim FailedBinding 1",
        "Pod BackOff 13",
        "PersistentVolumeClaim FailedBinding 2",
      ]);
    });

    it("come in batches of at most a hundred, without waiting to fill one", async () => {
      const source = await watching();
      server.create("one");
      await source.until(() => source.events.length === 1);
      for (let index = 0; index < 450; index += 1) server.create(`many-${index}`);
      await source.until(() => source.events.length === 451);
      expect(Math.max(...source.batches)).toBeLessThanOrEqual(100);
      expect(Math.min(...source.batches)).toBeGreaterThan(0);
    });
  });

  describe("which events are asked for", () => {
    it("watches one API group only: core", async () => {
      await watching();
      expect(new Set(server.asked("watch").map((request) => request.path))).toEqual(
        new Set(["/api/v1/events"]),
      );
    });

    it("takes events.k8s.io where core is forbidden", async () => {
      server.answer(
        recorded("list-403-anonymous"),
        (request) => request.path.startsWith("/api/v1/events"),
        Infinity,
      );
      const source = await watching();
      server.create("web", { message: "told in the new way" });
      await source.until(() => source.events.length === 1);
      expect(source.events[0]).toMatchObject({
        message: "told in the new way",
        object: { name: "web-0" },
        count: 1,
      });
      expect(server.asked("watch").map((request) => request.path)).toEqual([
        "/apis/events.k8s.io/v1/events",
      ]);
    });

    it("watches each named namespace by itself, so that a Role there is enough", async () => {
      const source = run({ config: { namespaces: ["shop", "data"] } });
      await server.until(() => server.watching === 2);
      server.create("a", {}, "shop");
      server.create("b", {}, "data");
      server.create("c", {}, "other");
      server.create("d", {}, "data");
      await source.until(() => source.events.length === 3);
      expect(source.names.toSorted()).toEqual(["a@1", "b@1", "d@1"]);
      expect(
        server
          .asked("watch")
          .map((request) => request.path)
          .toSorted(),
      ).toEqual(["/api/v1/namespaces/data/events", "/api/v1/namespaces/shop/events"]);
      expect(source.checkpoints.map((one) => one.scope).toSorted()).toEqual([
        "kubernetes:data",
        "kubernetes:shop",
      ]);
      expect(source.synced).toBe(1);
    });

    it("leaves Normal events on the server where nobody wants them, but no other type", async () => {
      const source = await watching({ onlyNotNormal: true });
      server.create("normal", { type: "Normal" });
      server.create("strange", { type: "Fatal" });
      await source.until(() => source.events.length === 1);
      expect(source.names).toEqual(["strange@1"]);
      expect(server.asked("watch")[0]?.query.get("fieldSelector")).toBe("type!=Normal");
    });

    it("asks the server to end the watch within five to ten minutes", async () => {
      const source = await watching({ random: () => 0.5 });
      expect(server.asked("watch")[0]?.query.get("timeoutSeconds")).toBe("450");
      expect(source.called("sourceFailed")).toEqual([]);
    });
  });
});
