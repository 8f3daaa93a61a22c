import { inspect } from "node:util";
import { beforeEach, describe, expect, it } from "vitest";
import { sessionCookie, sessionIdOf } from "../../../../src/web/auth/cookie.ts";
import { IDLE_MS, SESSION_MS, Sessions } from "../../../../src/web/auth/sessions.ts";
import { FakeClock } from "../../../support/clock.ts";

let clock: FakeClock;
let sessions: Sessions;

beforeEach(() => {
  clock = new FakeClock();
  sessions = new Sessions(clock);
});

describe("a session", () => {
  it("has an id of 256 random bits", () => {
    const ids = Array.from({ length: 50 }, (_, n) => sessions.begin(`p-${n}`, "token"));
    expect(new Set(ids).size).toBe(50);
    for (const id of ids) expect(Buffer.from(id, "base64url")).toHaveLength(32);
  });

  it("is found by its id, and by no other", () => {
    const id = sessions.begin("alice", "token");
    expect(sessions.find(id)?.name).toBe("alice");
    expect(sessions.find(`${id.slice(0, -1)}x`)).toBeNull();
    expect(sessions.find("")).toBeNull();
    expect(sessions.find(sessions.find(id)?.key ?? "")).toBeNull();
  });

  it("ends after thirty idle minutes", async () => {
    const id = sessions.begin("alice", "token");
    await clock.advance(IDLE_MS - 1);
    expect(sessions.find(id)).not.toBeNull();
    await clock.advance(IDLE_MS - 1);
    expect(sessions.find(id)).not.toBeNull();
    await clock.advance(IDLE_MS);
    expect(sessions.find(id)).toBeNull();
  });

  it("ends after eight hours, however busy", async () => {
    const id = sessions.begin("alice", "token");
    for (let gone = 0; gone < SESSION_MS - 600_000; gone += 600_000) {
      await clock.advance(600_000);
      expect(sessions.find(id)).not.toBeNull();
    }
    await clock.advance(600_000);
    expect(sessions.find(id)).toBeNull();
  });

  it("lives no longer where the clock was set back by days: who has it signs in again", () => {
    const id = sessions.begin("alice", "token");
    clock.setBack(3 * 86_400_000);
    expect(sessions.find(id)).toBeNull();
    expect(sessions.find(sessions.begin("alice", "token"))).not.toBeNull();
  });

  it("outlives a clock that is set right by seconds", async () => {
    const id = sessions.begin("alice", "token");
    await clock.advance(60_000);
    clock.setBack(5_000);
    expect(sessions.find(id)).not.toBeNull();
    await clock.advance(IDLE_MS - 1);
    expect(sessions.find(id)).not.toBeNull();
  });

  it("ends when one says so", () => {
    const [one, other] = [sessions.begin("alice", "t"), sessions.begin("alice", "t")];
    const session = sessions.find(one);
    if (session === null) throw new Error("no session");
    sessions.end(session);
    expect(sessions.find(one)).toBeNull();
    expect(sessions.find(other)).not.toBeNull();
  });

  it("is one of twenty of a person: the one that was idle longest goes, and nobody else's", () => {
    const hers = sessions.begin("alice", "t");
    const his = Array.from({ length: 20 }, () => sessions.begin("bob", "t"));
    sessions.find(his[0] ?? "");
    sessions.begin("bob", "t");
    expect(sessions.find(hers)).not.toBeNull();
    expect(sessions.find(his[0] ?? "")).not.toBeNull();
    expect(sessions.find(his[1] ?? "")).toBeNull();
    expect(sessions.size).toBe(21);
  });

  it("is one of five thousand", () => {
    const first = sessions.begin("first", "t");
    for (let n = 0; n < 5_000; n += 1) sessions.begin(`p-${n}`, "t");
    expect(sessions.size).toBe(5_000);
    expect(sessions.find(first)).toBeNull();
  });

  it("makes room for others when it is over", async () => {
    for (let n = 0; n < 100; n += 1) sessions.begin(`p-${n}`, "t");
    await clock.advance(IDLE_MS);
    sessions.begin("alice", "t");
    expect(sessions.size).toBe(1);
  });

  it("shows neither token nor id, however it is printed", () => {
    const id = sessions.begin("alice", "s3cret-token");
    const printed = [
      inspect(sessions.find(id), { depth: 9 }),
      JSON.stringify(sessions.find(id)),
      inspect(sessions, { depth: 9, showHidden: true }),
    ].join("\n");
    expect(printed).not.toContain("s3cret-token");
    expect(printed).not.toContain(id);
  });
});

describe("a CSRF token", () => {
  it("holds for the one it was made for", () => {
    const token = sessions.csrfToken("session a");
    expect(sessions.isCsrfToken("session a", token)).toBe(true);
    expect(sessions.isCsrfToken("session b", token)).toBe(false);
    expect(sessions.isCsrfToken("session a", "")).toBe(false);
    expect(sessions.isCsrfToken("session a", `${token}x`)).toBe(false);
    expect(sessions.isCsrfToken("session a", "é".repeat(token.length))).toBe(false);
  });

  it("is another one after a restart", () => {
    expect(new Sessions(clock).csrfToken("a")).not.toBe(sessions.csrfToken("a"));
  });
});

describe("the cookie", () => {
  const id = "A".repeat(43);

  it("is out of reach of scripts and other sites, and of plain HTTP where the page is not", () => {
    expect(sessionCookie(id, false)).toBe(
      `kube-crier=${id}; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict`,
    );
    expect(sessionCookie(id, true)).toBe(
      `__Host-kube-crier=${id}; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure`,
    );
    expect(sessionCookie(null, true)).toMatch(/^__Host-kube-crier=; Path=\/; Max-Age=0;.*Secure$/);
  });

  it.each([
    [`kube-crier=${id}`, false, id],
    [`a=b; kube-crier=${id}; c=d`, false, id],
    [`__Host-kube-crier=${id}`, true, id],
    [`kube-crier=${id}`, true, null],
    [`__Host-kube-crier=${id}`, false, null],
    [`kube-crier=${id}; kube-crier=${"B".repeat(43)}`, false, null],
    ["kube-crier=short", false, null],
    [`kube-crier=${id}x`, false, null],
    [`kube-crier="${id}"`, false, null],
    [`xkube-crier=${id}`, false, null],
    ["", false, null],
    [undefined, false, null],
  ])("%s (secure %s)", (header, secure, expected) => {
    expect(sessionIdOf(header, secure)).toBe(expected);
  });
});
