import { describe, expect, it } from "vitest";
import { newsEvent } from "../../../src/canary/news.ts";
import { aCanary, begun, REFUSED } from "./support.ts";

describe("a canary that arrives", () => {
  it("is measured from its writing to its acceptance, and followed by the next", async () => {
    const { recorded, arrives, pass, counts, news, end } = await begun();
    await pass(2);
    arrives(1);
    await pass(0);
    expect(recorded.of("canaryArrived")).toEqual([["kubernetes", 2, true]]);
    await pass(297);
    expect(counts()).toEqual([1]);
    await pass(1);
    expect(counts()).toEqual([1, 2]);
    expect(news).toEqual([]);
    await end();
  });

  it("begins when the source is synced, or after an interval without that", async () => {
    const early = aCanary();
    await early.pass(299);
    expect(early.written).toEqual([]);
    await early.pass(1);
    expect(early.counts()).toEqual([1]);
    await early.end();
  });

  it("counts once, however often the watch brings it", async () => {
    const { comes, arrives, recorded, pass, end } = await begun();
    expect(comes(1)).toEqual(["ops"]);
    expect(comes(1), "the ledger has it").toBeNull();
    arrives(1);
    arrives(1);
    await pass(0);
    expect(recorded.of("canaryArrived")).toHaveLength(1);
    expect(comes(1)).toBeNull();
    await end();
  });

  it("may do so though its write seemed to fail", async () => {
    const { world, synced, recorded, arrives, pass, counts, end } = aCanary();
    world.answer = REFUSED;
    synced.resolve();
    await pass(0);
    arrives(1);
    await pass(299);
    expect(recorded.of("canaryArrived")).toEqual([["kubernetes", 0, true]]);
    expect(recorded.of("canaryUnwritten")).toHaveLength(1);
    expect(counts(), "and is not written again").toEqual([1]);
    await end();
  });

  it("is not another's, nor an earlier one of ours", async () => {
    const { canary, event, arrives, pass, counts, end } = await begun();
    expect(canary.sinksOf(event(1, "theirs"))).toBeNull();
    arrives(1);
    await pass(300);
    expect(counts()).toEqual([1, 2]);
    expect(canary.sinksOf(event(1)), "the last one").toBeNull();
    expect(canary.sinksOf(event(3)), "one that was never written").toBeNull();
    canary.accepted(event(1));
    await pass(60);
    expect(canary.trouble).toContain("did not come on the watch");
    await end();
  });
});

