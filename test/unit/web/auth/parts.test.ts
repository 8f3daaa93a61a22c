import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePermission } from "../../../../src/config/web-grammar.ts";
import { sees, seesEach } from "../../../../src/web/auth/identity.ts";
import { Limiter } from "../../../../src/web/auth/limiter.ts";
import { safeNext } from "../../../../src/web/auth/next.ts";
import { permissionText, ruleText } from "../../../../src/web/auth/permission.ts";
import { Gate, Remembered } from "../../../../src/web/auth/remembered.ts";
import { isFromHere } from "../../../../src/web/auth/same-site.ts";
import { WORDS } from "../../../../src/web/auth/words.ts";
import { FakeClock, settle } from "../../../support/clock.ts";

describe("where one goes on to after the login", () => {
  it.each([
    ["/events?namespace=shop&q=a%20b", "/events?namespace=shop&q=a%20b"],
    ["/", "/"],
    ["/events/../sinks", "/sinks"],
  ])("%s is a place of ours", (wanted, expected) => {
    expect(safeNext(wanted)).toBe(expected);
  });

  it.each([
    undefined,
    "",
    "events",
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/ /evil.example",
    "/x/..//evil.example",
    "/./\\evil.example",
    "/.//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%0d%0aSet-Cookie:x=y\r\nX: y",
    "/login?next=/login",
    "/login",
    "/logout",
    "/事件",
    `/${"x".repeat(2_100)}`,
  ])("%j is not", (wanted) => {
    expect(safeNext(wanted)).toBe("/");
  });
});

describe("whatever somebody writes into next", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "/",
      "//",
      "\\",
      ".",
      "..",
      "@",
      ":",
      "?",
      "#",
      "%2f",
      "%5c",
      "\t",
      "\n",
      "http:",
    ),
    fc.webUrl(),
    fc.string({ unit: "binary", maxLength: 8 }),
  );

  it("leads to a place of ours, by a path that no browser takes for a host", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const next = safeNext(pieces.join(""));
        for (const base of ["http://crier.example:8081/login", "https://crier.example/login"]) {
          expect(URL.canParse(next, base)).toBe(true);
          expect(new URL(next, base).origin).toBe(new URL(base).origin);
        }
        expect(next).toMatch(/^\/([^/\\]|$)[\x21-\x7e]*$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a request of our own pages", () => {
  const asks = (headers: Readonly<Record<string, string>>) =>
    isFromHere((name) => headers[name], "crier.example.org:8081");

  it.each([
    [{ "sec-fetch-site": "same-origin" }, true],
    [{ "sec-fetch-site": "none" }, true],
    [{ "sec-fetch-site": "same-site" }, false],
    [{ "sec-fetch-site": "cross-site" }, false],
    [{ "sec-fetch-site": "cross-site", origin: "http://crier.example.org:8081" }, false],
    [{ origin: "http://crier.example.org:8081" }, true],
    [{ origin: "https://crier.example.org:8081" }, true],
    [{ origin: "http://crier.example.org" }, false],
    [{ origin: "http://evil.example" }, false],
    [{ origin: "null" }, false],
    [{ origin: "http://crier.example.org:8081.evil.example" }, false],
    [{}, true],
  ])("%j: %s", (headers, expected) => {
    expect(asks(headers as Record<string, string>)).toBe(expected);
  });
});

describe("a permission", () => {
  it.each([
    ["update deliveries.kube-crier.io", "update", "deliveries", "kube-crier.io"],
    ["delete events", "delete", "events", ""],
    ["list x-y.a.b-c.d", "list", "x-y", "a.b-c.d"],
  ])("%s", (text, verb, resource, group) => {
    const parsed = parsePermission(text);
    expect(parsed).toEqual({ verb, resource, group });
    expect(parsed === null ? "" : permissionText(parsed)).toBe(text);
  });

  it.each([
    "patch  x",
    "deliveries.kube-crier.io",
    "update Deliveries",
    "update x..y",
    "update x.",
    "update x y",
    "",
  ])("%j is none", (text) => {
    expect(parsePermission(text)).toBeNull();
  });

  it("may be of a subresource", () => {
    const parsed = parsePermission("update deployments.apps/scale");
    if (parsed === null) throw new Error("no permission");
    expect(parsed.subresource).toBe("scale");
    expect(permissionText(parsed)).toBe("update deployments.apps/scale");
    expect(ruleText(parsed)).toBe(
      '{apiGroups: ["apps"], resources: ["deployments/scale"], verbs: ["update"]}',
    );
  });
});

