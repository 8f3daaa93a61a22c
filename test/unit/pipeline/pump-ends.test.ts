import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Tally } from "../../../src/delivery/tally.ts";
import type { Outbox } from "../../../src/ledger/ledger.ts";
import { pump } from "../../../src/pipeline/pump.ts";
import { FakeApiServer, isList, isWatch, recorded, type Request } from "../../support/apiserver.ts";
import { settle } from "../../support/clock.ts";
import { aLedger, type TestLedger } from "../../support/ledger.ts";
import { RunningSource, type RunningOptions } from "../../support/source.ts";

/** The pump between a real source and a real ledger: how it ends, and what the next one finds. */

let server: FakeApiServer;
beforeEach(async () => {
  server = await FakeApiServer.start();
});
afterEach(() => server.close());

/** Runs until it is stopped or fails. */
function pumping(
  { outbox, recorded: { observer } }: TestLedger,
  options: RunningOptions = {},
  changes: Partial<Pick<Outbox, "add">> = {},
) {
  const running = new RunningSource(server, { paused: true, skipWaits: false, ...options });
  const stop = new AbortController();
  const synced: string[] = [];
  const ended = pump(
    running.source,
    {
      outbox: {
        checkpoints: () => outbox.checkpoints(),
        add: changes.add ?? ((...all) => outbox.add(...all)),
      },
      untold: () => [],
      route: () => ({ kind: "owed", sinks: ["ding", "hook"] }),
      observer,
      cluster: "prod-a",
      sinks: ["ding", "hook"],
      singly: new Set(),
      makeTally: () => new Tally(),
      synced: (name) => void synced.push(name),
    },
    stop.signal,
  );
  return {
    running,
    synced,
    ended,
    end: async () => {
      stop.abort();
      // What had not reached the ledger comes again from its checkpoint.
      await ended.catch((error: unknown) => {
        if (error !== stop.signal.reason) throw error;
      });
      await running.stop();
    },
  };
}

const keysIn = ({ history }: TestLedger) =>
  history
    .events({ limit: 10_000 })
    .filter(({ event }) => event.reason !== "HistoryGap")
    .map(({ event }) => event.key);

const asksWho = ({ path }: Request) => path.endsWith("/namespaces/kube-system");
const pageOfList = (request: Request) => isList(request) && request.query.get("limit") === "500";
const FORBIDDEN = recorded("list-403-anonymous");

describe("a pump that is told to stop", () => {
  const busy = { status: 429, headers: { "Retry-After": "600" }, body: "" };
  const day = { config: { replayMs: 86_400_000 } };

  it.each<[string, () => void, (request: Request) => boolean, RunningOptions]>([
    ["while it asks for the first time", () => server.answer(null, isList), isList, {}],
    ["while it asks which cluster it is", () => server.answer(null, asksWho), asksWho, {}],
    ["while it lists", () => server.answer(null, pageOfList), pageOfList, day],
    ["while it opens its watch", () => server.answer(null, isWatch), isWatch, {}],
    ["while it watches", () => undefined, isWatch, {}],
    ["while it may read nothing", () => server.answer(FORBIDDEN, isList, 1e6), isList, {}],
    ["while it waits as it was told", () => server.answer(busy, isWatch), isWatch, {}],
  ])("%s ends at once and leaves nothing behind", async (_, prepare, reached, options) => {
    prepare();
    const ledger = aLedger();
    const { running, end } = pumping(ledger, options);
    await server.until(() => server.requests.some(reached));
    await settle();
    await end();
    expect(running.clock.sleeping).toBe(0);
    await server.until(() => server.watching === 0 && server.connections === 0);
    expect(keysIn(ledger)).toEqual([]);
  });

  it("while the ledger writes ends when it has said what became of that, and takes no more", async () => {
    const ledger = aLedger();
    const { promise: written, resolve: write } = Promise.withResolvers<void>();
    const { promise: asked, resolve: asks } = Promise.withResolvers<void>();
    let adding = 0;
    const { end, synced } = pumping(
      ledger,
      {},
      {
        async add(entries, ...rest) {
          const taken = await ledger.outbox.add(entries, ...rest);
          if (entries.some(({ alert }) => alert.kind === "event")) {
            adding += 1;
            asks();
            await written;
          }
          return taken;
        },
      },
    );
    await server.until(() => server.watching === 1);
    server.create("a");
    await asked;
    for (const name of ["b", "c"]) server.create(name);
    await settle();
    const ended = end();
    await settle();
    write();
    await ended;
    expect(adding).toBe(1);
    expect(keysIn(ledger)).toEqual(["uid-1-a@1"]);
    expect(synced).toEqual(["kubernetes"]);
    const next = pumping(ledger);
    for (let turn = 0; turn < 100 && keysIn(ledger).length < 3; turn += 1) await settle();
    await next.end();
    expect(keysIn(ledger).toSorted()).toEqual(["uid-1-a@1", "uid-2-b@1", "uid-3-c@1"]);
  });
});

