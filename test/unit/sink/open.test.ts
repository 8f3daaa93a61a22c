import { describe, expect, it } from "vitest";
import { defineHttpSink, defineSink, s, statusVerdict } from "../../../src/sink/index.ts";
import { openSink } from "../../../src/sink/open.ts";
import { TransportError, transportVerdict } from "../../../src/sink/transport.ts";
import { accepted, permanent, retryable, type Verdict } from "../../../src/sink/verdict.ts";
import { anExchange } from "../../support/exchange.ts";
import { aMessage } from "../../support/messages.ts";
import { quietIo } from "../../support/sinks.ts";
import { facts } from "../../support/registry.ts";

const never = new AbortController().signal;
const KEY = "0123456789abcdef";
const limits = { rates: [], concurrency: 1, body: null, blocks: {}, throttledMs: 1000 };
const frame = {
  title: "Hook",
  summary: "A sink of a test.",
  docs: "https://example.com",
  facts,
  uri: { target: null, keep: [] },
  example: { uri: "hook:", yaml: {} },
  blocks: () => ({}),
  limits: () => limits,
} as const;

const { inbox, client } = await anExchange();

const parts = () => ({ client, timeoutMs: 2_000, ...quietIo() });

/** A sink over HTTP that sends `body`, and believes the status. */
function overHttp(body: string | (() => string)) {
  const sink = defineHttpSink({
    ...frame,
    type: "hook",
    options: s.object({ key: s.secret({ description: "The key" }) }),
    request: () => ({
      method: "POST",
      url: `${inbox.url}/hook`,
      headers: { "content-type": "text/plain" },
      body: typeof body === "string" ? body : body(),
    }),
    accept: statusVerdict,
    samples: [],
    refusesWith200: false,
  });
  return openSink(sink, sink.options.parse({ key: KEY }), parts());
}

