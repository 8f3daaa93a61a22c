import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import type { KubeClient } from "../../../src/source/kubernetes/transport.ts";
import { FakeClock } from "../../support/clock.ts";
import { RawServer } from "../../support/raw-server.ts";

/** Answers as servers, gateways and broken networks give them, byte for byte. */

const { signal } = new AbortController();
const JSON_HEADERS = "Content-Type: application/json\r\n";
let server: RawServer;
let clock: FakeClock;
const clients: KubeClient[] = [];

beforeEach(async () => {
  server = await RawServer.start();
  clock = new FakeClock();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

function connect(user: unknown = { token: "s3cret-token" }, url = server.url): KubeClient {
  const kubeconfig = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-raw-")), "kubeconfig");
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      "current-context": "a",
      clusters: [{ name: "c", cluster: { server: url } }],
      users: [{ name: "u", user }],
      contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
    }),
  );
  const client = createKubeClient({ kubeconfig, context: null }, { clock });
  clients.push(client);
  return client;
}

const ask = (client = connect()): Promise<unknown> => client.get("/api/v1/events", {}, signal);
const refused = (answer: Promise<unknown>): Promise<Error> =>
  answer.then(
    (value) => Promise.reject(new Error(`it was answered: ${JSON.stringify(value)}`)),
    (error: unknown) => error as Error,
  );

