import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batching, Gatherer } from "../../../src/sink/gather.ts";
import { accepted, permanent, retryable, throttled } from "../../../src/sink/verdict.ts";

const never = new AbortController().signal;

/** Items are numbers, and a number is its own size. */
function gathering(send: Batching<number>["send"], limits: { most?: number; size?: number } = {}) {
  const requests: (readonly number[])[] = [];
  const gatherer = new Gatherer<number>({
    most: limits.most ?? 100,
    size: limits.size ?? Infinity,
    sizeOf: (item) => item,
    send: (items, signal) => {
      requests.push(items);
      return send(items, signal);
    },
  });
  const tell = (items: readonly number[]) =>
    Promise.all(items.map((item) => gatherer.deliver(item, never)));
  return { gatherer, requests, tell };
}

const well = () => Promise.resolve(accepted);

describe("what is gathered", () => {
  it("is sent together, in the order it came", async () => {
    const { requests, tell } = gathering(well);
    expect(await tell([1, 2, 3])).toEqual([accepted, accepted, accepted]);
    expect(requests).toEqual([[1, 2, 3]]);
    await tell([4]);
    expect(requests).toEqual([[1, 2, 3], [4]]);
  });

  it.each([
    [{ most: 2 }, [1, 1, 1, 1, 1], [[1, 1], [1, 1], [1]]],
    [{ size: 10 }, [4, 4, 4, 9, 1], [[4, 4], [4], [9, 1]]],
    [{ size: 10 }, [50, 1, 50], [[50], [1], [50]]],
  ])("keeps to %j", async (limits, items, expected) => {
    const { requests, tell } = gathering(well, limits);
    await tell(items);
    expect(requests).toEqual(expected);
  });

  it.each(["rejected", "tooLarge"] as const)(
    "is parted to find the one that is %s",
    async (reason) => {
      const bad = permanent(reason, "no");
      const { requests, tell } = gathering((items) =>
        Promise.resolve(items.includes(6) ? bad : accepted),
      );
      const told = await tell([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(told.findIndex(({ kind }) => kind === "permanent")).toBe(5);
      expect(told.filter(({ kind }) => kind === "accepted")).toHaveLength(7);
      // A search, not one by one.
      expect(requests.length).toBeLessThan(8);
    },
  );

  it.each([
    retryable("server", "busy"),
    throttled(null, "slow down"),
    permanent("auth", "no key"),
    permanent("config", "no store"),
  ])("is not parted where all would hear the same: %j", async (verdict) => {
    const { requests, tell } = gathering(() => Promise.resolve(verdict));
    expect(await tell([1, 2, 3])).toEqual([verdict, verdict, verdict]);
    expect(requests).toHaveLength(1);
  });

  it("hears of a mistake of the sink's own without its words, and the next go on", async () => {
    let fails = true;
    const { tell } = gathering(() => {
      if (!fails) return well();
      fails = false;
      return Promise.reject(new Error("t0ps3cret"));
    });
    expect(await tell([1, 2])).toEqual([
      retryable("unknown", "the request failed"),
      retryable("unknown", "the request failed"),
    ]);
    expect(await tell([3])).toEqual([accepted]);
  });

  it("is not sent for who has gone before, nor after the end", async () => {
    const { gatherer, requests } = gathering(well);
    expect(await gatherer.deliver(1, AbortSignal.abort())).toMatchObject({ kind: "retryable" });
    gatherer.close();
    expect(await gatherer.deliver(2, never)).toMatchObject({
      kind: "retryable",
      reason: "network",
    });
    expect(requests).toEqual([]);
  });

  it("goes on for those who stay when one goes", async () => {
    const stop = new AbortController();
    let wasStopped = false;
    const { promise, resolve } = Promise.withResolvers<typeof accepted>();
    const { gatherer, requests } = gathering((_items, signal) => {
      signal.addEventListener("abort", () => (wasStopped = true));
      stop.abort();
      resolve(accepted);
      return promise;
    });
    const told = await Promise.all([gatherer.deliver(1, stop.signal), gatherer.deliver(2, never)]);
    expect(told.map(({ kind }) => kind)).toEqual(["retryable", "accepted"]);
    expect(wasStopped).toBe(false);
    expect(requests).toEqual([[1, 2]]);
  });

  it("has each its own verdict where the answer has one for each, and an open one where it has too few", async () => {
    const bad = permanent("rejected", "no");
    const { requests, tell } = gathering(() => Promise.resolve([accepted, bad]));
    expect(await tell([1, 2, 3])).toEqual([
      accepted,
      bad,
      retryable("unknown", "the answer says nothing of this one"),
    ]);
    // A refusal that names whom it is about needs no search.
    expect(requests).toHaveLength(1);
  });

  it("comes to the same for each, whoever is refused, however many go in one request", async () => {
    const bad = permanent("rejected", "no");
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }),
        fc.func(fc.boolean()),
        fc.integer({ min: 1, max: 20 }),
        async (items, isBad, most) => {
          const taken: number[] = [];
          const { requests, tell } = gathering(
            (some) => {
              if (some.some((item) => isBad(item))) return Promise.resolve(bad);
              taken.push(...some);
              return well();
            },
            { most, size: 100 },
          );
          expect(await tell(items)).toEqual(items.map((item) => (isBad(item) ? bad : accepted)));
          // In their order, and each once.
          expect(taken).toEqual(items.filter((item) => !isBad(item)));
          for (const some of requests) {
            expect(some.length).toBeLessThanOrEqual(most);
            const sum = some.reduce((total, item) => total + item, 0);
            expect(some.length === 1 || sum <= 100).toBe(true);
          }
        },
      ),
    );
  });

  it("is not searched for those who have gone while it was", async () => {
    const stop = new AbortController();
    const bad = permanent("rejected", "no");
    const { gatherer, requests } = gathering((items) => {
      if (items.length === 4) stop.abort();
      return Promise.resolve(items.includes(1) ? bad : accepted);
    });
    const told = await Promise.all([
      gatherer.deliver(1, never),
      gatherer.deliver(2, never),
      gatherer.deliver(3, stop.signal),
      gatherer.deliver(4, stop.signal),
    ]);
    expect(told.map(({ kind }) => kind)).toEqual([
      "permanent",
      "accepted",
      "retryable",
      "retryable",
    ]);
    // Whatever was still to be sent has been, once the next has.
    expect(await gatherer.deliver(5, never)).toEqual(accepted);
    expect(requests).toEqual([[1, 2, 3, 4], [1, 2], [1], [2], [5]]);
  });

  it("ends its request when all have gone, and goes on with who has come meanwhile", async () => {
    const stop = new AbortController();
    const { gatherer, requests } = gathering((items, signal) =>
      items.includes(1)
        ? new Promise((resolve) => {
            signal.addEventListener("abort", () => resolve(retryable("network", "ended")));
            stop.abort();
          })
        : well(),
    );
    const first = gatherer.deliver(1, stop.signal);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await first).toEqual(retryable("timeout", "ended while waiting for an answer"));
    expect(await gatherer.deliver(2, never)).toEqual(accepted);
    expect(requests).toEqual([[1], [2]]);
  });

  it("that waits behind a request is told of the end at once, and its request is ended", async () => {
    let wasStopped = false;
    const { gatherer, requests } = gathering(
      (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            wasStopped = true;
            resolve(retryable("network", "ended"));
          });
        }),
    );
    const first = gatherer.deliver(1, never);
    await new Promise((resolve) => setImmediate(resolve));
    const second = gatherer.deliver(2, never);
    gatherer.close();
    expect(await second).toEqual(retryable("network", "ended before it was sent: shutting down"));
    expect(await first).toEqual(retryable("network", "ended"));
    expect(wasStopped).toBe(true);
    expect(requests).toEqual([[1]]);
  });
});