describe("a sink over HTTP", () => {
  it("tells what was sent and answered, for the history", async () => {
    inbox.reply({ status: 200, body: "thank you" });
    expect(await overHttp("hello").tell(aMessage(), 0, never)).toEqual({
      verdict: accepted,
      sent: "hello",
      answer: "HTTP 200: thank you",
      aborted: false,
    });
  });

  it("keeps of both only as much as the history needs", async () => {
    inbox.reply({ status: 200, body: "a".repeat(5_000) });
    const { sent, answer } = await overHttp("s".repeat(50_000)).tell(aMessage(), 0, never);
    expect(sent).toBe("s".repeat(2048));
    expect(answer).toBe(`HTTP 200: ${"a".repeat(300)}`);
  });

  it("keeps no half of a secret at the place where it cuts", async () => {
    for (const before of [2040, 2047, 2032 + 15]) {
      inbox.reply({ status: 200, body: `${"a".repeat(before % 300)}${KEY}` });
      const { sent, answer } = await overHttp(`${"s".repeat(before)}${KEY}`).tell(
        aMessage(),
        0,
        never,
      );
      expect(sent).not.toContain(KEY.slice(0, 4));
      expect(answer).not.toContain(KEY.slice(0, 4));
    }
  });

  it("sends the request that was built a moment ago, and builds none", async () => {
    inbox.reply({ status: 200 });
    const open = overHttp(() => {
      throw new Error("built twice");
    });
    const built = {
      method: "PUT",
      url: `${inbox.url}/built`,
      headers: { "content-type": "text/plain" },
      body: "ready",
    };
    const { verdict, sent } = await open.tell(aMessage(), 0, never, built);
    expect(verdict).toEqual(accepted);
    expect(sent).toBe("ready");
    expect(inbox.requests.at(-1)).toMatchObject({ method: "PUT", url: "/built", body: "ready" });
  });

  it("whose request cannot be built is told so, without the words of the exception", async () => {
    const before = inbox.requests.length;
    const told = await overHttp(() => {
      throw new Error(`no such field ${KEY}`);
    }).tell(aMessage(), 0, never);
    expect(told).toEqual({
      verdict: permanent("template", "the request could not be built from the message"),
      sent: "",
      answer: "",
      aborted: false,
    });
    expect(inbox.requests.length).toBe(before);
  });

  it("judges the answer as it is shown: a secret echoed in it is gone before the sink reads it", async () => {
    inbox.reply({ status: 400, body: { error: `no such key ${KEY}` } });
    const { verdict, answer } = await overHttp("x").tell(aMessage(), 0, never);
    expect(verdict).toMatchObject({ detail: 'HTTP 400: {"error":"no such key <redacted>"}' });
    expect(answer).toBe('HTTP 400: {"error":"no such key <redacted>"}');
  });

  it("judges by a header that is clean, too", async () => {
    const sink = defineHttpSink({
      ...frame,
      type: "hook",
      options: s.object({ key: s.secret({ description: "The key" }) }),
      request: () => ({ method: "POST", url: inbox.url, headers: {}, body: "" }),
      accept: ({ headers }) => permanent("rejected", String(headers["x-error"]).slice(0, 20)),
      samples: [],
      refusesWith200: false,
    });
    inbox.reply({ status: 400, headers: { "x-error": `no such key ${KEY}` }, body: "" });
    const open = openSink(sink, sink.options.parse({ key: KEY }), parts());
    const { verdict } = await open.tell(aMessage(), 0, never);
    expect(verdict).toEqual(permanent("rejected", "no such key <redacte"));
  });

  it.each(["items", "2026", '":[{', "errors"])(
    "reads an answer in JSON as ever where the secret %j is a part of its form",
    async (key) => {
      const sink = defineHttpSink({
        ...frame,
        type: "hook",
        options: s.object({ key: s.secret({ description: "The key" }) }),
        request: () => ({ method: "POST", url: inbox.url, headers: {}, body: "" }),
        accept: ({ json }) => {
          const { errors, items } = json as { errors: boolean; items: { status: number }[] };
          return errors || items[0]?.status !== 2026 ? permanent("rejected", "no") : accepted;
        },
        samples: [],
        refusesWith200: false,
      });
      inbox.reply({ status: 200, body: { errors: false, items: [{ status: 2026 }] } });
      const open = openSink(sink, sink.options.parse({ key }), parts());
      const { verdict, answer } = await open.tell(aMessage(), 0, never);
      expect(verdict).toEqual(accepted);
      expect(answer).not.toContain(key);
    },
  );

  it("is not brought down by an answer that is nested without end", async () => {
    inbox.reply({ status: 400, body: `${"[".repeat(50_000)}"${KEY}"${"]".repeat(50_000)}` });
    const { verdict } = await overHttp("x").tell(aMessage(), 0, never);
    expect(verdict).toMatchObject({ kind: "permanent", reason: "rejected" });
    expect(JSON.stringify(verdict)).not.toContain(KEY);
  });

  it("has nothing to look at before the first message, and nothing to close", async () => {
    const open = overHttp("x");
    expect(await open.check(never)).toBeNull();
    expect(await open.close()).toBeUndefined();
  });
});

