import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { ask, microTime } from "../../../src/election/ask.ts";
import { LeaseError } from "../../../src/election/lease.ts";
import { FakeClock } from "../../support/clock.ts";
import { house } from "../observe/support.ts";

/** A request that is never answered, as over a connection that is half-open; it ends when its signal says so, as Node's do. */
function unanswered() {
  const sent: AbortSignal[] = [];
  const request = (signal: AbortSignal): Promise<string> => {
    sent.push(signal);
    return new Promise((_, reject) => {
      const end = () => reject(new DOMException("This operation was aborted", "AbortError"));
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    });
  };
  return { sent, request };
}

function asker() {
  const { observer, lines, metrics } = house();
  const clock = new FakeClock();
  return {
    clock,
    lines,
    said: () => lines.map(({ level, msg }) => `${String(level)}: ${String(msg)}`),
    failures: async (reason: string) =>
      Number(
        new RegExp(`lease_failures_total\\{reason="${reason}"\\} (\\d+)`).exec(
          await metrics.text(),
        )?.[1],
      ),
    ask: <T>(request: (signal: AbortSignal) => Promise<T>, until: AbortSignal | null = null) =>
      ask(request, { ms: 5_000, until }, clock, observer),
  };
}

describe("a question about the Lease", () => {
  it("that is answered says nothing, and leaves nothing behind", async () => {
    const { ask, clock, said } = asker();
    const until = new AbortController();
    expect(await ask(() => Promise.resolve("here"), until.signal)).toEqual({
      kind: "answered",
      answer: "here",
    });
    expect(said()).toEqual([]);
    expect(clock.sleeping).toBe(0);
    expect(getEventListeners(until.signal, "abort")).toEqual([]);
  });

  it("that is not answered in time is given up, told once, and its connection let go", async () => {
    const { ask, clock, said, failures } = asker();
    const until = new AbortController();
    const { sent, request } = unanswered();
    const asked = ask(request, until.signal);
    await clock.advance(4_999);
    expect(sent[0]?.aborted).toBe(false);
    await clock.advance(1);
    expect(sent[0]?.aborted).toBe(true);
    expect(await asked).toEqual({ kind: "failed", detail: "no answer within 5 s" });
    expect(said()).toEqual([
      "warn: the Lease cannot be read or written: no answer within 5 s; tried again",
    ]);
    expect(await failures("network")).toBe(1);
    expect(getEventListeners(until.signal, "abort")).toEqual([]);
  });

  it("that nobody wants to know any more ends at once, and is no failure of anybody's", async () => {
    const { ask, clock, said, failures } = asker();
    const until = new AbortController();
    const { sent, request } = unanswered();
    const asked = ask(request, until.signal);
    until.abort();
    expect(sent[0]?.aborted).toBe(true);
    expect(await asked).toEqual({ kind: "failed", detail: "interrupted" });
    await clock.advance(60_000);
    expect(said()).toEqual([]);
    expect(await failures("network")).toBe(0);
  });

  it("that nobody wanted to know from the beginning does not wait for its answer", async () => {
    const { ask, clock, said } = asker();
    const heedless = () => new Promise<string>(() => undefined);
    const asked = await ask(heedless, AbortSignal.abort());
    expect(asked).toEqual({ kind: "failed", detail: "interrupted" });
    expect(said()).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });

  it.each(["forbidden", "network", "throttled", "server"] as const)(
    "that fails (%s) is told once in a burst, counted each time, and its end is told",
    async (failure) => {
      const { ask, said, failures } = asker();
      const refused = () => Promise.reject(new LeaseError(failure, "leases is not to be had"));
      for (let time = 0; time < 3; time += 1)
        expect(await ask(refused)).toEqual({ kind: "failed", detail: "leases is not to be had" });
      for (let time = 0; time < 3; time += 1) await ask(() => Promise.resolve(null));
      await ask(refused);
      const failed = "the Lease cannot be read or written: leases is not to be had; tried again";
      expect(said()).toEqual([
        `warn: ${failed}`,
        `debug: ${failed}`,
        `debug: ${failed}`,
        "info: the Lease can be read and written again",
        `warn: ${failed}`,
      ]);
      expect(await failures(failure)).toBe(4);
    },
  );

  it("that fails by a mistake of ours is not taken for a trouble of the cluster", async () => {
    const { ask, said, clock } = asker();
    const mistaken = () => Promise.reject(new TypeError("undefined is not a function"));
    await expect(ask(mistaken)).rejects.toThrow(TypeError);
    expect(said()).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });
});

describe("the time of a renewal", () => {
  it("is a MicroTime of Kubernetes, and never the same twice in a row though the clock stands still", () => {
    const at = Date.UTC(2026, 10, 20, 8, 0, 0, 7);
    const times = Array.from({ length: 2_500 }, (_, count) => microTime(at, count));
    for (const [index, time] of times.entries()) {
      // apimachinery's RFC3339Micro, "2006-01-02T15:04:05.000000Z07:00".
      expect(time).toMatch(/^2026-11-20T08:00:00\.007\d{3}Z$/);
      expect(time).not.toBe(times[index - 1]);
      expect(Date.parse(time)).toBe(at);
    }
  });
});
