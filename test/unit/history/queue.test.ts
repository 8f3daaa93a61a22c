import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BusyError, EVERYTHING } from "../../../src/history/history.ts";
import type { Question } from "../../../src/history/question.ts";
import { PATIENCE_MS, Queue, WAITING_MAX } from "../../../src/history/queue.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { gatedAnswering } from "../../support/gated.ts";
import { never } from "../../support/ledger.ts";

const ask = {
  kind: "events",
  filter: EVERYTHING,
  limit: 9,
  before: null,
  visible: "all",
  deadlineMs: 30_000,
} as const satisfies Question;
const tail = {
  kind: "tail",
  filter: EVERYTHING,
  mark: 0,
  limit: 9,
  visible: "all",
  deadlineMs: 2_000,
} as const satisfies Question;

/** A queue before whoever answers when they are told to. */
function aQueue() {
  const clock = new FakeClock();
  const { answering, served, answer } = gatedAnswering();
  const open = async () => {
    const waited = answer();
    await settle();
    return waited;
  };
  /** Answers everything that waits; whose turn it was. */
  const drain = async () => {
    while (await open());
    return served.map(({ kind, asker }) => (kind === "tail" ? "tail" : (asker ?? "")));
  };
  return { queue: new Queue(answering, clock), clock, served, open, drain };
}

/** Asked, and what came of it. */
function asked(queue: Queue, question: Question, signal = never) {
  const outcome: { value: string } = { value: "waits" };
  queue.answer(question, signal).then(
    () => (outcome.value = "answered"),
    (error: unknown) =>
      (outcome.value =
        error instanceof BusyError ? (error.own ? "own" : "busy") : (error as Error).message),
  );
  return outcome;
}

describe("many who ask", () => {
  test("are answered one after the other; the time they waited is part of their deadline", async () => {
    const { queue, clock, served, open } = aQueue();
    for (let n = 0; n < 3; n += 1) asked(queue, { ...ask, deadlineMs: 1_000 });
    await settle();
    expect(served).toHaveLength(1);
    await clock.advance(400);
    await open();
    await clock.advance(550);
    await open();
    // There is always time enough to look at something.
    expect(served.map(({ deadlineMs }) => deadlineMs)).toEqual([1_000, 600, 300]);
  });

  test("who gave up while waiting is told at once, leaves the queue, and is never looked for", async () => {
    const { queue, drain } = aQueue();
    asked(queue, { ...ask, asker: "a" });
    const gone = new AbortController();
    const leaving = asked(queue, { ...ask, asker: "b" }, gone.signal);
    const staying = asked(queue, { ...ask, asker: "c" });
    expect(queue.waiting).toBe(2);
    gone.abort(new Error("gone"));
    await settle();
    expect(leaving.value).toBe("gone");
    expect(queue.waiting).toBe(1);
    expect(await drain()).toEqual(["a", "c"]);
    expect(staying.value).toBe("answered");
  });

  test("who waited longer than anybody would is told to come again, and nobody answers them", async () => {
    const { queue, clock, served, open } = aQueue();
    asked(queue, ask);
    const late = asked(queue, ask);
    await clock.advance(PATIENCE_MS + 1);
    await open();
    expect(late.value).toBe("busy");
    expect(served).toHaveLength(1);
  });

  test("take turns: who asks a lot waits for themselves", async () => {
    const { queue, drain } = aQueue();
    for (let n = 0; n < 5; n += 1) asked(queue, { ...ask, asker: "greedy" });
    for (const asker of ["a", "b", "a"]) asked(queue, { ...ask, asker });
    expect((await drain()).join(" ")).toBe("greedy greedy a b greedy a greedy greedy");
  });

  test("nobody is more than one turn of the others away from theirs, whoever asks whatever", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(4), { maxLength: 40 }), async (order) => {
        const { queue, drain } = aQueue();
        for (const asker of order) asked(queue, { ...ask, asker: `${asker}` });
        const [, ...turns] = await drain();
        const left = new Map<string, number>();
        for (const asker of turns) left.set(asker, (left.get(asker) ?? 0) + 1);
        const since = new Map([...left.keys()].map((asker) => [asker, 0]));
        for (const turn of turns) {
          for (const [asker, waited] of since) since.set(asker, waited + 1);
          expect(since.get(turn)).toBeLessThanOrEqual(left.size);
          since.set(turn, 0);
        }
        expect(turns).toHaveLength(Math.max(0, order.length - 1));
      }),
      { numRuns: 60 },
    );
  });

  test("what is followed live comes first, yet not again and again", async () => {
    const { queue, drain } = aQueue();
    for (const asker of ["a", "b", "c"]) asked(queue, { ...ask, asker });
    for (let n = 0; n < 4; n += 1) asked(queue, tail);
    expect((await drain()).join(" ")).toBe("a tail b tail c tail tail");
  });
});

describe("when no more can wait", () => {
  function full(askers: readonly string[]) {
    const made = aQueue();
    asked(made.queue, { ...ask, asker: "served" });
    const waiting = Array.from({ length: WAITING_MAX }, (_, n) =>
      asked(made.queue, { ...ask, asker: askers[n % askers.length] ?? "" }),
    );
    return { ...made, waiting };
  }

  test("whoever filled it is turned away, and told that it is their own doing and when to come again", async () => {
    const { queue, waiting } = full(["greedy"]);
    const error: unknown = await queue.answer({ ...ask, asker: "greedy" }, never).catch((e) => e);
    expect(error).toBeInstanceOf(BusyError);
    expect(error).toMatchObject({ own: true, retryAfterS: expect.any(Number) });
    expect((error as BusyError).retryAfterS).toBeGreaterThan(1);
    expect((error as BusyError).message).toContain("ask again in");
    expect(waiting.every(({ value }) => value === "waits")).toBe(true);
  });

  test("whoever comes gets the place of the last one of the longest line", async () => {
    const { queue, waiting, drain } = full(["greedy"]);
    const modest = asked(queue, { ...ask, asker: "modest" });
    await settle();
    expect(waiting.at(-1)?.value).toBe("own");
    expect(queue.waiting).toBe(WAITING_MAX);
    const turns = await drain();
    expect(modest.value).toBe("answered");
    expect(turns.indexOf("modest")).toBeLessThanOrEqual(2);
    expect(waiting.filter(({ value }) => value === "answered")).toHaveLength(WAITING_MAX - 1);
  });

  test("by many alike, who comes is told that the store is busy, and nobody loses their place", async () => {
    const { queue, waiting } = full(Array.from({ length: WAITING_MAX }, (_, n) => `p${n}`));
    const next = asked(queue, { ...ask, asker: "next" });
    await settle();
    expect(next.value).toBe("busy");
    expect(waiting.every(({ value }) => value === "waits")).toBe(true);
  });

  test("who leaves makes room", async () => {
    const { queue } = aQueue();
    asked(queue, ask);
    const gone = new AbortController();
    asked(queue, ask, gone.signal);
    for (let n = 1; n < WAITING_MAX; n += 1) asked(queue, ask);
    gone.abort();
    const next = asked(queue, ask);
    await settle();
    expect(next.value).toBe("waits");
  });

  test("closing turns away all who wait, and lets the one that is served end", async () => {
    const { queue, waiting, open } = full(["a", "b"]);
    const closed = queue.close();
    await settle();
    expect(waiting.every(({ value }) => value === "busy")).toBe(true);
    await open();
    await closed;
    expect(queue.waiting).toBe(0);
  });
});
