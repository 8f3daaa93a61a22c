import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { unlessAborted } from "../../../src/sink/shared.ts";

/** One thing for which several wait: an index that is made, a token that is asked for. */
describe("what is shared", () => {
  it("is what it is for everyone, and nothing of the waiting stays", async () => {
    const { signal } = new AbortController();
    const { promise, resolve } = Promise.withResolvers<string>();
    const waiting = [unlessAborted(() => promise, signal), unlessAborted(() => promise, signal)];
    expect(getEventListeners(signal, "abort")).toHaveLength(2);
    resolve("token");
    expect(await Promise.all(waiting)).toEqual(["token", "token"]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("is left by who goes, and goes on for who stays", async () => {
    const [goes, stays] = [new AbortController(), new AbortController()];
    const { promise, resolve } = Promise.withResolvers<string>();
    const first = unlessAborted(() => promise, goes.signal);
    const second = unlessAborted(() => promise, stays.signal);
    goes.abort();
    expect(await first).toBeNull();
    resolve("token");
    expect(await second).toBe("token");
  });

  it("is not begun for who has gone before", async () => {
    let begun = 0;
    const share = () => {
      begun += 1;
      return Promise.resolve("token");
    };
    expect(await unlessAborted(share, AbortSignal.abort())).toBeNull();
    expect(begun).toBe(0);
  });

  it("fails as it fails, at once or later, and nothing of the waiting stays", async () => {
    const { signal } = new AbortController();
    const later = unlessAborted(() => Promise.reject(new Error("no token")), signal);
    await expect(later).rejects.toThrow("no token");
    const atOnce = unlessAborted((): Promise<string> => {
      throw new Error("no way");
    }, signal);
    await expect(atOnce).rejects.toThrow("no way");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("that fails after all have gone troubles nobody", async () => {
    const goes = new AbortController();
    const { promise, reject } = Promise.withResolvers<string>();
    const first = unlessAborted(() => promise, goes.signal);
    goes.abort();
    expect(await first).toBeNull();
    reject(new Error("nobody listens"));
    // An unhandled rejection would fail this run.
    await new Promise((resolve) => setImmediate(resolve));
  });
});