/** As HTTP/1.1 sends what has no known length. */
function chunked(body: Buffer, lengths: readonly number[]): Buffer {
  const parts: Buffer[] = [
    Buffer.from("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"),
  ];
  for (const part of cut(body, lengths))
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

function* cut(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, part = 0; at < bytes.length; part += 1) {
    const length = lengths[part % lengths.length] ?? 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

describe("an answer that is well", () => {
  it("is what was sent, wherever its chunks and its packets end, within a character too", async () => {
    const client = connect();
    const lengths = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 });
    const text = fc.array(fc.constantFrom("a", "é", "你", "😀", "\u2028", "\u0000"));
    await fc.assert(
      fc.asyncProperty(text, lengths, lengths, async (letters, chunks, packets) => {
        const body = { items: [{ message: letters.join("") }] };
        server.dribbles(cut(chunked(Buffer.from(JSON.stringify(body)), chunks), packets));
        expect(await ask(client)).toEqual(body);
      }),
      { numRuns: 50 },
    );
  });

  it("may come after others that only say that it will", async () => {
    server.says(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.1 200 OK\r\n${JSON_HEADERS}Content-Length: 2\r\n\r\n{}`,
    );
    expect(await ask()).toEqual({});
  });

  it("may be a whole one of the old kind, which ends with its connection", async () => {
    server.says(`HTTP/1.0 200 OK\r\n\r\n{"kind":"EventList"}`);
    expect(await ask()).toEqual({ kind: "EventList" });
  });

  it("is asked for plain, for nobody here could unpack it, and with all that lets us in", async () => {
    server.says(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`);
    await connect().get("/api/v1/events", { limit: "5", continue: "a+b/c= &" }, signal);
    const [head = "", ...headers] = server.requests[0]?.split("\r\n") ?? [];
    expect(head).toBe("GET /api/v1/events?limit=5&continue=a%2Bb%2Fc%3D+%26 HTTP/1.1");
    expect(headers).toContain("Authorization: Bearer s3cret-token");
    expect(headers).toContain("Accept: application/json");
    expect(headers.join("\n")).not.toMatch(/accept-encoding/i);
  });

  it.each([
    ["post", "POST", 201, "application/json"],
    ["put", "PUT", 200, "application/json"],
    ["patch", "PATCH", 200, "application/merge-patch+json"],
  ] as const)("to a %s is what is there then", async (verb, method, status, type) => {
    server.says(`HTTP/1.1 ${status} \r\nContent-Length: 9\r\n\r\n{"now":1}`);
    expect(await connect()[verb]("/apis/x", { text: "é" }, signal)).toEqual({ now: 1 });
    const [request = ""] = server.requests;
    expect(request).toMatch(new RegExp(`^${method} /apis/x HTTP/1\\.1\r\n`));
    expect(request).toContain(`\r\nContent-Type: ${type}\r\n`);
    expect(Buffer.from(request.split("\r\n\r\n")[1] ?? "", "latin1").toString()).toBe(
      '{"text":"é"}',
    );
  });

  it("comes from an address of IPv6 as well", async () => {
    const six = await RawServer.start("::1");
    try {
      six.says(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`);
      expect(await ask(connect({}, six.url))).toEqual({});
      expect(six.requests[0]).toMatch(/\r\nHost: \[::1\]:\d+\r\n/);
    } finally {
      await six.close();
    }
  });
});

describe("an answer that is broken off is none, and never taken for the half that came", () => {
  it.each([
    ["before its first byte", "", "end"],
    ["in its status", "HTTP/1.1 2", "end"],
    ["in its headers", "HTTP/1.1 200 OK\r\nContent-Ty", "end"],
    ["before the length it promised", `HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}`, "end"],
    [
      "before its last chunk",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`,
      "end",
    ],
    [
      "with a chunk that has no length",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
      "nothing",
    ],
    ["by a reset", `HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}`, "reset"],
    ["in a refusal", `HTTP/1.1 403 Forbidden\r\nContent-Length: 99\r\n\r\n{"reason":"For`, "end"],
    ["for it is no HTTP", "SSH-2.0-OpenSSH_9.6\r\n", "nothing"],
    [
      "for its headers have no end",
      `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}\r\n\r\n{}`,
      "nothing",
    ],
  ] as const)("%s", async (_, text, then) => {
    server.says(text, then);
    const error = await refused(ask());
    expect(error).toMatchObject({ name: "ConnectionError", permanent: false, tooLarge: false });
    expect(error.message).toMatch(`no connection to ${server.url}: `);
    server.says(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}`);
    expect(await ask(clients.at(-1)), "the next one is asked anew").toEqual({});
  });
});

describe("an answer that is another than was asked for", () => {
  const gzipped = gzipSync('{"kind":"EventList","items":[]}').toString("latin1");

  it.each([
    ["a page for people", "<html>Log in</html>"],
    ["nothing", ""],
    ["half of it, as if it were all", '{"items":['],
    ["packed", gzipped],
  ])("(%s) is no answer", async (_, body) => {
    server.speaks((socket) => {
      socket.end(
        Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`, "latin1"),
      );
    });
    expect(await refused(ask())).toMatchObject({
      name: "ConnectionError",
      message: `${server.url}/api/v1/events answered something that is not JSON`,
    });
  });

  it.each([200, 202, 204, 301, 302, 307, 308, 304, 404, 599])(
    "(%i to a create) is an error with its status, and no other place is asked",
    async (status) => {
      const elsewhere = await RawServer.start();
      elsewhere.says("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
      server.says(
        `HTTP/1.1 ${status} \r\nLocation: ${elsewhere.url}/\r\nContent-Length: 0\r\n\r\n`,
      );
      expect(await refused(connect().post("/apis/x", {}, signal))).toMatchObject({
        name: "ApiError",
        status,
        message: `the API server answered ${status}`,
      });
      expect(elsewhere.requests, "a token goes to whom it is for").toEqual([]);
      await elsewhere.close();
    },
  );

  it.each([
    ["7", 7_000],
    [" 12 ", 12_000],
    ["0", 0],
    ["-5", null],
    ["1e3", null],
    ["soon", null],
    ["Wed, 21 Oct 2026 07:28:00 GMT", null],
    ["99999999", null],
  ])("says when to come again by whole seconds: Retry-After: %s", async (value, ms) => {
    server.says(`HTTP/1.1 503 Unavailable\r\nRetry-After: ${value}\r\nContent-Length: 0\r\n\r\n`);
    expect(await refused(ask())).toMatchObject({ status: 503, retryAfterMs: ms });
  });

  it.each([
    ["a token", { token: "s3cret-token" }, "Authorization: Bearer s3cret-token"],
    ["a password", { username: "eve", password: "pa$$" }, "eve may not come in with pa$$"],
    ["both in one", { username: "eve", password: "pa$$" }, "Authorization: Basic ZXZlOnBhJCQ="],
  ])("does not repeat %s that it quotes", async (_, user, quoted) => {
    const body = `no entry: ${quoted} (again: ${quoted})`;
    server.says(`HTTP/1.1 401 No\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const { message } = await refused(ask(connect(user)));
    expect(message.match(/<redacted>/g)).toHaveLength(2);
    expect(message).not.toMatch(/s3cret|pa\$\$|ZXZl/);
  });

  it("is quoted up to 500 characters, whatever its bytes are", async () => {
    server.speaks((socket) => {
      socket.write("HTTP/1.1 502 Bad\r\nContent-Length: 90000\r\n\r\n");
      socket.end(Buffer.alloc(90_000, 0xff));
    });
    const { message } = await refused(ask());
    expect(message).toMatch(/^the API server answered 502: \ufffd+…$/u);
    expect(message.length).toBeLessThan(540);
  });
});

describe("an answer that does not come", () => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";

  it.each([
    ["a list", 70, (client: KubeClient) => client.get("/a", {}, signal)],
    ["a create", 30, (client: KubeClient) => client.post("/a", {}, signal)],
    ["a replacement", 30, (client: KubeClient) => client.put("/a", {}, signal)],
    ["a patch", 30, (client: KubeClient) => client.patch("/a", {}, signal)],
    ["a watch", 30, (client: KubeClient) => client.stream("/a", {}, signal)],
  ])("to %s is given up after %i s, and its connection let go", async (what, seconds, request) => {
    // The head of a watch is all that is waited for.
    server.says(what === "a watch" ? "HTTP/1.1 " : head, "nothing");
    const answer = refused(request(connect()));
    await server.until(() => server.requests.length === 1);
    await clock.advance(seconds * 1_000 - 1);
    expect(server.connections).toBe(1);
    await clock.advance(1);
    expect(await answer).toMatchObject({
      name: "ConnectionError",
      permanent: false,
      message: `no answer from ${server.url} within ${seconds} s`,
    });
    await server.until(() => server.connections === 0);
    expect(clock.sleeping).toBe(0);
  });

  it("to whom it is for any more is let go at once", async () => {
    server.says(head, "nothing");
    const stop = new AbortController();
    const answer = refused(connect().get("/a", {}, stop.signal));
    await server.until(() => server.requests.length === 1);
    stop.abort();
    await answer;
    await server.until(() => server.connections === 0);
    expect(clock.sleeping).toBe(0);
  });

  it("is not asked for by who is told to stop before", async () => {
    await expect(connect().get("/a", {}, AbortSignal.abort())).rejects.toThrow("aborted");
    await expect(connect().stream("/a", {}, AbortSignal.abort())).rejects.toThrow("aborted");
    expect(server.requests).toEqual([]);
  });
});

describe("an open answer", () => {
  it("ends with its signal, also where nobody reads it", async () => {
    server.says("HTTP/1.1 200 OK\r\n\r\nsome", "nothing");
    const stop = new AbortController();
    const response = await connect().stream("/a", {}, stop.signal);
    expect(response.destroyed).toBe(false);
    stop.abort();
    await server.until(() => server.connections === 0);
    expect(response.destroyed).toBe(true);
  });

  it("goes on after the time that its head may take", async () => {
    const { promise: said, resolve } = Promise.withResolvers<void>();
    server.speaks(async (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n");
      await said;
      socket.end("3\r\nllo\r\n0\r\n\r\n");
    });
    const response = await connect().stream("/a", {}, signal);
    await clock.advance(3_600_000);
    resolve();
    expect((await response.toArray()).join("")).toBe("hello");
  });
});
