import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { orAborted } from "../../src/clock.ts";

const listening = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

describe("waiting for work, or for being told to stop", () => {
  test("ends with the work, and nothing listens any more", async () => {
    const { signal } = new AbortController();
    const work = Promise.withResolvers<void>();
    const waited = orAborted(work.promise, signal);
    expect(listening(signal)).toBe(1);
    work.resolve();
    await waited;
    expect(listening(signal)).toBe(0);
  });

  test("ends as soon as it is told to, before as well as meanwhile", async () => {
    const stop = new AbortController();
    const never = new Promise<void>(() => undefined);
    const waited = orAborted(never, stop.signal);
    stop.abort(new Error("enough"));
    expect(await waited).toBeUndefined();
    expect(await orAborted(never, stop.signal)).toBeUndefined();
  });

  test("fails as the work does, and leaves nothing behind then either", async () => {
    const { signal } = new AbortController();
    await expect(orAborted(Promise.reject(new Error("no disk")), signal)).rejects.toThrow(
      "no disk",
    );
    expect(listening(signal)).toBe(0);
  });
});
