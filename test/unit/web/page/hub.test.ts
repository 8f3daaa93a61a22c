import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVERYTHING, UnreadableError } from "../../../../src/history/history.ts";
import { Refusal } from "../../../../src/web/auth/refusal.ts";
import type { Sight } from "../../../../src/web/page/follower.ts";
import { HEARTBEAT_MS, LOOK_MS, CATCH_UP } from "../../../../src/web/page/tail.ts";
import { NOON, seen, take } from "../../../support/history.ts";
import { never } from "../../../support/ledger.ts";
import { aHub, Client } from "../../../support/tail.ts";

const event = (n: number, changes: Parameters<typeof seen>[2] = {}) =>
  seen(n, NOON - 1000, changes);
const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, n) => `web-${from + n}`);

describe("who follows", () => {
  test("gets what arrives from then on, in its order, and is told where they are", async () => {
    const { follow, tick, ...kept } = aHub();
    await take(kept, [event(1)]);
    const client = follow();
    expect(client.text).toMatch(/^retry: \d+\n/);
    await tick();
    await take(kept, [event(2), event(3)]);
    await tick();
    await take(kept, [event(4)]);
    await tick();
    expect(client.names).toEqual(["web-2", "web-3", "web-4"]);
    // A part of a chunk is no reason to believe that all of it arrived.
    expect(client.blocks.map(({ id }) => id)).toEqual([null, 3, 4]);
  });

  test("gets what they asked for and may see, and nothing else", async () => {
    const { follow, tick, ...kept } = aHub();
    const all = follow();
    const pods = follow({ filter: { ...EVERYTHING, kinds: ["Pod"], words: ["refused"] } });
    const data = follow({ visible: ["data"] });
    await tick();
    await take(kept, [
      event(1, { message: "connection REFUSED" }),
      event(2, { object: { kind: "Node" }, message: "refused" }),
      event(3, { eventNamespace: "data" }),
    ]);
    await tick();
    expect(all.names).toEqual(names(1, 3));
    expect(pods.names).toEqual(["web-1"]);
    expect(data.names).toEqual(["web-3"]);
  });

  test("by the hundred gets the same bytes, which were written once", async () => {
    const { follow, tick, hub, written, ...kept } = aHub();
    const clients = Array.from({ length: 500 }, () => follow());
    const warnings = follow({ filter: { ...EVERYTHING, types: ["Warning"] } });
    await tick();
    await take(kept, [event(1), event(2)]);
    await tick();
    expect(hub.size).toBe(501);
    expect(written).toEqual(["web-1", "web-2"]);
    expect(new Set(clients.map(({ chunks }) => chunks.at(-1))).size).toBe(1);
    expect(warnings.names).toEqual(clients[0]?.names);
    for (const client of clients) client.leave();
    warnings.leave();
    expect(hub.size).toBe(0);
  });

  test("and leaves gets nothing more; when nobody is left the store is not asked any more", async () => {
    const { follow, tick, clock, ...kept } = aHub();
    const client = follow();
    await tick();
    client.leave();
    await tick();
    expect(clock.sleeping).toBe(0);
    await take(kept, [event(1)]);
    await tick();
    expect(client.names).toEqual([]);
  });

  test("hears that the stream is alive, and where it is, though nothing is for them", async () => {
    const { follow, tick, clock, ...kept } = aHub();
    const client = follow({ filter: { ...EVERYTHING, kinds: ["Node"] } });
    await tick();
    await take(kept, [event(1), event(2)]);
    await clock.advance(HEARTBEAT_MS - 1_000);
    expect(client.blocks).toEqual([]);
    await clock.advance(1_500);
    expect(client.blocks).toEqual([{ event: "mark", data: "", id: 2 }]);
    await clock.advance(HEARTBEAT_MS);
    expect(client.blocks).toHaveLength(2);
  });

  test("hears that also while the clock is set back by an hour", async () => {
    const { follow, tick, clock, ...kept } = aHub();
    const client = follow({ filter: { ...EVERYTHING, kinds: ["Node"] } });
    await tick();
    await take(kept, [event(1)]);
    clock.setBack(3_600_000);
    await clock.advance(HEARTBEAT_MS + 1_000);
    expect(client.blocks).toEqual([{ event: "mark", data: "", id: 1 }]);
  });

  test("is let go when it ends, all of them", async () => {
    const { follow, tick, hub } = aHub();
    const clients = [follow(), follow()];
    await tick();
    hub.close();
    expect(clients.every(({ ended }) => ended)).toBe(true);
    expect(hub.size).toBe(0);
  });

  test("waits where the store cannot be read, and gets what came meanwhile", async () => {
    const { follow, tick, db, ...kept } = aHub();
    const client = follow();
    await tick();
    await take({ ...kept }, [event(1)]);
    db.exec("ALTER TABLE occurrence RENAME TO elsewhere");
    await tick();
    expect(client.names).toEqual([]);
    expect(client.ended).toBe(false);
    db.exec("ALTER TABLE elsewhere RENAME TO occurrence");
    await tick();
    expect(client.names).toEqual(["web-1"]);
  });
});

