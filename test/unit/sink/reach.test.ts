import { readFileSync } from "node:fs";
import net, { type AddressInfo, type Socket } from "node:net";
import path from "node:path";
import tls from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { hostOf, reach } from "../../../src/sink/reach.ts";
import { Secret } from "../../../src/sink/secret.ts";
import { FakeClock } from "../../support/clock.ts";

/** What `kube-crier check` learns of a sink's address: whether it answers, and not a word to whoever is there. */
const TLS = path.resolve(import.meta.dirname, "../../fixtures/kube-apiserver/tls");
const never = new AbortController().signal;

interface Listening {
  readonly url: (scheme: "http" | "https", host?: string) => URL;
  readonly port: number;
  /** Resolves with all that the first who came said, once he has gone. */
  readonly heard: Promise<string>;
}

async function listen(server: net.Server, host = "127.0.0.1"): Promise<Listening> {
  const sockets = new Set<Socket>();
  const heard = Promise.withResolvers<string>();
  server.on(server instanceof tls.Server ? "secureConnection" : "connection", (socket: Socket) => {
    const chunks: Buffer[] = [];
    sockets.add(socket);
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => heard.resolve(Buffer.concat(chunks).toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    heard: heard.promise,
    url: (scheme, name = "127.0.0.1") => new URL(`${scheme}://${name}:${port}/hook/s3cret-path`),
  };
}

describe("a knock at an address", () => {
  it("is heard where somebody listens, who is told nothing and left at once", async () => {
    const { url, port, heard } = await listen(net.createServer());
    const clock = new FakeClock();
    expect(await reach(url("http"), clock, never)).toEqual({
      kind: "answers",
      host: `127.0.0.1:${port}`,
    });
    expect(await heard).toBe("");
    // Nothing of it goes on.
    expect(clock.sleeping).toBe(0);
  });

  it("finds nobody where nothing listens, and says so without the path, which is a password", async () => {
    const server = net.createServer();
    const { url, port } = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const found = await reach(url("http"), new FakeClock(), never);
    expect(found).toEqual({
      kind: "away",
      host: `127.0.0.1:${port}`,
      problem: "the connection was refused: nothing listens there (ECONNREFUSED)",
    });
  });

  it("does not count where the certificate is a stranger's", async () => {
    const server = tls.createServer({
      cert: readFileSync(path.join(TLS, "server.crt")),
      key: readFileSync(path.join(TLS, "server.key")),
    });
    const { url } = await listen(server);
    const found = await reach(url("https"), new FakeClock(), never);
    expect(found).toMatchObject({
      kind: "away",
      problem: expect.stringContaining("NODE_EXTRA_CA_CERTS") as unknown,
    });
    expect(JSON.stringify(found)).not.toContain("s3cret");
  });

  it("does not count where what listens speaks no TLS", async () => {
    const server = net.createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
    const { url } = await listen(server);
    expect(await reach(url("https"), new FakeClock(), never)).toMatchObject({ kind: "away" });
  });

  it("is given up after five seconds where the handshake does not end", async () => {
    const { url, heard } = await listen(net.createServer());
    const clock = new FakeClock();
    const knocking = reach(url("https"), clock, never);
    await clock.advance(4_999);
    expect(clock.sleeping).toBe(1);
    await clock.advance(1);
    expect(await knocking).toMatchObject({
      kind: "away",
      problem: expect.stringContaining("within 5000 ms") as unknown,
    });
    await heard;
  });

  it("ends when the program is told to end", async () => {
    const { url } = await listen(net.createServer());
    const stop = new AbortController();
    const knocking = reach(url("https"), new FakeClock(), stop.signal);
    stop.abort();
    expect(await knocking).toMatchObject({ kind: "away" });
  });

  it("has nowhere to go without an address", async () => {
    expect(await reach(null, new FakeClock(), never)).toEqual({ kind: "none" });
  });
});

describe("the address among a sink's options", () => {
  it.each([
    ["https://hooks.slack.com/services/T/B/x", "hooks.slack.com"],
    ["http://127.0.0.1:8080/robot/send?access_token=x", "127.0.0.1:8080"],
    ["https://user:passw0rd@[2001:db8::1]:8443/x", "[2001:db8::1]:8443"],
  ])("of %s is %s", (address, host) => {
    expect(hostOf({ webhook: new Secret(address) }, "webhook")?.host).toBe(host);
  });

  it.each([
    ["a database's, whose sink asks by itself", { dsn: new Secret("mysql://u:p@db/x") }, "dsn"],
    ["brokers'", { brokers: ["kafka:9092"] }, "brokers"],
    ["what is no address", { webhook: new Secret("not a URL") }, "webhook"],
    ["one that is not given", {}, "webhook"],
    ["one of a sink that has none", { format: "json" }, null],
  ])("is not %s", (_, options, target) => {
    expect(hostOf(options, target)).toBeNull();
  });
});