describe("a canary that does not arrive", () => {
  it("is missed once an interval, and people are told once", async () => {
    const { canary, recorded, news, pass, counts, end } = await begun();
    await pass(59);
    expect(canary.trouble).toBeNull();
    await pass(1);
    expect(canary.trouble).toBe("the API server has it, and it did not come on the watch");
    await pass(3 * 300);
    expect(counts(), "a new one each time: nobody has the old ones").toEqual([1, 2, 3, 4]);
    expect(recorded.of("canaryMissed").map(([, , first]) => first)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(news).toEqual([
      {
        kind: "missing",
        why: {
          en: "the API server has it, and it did not come on the watch",
          zh: "API server 已有它，但 watch 没有收到",
        },
      },
    ]);
    await end();
  });

  it("and comes late after all is measured, and one in time follows at once", async () => {
    const { canary, recorded, news, arrives, pass, counts, end } = await begun();
    await pass(90);
    arrives(1);
    await pass(0);
    expect(recorded.of("canaryArrived")).toEqual([["kubernetes", 90, false]]);
    expect(counts()).toEqual([1, 2]);
    expect(canary.trouble, "late is not well").not.toBeNull();
    await pass(1);
    arrives(2);
    await pass(0);
    expect(canary.trouble).toBeNull();
    expect(recorded.of("canaryBack")).toEqual([["kubernetes", 31]]);
    expect(news.map(({ kind }) => kind)).toEqual(["missing", "back"]);
    await end();
  });

  it("in time again and again, always late, does not become a flood", async () => {
    const { arrives, pass, counts, news, end } = await begun();
    for (let count = 1; count <= 6; count += 1) {
      await pass(70);
      arrives(count);
      await pass(0);
      if (count % 2 === 1) continue;
      expect(counts(), "the one that proved the way open was late, too").toHaveLength(count);
      await pass(229);
      expect(counts()).toHaveLength(count);
      await pass(1);
    }
    expect(counts()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(news).toHaveLength(1);
    await end();
  });

  it("because the sink owes its answer: no other is written until that is given up", async () => {
    const { canary, comes, event, pass, counts, recorded, end } = await begun();
    comes(1);
    canary.refused(event(1), "HTTP 503: maintenance", false);
    await pass(60);
    expect(canary.trouble).toBe(
      "it is in the ledger, and ops has not accepted it: HTTP 503: maintenance",
    );
    await pass(3_500);
    expect(counts()).toEqual([1]);
    expect(recorded.of("canaryMissed")).toHaveLength(12);
    await pass(100);
    expect(counts(), "after an hour its delivery is dead").toEqual([1, 2]);
    await end();
  });

  it("is told of without what must not be shown, and in bounds", async () => {
    const { canary, comes, event, pass, news, end } = await begun();
    comes(1);
    const quoted = `HTTP 400: POST /robot/send?access_token=s3cret-of-ops ${"x".repeat(5_000)}`;
    canary.refused(event(1), quoted, true);
    await pass(0);
    for (const text of [canary.trouble, JSON.stringify(news)]) {
      expect(text).toContain("access_token=<redacted>");
      expect(text).not.toContain("s3cret");
      expect(text?.length).toBeLessThan(2_000);
    }
    await end();
  });

  it("is told of with all of a hint that names a missing right", async () => {
    const { canary, comes, event, pass, end } = await begun();
    comes(1);
    const hint = `may not create events: ${"kubectl create role ".repeat(35)}--verb=create`;
    canary.refused(event(1), hint, true);
    await pass(0);
    expect(canary.trouble).toBe(`ops refused it: ${hint}`);
    await end();
  });

  it("is not: what the sink says of one that it has accepted changes nothing", async () => {
    const { canary, arrives, event, recorded, pass, end } = await begun();
    arrives(1);
    canary.refused(event(1), "HTTP 400: a second message", true);
    await pass(120);
    expect(canary.trouble).toBeNull();
    expect(recorded.of("canaryMissed")).toEqual([]);
    await end();
  });

  it("because its delivery was given up without asking the sink: the next one is written", async () => {
    const { comes, world, pass, counts, end } = await begun();
    comes(1);
    await pass(299);
    world.isOwed = false;
    await pass(1);
    expect(counts()).toEqual([1, 2]);
    await end();
  });

  it("because the sink refuses it for good: known at once, tried at the next interval", async () => {
    const { canary, comes, event, pass, counts, news, end } = await begun();
    comes(1);
    canary.refused(event(1), "HTTP 400: keyword not found", true);
    await pass(0);
    expect(canary.trouble).toBe("ops refused it: HTTP 400: keyword not found");
    expect(news).toEqual([
      expect.objectContaining({
        why: {
          en: "ops refused it: HTTP 400: keyword not found",
          zh: "ops 拒绝了它：HTTP 400: keyword not found",
        },
      }),
    ]);
    await pass(299);
    expect(counts()).toEqual([1]);
    await pass(1);
    expect(counts()).toEqual([1, 2]);
    await end();
  });

  it("because memory alone holds it, where the ledger is where it is to go", async () => {
    const { canary, world, comes, pass, event, end } = await begun({
      sink: null,
      giveUpAfterMs: 300_000,
    });
    world.ledgerHolds = false;
    expect(comes(1)).toEqual([]);
    await pass(60);
    expect(canary.trouble).toContain("the ledger does not hold it: it cannot be written");
    world.ledgerHolds = true;
    await pass(240);
    expect(canary.sinksOf(event(2))).toEqual([]);
    canary.taken(event(2));
    await pass(0);
    expect(canary.trouble).toBeNull();
    await end();
  });
});

describe("an API server that refuses the write", () => {
  it("is asked again after 1, 2, 4 … 30 s, and as it says", async () => {
    const { world, written, recorded, pass, clock, end } = aCanary();
    const started = clock.now();
    world.answer = REFUSED;
    await pass(300 + 125);
    const seconds = written.map(({ at }) => (at - started) / 1000 - 300);
    expect(seconds).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121]);
    world.answer = { ok: false, detail: "429", waitMs: 120_000 };
    await pass(30);
    const before = written.length;
    await pass(115);
    expect(written.length).toBe(before);
    expect(recorded.of("canaryUnwritten").at(-1)).toEqual(["kubernetes", "429", 120_000]);
    await end();
  });

  it("says what it said, and the same canary is written until it is taken", async () => {
    const { world, canary, pass, synced, counts, arrives, news, end } = aCanary();
    world.answer = REFUSED;
    synced.resolve();
    await pass(60);
    expect(canary.trouble).toBe("the API server did not take it: 500 etcd is away");
    expect(new Set(counts())).toEqual(new Set([1]));
    world.answer = { ok: true };
    await pass(30);
    arrives(1);
    await pass(0);
    arrives(2);
    await pass(0);
    expect(news.map(({ kind }) => kind)).toEqual(["missing", "back"]);
    await end();
  });
});