describe("who comes back", () => {
  test("and cannot be given what came before holds up nobody else, and is given it once they can", async () => {
    const { follow, tick, reader, ...kept } = aHub();
    const well = { ...reader };
    const filter = { ...EVERYTHING, words: ["slow"] };
    let isSlow = true;
    reader.tail = (of, mark, limit, ask) =>
      isSlow && of.words.includes("slow")
        ? Promise.reject(new UnreadableError("too slow"))
        : well.tail(of, mark, limit, ask);
    const other = follow();
    await tick();
    await take(kept, [event(1, { message: "slow" })]);
    await tick();
    const back = follow({ after: 0, filter });
    const behind = follow({ after: 0 });
    await take(kept, [event(2, { message: "slow" })]);
    await tick();
    await take(kept, [event(3)]);
    await tick();
    expect(behind.names).toEqual(["web-1", "web-2", "web-3"]);
    expect(other.names).toEqual(["web-1", "web-2", "web-3"]);
    expect(back.names).toEqual([]);
    expect(back.ended).toBe(false);
    isSlow = false;
    await tick();
    expect(back.names).toEqual(["web-1", "web-2"]);
  });

  test("goes on from the last row they have, with each row once", async () => {
    const { follow, tick, ...kept } = aHub();
    const first = follow();
    await tick();
    await take(kept, [event(1), event(2)]);
    await tick();
    first.leave();
    await take(kept, [event(3), event(4, { type: "Normal" })]);
    const filter = { ...EVERYTHING, types: ["Warning"] };
    const again = follow({ after: first.last, filter });
    const other = follow();
    await tick();
    await take(kept, [event(5)]);
    await tick();
    expect(again.names).toEqual(["web-3", "web-5"]);
    expect(other.names).toEqual(["web-5"]);
    expect(again.last).toBe(5);
  });

  test("has every row once and in order, whenever they come and go and whatever arrives meanwhile", async () => {
    const step = fc.oneof(
      fc.record({ does: fc.constant("arrive" as const), n: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ does: fc.constantFrom("tick" as const, "cut" as const), n: fc.constant(0) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { follow, tick, hub, ...kept } = aHub();
        // Somebody else keeps the hub going.
        follow();
        let client = follow();
        const got: string[] = [];
        let made = 0;
        let last: number | null = null;
        const cut = () => {
          client.leave();
          got.push(...client.names);
          last = client.last ?? last;
        };
        await tick();
        for (const { does, n } of [...steps, { does: "tick", n: 0 }]) {
          if (does === "arrive") {
            await take(
              kept,
              Array.from({ length: n }, (_, index) => event(made + index + 1)),
            );
            made += n;
          } else if (does === "tick") await tick();
          else {
            cut();
            // Whoever has no mark yet begins at the beginning.
            client = follow({ after: last ?? 0 });
          }
        }
        cut();
        hub.close();
        expect(got).toEqual(names(1, made));
      }),
      { numRuns: 40 },
    );
  });

  test("after too long is told that something is missing, and goes on with the newest", async () => {
    const { follow, tick, db, outbox, ...kept } = aHub();
    const only = event(1);
    const alert = { kind: "event", event: only } as const;
    await outbox.add([{ event: only, alert, sinks: [], suppressed: "noSink" }], [], never);
    db.exec(`UPDATE occurrence SET seq = ${CATCH_UP + 100}`);
    const client = follow({ after: 1 });
    await tick();
    await take({ ...kept, outbox }, [event(2)]);
    await tick();
    expect(client.blocks.map(({ event: kind, data }) => [kind, data])).toEqual([
      ["gap", "missed"],
      ["row", "web-1"],
      ["row", "web-2"],
    ]);
  });

  test("to a ledger that was made anew meanwhile is told so, too", async () => {
    const { follow, tick, ...kept } = aHub();
    await take(kept, [event(1)]);
    const client = follow({ after: 81_234 });
    await tick();
    await take(kept, [event(2)]);
    await tick();
    expect(client.blocks.map(({ data }) => data)).toEqual(["missed", "web-1", "web-2"]);
  });
});

