import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aCanary, REFUSED } from "./support.ts";

/** What may happen to a canary, in any order. */
type Act =
  | { readonly do: "pass"; readonly seconds: number }
  | {
      readonly do:
        | "comes"
        | "accepted"
        | "delayed"
        | "refused"
        | "old"
        | "server"
        | "ledger"
        | "owed"
        | "clock";
    };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      seconds: fc.oneof(fc.constantFrom(1, 59, 60, 61, 239, 240, 300), fc.nat({ max: 900 })),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "comes" as const,
        "accepted" as const,
        "delayed" as const,
        "refused" as const,
        "old" as const,
        "server" as const,
        "ledger" as const,
        "owed" as const,
        "clock" as const,
      ),
    }),
  },
);

type Followed = ReturnType<typeof aCanary>;

async function happen(all: Followed, what: Act): Promise<void> {
  const { canary, clock, event, pass, world, written } = all;
  const count = written.at(-1)?.count ?? 0;
  switch (what.do) {
    case "pass":
      return pass(what.seconds);
    case "comes":
      all.comes(count);
      break;
    case "accepted":
      canary.accepted(event(count));
      break;
    case "delayed":
      canary.refused(event(count), "503 come later", false);
      break;
    case "refused":
      canary.refused(event(count), "400 never", true);
      break;
    case "old":
      // Of an outage before, or never written.
      all.arrives(count - 1);
      all.arrives(count + 1);
      break;
    case "server":
      world.answer = world.answer.ok ? REFUSED : { ok: true };
      break;
    case "ledger":
      world.ledgerHolds = !world.ledgerHolds;
      break;
    case "owed":
      world.isOwed = !world.isOwed;
      break;
    case "clock":
      clock.off = clock.off === 0 ? -3_600_000 : 0;
  }
  await pass(0);
}

/** A canary whose story has been told, and goes on. */
async function lived(acts: readonly Act[], to: string | null) {
  const all = aCanary({ sink: to });
  all.synced.resolve();
  await all.pass(0);
  for (const one of acts) await happen(all, one);
  return all;
}

describe("a canary, whatever happens to it", () => {
  const story = fc.array(act, { maxLength: 40 });
  const sink = fc.constantFrom("ops", null);

  it("is written one after the other, arrives once, and is told of as missing and back in turn", async () => {
    await fc.assert(
      fc.asyncProperty(story, sink, async (acts, to) => {
        const all = aCanary({ sink: to });
        all.synced.resolve();
        await all.pass(0);
        for (const one of acts) {
          await happen(all, one);
          const last = all.news.at(-1)?.kind ?? "back";
          expect(all.canary.trouble === null).toBe(last === "back");
        }
        const kinds = all.news.map(({ kind }) => kind);
        expect(kinds).toEqual(kinds.map((_, index) => (index % 2 === 0 ? "missing" : "back")));
        const counts = all.counts();
        expect(counts).toEqual(counts.toSorted((a, b) => a - b));
        expect(new Set(counts).size).toBe(counts.at(-1));
        const { recorded } = all;
        expect(recorded.of("canaryArrived").length).toBeLessThanOrEqual(counts.at(-1) ?? 0);
        expect(recorded.of("canaryMissed").filter(([, , first]) => first)).toHaveLength(
          kinds.filter((kind) => kind === "missing").length,
        );
        for (const [, seconds] of recorded.of("canaryArrived"))
          expect(seconds).toBeGreaterThanOrEqual(0);
        await all.end();
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it("is well again within three intervals of the world's being so", async () => {
    await fc.assert(
      fc.asyncProperty(story, sink, async (acts, to) => {
        const all = await lived(acts, to);
        all.world.answer = { ok: true };
        all.world.ledgerHolds = true;
        all.world.isOwed = false;
        // What is written arrives two seconds later.
        for (let second = 0; second < 900; second += 2) {
          await all.pass(2);
          all.arrives(all.written.at(-1)?.count ?? 0);
        }
        await all.pass(0);
        expect(all.canary.trouble).toBeNull();
        expect(all.news.at(-1)?.kind ?? "back").toBe("back");
        await all.end();
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it("ends at once, and leaves nothing behind", async () => {
    await fc.assert(
      fc.asyncProperty(story, sink, async (acts, to) => {
        const all = await lived(acts, to);
        const missed = all.recorded.of("canaryMissed").length;
        await all.end();
        const written = all.written.length;
        expect(all.clock.sleeping).toBe(0);
        await all.pass(3_600);
        expect(all.written).toHaveLength(written);
        expect(all.recorded.of("canaryMissed")).toHaveLength(missed);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});
