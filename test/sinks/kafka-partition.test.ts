import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Failure } from "../../sinks/kafka/errors.ts";
import { Partition } from "../../sinks/kafka/partition.ts";
import { retryable, type Verdict } from "../../src/sink/index.ts";
import { aRecord, Scripted } from "../support/partition.ts";

const accepted: Verdict = { kind: "accepted" };

describe("a partition", () => {
  const lost: Failure = { about: "way", verdict: retryable("network", "lost"), problem: null };
  const refused: Failure = {
    about: "record",
    verdict: { kind: "permanent", reason: "tooLarge", detail: "too large" },
    problem: null,
  };
  const fenced: Failure = { about: "producer", verdict: retryable("server", "!"), problem: null };

  it("sends what comes in one turn in one batch, by their size in several", async () => {
    const scripted = new Scripted(1000);
    expect(await scripted.deliver("a", "b", "c", "d", "e")).toHaveLength(5);
    expect(scripted.sent).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  it("sends a batch in doubt again as it was, before anything else, whoever asks", async () => {
    const scripted = new Scripted();
    scripted.answers.push(lost, lost);
    expect(await scripted.deliver("a", "b")).toEqual([lost.verdict, lost.verdict]);
    expect(await scripted.deliver("x")).toEqual([lost.verdict]);
    expect(await scripted.deliver("x", "b")).toEqual([accepted, accepted]);
    expect(await scripted.deliver("a")).toEqual([accepted]);
    expect(scripted.sent).toEqual([["a", "b"], ["a", "b"], ["a", "b"], ["x"]]);
  });

  it("keeps a batch whole of which nobody waits any more", async () => {
    const scripted = new Scripted();
    scripted.answers.push(lost);
    await scripted.deliver("a", "b");
    scripted.partition.forget("a");
    expect(await scripted.deliver("c")).toEqual([accepted]);
    expect(scripted.sent).toEqual([["a", "b"], ["a", "b"], ["c"]]);
    expect(scripted.partition.knows("a")).toBe(true);
    expect(await scripted.deliver("a")).toEqual([accepted]);
    expect(scripted.partition.knows("a")).toBe(false);
  });

  it("does not send what was given up before it was sent", async () => {
    const scripted = new Scripted();
    const delivering = scripted.deliver("a", "b");
    scripted.partition.forget("a");
    scripted.partition.end(retryable("network", "closed"));
    expect(await Promise.race([delivering, Promise.resolve("waits")])).toBe("waits");
    expect(scripted.sent).toEqual([]);
  });

  it("finds the one record at fault by halves", async () => {
    const scripted = new Scripted();
    // a–h, then a–d, a–b, then the rest.
    scripted.answers.push(refused, refused, null, refused, refused);
    const verdicts = await scripted.deliver("a", "b", "c", "d", "e", "f", "g", "h");
    expect(verdicts.findIndex(({ kind }) => kind === "permanent")).toBe(2);
    expect(verdicts.filter(({ kind }) => kind === "accepted")).toHaveLength(7);
    const sent = scripted.sent.map((ids) => ids.join(""));
    expect(sent.join(" ")).toBe("abcdefgh abcd ab cd c d efgh");
  });

  it("begins anew where the broker lost track, and never under the old numbers", async () => {
    const scripted = new Scripted();
    scripted.answers.push(fenced);
    expect(await scripted.deliver("a", "b")).toEqual([fenced.verdict, fenced.verdict]);
    expect(scripted.resets).toBe(1);
    expect(await scripted.deliver("b")).toEqual([accepted]);
    expect(scripted.sent).toEqual([["a", "b"], ["b"]]);
  });

  it("writes each delivery once to a broker that loses answers, and acknowledges none that it has not", async () => {
    const step = fc.record({
      ids: fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 6 }),
      answer: fc.constantFrom("ok", "lost before", "lost after"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const log: string[] = [];
        const acknowledged = new Set<string>();
        // A broker knows a batch by its number and its count alone, as Kafka does.
        let sequence = 0;
        let doubtful: { readonly at: number; readonly count: number } | null = null;
        let how = "ok";
        const partition = new Partition(0, {
          maxBytes: 1_000_000,
          send: (_, records) => {
            const known = doubtful?.at === sequence && doubtful.count === records.length;
            if (how !== "lost before" && !known) log.push(...records.map(({ id }) => id));
            if (how !== "lost before") doubtful = { at: sequence, count: records.length };
            if (how !== "ok") return Promise.resolve(lost);
            sequence += records.length;
            return Promise.resolve(null);
          },
          reset: () => Promise.resolve(),
        });
        for (const { ids, answer } of [...steps, { ids: [99], answer: "ok" }]) {
          how = answer;
          await Promise.all(
            ids
              .map(String)
              .filter((id) => !acknowledged.has(id))
              .map(async (id) => {
                const verdict = await new Promise<Verdict>((resolve) =>
                  partition.add(aRecord(id), resolve),
                );
                if (verdict.kind === "accepted") acknowledged.add(id);
              }),
          );
        }
        expect(new Set(log).size).toBe(log.length);
        for (const id of acknowledged) expect(log).toContain(id);
      }),
      { numRuns: 200 },
    );
  });

  it("has a thousand records in a batch at most, however small they are", async () => {
    const scripted = new Scripted();
    const ids = Array.from({ length: 2001 }, (_, index) => `r${index}`);
    expect(new Set((await scripted.deliver(...ids)).map(({ kind }) => kind))).toEqual(
      new Set(["accepted"]),
    );
    expect(scripted.sent.map((batch) => batch.length)).toEqual([1000, 1000, 1]);
    expect(scripted.sent.flat()).toEqual(ids);
  });

  it.each([
    [799, [["a"], ["b"], ["c"]]],
    [800, [["a", "b"], ["c"]]],
    [1200, [["a", "b", "c"]]],
    // A record that is larger goes alone; whether it may, the broker says.
    [399, [["a"], ["b"], ["c"]]],
  ])("that takes %i bytes has records of 400 in batches of so many", async (max, batches) => {
    const scripted = new Scripted(max);
    await scripted.deliver("a", "b", "c");
    expect(scripted.sent).toEqual(batches);
  });

  it("tells all that is owed what is the matter with the way, and sends none past a batch in doubt", async () => {
    const scripted = new Scripted(800);
    scripted.answers.push(lost);
    expect(await scripted.deliver("a", "b", "c", "d")).toEqual(
      Array.from({ length: 4 }, () => lost.verdict),
    );
    expect(scripted.sent).toEqual([["a", "b"]]);
    // In the order of whoever comes again, but for what may have been written.
    expect(await scripted.deliver("d", "c", "b", "a")).toEqual([
      accepted,
      accepted,
      accepted,
      accepted,
    ]);
    expect(scripted.sent).toEqual([
      ["a", "b"],
      ["a", "b"],
      ["d", "c"],
    ]);
  });

  it("leaves out of the halves what was given up, and sends no batch of nothing", async () => {
    const scripted = new Scripted();
    scripted.answers.push(lost, refused);
    await scripted.deliver("a", "b", "c");
    for (const id of ["a", "b", "c"]) scripted.partition.forget(id);
    expect(await scripted.deliver("d", "b")).toEqual([accepted, accepted]);
    expect(scripted.sent).toEqual([["a", "b", "c"], ["a", "b", "c"], ["b"], ["d"]]);
    // What the broker refused was not written: who asks again is sent anew.
    expect(scripted.partition.knows("a")).toBe(false);
    expect(await scripted.deliver("a")).toEqual([accepted]);
    expect(scripted.sent.at(-1)).toEqual(["a"]);
  });

  it("tells the halves that are still to be sent when the way is lost among them", async () => {
    const scripted = new Scripted();
    scripted.answers.push(refused, null, lost);
    const verdicts = await scripted.deliver("a", "b", "c", "d");
    expect(verdicts).toEqual([accepted, accepted, lost.verdict, lost.verdict]);
    expect(await scripted.deliver("c", "d")).toEqual([accepted, accepted]);
    expect(scripted.sent).toEqual([
      ["a", "b", "c", "d"],
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ]);
  });

  it("that is closed tells everyone, also those whose batch is under way, and sends nothing more", async () => {
    const answer = Promise.withResolvers<Failure | null>();
    const sent: string[][] = [];
    const partition = new Partition(0, {
      maxBytes: 800,
      send: (_, records) => {
        sent.push(records.map(({ id }) => id));
        return answer.promise;
      },
      reset: () => Promise.resolve(),
    });
    const closed = retryable("network", "closed");
    const told = ["a", "b", "c"].map(
      (id) => new Promise<Verdict>((resolve) => partition.add(aRecord(id), resolve)),
    );
    await new Promise((resolve) => setImmediate(resolve));
    partition.end(closed);
    expect(await Promise.all(told)).toEqual(Array(3).fill(closed));
    answer.resolve(null);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toEqual([["a", "b"]]);
  });

  it("remembers ten thousand that were written while nobody waited, and no more", async () => {
    const scripted = new Scripted(Number.MAX_SAFE_INTEGER);
    const ids = Array.from({ length: 10_001 }, (_, index) => `r${index}`);
    for (let from = 0; from < ids.length; from += 1000) {
      const some = ids.slice(from, from + 1000);
      scripted.answers.push(lost);
      await scripted.deliver(...some);
      for (const id of some) scripted.partition.forget(id);
      await scripted.deliver(`after ${from}`);
    }
    // The oldest is forgotten: it would be written again, as everything would after a restart.
    expect(scripted.partition.knows("r0")).toBe(false);
    for (const id of ["r1", "r5000", "r10000"]) expect(scripted.partition.knows(id), id).toBe(true);
    const before = scripted.sent.length;
    expect(await scripted.deliver("r1")).toEqual([accepted]);
    expect(scripted.sent).toHaveLength(before);
  });
});
