import * as fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import riemann from "../../sinks/riemann.ts";
import { FileError, ProtocolError, type Target } from "../../sinks/riemann/connection.ts";
import { decodeReply } from "../../sinks/riemann/protobuf.ts";
import { troubleOf } from "../../sinks/riemann/trouble.ts";
import type { DirectSink, Verdict } from "../../src/sink/index.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor } from "../support/messages.ts";
import { type RiemannServer, startRiemann } from "../support/riemann.ts";
import { quietIo } from "../support/sinks.ts";

/** What goes wrong between us and Riemann: whom it harms, and what is said of it. */
const never = new AbortController().signal;
const accepted: Verdict = { kind: "accepted" };

async function opened(): Promise<{ readonly server: RiemannServer; readonly sink: DirectSink }> {
  if (riemann.transport !== "direct") throw new Error("riemann speaks no HTTP");
  const server = await startRiemann();
  const sink = riemann.create(optionsFor(riemann, { address: server.address }), quietIo());
  onTestFinished(async () => {
    await sink.close();
    await server.close();
  });
  return { server, sink };
}

const about = (name: string) => aMessage({ event: anEvent({ uid: name, message: name }) });
const told = ({ messages }: RiemannServer) =>
  messages.map((events) => events.map(({ description }) => description).join(""));

