import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createHttpClient, type HttpClient, namesProxy } from "../../../src/sink/http.ts";
import type { HttpRequest } from "../../../src/sink/index.ts";
import { TransportError, transportVerdict } from "../../../src/sink/transport.ts";
import { type Inbox, startInbox } from "../../support/inbox.ts";
import { RawServer } from "../../support/raw-server.ts";

const SECRET = "t0ps3cret-t0ken";

let inbox: Inbox;
let client: HttpClient;
const never = new AbortController().signal;

beforeEach(async () => {
  inbox = await startInbox();
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});

afterEach(async () => {
  client.close();
  await inbox.close();
});

function post(path = `/hook?token=${SECRET}`): HttpRequest {
  return {
    method: "POST",
    url: `${inbox.url}${path}`,
    headers: { "content-type": "application/json", authorization: `Bearer ${SECRET}` },
    body: '{"text":"容器 🟠"}',
  };
}

const exchange = (request: HttpRequest = post(), timeoutMs = 5000, signal = never) =>
  client.exchange(request, { timeoutMs, signal });

async function failure(promise: Promise<unknown>): Promise<TransportError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TransportError))
    throw new Error(`expected a TransportError, got ${inspect(error)}`);
  return error;
}

describe("an exchange", () => {
  it("sends the request as it was built and brings the whole answer back", async () => {
    inbox.reply({ status: 202, headers: { "X-Trace": "abc" }, body: { errcode: 0 } });
    const answer = await exchange();
    expect(answer).toMatchObject({ status: 202, text: '{"errcode":0}', json: { errcode: 0 } });
    expect(answer.headers["x-trace"]).toBe("abc");
    const [request] = inbox.requests;
    expect(request).toMatchObject({
      method: "POST",
      url: `/hook?token=${SECRET}`,
      body: '{"text":"容器 🟠"}',
    });
    expect(request?.headers).toMatchObject({
      "user-agent": "kube-crier/test",
      "content-type": "application/json",
      authorization: `Bearer ${SECRET}`,
      "content-length": "22",
    });
  });

  it.each(["GET", "PUT", "PATCH", "DELETE"] as const)(
    "sends a body with %s too",
    async (method) => {
      await exchange({ ...post(), method });
      expect(inbox.requests[0]).toMatchObject({ method, body: post().body });
    },
  );

  it("sends bytes as the bytes they are", async () => {
    const body = Buffer.from([0, 0xff, 0xfe, 0x80, 10, 13, 0x0a]);
    inbox.reply(({ headers }) => ({ status: 200, body: headers["content-length"] }));
    const answer = await client.exchange(
      { ...post(), headers: { "content-type": "application/x-protobuf" }, body },
      { timeoutMs: 5000, signal: never },
    );
    expect(answer.text).toBe("7");
    expect(inbox.requests[0]?.bytes).toEqual(body);
  });

  it("has no JSON where the body is text", async () => {
    inbox.reply({ status: 200, body: "ok" });
    expect(await exchange()).toMatchObject({ text: "ok", json: undefined });
  });

  it.each([
    ['{"a":1}', { a: 1 }],
    [' \n["a"]', ["a"]],
    ['"ok"', "ok"],
    ["-1.5", -1.5],
    ["0", 0],
    ["true", true],
    ["false", false],
    ["null", null],
    ["ok", undefined],
    ["<html>", undefined],
    ["{broken", undefined],
    ["nothing", undefined],
    ["", undefined],
  ])("reads %j as the JSON it is, or none", async (body, json) => {
    inbox.reply({ status: 200, body });
    expect((await exchange()).json).toEqual(json);
  });

  it("answers with an empty text for an empty body", async () => {
    inbox.reply({ status: 204 });
    expect(await exchange()).toMatchObject({ status: 204, text: "", json: undefined });
  });

  it("takes every status for an answer, a redirect included, and follows none", async () => {
    inbox.reply({ status: 307, headers: { location: `${inbox.url}/elsewhere` } });
    expect((await exchange()).status).toBe(307);
    expect(inbox.requests).toHaveLength(1);
  });

  it("keeps the connection for the next request", async () => {
    for (let turn = 0; turn < 5; turn += 1) await exchange();
    expect(inbox.connections).toBe(1);
  });

  it("reads at most 1 MB and keeps the status of a longer answer", async () => {
    inbox.reply({ status: 200, body: "x".repeat(3 * 1024 * 1024) });
    const answer = await exchange();
    expect(answer.status).toBe(200);
    expect(answer.text).toHaveLength(1024 * 1024);
  });

  it("unpacks a compressed answer without letting it swell beyond 1 MB", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, "A"));
    inbox.reply({ status: 200, headers: { "content-encoding": "gzip" }, body: bomb });
    expect((await exchange()).text).toHaveLength(1024 * 1024);
    inbox.reply({
      status: 200,
      headers: { "content-encoding": "gzip" },
      body: gzipSync('{"a":1}'),
    });
    expect((await exchange()).json).toEqual({ a: 1 });
  });
});