describe("a sink without HTTP", () => {
  interface Doings {
    readonly deliver?: () => Promise<Verdict>;
    readonly check?: () => Promise<{
      problems: { message: string; hint: string | null }[];
      away: string | null;
    }>;
    readonly close?: () => Promise<void>;
  }
  const direct = ({ deliver, check, close }: Doings) => {
    const sink = defineSink({
      ...frame,
      type: "direct",
      options: s.object({ key: s.secret({ description: "The key" }) }),
      create: () => ({
        deliver: deliver ?? (() => Promise.resolve(accepted)),
        ...(check === undefined ? {} : { check }),
        close: close ?? (() => Promise.resolve()),
      }),
    });
    return openSink(sink, sink.options.parse({ key: KEY }), parts());
  };

  it("gives its verdict, without its secrets", async () => {
    const verdict = retryable("network", `mysql://u:${KEY}@db is away`);
    const told = await direct({ deliver: () => Promise.resolve(verdict) }).tell(
      aMessage(),
      0,
      never,
    );
    expect(told).toEqual({
      verdict: retryable("network", "mysql://u:<redacted>@db is away"),
      sent: "",
      answer: "",
      aborted: false,
    });
  });

  it("that fails with an exception is an unknown error, without the exception's words", async () => {
    const told = await direct({
      deliver: () => Promise.reject(new Error(`at ${KEY}`)),
    }).tell(aMessage(), 0, never);
    expect(told.verdict).toEqual(retryable("unknown", "sink direct failed"));
  });

  it("that is stopped while it works is not counted; what it did accept counts", async () => {
    const stopped = AbortSignal.abort();
    const failing = direct({ deliver: () => Promise.resolve(retryable("network", "stopping")) });
    expect(await failing.tell(aMessage(), 0, stopped)).toMatchObject({ aborted: true });
    expect(await direct({}).tell(aMessage(), 0, stopped)).toMatchObject({
      verdict: accepted,
      aborted: false,
    });
  });

  it("may look at the other side first; what it says is without secrets", async () => {
    const open = direct({
      check: () =>
        Promise.resolve({
          problems: [
            { message: `refused ${KEY}`, hint: `grant to ${KEY}` },
            { message: "no table", hint: null },
          ],
          away: `no route to ${KEY}`,
        }),
    });
    expect(await open.check(never)).toEqual({
      problems: [
        { message: "refused <redacted>", hint: "grant to <redacted>" },
        { message: "no table", hint: null },
      ],
      away: "no route to <redacted>",
    });
    const answers = direct({ check: () => Promise.resolve({ problems: [], away: null }) });
    expect(await answers.check(never)).toEqual({ problems: [], away: null });
    expect(await direct({}).check(never)).toBeNull();
  });

  it("may speak HTTP, within the timeout, and hears no secret of its options", async () => {
    const heard: unknown[] = [];
    const sink = defineSink({
      ...frame,
      type: "direct",
      options: s.object({ key: s.secret({ description: "The key" }) }),
      create: ({ key }, io) => ({
        deliver: async (_message, signal) => {
          const url = `${inbox.url}/own?key=${key.reveal()}`;
          const request = { method: "POST", url, headers: {}, body: Buffer.from([0, 255]) };
          try {
            heard.push((await io.exchange(request, signal)).json);
            return accepted;
          } catch (error) {
            return transportVerdict(error);
          }
        },
        close: () => Promise.resolve(),
      }),
    });
    const options = sink.options.parse({ key: KEY });
    inbox.reply(({ url }) => ({ status: 200, body: { echo: url } }));
    const open = (timeoutMs: number) => openSink(sink, options, { ...parts(), timeoutMs });
    expect((await open(2_000).tell(aMessage(), 0, never)).verdict).toEqual(accepted);
    expect(heard).toEqual([{ echo: "/own?key=<redacted>" }]);
    expect(inbox.requests.at(-1)?.bytes).toEqual(Buffer.from([0, 255]));
    inbox.reply("hang");
    expect(await open(50).tell(aMessage(), 0, never)).toMatchObject({
      verdict: { kind: "retryable", reason: "timeout" },
      aborted: false,
    });
  });

  it("is closed when it is closed", async () => {
    let closed = 0;
    await direct({ close: () => Promise.resolve(void (closed += 1)) }).close();
    expect(closed).toBe(1);
  });
});