describe("a refusal of many", () => {
  it("is not looked into for those who have gone meanwhile", async () => {
    const { server, sink } = await opened();
    server.reply("hang");
    const gone = new AbortController();
    const telling = [
      sink.deliver(about("a"), never),
      sink.deliver(about("b"), never),
      sink.deliver(about("c"), gone.signal),
      sink.deliver(about("d"), gone.signal),
    ];
    await server.received(1);
    gone.abort();
    server.reply({ ok: true });
    server.release({ ok: false, error: "no" });
    const verdicts = await Promise.all(telling);
    expect(verdicts.map(({ kind }) => kind)).toEqual([
      "accepted",
      "accepted",
      "retryable",
      "retryable",
    ]);
    expect(told(server)).toEqual(["abcd", "ab"]);
  });

  it("by a server that hangs up in the middle of the halves leaves owed what was not taken", async () => {
    const { server, sink } = await opened();
    server.reply((events) => {
      if (events.length === 4) return { ok: false };
      return events[0]?.description === "a" ? { ok: true } : "reset";
    });
    const verdicts = await Promise.all(
      ["a", "b", "c", "d"].map((name) => sink.deliver(about(name), never)),
    );
    expect(verdicts.slice(0, 2)).toEqual([accepted, accepted]);
    for (const verdict of verdicts.slice(2))
      expect(verdict).toMatchObject({ kind: "retryable", reason: "network" });
    server.reply({ ok: true });
    expect(await sink.deliver(about("c"), never)).toEqual(accepted);
    expect(told(server).at(-1)).toBe("c");
  });

  it.each([
    ["", "without a word"],
    ["x", "with: x"],
    ["n".repeat(250), `with: ${"n".repeat(200)};`],
  ])("with the words %j is told in a line", async (error, words) => {
    const { server, sink } = await opened();
    // Its length in one byte is at most 127: longer words have two.
    const text = Buffer.from(error);
    const length =
      text.length < 128 ? [text.length] : [(text.length % 128) | 0x80, text.length >> 7];
    const message = Buffer.from([0x10, 0, 0x1a, ...length, ...text]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(message.length);
    server.reply(Buffer.concat([head, message]));
    expect(await sink.deliver(about("a"), never)).toMatchObject({
      kind: "retryable",
      reason: "server",
      detail: expect.stringContaining(`Riemann refused it ${words}`) as unknown,
    });
  });
});

describe("an answer", () => {
  const MOST = 1024 * 1024;
  /** `Msg` with its length before it, so many bytes together: taken, with words that fill it. */
  const ofBytes = (size: number): Buffer => {
    const message = Buffer.alloc(size - 4, "x");
    const words = message.length - 6;
    // `ok`, then a text whose length has three bytes.
    message.set([0x10, 1, 0x1a, (words % 128) | 0x80, ((words >> 7) % 128) | 0x80, words >> 14]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(message.length);
    return Buffer.concat([head, message]);
  };

  it("may be a megabyte long, in however many pieces it comes", async () => {
    const { server, sink } = await opened();
    server.reply(ofBytes(MOST));
    expect(await sink.deliver(about("a"), never)).toEqual(accepted);
  });

  it.each([
    ["a byte more than a megabyte", ofBytes(MOST + 1)],
    ["what says to be of four gigabytes", Buffer.from([0xff, 0xff, 0xff, 0xff])],
  ])("of %s is none, and not waited for", async (_, bytes) => {
    const { server, sink } = await opened();
    server.reply(bytes);
    expect(await sink.deliver(about("a"), never)).toMatchObject({
      kind: "retryable",
      reason: "server",
      detail: expect.stringContaining("the answer is not Riemann's") as unknown,
    });
  });

  it("that is none is never taken for one, and no bytes whatever end the program", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const reply = decodeReply(Buffer.from(bytes));
        expect(reply === null || typeof reply.ok === "boolean").toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("is read past fields that a later Riemann may have", () => {
    // A varint, eight bytes, four bytes and a text, in fields that there are not yet.
    const later = Buffer.from("5896016101020304050607086d0102030472026869", "hex");
    const ok = Buffer.from([0x10, 1]);
    for (const message of [Buffer.concat([later, ok]), Buffer.concat([ok, later])])
      expect(decodeReply(message)).toEqual({ ok: true, error: "" });
    expect(decodeReply(later)).toBeNull();
    for (let end = 1; end < later.length; end += 1)
      expect(decodeReply(later.subarray(0, end)), `${end} bytes`).toBeNull();
  });
});

describe("what is said of it", () => {
  const target = (host: string, tls = true): Target => ({
    address: { host, port: 5554, tls },
    ca: null,
    cert: null,
    key: null,
  });
  const failed = (code: string) => Object.assign(new Error("with a secret in it"), { code });

  it.each([
    ["ECONNREFUSED", "network", /^riemann:5554: the connection was refused/],
    ["ENOTFOUND", "network", /^riemann:5554: the host name is unknown/],
    ["ETIMEDOUT", "timeout", /^riemann:5554: /],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls", /nobody speaks TLS there; write tcp:\/\//],
    ["ERR_SSL_PACKET_LENGTH_TOO_LONG", "tls", /nobody speaks TLS there/],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "tls", /give cert and key/],
    ["SELF_SIGNED_CERT_IN_CHAIN", "tls", /its certificate is not trusted, give ca/],
  ])("%s may pass, and has the place and the next step", (code, reason, detail) => {
    const { verdict, problem } = troubleOf(failed(code), target("riemann"));
    expect(problem).toBeNull();
    expect(verdict).toMatchObject({
      kind: "retryable",
      reason,
      detail: expect.stringMatching(detail) as unknown,
    });
    expect(JSON.stringify(verdict)).not.toContain("secret");
  });

  it("names a host of IPv6 as an address is written", () => {
    const { verdict } = troubleOf(failed("ECONNREFUSED"), target("fd00::5"));
    expect(verdict).toMatchObject({ detail: expect.stringMatching(/^\[fd00::5\]:5554: /) });
    const strange = troubleOf(new ProtocolError("the answer is not Riemann's"), target("fd00::5"));
    expect(strange.verdict).toMatchObject({ detail: expect.stringMatching(/^\[fd00::5\]:5554: /) });
  });

  it("is a problem at the start where a file is not there, and nowhere else", () => {
    const { verdict, problem } = troubleOf(new FileError("ca /x cannot be read"), target("r"));
    expect(problem).toEqual({
      message: "ca /x cannot be read",
      hint: "mount the file, or mend its path",
    });
    expect(verdict).toMatchObject({ kind: "retryable", reason: "tls" });
  });

  it("of a mistake of ours is that it failed, and nothing of what was sent", () => {
    const { verdict } = troubleOf(new TypeError("cannot read fedcba98"), target("riemann"));
    expect(verdict).toMatchObject({ kind: "retryable", reason: "unknown" });
    expect(JSON.stringify(verdict)).not.toContain("fedcba98");
  });
});