describe("a proxy of the environment", () => {
  const saved = { ...process.env };
  const outside = () => ({ ...post(), url: `http://chat.invalid/hook?token=${SECRET}` });
  let proxied: HttpClient;
  const byProxy = (request: HttpRequest = outside(), timeoutMs = 5000, signal = never) =>
    proxied.exchange(request, { timeoutMs, signal });

  beforeEach(() => {
    process.env["http_proxy"] = inbox.url;
    process.env["no_proxy"] = "";
    proxied = createHttpClient({ userAgent: "kube-crier/test", proxy: true });
  });

  afterEach(() => {
    proxied.close();
    process.env = { ...saved };
  });

  it("carries what leaves the machine, and never what stays on it", async () => {
    inbox.reply({ status: 200, body: "by proxy" });
    expect((await byProxy()).text).toBe("by proxy");
    expect(inbox.requests[0]?.url).toBe(outside().url);

    const local = await startInbox();
    await byProxy({ ...post(), url: `${local.url}/hook` });
    expect(local.requests).toHaveLength(1);
    expect(inbox.requests).toHaveLength(1);
    await local.close();
  });

  it("never carries what is for this machine alone", async () => {
    expect((await failure(byProxy({ ...outside(), direct: true } as HttpRequest))).code).toMatch(
      /ENOTFOUND|EAI_AGAIN/,
    );
    expect(inbox.requests).toHaveLength(0);
  });

  it("carries a request as it would go without it", async () => {
    await Promise.all([exchange(), byProxy()]);
    const told = inbox.requests.map(({ method, body, headers }) => {
      const { host: _host, connection: _connection, ...rest } = headers;
      return { method, body, headers: rest };
    });
    expect(told[1]).toEqual(told[0]);
  });

  it.each(["GET", "POST"])("carries a body that says nothing of its type: %s", async (method) => {
    const bare = { method, headers: {}, body: "\n{}" };
    await byProxy({ ...outside(), ...bare });
    await exchange({ ...post(), ...bare });
    for (const { headers, body } of inbox.requests) {
      expect(headers["content-type"]).toBeUndefined();
      expect(body).toBe("\n{}");
    }
  });

  it("carries a header in any language", async () => {
    await byProxy({ ...outside(), headers: { "x-team": "容器 🔑" } });
    const team = String(inbox.requests[0]?.headers["x-team"]);
    expect(Buffer.from(team, "latin1").toString("utf8")).toBe("容器 🔑");
  });

  it("carries bytes as the bytes they are", async () => {
    const body = Buffer.from([0, 0xff, 0xfe, 0x80, 10]);
    await proxied.exchange({ ...outside(), body }, { timeoutMs: 5000, signal: never });
    expect(inbox.requests[0]?.bytes).toEqual(body);
  });

  it("leaves out the hosts of NO_PROXY", async () => {
    process.env["no_proxy"] = "chat.invalid";
    expect((await failure(byProxy())).code).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(inbox.requests).toHaveLength(0);
  });

  it("brings every status back, a redirect included, and follows none", async () => {
    inbox.reply({ status: 307, headers: { location: `${inbox.url}/elsewhere` }, body: "" });
    expect(await byProxy()).toMatchObject({ status: 307, text: "" });
    expect(inbox.requests).toHaveLength(1);
  });

  it("reads at most 1 MB of an answer", async () => {
    inbox.reply({ status: 200, body: "x".repeat(3_000_000) });
    expect((await byProxy()).text).toHaveLength(1024 * 1024);
  });

  it("ends at once when the caller aborts", async () => {
    inbox.reply("hang");
    const stop = new AbortController();
    const ended = failure(byProxy(outside(), 5000, stop.signal));
    await inbox.received(1);
    stop.abort();
    expect((await ended).wasAborted).toBe(true);
  });

  it.each(["", "\r\nConnection: Upgrade\r\nUpgrade: websocket"])(
    "ends with a server that switches protocols unasked: %j",
    async (upgrade) => {
      inbox.reply({ raw: `HTTP/1.1 101 Switching Protocols${upgrade}\r\n\r\n` });
      const ended = await byProxy(outside(), 200).then(
        ({ status }) => status,
        (error: unknown) => error instanceof TransportError && error.verdict.kind,
      );
      expect([101, "retryable"]).toContain(ended);
    },
  );

  it.each(["gzip", "br"])(
    "takes a body that is said to be %s, and is not, for an answer that says its status alone",
    async (encoding) => {
      inbox.reply({ status: 403, headers: { "content-encoding": encoding }, body: "not packed" });
      expect(await byProxy()).toMatchObject({
        status: 403,
        text: "(a body that cannot be unpacked)",
      });
    },
  );

  it.each([204, 200])("takes a packed answer of no bytes for the %i it is", async (status) => {
    inbox.reply({ status, headers: { "content-encoding": "gzip" } });
    expect(await byProxy()).toMatchObject({ status, text: "" });
  });

  it.each(["hang", "reset", "stall"] as const)(
    "shows no secret where it fails: %s",
    async (reply) => {
      inbox.reply(reply);
      const error = await failure(byProxy(outside(), 60));
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
      expect(error.verdict.kind).toBe("retryable");
    },
  );
});