describe("wrong tokens", () => {
  it("are ten a minute from one address, then one waits for the first of them to be forgotten", async () => {
    const clock = new FakeClock();
    const limiter = new Limiter(clock);
    for (let n = 0; n < 10; n += 1) {
      expect(limiter.waitMs("203.0.113.9")).toBe(0);
      limiter.failed("203.0.113.9");
      await clock.advance(1_000);
    }
    expect(limiter.waitMs("203.0.113.9")).toBe(50_000);
    expect(limiter.waitMs("203.0.113.10")).toBe(0);
    await clock.advance(50_000);
    expect(limiter.waitMs("203.0.113.9")).toBe(0);
    limiter.failed("203.0.113.9");
    expect(limiter.waitMs("203.0.113.9")).toBe(1_000);
  });

  it("keep nobody out for longer than a minute, though the clock was set back by an hour", async () => {
    const clock = new FakeClock();
    const limiter = new Limiter(clock);
    for (let n = 0; n < 10; n += 1) limiter.failed("203.0.113.9");
    clock.setBack(3_600_000);
    expect(limiter.waitMs("203.0.113.9")).toBeLessThanOrEqual(60_000);
    await clock.advance(60_000);
    expect(limiter.waitMs("203.0.113.9")).toBe(0);
    for (let n = 0; n < 10; n += 1) limiter.failed("203.0.113.9");
    expect(limiter.waitMs("203.0.113.9"), "and they count as ever").toBe(60_000);
  });

  it("of one IPv6 network count together, of another they do not", () => {
    const limiter = new Limiter(new FakeClock());
    for (let n = 1; n <= 10; n += 1) limiter.failed(`2001:db8:1:2::${n.toString(16)}`);
    expect(limiter.waitMs("2001:db8:1:2:ffff:ffff:ffff:ffff")).toBeGreaterThan(0);
    expect(limiter.waitMs("2001:0db8:0001:0002:0:0:0:99")).toBeGreaterThan(0);
    expect(limiter.waitMs("2001:db8:1:3::1")).toBe(0);
    expect(limiter.waitMs("2001:db8::1:2:0:0")).toBe(0);
  });

  it("are remembered for ten thousand places at most", () => {
    const limiter = new Limiter(new FakeClock());
    for (let n = 0; n < 10; n += 1) limiter.failed("first");
    for (let n = 0; n < 10_000; n += 1) limiter.failed(`place-${n}`);
    expect(limiter.waitMs("first")).toBe(0);
  });
});

describe("what is remembered", () => {
  it("is as much as there is room for; what was asked for last stays", () => {
    const kept = new Remembered<number>(new FakeClock(), 2);
    kept.set("a", 1, 1_000);
    kept.set("b", 2, 1_000);
    expect(kept.get("a")).toBe(1);
    kept.set("c", 3, 1_000);
    expect([kept.get("a"), kept.get("b"), kept.get("c"), kept.size]).toEqual([1, undefined, 3, 2]);
  });

  it("is forgotten in time", async () => {
    const clock = new FakeClock();
    const kept = new Remembered<number>(clock, 2);
    kept.set("a", 1, 1_000);
    await clock.advance(999);
    expect(kept.get("a")).toBe(1);
    await clock.advance(1);
    expect([kept.get("a"), kept.size]).toEqual([undefined, 0]);
  });
});

describe("a gate", () => {
  it("lets so many through at once, and all in the end, also after failures", async () => {
    const gate = new Gate(2);
    const open: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const all = Array.from({ length: 5 }, (_, n) =>
      gate.run(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => open.push(resolve));
        running -= 1;
        if (n === 1) throw new Error("one of them");
      }),
    );
    const ends = Promise.allSettled(all);
    for (let n = 0; n < 5; n += 1) {
      await settle();
      expect(gate.waiting).toBe(Math.max(0, 3 - n));
      open.shift()?.();
    }
    expect((await ends).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
      "fulfilled",
    ]);
    expect(most).toBe(2);
  });
});

describe("what is seen", () => {
  it("are the namespaces of the set, or all", () => {
    expect([sees("all", "x"), sees(new Set(["x"]), "x"), sees(new Set(["x"]), "y")]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("of what tells of several events is all or nothing, and nothing where it does not say of which", () => {
    const shop = new Set(["shop", "pay"]);
    expect(seesEach(shop, ["shop", "pay"])).toBe(true);
    expect(seesEach(shop, ["shop", "data"])).toBe(false);
    expect(seesEach(shop, [])).toBe(false);
    expect(seesEach("all", [])).toBe(true);
  });
});

describe("the language", () => {
  it("has every word in both", () => {
    expect(Object.keys(WORDS.zh)).toEqual(Object.keys(WORDS.en));
    expect(Object.keys(WORDS.zh.problems)).toEqual(Object.keys(WORDS.en.problems));
  });
});
