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
});