describe("what a proxy is named by", () => {
  it.each([
    [{ http_proxy: "http://a" }, true],
    [{ HTTPS_PROXY: "http://a" }, true],
    [{ ALL_PROXY: "http://a" }, true],
    [{ HTTPS_PROXY: "" }, false],
    [{ NO_PROXY: "*" }, false],
    [{}, false],
  ])("%j: %s", (env, expected) => {
    expect(namesProxy(env)).toBe(expected);
  });
});

describe("a request", () => {
  it.each([
    ["POST", "", "0"],
    ["PUT", "容器", "6"],
    ["GET", "", undefined],
    ["GET", "{}", "2"],
  ])("%s with the body %j says how long it is", async (method, body, length) => {
    await exchange({ ...post(), method, body });
    const [arrived] = inbox.requests;
    expect(arrived?.body).toBe(body);
    expect(arrived?.headers["content-length"]).toBe(length);
    expect(arrived?.headers).not.toHaveProperty("transfer-encoding");
  });

  it("carries a user and a password of the URL as what they are", async () => {
    const url = inbox.url.replace("://", "://on%20call:p%40ss@");
    await exchange({ ...post(), headers: {}, url: `${url}/hook` });
    const basic = Buffer.from("on call:p@ss").toString("base64");
    expect(inbox.requests[0]?.headers.authorization).toBe(`Basic ${basic}`);
  });

  it.each(["{}", '{"text":"容器"}', ""])(
    "leaves out of a header what HTTP cannot carry, and sends the rest as UTF-8: beside %j",
    async (body) => {
      await exchange({ ...post(), headers: { "x-text": "a\u0000b\r\n 容器\tc é 🔑 d" }, body });
      const [request] = inbox.requests;
      // Node reads a header's bytes as characters, one each.
      const read = Buffer.from(String(request?.headers["x-text"]), "latin1").toString("utf8");
      expect(read).toBe("ab 容器\tc é 🔑 d");
      expect(request?.body).toBe(body);
    },
  );

  it.each([
    ["gzip", gzipSync],
    ["x-gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    [" GZIP ", gzipSync],
  ] as const)(
    "has its answer unpacked that came as %s without being asked",
    async (encoding, pack) => {
      inbox.reply({
        status: 200,
        headers: { "content-encoding": encoding },
        body: pack('{"a":1}'),
      });
      expect((await exchange()).json).toEqual({ a: 1 });
    },
  );

  it.each(["gzip", "deflate", "br"])(
    "whose answer of no bytes is said to be %s has got its answer all the same",
    async (encoding) => {
      for (const status of [204, 200]) {
        inbox.reply({ status, headers: { "content-encoding": encoding } });
        expect(await exchange()).toMatchObject({ status, text: "", json: undefined });
      }
    },
  );

  it("whose answer begins with a byte order mark has it read as without", async () => {
    inbox.reply({ status: 200, body: Buffer.from('\ufeff{"errcode":0}') });
    expect(await exchange()).toMatchObject({ text: '{"errcode":0}', json: { errcode: 0 } });
    // Only the first is a mark; in a text it is a character.
    inbox.reply({ status: 200, body: Buffer.from("\ufeff\ufeffok\ufeff") });
    expect((await exchange()).text).toBe("\ufeffok\ufeff");
  });

  it.each([
    ["gzip", 200],
    ["deflate", 204],
    ["br", 200],
    ["gzip", 400],
  ])(
    "whose answer is said to be %s and is not has got its status, %i, all the same",
    async (encoding, status) => {
      inbox.reply({ status, headers: { "content-encoding": encoding }, body: "not packed" });
      const answer = await exchange();
      expect(answer.status).toBe(status);
      expect(answer.json).toBeUndefined();
      expect(answer.text).toBe(status === 204 ? "" : "(a body that cannot be unpacked)");
    },
  );

  it("whose packed answer is broken off has none", async () => {
    const packed = gzipSync(JSON.stringify({ errcode: 0, errmsg: "x".repeat(2000) }));
    const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`;
    const server = await RawServer.start();
    onTestFinished(() => server.close());
    server.speaks((socket) => {
      socket.write(head);
      socket.end(packed.subarray(0, packed.length - 9));
    });
    const { verdict } = await failure(exchange({ ...post(), url: server.url }));
    expect(verdict).toMatchObject({ kind: "retryable", reason: "network" });
  });

  it.each([
    [1024 * 1024 - 1, undefined],
    [1024 * 1024, undefined],
    [1024 * 1024 + 1, true],
  ])("whose answer has %i bytes knows whether all of it was read", async (bytes, isCut) => {
    inbox.reply({ status: 200, body: "x".repeat(bytes) });
    const answer = await exchange();
    expect(answer.isCut).toBe(isCut);
    expect(answer.text).toHaveLength(Math.min(bytes, 1024 * 1024));
  });
});

describe("an exchange without an answer", () => {
  it("times out on a server that never answers, as retryable, and closes the socket", async () => {
    inbox.reply("hang");
    const error = await failure(exchange(post(), 50));
    expect(error.verdict).toMatchObject({ kind: "retryable", reason: "timeout" });
    expect(error.message).toContain("50 ms");
    await (
      await inbox.received(1)
    ).closed;
  });

  it("times out on an answer that stops half way", async () => {
    inbox.reply("stall");
    expect((await failure(exchange(post(), 80))).verdict).toMatchObject({ reason: "timeout" });
    await (
      await inbox.received(1)
    ).closed;
  });

  it("ends at once when the caller aborts, and closes the socket", async () => {
    inbox.reply("hang");
    const stop = new AbortController();
    const failing = failure(exchange(post(), 60_000, stop.signal));
    const request = await inbox.received(1);
    stop.abort();
    expect((await failing).wasAborted).toBe(true);
    await request.closed;
  });

  it.each(["", "\r\nConnection: Upgrade\r\nUpgrade: websocket"])(
    "has the status alone of a server that switches protocols unasked: %j",
    async (upgrade) => {
      inbox.reply({ raw: `HTTP/1.1 101 Switching Protocols${upgrade}\r\n\r\n` });
      expect(await exchange(post(), 2000)).toMatchObject({ status: 101, text: "" });
    },
  );

  it.each([
    ["that promises one and sends none", "HTTP/1.1 100 Continue\r\n\r\n", "timeout"],
    ["in another language", "220 mail.example.com ESMTP\r\n", "server"],
    ["of headers without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}\r\n`, "server"],
    [
      "in pieces of no length",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "network",
    ],
  ])("is a failure that may pass where something comes %s", async (_, raw, reason) => {
    inbox.reply({ raw });
    const error = await failure(exchange(post(), 300));
    expect(error.verdict).toMatchObject({ kind: "retryable", reason });
  });

  it("sends nothing when the caller has aborted already", async () => {
    const stop = new AbortController();
    stop.abort();
    expect((await failure(exchange(post(), 1000, stop.signal))).wasAborted).toBe(true);
    expect(inbox.requests).toHaveLength(0);
  });

  it("says who refused it when nothing listens", async () => {
    const request = post();
    await inbox.close();
    const error = await failure(exchange(request));
    expect(error).toMatchObject({
      code: "ECONNREFUSED",
      verdict: { kind: "retryable", reason: "network" },
    });
    inbox = await startInbox();
  });

  it("takes a reset of a fresh connection for a network failure", async () => {
    inbox.reply("reset");
    expect((await failure(exchange())).verdict).toMatchObject({
      kind: "retryable",
      reason: "network",
    });
    expect(inbox.requests).toHaveLength(1);
  });

  it("never sends twice by itself, not even where a kept connection was dead: the budget is the lane's", async () => {
    await exchange();
    inbox.reply("reset");
    expect((await failure(exchange())).verdict).toMatchObject({ kind: "retryable" });
    expect(inbox.requests).toHaveLength(2);
  });

  it("refuses a header name HTTP does not allow as a mistake of the configuration", async () => {
    const error = await failure(exchange({ ...post(), headers: { "x bad": "a" } }));
    expect(error.verdict).toMatchObject({ kind: "permanent", reason: "config" });
    expect(inbox.requests).toHaveLength(0);
  });

  it("lets no header value smuggle a second header in", async () => {
    await exchange({ ...post(), headers: { "x-text": "a\r\nx-smuggled: 1" } });
    expect(inbox.requests[0]?.headers).not.toHaveProperty("x-smuggled");
  });

  it("refuses a URL that is none", async () => {
    const error = await failure(exchange({ ...post(), url: "https://" }));
    expect(error.verdict).toMatchObject({ kind: "permanent", reason: "config" });
  });

  it.each(["hang", "reset", "stall"] as const)(
    "shows no secret in any form of the error: %s",
    async (reply) => {
      inbox.reply(reply);
      const error = await failure(exchange(post(), 60));
      const shown = [
        String(error),
        error.stack ?? "",
        JSON.stringify(error),
        JSON.stringify(
          Object.getOwnPropertyNames(error).map((name) => error[name as keyof TransportError]),
        ),
        inspect(error, { depth: 20, showHidden: true }),
        JSON.stringify(error.verdict),
      ].join("\n");
      expect(shown).not.toContain(SECRET);
      expect(shown).not.toContain("/hook");
      expect(error.cause).toBeUndefined();
    },
  );
});

