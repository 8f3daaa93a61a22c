import { connect } from "node:net";
import { text as textOf } from "node:stream/consumers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { aPageSite } from "../../support/page.ts";

/** Bytes as they are, and all that is answered. */
async function said(url: string, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.end(Buffer.from(bytes, "latin1"));
  return textOf(socket).catch(() => "");
}

const HOST = "Host: 127.0.0.1\r\nConnection: close\r\n\r\n";

describe("bytes that no browser sends", () => {
  it.each([
    ["a host of two words", "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400],
    ["no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["no host, before 1.1", "GET / HTTP/1.0\r\n\r\n", 400],
    ["an empty host", "GET / HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n", 400],
    ["a host with a path", "GET / HTTP/1.1\r\nHost: 127.0.0.1/x\r\nConnection: close\r\n\r\n", 400],
    ["a host with a user", "GET / HTTP/1.1\r\nHost: a@127.0.0.1\r\nConnection: close\r\n\r\n", 400],
    [
      "a port there is not",
      "GET / HTTP/1.1\r\nHost: 127.0.0.1:99999\r\nConnection: close\r\n\r\n",
      400,
    ],
    ["half an address", `GET http:// HTTP/1.1\r\n${HOST}`, 400],
    ["another protocol's address", `GET ftp://x/ HTTP/1.1\r\n${HOST}`, 400],
    ["a path that begins with a backslash", `GET /\\evil.example HTTP/1.1\r\n${HOST}`, 400],
    ["a path of another host", `GET //evil.example/ HTTP/1.1\r\n${HOST}`, 404],
    ["a zero byte", `GET /?q=\0 HTTP/1.1\r\n${HOST}`, 400],
    ["letters that are not ASCII", `GET /\xff HTTP/1.1\r\n${HOST}`, 400],
    ["a method there is not", `BREW / HTTP/1.1\r\n${HOST}`, 400],
    ["OPTIONS of the server", `OPTIONS * HTTP/1.1\r\n${HOST}`, 400],
    ["TRACE", `TRACE / HTTP/1.1\r\nX-Secret: s3cret\r\n${HOST}`, 403],
    ["an address of 20 KB", `GET /${"a".repeat(20_000)} HTTP/1.1\r\n${HOST}`, 431],
    ["a header of 20 KB", `GET / HTTP/1.1\r\nX: ${"a".repeat(20_000)}\r\n${HOST}`, 431],
    [
      "two lengths",
      `POST /login HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n${HOST}abc`,
      400,
    ],
    [
      "a length and parts",
      `POST /login HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n${HOST}0\r\n\r\n`,
      400,
    ],
    ["a length below zero", `POST /login HTTP/1.1\r\nContent-Length: -3\r\n${HOST}`, 400],
    [
      "an upgrade",
      `GET /api/v1/whoami HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nHost: 127.0.0.1\r\n\r\n`,
      200,
    ],
  ])("%s is answered, and nothing breaks", async (_, bytes, status) => {
    const printed = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => printed.mockRestore());
    const site = await aPageSite();
    const answer = await said(site.url, bytes);
    expect(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]).toBe(String(status));
    expect(answer).not.toMatch(/s3cret|evil\.example|at .*\.ts/);
    expect([printed.mock.calls, site.failures]).toEqual([[], []]);
    expect((await site.get("/api/v1/whoami")).status).toBe(200);
  });

  it("a tunnel is not opened", async () => {
    const site = await aPageSite();
    expect(await said(site.url, `CONNECT 10.0.0.1:443 HTTP/1.1\r\n${HOST}`)).toBe("");
  });
});