describe("a ledger that fails", () => {
  it("ends the pump with what it said, and the watch with it", async () => {
    const ledger = aLedger();
    const failure = new Error("the ledger belongs to a later leader");
    const { ended, running } = pumping(
      ledger,
      {},
      {
        add: (entries, ...rest) =>
          entries.some(({ alert }) => alert.kind === "event")
            ? Promise.reject(failure)
            : ledger.outbox.add(entries, ...rest),
      },
    );
    await server.until(() => server.watching === 1);
    server.create("a");
    await expect(ended).rejects.toBe(failure);
    await server.until(() => server.watching === 0);
    expect(running.clock.sleeping).toBe(0);
    await running.stop();
    expect(ledger.recorded.of("eventEnqueued"), "nothing is said to be owed").toEqual([]);
  });
});

describe("one pump after the other on the same ledger", () => {
  type Step =
    | { readonly do: "create" | "count"; readonly which: number }
    | { readonly do: "restart" | "kill" | "close" | "reset" | "turn" };
  const which = fc.nat({ max: 5 });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("create" as const), which }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("count" as const), which }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom(
          "restart" as const,
          "kill" as const,
          "close" as const,
          "reset" as const,
          "turn" as const,
        ),
      }),
    },
  );

  it("owes each occurrence once to each sink, whenever each of them ended and whatever broke", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await server.close();
        server = await FakeApiServer.start();
        const ledger = aLedger();
        const happened = new Set<string>();
        const alive = new Map<number, number>();
        let current = pumping(ledger, { skipWaits: true });
        // The first start begins now: what is there before is not owed.
        for (let turn = 0; turn < 100 && current.synced.length === 0; turn += 1) await settle();
        expect(current.synced).toEqual(["kubernetes"]);
        for (const one of steps) {
          switch (one.do) {
            case "create":
            case "count": {
              const known = alive.has(one.which);
              if (known === (one.do === "create")) continue;
              const name = `e${one.which}`;
              const event = known ? server.update(name) : server.create(name);
              alive.set(one.which, event.count);
              happened.add(`${event.metadata.uid}@${event.count}`);
              break;
            }
            case "kill":
              // What is under way when it goes is not waited for.
              void current.end();
              current = pumping(ledger, { skipWaits: true });
              break;
            case "restart":
              await current.end();
              current = pumping(ledger, { skipWaits: true });
              break;
            case "close":
              server.closeWatches();
              break;
            case "reset":
              server.resetConnections();
              break;
            case "turn":
              await settle();
          }
        }
        for (let turn = 0; turn < 400 && keysIn(ledger).length < happened.size; turn += 1)
          await settle();
        await current.end();
        expect(keysIn(ledger).toSorted()).toEqual([...happened].toSorted());
        const owed = ledger.history.deliveries({ limit: 10_000 });
        expect(owed).toHaveLength(2 * happened.size);
        ledger.db.close();
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