describe("the verdict on a failed exchange", () => {
  const coded = (code: string) => Object.assign(new Error(`https://host/${SECRET}`), { code });

  it.each([
    ["ENOTFOUND", "retryable", "network"],
    ["EAI_AGAIN", "retryable", "network"],
    ["EPIPE", "retryable", "network"],
    ["ETIMEDOUT", "retryable", "timeout"],
    ["CERT_HAS_EXPIRED", "retryable", "tls"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "retryable", "tls"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "retryable", "tls"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "retryable", "tls"],
    ["HPE_INVALID_CONSTANT", "retryable", "server"],
    ["ERR_INVALID_URL", "permanent", "config"],
    ["E_SOMETHING_NEW", "retryable", "unknown"],
  ])("%s is %s (%s)", (code, kind, reason) => {
    const verdict = transportVerdict(coded(code));
    expect(verdict).toMatchObject({ kind, reason });
    expect(JSON.stringify(verdict)).toContain(code);
    expect(JSON.stringify(verdict)).not.toContain(SECRET);
  });

  it.each([null, undefined, "text", 7, {}, new Error(SECRET), { code: `leak ${SECRET}` }])(
    "is total: %j",
    (thrown) => {
      const verdict = transportVerdict(thrown);
      expect(verdict).toMatchObject({ kind: "retryable", reason: "unknown" });
      expect(JSON.stringify(verdict)).not.toContain(SECRET);
    },
  );

  it("looks behind a vague code at its cause", () => {
    const vague = Object.assign(new Error("x"), {
      code: "ERR_NETWORK",
      cause: coded("ECONNRESET"),
    });
    expect(transportVerdict(vague)).toMatchObject({ reason: "network" });
  });
});
