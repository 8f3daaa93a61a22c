import type { IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { addressProblem } from "../../../../src/config/web-grammar.ts";
import {
  createTrustedProxy,
  originOf,
  plainAddress,
  PROXY_HEADERS,
} from "../../../../src/web/auth/proxy.ts";

/** A request as Node gives it: from an address, with these headers in this order. */
function from(remoteAddress: string, rawHeaders: readonly string[] = []): IncomingMessage {
  const headers = Object.fromEntries(
    rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1]]] : [],
    ),
  );
  return { socket: { remoteAddress }, rawHeaders, headers } as unknown as IncomingMessage;
}

const proxy = (...addresses: string[]) => createTrustedProxy({ addresses, ...PROXY_HEADERS });

describe("a pinned address", () => {
  it.each([
    ["10.0.0.7", "10.0.0.7", true],
    ["10.0.0.7", "10.0.0.8", false],
    ["10.0.0.7", "::ffff:10.0.0.7", true],
    ["10.0.0.0/24", "10.0.0.255", true],
    ["10.0.0.0/24", "10.0.1.0", false],
    ["10.0.0.0/24", "::ffff:10.0.0.9", true],
    ["10.0.0.0/24", "::ffff:10.0.1.9", false],
    ["::ffff:10.0.0.0/120", "10.0.0.9", true],
    ["::ffff:10.0.0.0/120", "10.0.1.9", false],
    ["::ffff:10.0.0.7", "10.0.0.7", true],
    ["fd00::/8", "fd12:3456::1", true],
    ["fd00::/8", "fe80::1", false],
    ["fe80::1", "fe80::1%eth0", true],
    ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", true],
    ["127.0.0.1", "::1", false],
    ["127.0.0.1", "", false],
    ["127.0.0.1", "not an address", false],
  ])("%s and a peer %s: %s", (pinned, peer, trusted) => {
    expect(proxy(pinned).trusts(from(peer))).toBe(trusted);
  });

  it("may be one of several", () => {
    const several = proxy("10.0.0.7", "fd00::/8");
    expect(["10.0.0.7", "fd00::2", "10.0.0.6"].map((one) => several.trusts(from(one)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ["10.0.0", /is not an address/],
    ["proxy.example.org", /is not an address; expected one like 10\.0\.0\.7/],
    ["10.0.0.0/33", /expected 0 to 32/],
    ["fd00::/129", /expected 0 to 128/],
    ["10.0.0.0/x", /a prefix that is none/],
    ["10.0.0.0/8/8", /is not an address/],
    ["0.0.0.0/0", /everybody would be believed/],
    ["::/0", /everybody would be believed/],
    ["", /is not an address/],
  ])("is none: %j", (text, words) => {
    expect(addressProblem(text)).toMatch(words);
  });

  it.each(["10.0.0.7", "10.0.0.0/8", "fd00::/8", "::1", "::ffff:10.0.0.7"])(
    "is one: %s",
    (text) => {
      expect(addressProblem(text)).toBeNull();
    },
  );
});

describe("the headers of a proxy", () => {
  const USER = ["X-Forwarded-User", "dora"];

  it("name user, groups and address of who stands behind it", () => {
    const message = from("10.0.0.7", [
      ...USER,
      "X-Forwarded-Groups",
      " sre, shop-team ,,",
      "X-Forwarded-Email",
      "dora@example.org",
    ]);
    expect(proxy("10.0.0.7").identity(message)).toEqual({
      name: "dora",
      groups: ["sre", "shop-team"],
      email: "dora@example.org",
      by: "proxy",
    });
  });

  it("count from nobody else", () => {
    expect(proxy("10.0.0.7").identity(from("10.0.0.8", USER))).toBeNull();
    expect(proxy("10.0.0.7").identity(from("127.0.0.1", USER))).toBeNull();
  });

  it("may have other names, and then those of the default mean nothing", () => {
    const other = createTrustedProxy({
      addresses: ["10.0.0.7"],
      userHeader: "Remote-User",
      groupsHeader: "Remote-Groups",
      emailHeader: "Remote-Email",
    });
    expect(other.identity(from("10.0.0.7", USER))).toBeNull();
    expect(other.identity(from("10.0.0.7", ["remote-user", "dora"]))).toMatchObject({
      name: "dora",
    });
  });

  it("may be of any language", () => {
    const onTheWire = Buffer.from("张伟").toString("latin1");
    expect(
      proxy("10.0.0.7").identity(from("10.0.0.7", ["X-Forwarded-User", onTheWire])),
    ).toMatchObject({ name: "张伟" });
  });

  it.each([
    ["no user", []],
    ["an empty user", ["X-Forwarded-User", "  "]],
  ])("with %s prove nobody", (_, headers) => {
    expect(proxy("10.0.0.7").identity(from("10.0.0.7", headers))).toBeNull();
  });

  it.each([
    [
      "the user twice",
      [...USER, "x-forwarded-user", "admin"],
      /X-Forwarded-User stands there twice/,
    ],
    [
      "the groups twice",
      [...USER, "X-Forwarded-Groups", "a", "X-FORWARDED-GROUPS", "sre"],
      /twice/,
    ],
    ["a user of the cluster", ["X-Forwarded-User", "system:admin"], /the cluster's own users/],
    ["an endless user", ["X-Forwarded-User", "x".repeat(300)], /too long/],
    ["too many groups", [...USER, "X-Forwarded-Groups", "g,".repeat(600)], /too long/],
  ])("with %s are not believed", (_, headers, words) => {
    expect(proxy("10.0.0.7").identity(from("10.0.0.7", headers))).toEqual({
      problem: expect.stringMatching(words) as string,
    });
  });

  it("cannot give the cluster's own groups", () => {
    const message = from("10.0.0.7", [...USER, "X-Forwarded-Groups", "system:masters,sre"]);
    expect(proxy("10.0.0.7").identity(message)).toMatchObject({ groups: ["sre"] });
  });
});

describe("where a request came from", () => {
  const FORWARDED = [
    "Host",
    "10.0.0.1:8081",
    "X-Forwarded-For",
    "6.6.6.6, 203.0.113.9",
    "X-Forwarded-Proto",
    "https",
    "X-Forwarded-Host",
    "Crier.example.org",
  ];

  it("is what the pinned proxy says: its own word is the last", () => {
    expect(originOf(from("::ffff:10.0.0.7", FORWARDED), proxy("10.0.0.7"))).toEqual({
      address: "203.0.113.9",
      viaProxy: true,
      secure: true,
      host: "crier.example.org",
    });
  });

  it.each([
    ["another peer", "10.0.0.8", proxy("10.0.0.7")],
    ["without a proxy", "10.0.0.8", null],
  ])("is the peer itself for %s, whatever it says", (_, peer, pinned) => {
    expect(originOf(from(peer, FORWARDED), pinned)).toEqual({
      address: "10.0.0.8",
      viaProxy: false,
      secure: false,
      host: "10.0.0.1:8081",
    });
  });

  it("is the proxy where that says nothing, or nothing sensible", () => {
    for (const headers of [[], ["X-Forwarded-For", "unknown"], ["X-Forwarded-For", "<script>"]])
      expect(originOf(from("10.0.0.7", headers), proxy("10.0.0.7"))).toMatchObject({
        address: "10.0.0.7",
        secure: false,
      });
  });

  it("has no letters in it that depend on how it is written", () => {
    expect(plainAddress("::FFFF:10.0.0.7")).toBe("10.0.0.7");
    expect(plainAddress("FE80::1%eth0")).toBe("fe80::1");
  });
});