describe("the codes of Node's network", () => {
  const verdictOf = (code: string) =>
    TransportError.from(Object.assign(new Error("x"), { code })).verdict;

  it.each([
    ["ECONNREFUSED", "the connection was refused: nothing listens there"],
    ["ECONNRESET", "the connection was reset before the answer was complete"],
    ["ECONNABORTED", "the connection was broken off"],
    ["EPIPE", "the connection was closed while the request was being sent"],
    ["ENOTFOUND", "the host name is unknown: check the URL and the cluster's DNS"],
    ["EAI_AGAIN", "the name server did not answer"],
    ["EHOSTUNREACH", "there is no route to the host"],
    ["ENETUNREACH", "there is no route to the network"],
    ["EADDRNOTAVAIL", "no local port is free"],
    ["EMFILE", "too many files are open in this process"],
  ])("%s is the network's, and passes: %s", (code, words) => {
    expect(verdictOf(code)).toEqual(retryable("network", `${words} (${code})`));
  });

  it.each([
    ["ERR_INVALID_URL", "the URL cannot be read"],
    ["ERR_INVALID_CHAR", "a header holds a character HTTP does not allow"],
    ["ERR_INVALID_HTTP_TOKEN", "a header or the method has a name HTTP does not allow"],
    ["ERR_UNESCAPED_CHARACTERS", "the URL's path holds characters that must be percent-encoded"],
    ["ERR_BAD_OPTION_VALUE", "the request's options do not fit together"],
  ])("%s is a mistake that stays one: %s", (code, words) => {
    expect(verdictOf(code)).toEqual(permanent("config", `${words} (${code})`));
  });

  it.each([
    "CERT_HAS_EXPIRED",
    "CERT_NOT_YET_VALID",
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "SELF_SIGNED_CERT_IN_CHAIN",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "ERR_SSL_WRONG_VERSION_NUMBER",
    "HOSTNAME_MISMATCH",
    "INVALID_CA",
    "PATH_LENGTH_EXCEEDED",
    "EPROTO",
  ])("%s is about certificates, and says where to put one's own authority", (code) => {
    expect(verdictOf(code)).toEqual(
      retryable(
        "tls",
        `the server's certificate or TLS was not accepted (${code}); for a private authority set NODE_EXTRA_CA_CERTS`,
      ),
    );
  });

  it.each(["HPE_INVALID_CONSTANT", "HPE_HEADER_OVERFLOW"])("%s: no HTTP", (code) => {
    expect(verdictOf(code)).toEqual(retryable("server", `the answer is not HTTP (${code})`));
  });

  it("ETIMEDOUT: the connection could not be made in time", () => {
    expect(verdictOf("ETIMEDOUT")).toEqual(
      retryable("timeout", "the connection could not be made in time (ETIMEDOUT)"),
    );
  });

  it.each([
    ["ERR_SOMETHING_NEW", "the request failed (ERR_SOMETHING_NEW)"],
    ["EPROTOTYPE", "the request failed (EPROTOTYPE)"],
    ["lower case", "the request failed (no code)"],
    ["https://hooks.example.com/key", "the request failed (no code)"],
    [`E${"X".repeat(80)}`, "the request failed (no code)"],
  ])("%s: %s", (code, detail) => {
    expect(verdictOf(code)).toEqual(retryable("unknown", detail));
  });

  it("a code is looked for in the causes, where the error itself is vague", () => {
    const deep = (codes: readonly string[]): unknown =>
      codes.reduceRight<unknown>(
        (cause, code) => Object.assign(new Error("x"), { code, cause }),
        undefined,
      );
    const reasonOf = (...codes: string[]) => TransportError.from(deep(codes)).code;
    expect(reasonOf("ERR_NETWORK", "ECONNREFUSED")).toBe("ECONNREFUSED");
    expect(reasonOf("ERR_BAD_RESPONSE", "ERR_NETWORK", "EPIPE")).toBe("EPIPE");
    expect(reasonOf("ERR_BAD_REQUEST", "ERR_INVALID_CHAR")).toBe("ERR_INVALID_CHAR");
    expect(reasonOf("ERR_NETWORK")).toBe("no code");
    expect(reasonOf("a", "b", "c", "d", "EPIPE"), "no deeper than four").toBe("no code");
    for (const thrown of [null, undefined, "EPIPE", 7, {}])
      expect(TransportError.from(thrown).code).toBe("no code");
  });
});