describe("who does not read", () => {
  test("is let go with a word about it, is given nothing more, and goes on from where they were", async () => {
    const { follow, tick, hub, ...kept } = aHub();
    const slow = follow();
    const other = follow();
    await tick();
    await take(kept, [event(1)]);
    await tick();
    slow.room = false;
    await take(kept, [event(2)]);
    await tick();
    expect(slow.blocks.at(-1)).toEqual({ event: "gap", data: "slow", id: 1 });
    expect(slow.ended).toBe(true);
    expect(hub.size).toBe(1);
    await take(kept, [event(3)]);
    await tick();
    expect(slow.names).toEqual(["web-1"]);
    expect(other.names).toEqual(names(1, 3));
    const again = follow({ after: slow.last });
    await tick();
    expect(again.names).toEqual(["web-2", "web-3"]);
  });

  test("is found out by the sign of life, where nothing else is written", async () => {
    const { follow, tick, hub, clock } = aHub();
    const slow = follow();
    await tick();
    slow.room = false;
    await clock.advance(HEARTBEAT_MS + 500);
    expect(slow.ended).toBe(true);
    expect(hub.size).toBe(0);
  });

  test("while they are given what they missed is let go, too", async () => {
    const { follow, tick, hub, ...kept } = aHub();
    await take(
      kept,
      Array.from({ length: 1_200 }, (_, n) => event(n + 1)),
    );
    class Narrow extends Client {
      override hasRoom(): boolean {
        return this.chunks.length < 2;
      }
    }
    const outlet = new Narrow();
    follow({ after: 0, outlet });
    await tick();
    expect(outlet.names).toEqual(names(1, 500));
    expect(outlet.blocks.at(-1)).toEqual({ event: "gap", data: "slow", id: 500 });
    expect(hub.size).toBe(0);
  });
});

describe("what somebody may see is asked anew", () => {
  /** Somebody who may see what the test says. */
  function watched() {
    const made = aHub();
    const sight: { now: Sight } = { now: { kind: "sees", visible: ["shop", "data"] } };
    let looks = 0;
    const client = made.follow({
      visible: ["shop", "data"],
      look: () => {
        looks += 1;
        return Promise.resolve(sight.now);
      },
    });
    const arrive = async (n: number, eventNamespace: string) => {
      await take(made, [event(n, { eventNamespace })]);
      await made.tick();
    };
    const look = () => made.clock.advance(LOOK_MS);
    return { ...made, client, sight, arrive, look, looks: () => looks };
  }

  test("within a minute, again and again; what has not changed changes nothing", async () => {
    const { tick, look, client, arrive, looks } = watched();
    await tick();
    await arrive(1, "shop");
    await look();
    await arrive(2, "data");
    await look();
    await arrive(3, "shop");
    expect(looks()).toBe(2);
    expect(LOOK_MS).toBeLessThanOrEqual(60_000);
    expect(client.names).toEqual(names(1, 3));
  });

  test("a right that was taken away is gone as soon where the clock was set back by an hour", async () => {
    const { tick, clock, look, client, arrive, sight, looks } = watched();
    await tick();
    sight.now = { kind: "sees", visible: ["shop"] };
    clock.setBack(3_600_000);
    await look();
    await tick();
    expect(looks()).toBe(1);
    await arrive(1, "data");
    await arrive(2, "shop");
    expect(client.names).toEqual(["web-2"]);
  });

  test("a right that was taken away makes it less from then on", async () => {
    const { tick, look, client, arrive, sight } = watched();
    await tick();
    sight.now = { kind: "sees", visible: ["shop"] };
    await look();
    await arrive(1, "data");
    await arrive(2, "shop");
    expect(client.names).toEqual(["web-2"]);
  });

  test("somebody who may see nothing any more is told why, and let go", async () => {
    const { tick, look, client, arrive, sight, hub } = watched();
    await tick();
    sight.now = { kind: "refused", refusal: new Refusal(403, "alice may not list events") };
    await look();
    expect(client.blocks.at(-1)).toMatchObject({
      event: "end",
      data: "alice may not list events",
    });
    expect(client.ended).toBe(true);
    expect(hub.size).toBe(0);
    await arrive(1, "shop");
    expect(client.names).toEqual([]);
  });

  test("where nobody can say nothing is shown, and all of it once somebody can", async () => {
    const { tick, look, client, arrive, sight, clock } = watched();
    await tick();
    await arrive(1, "shop");
    sight.now = { kind: "unknown" };
    await look();
    await arrive(2, "shop");
    await arrive(3, "data");
    expect(client.names).toEqual(["web-1"]);
    expect(client.ended).toBe(false);
    sight.now = { kind: "sees", visible: ["shop"] };
    await clock.advance(11_000);
    await tick();
    await arrive(4, "shop");
    expect(client.names).toEqual(["web-1", "web-2", "web-4"]);
  });
});