describe("a clock that is set", () => {
  it.each([
    ["ahead", 3_600_000],
    ["back", -3_600_000],
  ])("%s by an hour makes nothing late, and no latency nonsense", async (_, off) => {
    const { clock, recorded, arrives, pass, counts, canary, end } = await begun();
    await pass(1);
    clock.off = off;
    arrives(1);
    await pass(0);
    const [, seconds, inTime] = recorded.of("canaryArrived")[0] ?? ["", -1, false];
    expect(inTime).toBe(true);
    expect(seconds).toBeGreaterThanOrEqual(0);
    expect(seconds).toBeLessThanOrEqual(60);
    // A jump ahead cannot be told from time that has passed: the next one comes up to a deadline early.
    await pass(270);
    arrives(2);
    await pass(30);
    expect(counts()).toEqual([1, 2]);
    expect(canary.trouble).toBeNull();
    await end();
  });

  it("neither misses one nor forgives one: the deadline is a timer", async () => {
    const { clock, canary, pass, end } = await begun();
    clock.off = 24 * 3_600_000;
    await pass(59);
    expect(canary.trouble).toBeNull();
    clock.off = -24 * 3_600_000;
    await pass(1);
    expect(canary.trouble).not.toBeNull();
    await end();
  });
});

describe("the end", () => {
  it("at any moment comes at once and counts nothing as missed", async () => {
    for (const seconds of [0, 30, 60, 200, 420]) {
      const { pass, end, recorded } = await begun();
      await pass(seconds);
      const missed = recorded.of("canaryMissed").length;
      await end();
      expect(recorded.of("canaryMissed")).toHaveLength(missed);
    }
  });

  it("before the first leaves nothing behind", async () => {
    const { end, written, clock } = aCanary();
    await end();
    expect(written).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });
});

describe("what people are told", () => {
  const teller = {
    id: "11111111-1111-4111-8111-111111111111",
    source: "kubernetes",
    cluster: "prod-a",
    namespace: "monitoring",
    object: { kind: "Pod", name: "kube-crier-0" },
    at: Date.parse("2026-11-20T08:00:00Z"),
  };
  const why = { en: "ops refused it: no", zh: "ops 拒绝了它：no" };

  it("is a warning about the Pod, in the language of the sink", () => {
    expect(newsEvent({ kind: "missing", why }, { ...teller, lang: "en" })).toMatchObject({
      type: "Warning",
      reason: "KubeCrierCanaryMissing",
      cluster: "prod-a",
      message: expect.stringContaining("(kubernetes): ops refused it: no. Until") as string,
      object: { kind: "Pod", namespace: "monitoring", name: "kube-crier-0" },
      lastSeen: "2026-11-20T08:00:00.000Z",
    });
    const zh = newsEvent({ kind: "missing", why }, { ...teller, lang: "zh" });
    expect(zh.message).toContain("没有按时到达（kubernetes）：ops 拒绝了它：no。");
  });

  it("and, when it is back, for how long it was away", () => {
    const back = (lang: "en" | "zh") =>
      newsEvent({ kind: "back", forMs: 12 * 60_000 }, { ...teller, lang });
    expect(back("en")).toMatchObject({ type: "Normal", reason: "KubeCrierCanaryBack" });
    expect(back("en").message).toContain("after about 12 min");
    expect(back("zh").message).toContain("约 12 分钟");
    const soon = newsEvent({ kind: "back", forMs: 20_000 }, { ...teller, lang: "en" });
    expect(soon.message).toContain("after about 1 min");
  });
});
