import { array, assert, bigInt, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { Channel } from "../../../src/source/channel.ts";
import { Backoff } from "../../../src/source/kubernetes/backoff.ts";
import {
  type ApiError,
  connectionError,
  statusError,
} from "../../../src/source/kubernetes/errors.ts";
import { classify } from "../../../src/source/kubernetes/failure.ts";
import { LineSplitter } from "../../../src/source/kubernetes/lines.ts";
import { Occurrences } from "../../../src/source/kubernetes/occurrences.ts";
import { compareVersions, isNewer } from "../../../src/source/kubernetes/version.ts";
import { recorded } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";

describe("lines", () => {
  const cut = (chunks: readonly string[], max?: number): string[] => {
    const lines = new LineSplitter(max);
    return chunks.flatMap((chunk) =>
      [...lines.push(chunk)].map((line) => (line.kind === "line" ? line.text : "<too long>")),
    );
  };

  it("are cut at line feeds, wherever the chunks end", () => {
    assert(
      property(array(string()), array(string()), (lines, salt) => {
        const clean = lines.map((line) => line.replaceAll("\n", "").replaceAll("\r", ""));
        const text = clean.map((line) => `${line}\n`).join("");
        const chunks: string[] = [];
        let rest = text;
        for (const grain of salt) {
          chunks.push(rest.slice(0, grain.length));
          rest = rest.slice(grain.length);
        }
        expect(cut([...chunks, rest])).toEqual(clean.filter((line) => line !== ""));
      }),
    );
  });

  it("are not cut at any other line break that Unicode knows", () => {
    expect(cut(["a\u2028b\u2029c\u0085d\ve\n"])).toEqual(["a\u2028b\u2029c\u0085d\ve"]);
  });

  it("that are too long are left out whole, and the next one is fine", () => {
    expect(cut(["aaaa", "aaaa", "aaaa\nok\n"], 10)).toEqual(["<too long>", "ok"]);
    expect(cut(["aaaaaaaaaaaa\nok\n"], 10)).toEqual(["<too long>", "ok"]);
    expect(cut(["aaaaaaaaaa\nok\n"], 10)).toEqual(["aaaaaaaaaa", "ok"]);
  });

  it("leave a rest", () => {
    const lines = new LineSplitter(10);
    expect([...lines.push("one\ntw")]).toHaveLength(1);
    expect(lines.rest()).toBe("tw");
    expect([...lines.push("x".repeat(20))]).toEqual([]);
    expect(lines.rest()).toBe("");
  });
});

describe("resourceVersions", () => {
  it("compare as the numbers they are, however long", () => {
    assert(
      property(bigInt({ min: 0n }), bigInt({ min: 0n }), (a, b) => {
        expect(Math.sign(compareVersions(String(a), String(b)) ?? Number.NaN)).toBe(
          a < b ? -1 : a > b ? 1 : 0,
        );
      }),
    );
    expect(compareVersions("007", "7")).toBe(0);
  });

  it("that are no numbers cannot be told apart, so what has them counts as newer", () => {
    for (const odd of ["", "abc", "1.5", "-1", " 1"]) {
      expect(compareVersions(odd, "5")).toBeNull();
      expect(isNewer(odd, "5")).toBe(true);
    }
    expect(isNewer("5", null)).toBe(true);
    expect(isNewer("5", "5")).toBe(false);
    expect(isNewer("10", "9")).toBe(true);
  });
});

describe("occurrences", () => {
  it("are new when the count has grown", () => {
    const occurrences = new Occurrences();
    const take = (uid: string, count: number): boolean => occurrences.take({ uid, count });
    expect([
      take("a", 1),
      take("a", 1),
      take("a", 3),
      take("a", 2),
      take("a", 3),
      take("a", 4),
    ]).toEqual([true, false, true, false, false, true]);
    expect(take("b", 7)).toBe(true);
    occurrences.forget("a");
    expect(take("a", 1)).toBe(true);
  });

  it("forget the longest unseen, keep the last seen, and never grow", () => {
    const occurrences = new Occurrences(100);
    const take = (name: number | string): boolean =>
      occurrences.take({ uid: String(name), count: 1 });
    for (let index = 0; index < 1_000; index += 1) {
      take(index);
      if (index % 20 === 0) take("often");
      expect(occurrences.size).toBeLessThanOrEqual(100);
    }
    expect(take("often")).toBe(false);
    expect(take(999)).toBe(false);
    expect(take(0)).toBe(true);
  });
});

describe("back-off", () => {
  it("doubles with jitter up to 30 s, and begins anew once a connection has held as long as was waited for it", async () => {
    const clock = new FakeClock();
    const backoff = new Backoff(clock, () => 0.5);
    const waits = Array.from({ length: 7 }, () => backoff.next());
    expect(waits).toEqual([1200, 2400, 4800, 9600, 19_200, 30_000, 30_000]);
    await clock.advance(30_000 + 29_000);
    expect(backoff.next()).toBe(30_000);
    await clock.advance(30_000 + 30_000);
    expect(backoff.next()).toBe(1200);
  });

  it("stays short for a connection that is reset again and again, but holds for ten seconds in between", async () => {
    const clock = new FakeClock();
    const backoff = new Backoff(clock, () => 0.5);
    for (let reset = 0; reset < 20; reset += 1) {
      expect(backoff.next()).toBe(1200);
      await clock.advance(1200 + 10_000);
    }
  });

  it("grows for a server that takes each connection and drops it within seconds", async () => {
    const clock = new FakeClock();
    const backoff = new Backoff(clock, () => 0.5);
    const waits: number[] = [];
    for (let drop = 0; drop < 6; drop += 1) {
      waits.push(backoff.next());
      await clock.advance((waits.at(-1) ?? 0) + 3_000);
    }
    expect(waits).toEqual([1200, 2400, 4800, 9600, 19_200, 30_000]);
  });
});

describe("the channel", () => {
  it("refuses instead of growing, and wakes who waits for room", async () => {
    const channel = new Channel<number>(2);
    expect([channel.offer(1), channel.offer(2), channel.offer(3)]).toEqual([true, true, false]);
    const room = channel.room().then(() => channel.offer(3));
    expect(await channel.take(1)).toEqual([1]);
    expect(await room).toBe(true);
    expect(await channel.take(100)).toEqual([2, 3]);
  });

  it("gives what is ready at once, and waits only for the first", async () => {
    const channel = new Channel<number>(10);
    const taken = channel.take(3);
    for (const item of [1, 2, 3, 4]) channel.offer(item);
    expect(await taken).toEqual([1, 2, 3]);
    expect(await channel.take(3)).toEqual([4]);
  });

  it("merges what may be merged, even when full", async () => {
    const channel = new Channel<string>(1, (newest, next) => (newest[0] === next[0] ? next : null));
    expect([channel.offer("a1"), channel.offer("a2"), channel.offer("b1")]).toEqual([
      true,
      true,
      false,
    ]);
    expect(await channel.take(5)).toEqual(["a2"]);
  });

  it("takes what insists", async () => {
    const channel = new Channel<number>(1);
    channel.offer(1);
    channel.insist(2);
    expect(await channel.take(5)).toEqual([1, 2]);
  });

  it("that is closed gives the rest, then nothing or the reason", async () => {
    const channel = new Channel<number>(5);
    channel.offer(1);
    channel.close(new Error("broken"));
    expect(channel.offer(2)).toBe(false);
    channel.insist(3);
    expect(await channel.take(5)).toEqual([1]);
    await expect(channel.take(5)).rejects.toThrow("broken");
    const quiet = new Channel<number>(5);
    const waiting = quiet.take(5);
    quiet.close();
    quiet.close(new Error("too late"));
    expect(await waiting).toEqual([]);
    await quiet.room();
  });
});

describe("errors of the API server", () => {
  const read = (name: string): ApiError => {
    const answer = recorded(name);
    return statusError(answer.status, JSON.parse(answer.body), null);
  };

  it("are what the recorded ones mean", () => {
    expect(read("list-410-continue")).toMatchObject({
      gone: true,
      status: 410,
      continueToken: expect.stringContaining("eyJ2"),
    });
    expect(read("list-410-exact")).toMatchObject({ gone: true, continueToken: null });
    expect(read("list-504-future")).toMatchObject({ gone: false, status: 504 });
    expect(read("watch-bad-version")).toMatchObject({ malformed: true, gone: false });
    expect(read("list-403-anonymous").message).toBe(
      'the API server answered 403 Forbidden: events is forbidden: User "system:anonymous" cannot list resource "events" in API group "" at the cluster scope',
    );
    const expired = JSON.parse(recorded("watch-410-expired").body) as { object: unknown };
    expect(statusError(200, expired.object, null)).toMatchObject({ gone: true, status: 410 });
  });

  it("can be anything, and are an error still", () => {
    for (const body of [
      null,
      "",
      [],
      7,
      "<html>",
      { details: null, metadata: null },
      { details: { causes: [null, 1, {}] }, metadata: 3, code: "x" },
    ])
      expect(statusError(502, body, "soon")).toMatchObject({
        status: 502,
        retryAfterMs: null,
        gone: false,
        malformed: false,
      });
    expect(statusError(500, { message: "x".repeat(10_000) }, null).message.length).toBeLessThan(
      600,
    );
  });

  it("say when to come back, but not next year", () => {
    expect(statusError(429, {}, "30").retryAfterMs).toBe(30_000);
    expect(statusError(429, { details: { retryAfterSeconds: 2 } }, null).retryAfterMs).toBe(2_000);
    expect(classify(statusError(429, {}, "86400"))).toMatchObject({
      cause: "throttled",
      waitMs: 600_000,
    });
  });

  it("are told from bugs of ours, which nobody tries again", () => {
    expect(classify(new TypeError("x is not a function"))).toBeNull();
    expect(classify(connectionError(new Error("socket hang up"), "https://a"))).toEqual({
      cause: "network",
      detail: "no connection to https://a: socket hang up",
      waitMs: 0,
    });
    const both = new AggregateError([
      new Error("connect ECONNREFUSED ::1:6443"),
      new Error("other"),
    ]);
    expect(connectionError(both, "https://a").message).toContain("ECONNREFUSED ::1:6443");
    expect(connectionError("odd", "https://a").message).toBe("no connection to https://a: odd");
  });
});
