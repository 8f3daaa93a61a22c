import { describe, expect, test } from "vitest";
import { attempt } from "../../../src/delivery/attempt.ts";
import { judge } from "../../../src/delivery/judge.ts";
import type { Sender, Sent } from "../../../src/delivery/sender.ts";
import type { Delivery } from "../../../src/event/delivery.ts";
import {
  accepted,
  permanent,
  retryable,
  throttled,
  type Verdict,
} from "../../../src/sink/verdict.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";

const delivery: Delivery = {
  id: "d1",
  sink: "ops",
  alert: { kind: "event", event: anEvent() },
  attempts: 2,
  owedAt: 0,
  notBefore: 0,
};

function trying(send: Sender["send"], stop: AbortSignal = new AbortController().signal) {
  const clock = new FakeClock();
  const sender: Sender = { send, close: () => Promise.resolve() };
  return { clock, result: attempt(sender, delivery, 10_000, clock, stop) };
}

const sent = (verdict: Verdict): Sent => ({ verdict, sent: "{}", answer: "HTTP 200" });

describe("an attempt", () => {
  test("gives what the sink said, and how long it took", async () => {
    const slow = new FakeClock();
    const sender: Sender = {
      send: async (_, signal) => {
        await slow.sleep(250, signal);
        return sent(accepted);
      },
      close: () => Promise.resolve(),
    };
    const result = attempt(sender, delivery, 10_000, slow, new AbortController().signal);
    await slow.advance(250);
    expect(await result).toEqual({ ...sent(accepted), durationMs: 250 });
    // Nothing is left waiting for the timeout.
    expect(slow.sleeping).toBe(0);
  });

  test("hands over the delivery and the moment, for what is signed anew", async () => {
    const seen: unknown[] = [];
    const { clock, result } = trying((...given) => {
      seen.push(given[0], given[2]);
      return Promise.resolve(sent(accepted));
    });
    await result;
    expect(seen).toEqual([delivery, clock.now()]);
  });

  test("is over at its timeout, and the request is told to stop", async () => {
    let stopped = false;
    const { clock, result } = trying((_, signal) => {
      signal.addEventListener("abort", () => (stopped = true));
      return new Promise(() => undefined);
    });
    await clock.advance(10_000);
    expect(await result).toEqual({
      verdict: retryable("timeout", "no complete answer within 10000 ms"),
      sent: "",
      answer: "",
      durationMs: 10_000,
    });
    expect(stopped).toBe(true);
  });

  test("a sink that fails after its timeout disturbs nobody", async () => {
    const { clock, result } = trying(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    );
    await clock.advance(10_000);
    expect((await result)?.verdict).toMatchObject({ reason: "timeout" });
  });

  test.each([
    ["an error", () => Promise.reject(new TypeError("x is null")), "TypeError: x is null"],
    [
      "an error thrown at once",
      () => {
        throw new RangeError("too far");
      },
      "RangeError: too far",
    ],
    [
      "an error with a webhook's address in it",
      () =>
        Promise.reject(new Error("Invalid URL https://oapi.dingtalk.com/robot?access_token=5ec")),
      "Error: Invalid URL <url>",
    ],
    [
      "an error with a whole page in it, of which a line is enough,",
      () => Promise.reject(new Error("x".repeat(10_000))),
      `Error: ${"x".repeat(293)}`,
    ],
    [
      "something that is no error",
      () => {
        AbortSignal.abort("https://secret").throwIfAborted();
        return Promise.resolve(sent(accepted));
      },
      "threw string",
    ],
  ] as const)("%s is an unknown failure, to be tried again", async (_, send, detail) => {
    const { result } = trying(send);
    expect((await result)?.verdict).toEqual(retryable("unknown", detail));
  });

  test("shutdown ends it without a verdict", async () => {
    const stop = new AbortController();
    let told = false;
    const { clock, result } = trying((_, signal) => {
      signal.addEventListener("abort", () => (told = true));
      return new Promise(() => undefined);
    }, stop.signal);
    stop.abort();
    expect(await result).toBeNull();
    expect(told).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  test("after shutdown nothing is sent", async () => {
    let asked = false;
    const { result } = trying(() => {
      asked = true;
      return Promise.resolve(sent(accepted));
    }, AbortSignal.abort());
    expect(await result).toBeNull();
    expect(asked).toBe(false);
  });
});

describe("what an answer means", () => {
  const AT = 1_000_000;
  const outcome = (verdict: Verdict, attempts = 0) =>
    judge(sent(verdict), { ...delivery, attempts }, AT, 600_000, (_, failed) => AT + failed);

  test("accepted: delivered, with what was sent and answered", () => {
    expect(outcome(accepted)).toEqual({
      kind: "delivered",
      at: AT,
      sent: "{}",
      answer: "HTTP 200",
    });
  });

  test("permanent: dead, with its reason", () => {
    expect(outcome(permanent("tooLarge", "460101"))).toEqual({
      kind: "dead",
      at: AT,
      reason: "tooLarge",
      detail: "460101",
      counted: true,
    });
  });

  test("retryable: again, by the number of attempts that failed", () => {
    expect(outcome(retryable("server", "HTTP 500"), 3)).toEqual({
      kind: "retry",
      at: AT,
      notBefore: AT + 4,
      reason: "server",
      detail: "HTTP 500",
      counted: true,
    });
  });

  test("an unknown error ends at the fifth attempt, a known one does not", () => {
    expect(outcome(retryable("unknown", "?"), 3).kind).toBe("retry");
    expect(outcome(retryable("unknown", "?"), 4)).toMatchObject({
      kind: "dead",
      reason: "exhausted",
      detail: "5 attempts; ?",
    });
    expect(outcome(retryable("network", "?"), 400).kind).toBe("retry");
  });

  test.each([
    ["the time it says", 30_000, 30_000],
    ["its own default where it does not say", null, 600_000],
    ["a second at least", 0, 1_000],
    ["a day at most", 1e12, 86_400_000],
  ])("throttled: %s, and the attempt does not count", (_, said, pause) => {
    expect(outcome(throttled(said, "429"))).toEqual({
      kind: "retry",
      at: AT,
      notBefore: AT + pause,
      reason: "throttled",
      detail: "429",
      counted: false,
    });
  });
});
