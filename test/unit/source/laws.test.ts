import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Channel } from "../../../src/source/channel.ts";
import { Backoff } from "../../../src/source/kubernetes/backoff.ts";
import { readFrame } from "../../../src/source/kubernetes/frames.ts";
import { sameCluster } from "../../../src/source/kubernetes/identity.ts";
import { LineSplitter } from "../../../src/source/kubernetes/lines.ts";
import { Occurrences } from "../../../src/source/kubernetes/occurrences.ts";
import { compareVersions, isNewer } from "../../../src/source/kubernetes/version.ts";
import { FakeClock } from "../../support/clock.ts";

/** What holds for the parts of the source, whatever they are given. */

describe("lines of a stream", () => {
  const MAX = 8;
  const text = fc
    .array(fc.constantFrom("a", "你", "😀", "\u2028", "\r", "\n", "\n", "bbbb"), { maxLength: 60 })
    .map((parts) => parts.join(""));
  const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 });

  function* cut(whole: string, sizes: readonly number[]): Generator<string> {
    for (let at = 0, part = 0; at < whole.length; part += 1) {
      const size = sizes[part % sizes.length] ?? 1;
      yield whole.slice(at, at + size);
      at += size;
    }
  }

  it("are those between the line feeds, each that is too long told once, wherever it is cut", () => {
    fc.assert(
      fc.property(text, lengths, (whole, sizes) => {
        const splitter = new LineSplitter(MAX);
        const found = [...cut(whole, sizes)].flatMap((chunk) => [...splitter.push(chunk)]);
        const all = whole.split("\n");
        const rest = all.pop() ?? "";
        expect(found).toEqual(
          all
            .filter((line) => line !== "" && line !== "\r")
            .map((line) =>
              line.length > MAX ? { kind: "tooLong" } : { kind: "line", text: line },
            ),
        );
        expect(splitter.rest()).toBe(rest.length > MAX ? "" : rest);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a line of a watch", () => {
  it("is one of five things, and never an exception", () => {
    const kinds = new Set(["changed", "deleted", "bookmark", "refused", "garbage"]);
    const type = fc.constantFrom("ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "", 7, null);
    const line = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ type, object: fc.jsonValue() }).map((frame) => JSON.stringify(frame)),
    );
    fc.assert(
      fc.property(line, (text) => {
        const frame = readFrame(text);
        expect(kinds).toContain(frame.kind);
        if (frame.kind !== "garbage") return;
        expect(frame.detail.length).toBeLessThan(600);
        // It goes to a log, and to a terminal.
        expect(frame.detail).not.toMatch(/\p{Cc}/u);
      }),
      { numRuns: 500 },
    );
  });
});

describe("the channel", () => {
  type Act = { readonly do: "offer" | "insist" } | { readonly do: "take"; readonly max: number };
  const act: fc.Arbitrary<Act> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("offer" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("insist" as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("take" as const),
        max: fc.integer({ min: 1, max: 6 }),
      }),
    },
  );

  it("gives all that it took, in order, once; holds no more than it may, and empties what is left at its end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(act, { maxLength: 60 }),
        async (capacity, acts) => {
          const channel = new Channel<number>(capacity);
          const inside: number[] = [];
          const given: number[] = [];
          const happened: unknown[] = [];
          const expected: unknown[] = [];
          let next = 0;
          for (const one of acts) {
            if (one.do === "take") {
              if (inside.length === 0) continue;
              const batch = await channel.take(one.max);
              happened.push(batch);
              expected.push(inside.splice(0, one.max));
              given.push(...batch);
              continue;
            }
            next += 1;
            if (one.do === "insist") channel.insist(next);
            else {
              const taken = channel.offer(next);
              happened.push(taken);
              expected.push(inside.length < capacity);
              if (!taken) continue;
            }
            inside.push(next);
          }
          expect(happened).toEqual(expected);
          channel.close();
          expect(channel.offer(next + 1)).toBe(false);
          for (;;) {
            const batch = await channel.take(3);
            if (batch.length === 0) break;
            given.push(...batch);
          }
          expect(given).toEqual(given.toSorted((a, b) => a - b));
          expect(given.slice(given.length - inside.length)).toEqual(inside);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("wakes everybody who waits for room, at each taking and at the end", async () => {
    const channel = new Channel<number>(1);
    channel.offer(1);
    let woken = 0;
    const wait = () => channel.room().then(() => (woken += 1));
    const first = [wait(), wait()];
    await channel.take(1);
    await Promise.all(first);
    expect(woken).toBe(2);
    channel.offer(2);
    const last = [wait(), wait()];
    channel.close(new Error("broken"));
    await Promise.all(last);
    expect(woken).toBe(4);
    expect(await channel.take(1), "what is left comes before the error").toEqual([2]);
    await expect(channel.take(1)).rejects.toThrow("broken");
    await expect(channel.take(1), "and every time").rejects.toThrow("broken");
  });
});

describe("counts", () => {
  it("are news when they grow, and forgotten only when many others came since", () => {
    const step = fc.record({
      uid: fc.constantFrom("a", "b", "c", "d", "e", "f"),
      count: fc.nat({ max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const occurrences = new Occurrences(16);
        const highest = new Map<string, number>();
        for (const one of steps) {
          const known = highest.get(one.uid);
          expect(occurrences.take(one)).toBe(known === undefined || one.count > known);
          highest.set(one.uid, Math.max(known ?? 0, one.count));
          expect(occurrences.size).toBeLessThanOrEqual(16);
        }
      }),
    );
  });
});

describe("versions", () => {
  const version = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 70n }).map(String),
    fc.constantFrom("", "0", "00", "v7", "7.0", "-1", "9".repeat(40), "٣"),
  );

  it("are in one order, whichever way they are compared; what is no number is before and after nothing", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [ab, ba] = [compareVersions(a, b), compareVersions(b, a)];
        expect(ab === null).toBe(ba === null);
        expect(ab === null).toBe(!(/^[0-9]+$/.test(a) && /^[0-9]+$/.test(b)));
        if (ab === null || ba === null) return;
        // Zero is written in two ways.
        expect(Math.sign(ab) + Math.sign(ba)).toBe(0);
        const [bc, ac] = [compareVersions(b, c), compareVersions(a, c)];
        const inARow = bc !== null && ab <= 0 && bc <= 0;
        expect(!inARow || (ac ?? 1) <= 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("that cannot be told apart are both newer: twice is dropped later, never is lost", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const neither = !isNewer(a, b) && !isNewer(b, a);
        expect(neither).toBe(compareVersions(a, b) === 0);
      }),
    );
  });
});

describe("back-off", () => {
  it("is between 0.8 and 30 s, and never shorter than the one before while it fails at once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 12 }),
        async (jitters) => {
          const clock = new FakeClock(undefined, () => Promise.resolve());
          let index = -1;
          const backoff = new Backoff(clock, () => jitters[index] ?? 0);
          let base = 800;
          for (index = 0; index < jitters.length; index += 1) {
            const wait = backoff.next();
            expect(wait).toBeGreaterThanOrEqual(Math.min(base, 30_000));
            expect(wait).toBeLessThanOrEqual(Math.min(2 * base, 30_000));
            base *= 2;
            await clock.advance(wait);
          }
        },
      ),
    );
  });
});

describe("which cluster it is", () => {
  const identity = fc
    .tuple(fc.constantFrom("", "u1", "u2"), fc.constantFrom("a1", "a2"))
    .map(([uid, address]) => `uid=${uid};address=${address}`);

  it("is the same for itself, and whichever is asked about the other", () => {
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        expect(sameCluster(a, a)).toBe(true);
        expect(sameCluster(a, b)).toBe(sameCluster(b, a));
      }),
    );
  });
});
