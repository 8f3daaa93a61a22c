import { beforeEach, describe, expect, it } from "vitest";
import type { Checkpoint, SourceItem } from "../../../src/source/source.ts";
import { type FakeApiServer, isList, isWatch, recorded } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { useServer } from "../../support/source.ts";
import { afterSeeing } from "./support.ts";

describe("what was missed", () => {
  const { server: current, run, watching } = useServer();
  let server: FakeApiServer;
  beforeEach(() => {
    server = current();
  });

  const afterARun = () => afterSeeing(server, watching, "before");

  describe("410", () => {
    it("within an open watch: lists, and tells exactly what was not told", async () => {
      const source = await watching();
      server.create("seen");
      server.create("counted");
      await source.until(() => source.events.length === 2);
      server.fallSilent();
      server.update("counted");
      server.create("unseen");
      server.speakAgain();
      server.expireWatches();
      await source.until(() => source.events.length === 4);
      server.create("after");
      await source.until(() => source.events.length === 5);
      expect(source.names).toEqual(["seen@1", "counted@1", "counted@2", "unseen@1", "after@1"]);
      expect(source.called("sourceResumed").map((call) => call[2])).toEqual(["expired"]);
      expect(source.called("sourceFailed"), "410 is routine").toEqual([]);
    });

    it("at the opening of a watch, as HTTP status: the same", async () => {
      const source = await watching();
      server.create("seen");
      await source.until(() => source.events.length === 1);
      server.answer(recorded("list-410-exact"), isWatch);
      server.closeWatches();
      server.create("unseen");
      await source.until(() => source.events.length === 2);
      expect(source.names).toEqual(["seen@1", "unseen@1"]);
      expect(server.asked("list").at(-1)?.query.get("limit")).toBe("500");
    });

    it("hands the unseen on in the order of time, with no checkpoint before the list's end", async () => {
      const checkpoint = await afterARun();
      server.create("z");
      server.create("a");
      server.create("m");
      server.compact();
      const source = run({ resume: [checkpoint] });
      await source.until(() => source.events.length === 3);
      await source.until(() => source.synced === 1);
      expect(source.names).toEqual(["z@1", "a@1", "m@1"]);
      const kinds = source.items.map((item) =>
        item.kind === "event" ? (item.checkpoint === null ? "event" : "event+") : item.kind,
      );
      expect(kinds).toEqual(["event", "event", "event", "relisted", "checkpoint", "synced"]);
      expect(source.checkpoints[0]?.resourceVersion).toBe(server.version);
    });

    it("pages through a big list, 500 at a time", async () => {
      const checkpoint = await afterARun();
      for (let index = 0; index < 1_234; index += 1) server.create(`many-${index}`);
      server.compact();
      const source = run({ resume: [checkpoint] });
      await source.until(() => source.synced === 1);
      expect(new Set(source.names).size).toBe(1_234);
      const pages = server.asked("list").filter((request) => request.query.get("limit") === "500");
      expect(pages).toHaveLength(3);
    });

    it("of a continue token goes on with the rest of the list and loses nothing", async () => {
      const checkpoint = await afterARun();
      for (let index = 0; index < 700; index += 1)
        server.create(`many-${String(index).padStart(3, "0")}`);
      server.compact();
      const source = run({ resume: [checkpoint] });
      await server.until(() => {
        const paging = server.asked("list").some((request) => request.query.get("limit") === "500");
        if (paging) {
          server.compact();
          server.update("many-000");
        }
        return paging;
      });
      await source.until(() => source.synced === 1);
      await source.until(() => source.names.includes("many-000@2"));
      expect(new Set(source.names.filter((name) => name.endsWith("@1"))).size).toBe(700);
    });

    it("of a list without a token to go on starts the list again", async () => {
      const checkpoint = await afterARun();
      server.create("unseen");
      server.compact();
      server.answer(
        recorded("list-410-exact"),
        (request) => isList(request) && request.query.get("limit") === "500",
      );
      const source = run({ resume: [checkpoint] });
      await source.until(() => source.synced === 1);
      expect(source.names).toEqual(["unseen@1"]);
    });

    it("is routine however often it comes, as long as something is read in between", async () => {
      const source = await watching();
      for (const name of ["a", "b", "c"]) {
        server.expireWatches();
        server.create(name);
        await source.until(() => source.names.includes(`${name}@1`));
        server.create(`${name}-live`);
        await source.until(() => source.names.includes(`${name}-live@1`));
      }
      expect(source.called("sourceFailed")).toEqual([]);
      expect(source.names).toHaveLength(6);
    });

    it("for ever is not asked for without pause", async () => {
      server.answer(recorded("watch-410-expired"), isWatch, 4);
      const source = run();
      await source.until(() => source.synced === 1 && server.watching === 1);
      expect(source.called("sourceFailed").map((call) => [call[2], call[4]])).toEqual([
        ["expired", 800],
        ["expired", 1600],
        ["expired", 3200],
      ]);
    });

    it("tells again what a broken list may have told, but not within one run", async () => {
      const checkpoint = await afterARun();
      for (let index = 0; index < 600; index += 1) server.create(`many-${index}`);
      server.compact();
      server.answer({ status: 500, headers: {}, body: "" }, (request) =>
        request.query.has("continue"),
      );
      const source = run({ resume: [checkpoint] });
      await source.until(() => source.synced === 1);
      expect(source.names).toHaveLength(600);
      expect(new Set(source.names).size).toBe(600);
    });
  });

  describe("what a list brings after a break", () => {
    const listedAs = (source: ReturnType<typeof run>) =>
      source.items.flatMap((item) =>
        item.kind === "event"
          ? [
              `${item.event.eventName} ${item.listed ?? "watched"}${item.unfinished === true ? ", perhaps before" : ""}`,
            ]
          : [],
      );

    it("is marked, and what is older than maxAge as old", async () => {
      const clock = new FakeClock("2026-11-20T08:40:00Z");
      const source = await watching({ clock, config: { maxAgeMs: 30 * 60_000 } });
      server.create("live", { lastTimestamp: "2026-11-20T08:40:00Z" });
      await source.until(() => source.events.length === 1);
      server.fallSilent();
      server.create("old");
      server.create("young", { lastTimestamp: "2026-11-20T08:10:00Z" });
      server.speakAgain();
      server.expireWatches();
      await source.until(() => source.events.length === 3);
      expect(listedAs(source)).toEqual([
        "live watched",
        "old old, perhaps before",
        "young young, perhaps before",
      ]);
    });

    it("is never old on the very first start: replay alone says how much", async () => {
      server.create("an-hour-ago");
      const clock = new FakeClock("2026-11-20T09:10:00Z");
      const config = { maxAgeMs: 0, replayMs: 2 * 3_600_000 };
      const source = run({ clock, config });
      await source.until(() => source.synced === 1);
      expect(listedAs(source)).toEqual(["an-hour-ago young"]);
      expect(source.items.find(({ kind }) => kind === "relisted")).toMatchObject({
        gap: { cause: "firstStart", until: "2026-11-20T07:10:00.000Z", listed: true },
      });
    });

    it("never waits in memory as a whole: pages are asked for as they are taken", async () => {
      const checkpoint = await afterARun();
      for (let index = 0; index < 12_000; index += 1) server.create(`many-${index}`);
      server.compact();
      const source = run({ resume: [checkpoint], paused: true });
      const pages = () =>
        server.asked("list").filter((request) => request.query.get("limit") === "500").length;
      const checkpoints = new Map([[checkpoint.scope, checkpoint]]);
      const batches = source.source.batches(checkpoints, AbortSignal.timeout(60_000));
      const iterator = batches[Symbol.asyncIterator]();
      const taken = new Set<string>();
      const take = async (): Promise<readonly SourceItem[]> => {
        const next = await iterator.next();
        const items = next.done === true ? [] : next.value;
        for (const item of items) if (item.kind === "event") taken.add(item.event.eventName);
        return items;
      };
      await take();
      // 5,000 are put in order, 1,000 wait to be taken.
      expect(pages()).toBeLessThanOrEqual(11);
      while (!(await take()).some(({ kind }) => kind === "relisted"));
      expect(taken.size).toBe(12_000);
      expect(pages()).toBe(25);
      await iterator.return?.(undefined);
    });

    it("tells the gap where the Event seen last was forgotten meanwhile", async () => {
      const source = await watching();
      server.create("seen");
      await source.until(() => source.events.length === 1);
      server.fallSilent();
      server.forget();
      server.create("unseen");
      server.speakAgain();
      server.expireWatches();
      await source.until(() => source.gaps.length === 1);
      expect(source.gaps).toEqual(["expired"]);
      server.expireWatches();
      await source.until(() => source.items.filter(({ kind }) => kind === "relisted").length === 3);
      expect(source.gaps, "once").toHaveLength(1);
    });

    it("tells no gap where its end was seen", async () => {
      const source = await watching();
      server.create("seen");
      await source.until(() => source.events.length === 1);
      server.remove("seen");
      server.create("marker", {}, "shop");
      await source.until(() => source.events.length === 2);
      server.remove("marker");
      await source.until(() => source.checkpoints[0]?.resourceVersion === server.version);
      server.expireWatches();
      await source.until(() => source.items.filter(({ kind }) => kind === "relisted").length === 2);
      expect(source.gaps).toEqual([]);
    });
  });

  describe("a restart", () => {
    it("goes on where the checkpoint says, without a list of all", async () => {
      const checkpoint = await afterARun();
      server.create("while-away");
      const source = run({ resume: [checkpoint] });
      await source.until(() => source.events.length === 1);
      expect(source.names).toEqual(["while-away@1"]);
      expect(source.gaps).toEqual([]);
      expect(server.asked("list").every((request) => request.query.get("limit") === "1")).toBe(
        true,
      );
    });

    it("is ready only once the API server has taken the old version", async () => {
      const checkpoint = await afterARun();
      const source = run({ resume: [checkpoint], skipWaits: false });
      await server.until(() => server.watching === 1);
      await source.clock.advance(0);
      await source.clock.advance(200);
      await source.until(() => source.synced === 1);
      expect(source.events).toEqual([]);
    });

    it("after more than an hour tells the gap, and what is still there", async () => {
      const checkpoint = await afterARun();
      server.forget();
      server.create("still-there");
      server.compact();
      const clock = new FakeClock(new Date(checkpoint.at + 3 * 3_600_000).toISOString());
      const source = run({ resume: [checkpoint], clock });
      await source.until(() => source.synced === 1);
      expect(source.items[1]).toEqual({
        kind: "relisted",
        gap: {
          cause: "downtime",
          since: "2026-11-20T08:00:00.000Z",
          until: "2026-11-20T10:00:00.000Z",
          listed: true,
        },
      });
      expect(source.names).toEqual(["still-there@1"]);
    });

    describe("by a cluster that keeps Events for less than an hour, and forgot the one seen last", () => {
      /** Ten minutes later, with nothing left but what came since. */
      const tenMinutesLater = (checkpoint: Checkpoint, more: Parameters<typeof run>[0] = {}) => {
        server.forget();
        server.create("unseen");
        server.compact();
        const clock = new FakeClock(new Date(checkpoint.at + 600_000).toISOString());
        return run({ resume: [checkpoint], clock, ...more });
      };

      it("tells the gap, though nobody watched it go", async () => {
        const source = tenMinutesLater(await afterARun());
        await source.until(() => source.synced === 1);
        expect(source.items.find(({ kind }) => kind === "relisted")).toEqual({
          kind: "relisted",
          gap: {
            cause: "expired",
            since: "2026-11-20T08:00:00.000Z",
            until: "2026-11-20T08:10:00.000Z",
            listed: true,
          },
        });
        expect(source.names).toEqual(["unseen@1"]);
        const [after] = source.checkpoints;
        expect(after?.witness?.uid, "the newest is the next to be missed").toBe(
          source.events[0]?.uid,
        );
      });

      it("tells no gap where it is there still, though history is gone", async () => {
        const checkpoint = await afterARun();
        server.create("unseen");
        server.compact();
        const source = run({ resume: [checkpoint] });
        await source.until(() => source.synced === 1);
        expect(source.gaps).toEqual([]);
      });

      it("tells no gap where its like is not asked for any more", async () => {
        server.create("normal", { type: "Normal" });
        const checkpoint = await afterARun();
        const normal = {
          ...checkpoint,
          witness: { uid: "gone", type: "Normal", at: checkpoint.at },
        };
        const quiet = tenMinutesLater(normal, { onlyNotNormal: true });
        await quiet.until(() => quiet.synced === 1);
        expect(quiet.gaps).toEqual([]);
        const all = tenMinutesLater(normal);
        await all.until(() => all.synced === 1);
        expect(all.gaps).toEqual(["expired"]);
      });

      it("tells no gap where only another namespace can have it", async () => {
        const source = tenMinutesLater(await afterARun(), { config: { namespaces: ["shop"] } });
        await source.until(() => source.synced === 1);
        expect(source.gaps).toEqual([]);
      });

      it("tells no gap after a checkpoint of an earlier version, which knows none", async () => {
        const { witness, ...checkpoint } = await afterARun();
        expect(witness).toMatchObject({ type: "Warning", at: checkpoint.at });
        const source = tenMinutesLater(checkpoint);
        await source.until(() => source.synced === 1);
        expect(source.gaps).toEqual([]);
      });

      it("tells the gap also where only a list had shown it", async () => {
        const checkpoint = await afterARun();
        server.create("listed");
        server.compact();
        const second = run({ resume: [checkpoint] });
        await second.until(() => second.synced === 1);
        const [after] = second.checkpoints;
        await second.stop();
        if (after === undefined) throw new Error("a list leaves a checkpoint");
        const third = tenMinutesLater(after);
        await third.until(() => third.synced === 1);
        expect(third.gaps).toEqual(["expired"]);
      });
    });

    it("on another cluster tells the gap and begins now", async () => {
      const checkpoint = await afterARun();
      server.becomeAnother();
      server.create("not-ours-to-tell");
      const source = run({ resume: [checkpoint] });
      await source.until(() => source.synced === 1);
      server.create("new");
      await source.until(() => source.events.length === 1);
      expect(source.gaps).toEqual(["otherCluster"]);
      expect(source.names).toEqual(["new@1"]);
      expect(source.checkpoints[0]?.cluster).not.toBe(checkpoint.cluster);
    });

    it("knows the cluster by address and CA where kube-system may not be read", async () => {
      const secret = recorded("list-403-anonymous");
      server.answer(secret, (request) => request.path.endsWith("/kube-system"), Infinity);
      const checkpoint = await afterARun();
      server.create("while-away");
      const source = run({ resume: [checkpoint] });
      await source.until(() => source.events.length === 1);
      expect(source.gaps).toEqual([]);
      const elsewhere = run({ resume: [{ ...checkpoint, cluster: "uid=;address=elsewhere" }] });
      await elsewhere.until(() => elsewhere.synced === 1);
      expect(elsewhere.gaps).toEqual(["otherCluster"]);
    });

    it("of some namespaces goes on from the checkpoint of all", async () => {
      const checkpoint = await afterARun();
      server.create("while-away", {}, "shop");
      const source = run({ resume: [checkpoint], config: { namespaces: ["shop"] } });
      await source.until(() => source.events.length === 1);
      expect(source.names).toEqual(["while-away@1"]);
    });
  });
});
