import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import riemann from "../../sinks/riemann.ts";
import { readAddress } from "../../sinks/riemann/address.ts";
import { decodeReply, encodeEvent, frame } from "../../sinks/riemann/protobuf.ts";
import type { DirectSink, Message, Verdict } from "../../src/sink/index.ts";
import { aDigest, aGap } from "../support/alerts.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor, problemsWith } from "../support/messages.ts";
import {
  eventsOf,
  type ReadEvent,
  type RiemannServer,
  startRiemann,
  TLS,
} from "../support/riemann.ts";
import { quietIo, sinkFrom } from "../support/sinks.ts";

const never = new AbortController().signal;
const accepted: Verdict = { kind: "accepted" };
const cleanup: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const clean of cleanup.splice(0).toReversed()) await clean();
});

async function serve(secure?: "tls" | "mutual"): Promise<RiemannServer> {
  const server = await startRiemann(secure);
  cleanup.push(() => server.close());
  return server;
}

function open(given: Readonly<Record<string, unknown>>, io = quietIo()): DirectSink {
  if (riemann.transport !== "direct") throw new Error("riemann speaks no HTTP");
  const sink = riemann.create(optionsFor(riemann, given), io);
  cleanup.push(() => sink.close());
  return sink;
}

/** The one event that the server got for a message. */
async function received(message: Message, given = {}): Promise<ReadEvent> {
  const server = await serve();
  expect(await open({ address: server.address, ...given }).deliver(message, never)).toEqual(
    accepted,
  );
  expect(server.messages).toHaveLength(1);
  const [[event] = []] = server.messages;
  if (event === undefined) throw new Error("no event");
  return event;
}

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    aMessage({ event: anEvent({ uid: `u${index + from}`, message: `m${index + from}` }) }),
  );
const told = (server: RiemannServer) =>
  server.messages.map((events) => events.map(({ description }) => description));

describe("an event in Riemann", () => {
  it("is what kube-eventer made of it, at its own time", async () => {
    const event = anEvent({ lastSeen: "2026-11-20T08:05:30.123456Z" });
    expect(await received(aMessage({ event }))).toEqual({
      time: 1795161930n,
      timeMicros: 1795161930123456n,
      state: "warning",
      service: "Pod.BackOff",
      host: "node-1",
      description: "Back-off restarting failed container web in pod web-7d4b9c",
      tags: ["heapster"],
      ttl: 60,
      attributes: {
        namespace: "shop",
        uid: "0c0ffee0-1111-2222-3333-444455556666",
        name: "web-7d4b9c",
        "api-version": "v1",
        "field-path": "spec.containers{web}",
        component: "kubelet",
        "last-timestamp": "1795161930",
        "first-timestamp": "1795161600",
        cluster: "prod-a",
        "event-uid": "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
        "event-resource-version": "81234",
      },
      metric: 12n,
    });
  });

  it.each([
    ["Normal", {}, "ok"],
    ["Warning", {}, "warning"],
    ["Strange", {}, "warning"],
    ["Normal", { state: "info" }, "info"],
    ["Normal", { state: "" }, "ok"],
    ["Warning", { state: "ok" }, "warning"],
  ])("of type %s, with %j, is %s", async (type, given, state) => {
    expect((await received(aMessage({ event: anEvent({ type }) }), given)).state).toBe(state);
  });

  it("has the tags and the time to live it is told to have", async () => {
    const event = await received(aMessage(), { tags: ["foo", "bar"], ttl: 2.5 });
    expect(event).toMatchObject({ tags: ["foo", "bar"], ttl: 2.5 });
    expect((await received(aMessage(), { tags: [] })).tags).toEqual([]);
  });

  it.each<[string, Parameters<typeof anEvent>[0], string | null]>([
    ["of the node that reports it", {}, "node-1"],
    [
      "of the node it is about",
      { reporter: { host: null }, object: { kind: "Node", name: "node-3" } },
      "node-3",
    ],
    ["the cluster, where no host is named", { reporter: { host: null } }, "prod-a"],
    ["none, where nothing is named", { reporter: { host: null }, cluster: "" }, null],
  ])("has a host: %s", async (_, changes, host) => {
    expect((await received(aMessage({ event: anEvent(changes) }))).host).toBe(host);
  });

  it("is a gap, too, and no digest: its events are told themselves", async () => {
    expect(await received(aMessage({ event: null, alert: aGap() }))).toMatchObject({
      service: "Cluster.HistoryGap",
      state: "warning",
      time: 1795140540n,
    });
    const verdict = await open({}).deliver(aMessage({ event: null, alert: aDigest() }), never);
    expect(verdict).toMatchObject({ kind: "permanent", reason: "rejected" });
  });

  it.each(['quote " \\ \n\t\u0000', "容器 👩‍👩‍👧 \u2028", "x".repeat(300), ""])(
    "keeps its message to the letter: %j",
    async (message) => {
      expect((await received(aMessage({ event: anEvent({ message }) }))).description).toBe(message);
    },
  );

  it("is cut where it is a megabyte, which is said in it", async () => {
    const event = anEvent({ message: "容".repeat(1_000_000), reason: "r".repeat(5_000) });
    const { description, service } = await received(aMessage({ event }));
    expect(description).toMatch(/容… \(64000 of 1000000 characters\)$/);
    expect(service).toHaveLength(1022);
  });
});

/** Written by protobufjs 8.8.1 from the proto file: of what encodeEvent is given here, and the same before 1970 with a negative metric. */
const VECTOR =
  "32550880e2cfaa0612077761726e696e671a0b506f642e4261636b4f666622066e6f64652d312a06e5aeb92068693a01613a016245000072424a060a016b1201764a090a05656d707479120050c0c480c1c1c482036818325c08ffffffffffffffffff0112077761726e696e671a0b506f642e4261636b4f666622066e6f64652d312a06e5aeb92068693a01613a016245000072424a060a016b1201764a090a05656d707479120050c0fbc2ffffffffffff016805";

describe("the wire", () => {
  const event = {
    timeMicros: 1_700_000_000_123_456,
    state: "warning",
    service: "Pod.BackOff",
    host: "node-1",
    description: "容 hi",
    tags: ["a", "b"],
    ttl: 60.5,
    attributes: { k: "v", empty: "" },
    metric: 12,
  };

  it("is that of another implementation, byte for byte", () => {
    const framed = frame(
      [event, { ...event, timeMicros: -1_000_000, metric: -3 }].map(encodeEvent),
    );
    expect(framed.subarray(4).toString("hex")).toBe(VECTOR);
    expect(framed.readUInt32BE()).toBe(framed.length - 4);
    expect(eventsOf(Buffer.from(VECTOR, "hex"))[1]).toMatchObject({ time: -1n, metric: -3n });
  });

  it.each([
    ["1001", { ok: true, error: "" }],
    ["10001a086e6f20696e646578", { ok: false, error: "no index" }],
    // Fields that a later server may add, of every wire type.
    ["08ff012101020304050607082d010203043201611001", { ok: true, error: "" }],
    ["", null],
    ["10", null],
    ["1a05", null],
    ["1aff", null],
    ["13", null],
    ["10ffffffffffffffffffffff", null],
  ])("an answer %s is read as %j", (hex, reply) => {
    expect(decodeReply(Buffer.from(hex, "hex"))).toEqual(reply);
  });
});

describe("many events", () => {
  it("go in one message, on one connection, each once", async () => {
    const server = await serve();
    const sink = open({ address: server.address });
    const verdicts = await Promise.all(numbered(300).map((one) => sink.deliver(one, never)));
    expect(verdicts).toEqual(Array.from({ length: 300 }, () => accepted));
    expect(told(server)).toEqual([Array.from({ length: 300 }, (_, index) => `m${index}`)]);
    await sink.deliver(aMessage(), never);
    expect(server.connections).toBe(1);
  });

  it("go in messages of batchsize", async () => {
    const server = await serve();
    const sink = open({ address: server.address, batchSize: 150 });
    await Promise.all(numbered(400).map((one) => sink.deliver(one, never)));
    expect(server.messages.map((events) => events.length)).toEqual([150, 150, 100]);
    expect(riemann.limits(optionsFor(riemann, { batchSize: 150 })).concurrency).toBe(150);
  });

  it("go in messages of a megabyte", async () => {
    const server = await serve();
    const sink = open({ address: server.address });
    const large = Array.from({ length: 40 }, () =>
      aMessage({ event: anEvent({ message: "x".repeat(60_000) }) }),
    );
    await Promise.all(large.map((one) => sink.deliver(one, never)));
    expect(server.messages.map((events) => events.length)).toEqual([16, 16, 8]);
  });

  it("that come while the server is busy go with the next message", async () => {
    const server = await serve();
    server.reply("hang");
    const sink = open({ address: server.address });
    const first = sink.deliver(aMessage({ event: anEvent({ message: "first" }) }), never);
    await server.received(1);
    const rest = numbered(3).map((one) => sink.deliver(one, never));
    server.reply({ ok: true });
    server.release({ ok: true });
    expect(await Promise.all([first, ...rest])).toEqual(Array.from({ length: 4 }, () => accepted));
    expect(told(server)).toEqual([["first"], ["m0", "m1", "m2"]]);
  });
});

describe("a refusal", () => {
  it("of one event among many harms no other", async () => {
    const server = await serve();
    server.reply((events) =>
      events.some(({ description }) => description === "m77")
        ? { ok: false, error: "NullPointerException" }
        : { ok: true },
    );
    const sink = open({ address: server.address });
    const verdicts = await Promise.all(numbered(100).map((one) => sink.deliver(one, never)));
    expect(verdicts.map(({ kind }, index) => (kind === "accepted" ? -1 : index))).toEqual(
      Array.from({ length: 100 }, (_, index) => (index === 77 ? 77 : -1)),
    );
    expect(verdicts[77]).toEqual({
      kind: "retryable",
      reason: "server",
      detail:
        "Riemann refused it with: NullPointerException; a stream of its configuration failed, see the server's log",
    });
  });

  it("of everything is not asked for a hundred times", async () => {
    const server = await serve();
    server.reply({ ok: false });
    const sink = open({ address: server.address });
    const verdicts = await Promise.all(numbered(100).map((one) => sink.deliver(one, never)));
    for (const verdict of verdicts)
      expect(verdict).toMatchObject({
        kind: "retryable",
        detail: expect.stringContaining("without a word") as unknown,
      });
    expect(server.messages.length).toBeLessThan(35);
    expect(server.connections).toBe(1);
  });
});

describe("a connection", () => {
  it("that was closed while nothing was to be told is made anew, and nothing is lost", async () => {
    const server = await serve();
    const sink = open({ address: server.address });
    for (const message of numbered(3)) {
      expect(await sink.deliver(message, never)).toEqual(accepted);
      await server.hangUp();
    }
    expect(told(server)).toEqual([["m0"], ["m1"], ["m2"]]);
    expect(server.connections).toBe(3);
  });

  it("that breaks under a message carries it again, once", async () => {
    const server = await serve();
    const sink = open({ address: server.address });
    await sink.deliver(aMessage(), never);
    server.reply("reset");
    expect(await sink.deliver(numbered(1)[0] ?? aMessage(), never)).toMatchObject({
      kind: "retryable",
      reason: "network",
    });
    expect(server.messages).toHaveLength(3);
    server.reply({ ok: true });
    expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
  });

  it("that nobody takes is waited for by the lane", async () => {
    const server = await startRiemann();
    await server.close();
    const verdict = await open({ address: server.address }).deliver(aMessage(), never);
    expect(verdict).toEqual({
      kind: "retryable",
      reason: "network",
      detail: `${server.address}: the connection was refused: nothing listens there (ECONNREFUSED)`,
    });
  });

  it.each([
    ["HTTP", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["another protocol in frames", Buffer.from([0, 0, 0, 2, 0x1a, 9])],
    ["more than an answer", Buffer.from([0, 0, 0, 2, 0x10, 1, 0])],
  ])("where %s is spoken is told so, and closed", async (_, bytes) => {
    const server = await serve();
    server.reply(bytes);
    const sink = open({ address: server.address });
    expect(await sink.deliver(aMessage(), never)).toEqual({
      kind: "retryable",
      reason: "server",
      detail: `${server.address}: the answer is not Riemann's; expected its TCP port, 5555, or 5554 with TLS`,
    });
    server.reply({ ok: true });
    expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
    expect(server.connections).toBe(2);
  });

  it("on which something comes that nobody asked for is not trusted with the next message", async () => {
    const server = await serve();
    const sink = open({ address: server.address });
    await sink.deliver(aMessage(), never);
    const closed = server.say(Buffer.from([0, 0, 0, 2, 0x10, 1]));
    await closed;
    server.reply({ ok: false });
    expect((await sink.deliver(aMessage(), never)).kind).toBe("retryable");
    expect(server.connections).toBe(2);
  });

  it("over which no answer comes is given up with its message, and the next one works", async () => {
    const server = await serve();
    server.reply("hang");
    const sink = open({ address: server.address });
    const stop = new AbortController();
    const hanging = sink.deliver(aMessage(), stop.signal);
    await server.received(1);
    stop.abort();
    expect(await hanging).toMatchObject({ kind: "retryable", reason: "timeout" });
    server.reply({ ok: true });
    expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
    expect(server.connections).toBe(2);
  });

  it("is kept for those who still wait", async () => {
    const server = await serve();
    server.reply("hang");
    const sink = open({ address: server.address });
    const stop = new AbortController();
    const [gone, stays] = [sink.deliver(aMessage(), stop.signal), sink.deliver(aMessage(), never)];
    await server.received(1);
    stop.abort();
    expect((await gone).kind).toBe("retryable");
    server.release({ ok: true });
    expect(await stays).toEqual(accepted);
    expect(server.connections).toBe(1);
  });

  it("is closed with the sink, and what is not acknowledged stays owed", async () => {
    const server = await serve();
    server.reply("hang");
    const sink = open({ address: server.address });
    const hanging = sink.deliver(aMessage(), never);
    await server.received(1);
    await sink.close();
    expect(await hanging).toMatchObject({ kind: "retryable", reason: "network" });
    expect(await sink.deliver(aMessage(), never)).toMatchObject({ kind: "retryable" });
  });
});

describe("over TLS", () => {
  const file = (name: string) => path.join(TLS, name);
  const ca = file("ca.crt");
  const pair = { cert: file("server.crt"), key: file("server.key") };
  const at = (server: RiemannServer) => `tls://${server.address}`;
  const refused = async (server: RiemannServer, given: Readonly<Record<string, unknown>>) => {
    const verdict = await open(given).deliver(aMessage(), never);
    expect(server.messages).toEqual([]);
    return verdict;
  };

  it("a server is believed whose certificate the CA signed", async () => {
    const server = await serve("tls");
    expect(await open({ address: at(server), ca }).deliver(aMessage(), never)).toEqual(accepted);
    const short = open({ address: server.address, ca });
    expect(await short.deliver(aMessage(), never)).toEqual(accepted);
    expect(server.messages).toHaveLength(2);
  });

  it("no other is, and what to do is said", async () => {
    const server = await serve("tls");
    expect(await refused(server, { address: at(server) })).toEqual({
      kind: "retryable",
      reason: "tls",
      detail: `${server.address}: its certificate is not trusted, give ca (SELF_SIGNED_CERT_IN_CHAIN)`,
    });
  });

  it("a client shows the certificate that Riemann asks for", async () => {
    const server = await serve("mutual");
    const sink = open({ address: at(server), ca, ...pair });
    expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
  });

  it("a client without one is told that it needs one", async () => {
    const server = await serve("mutual");
    const verdict = await refused(server, { address: at(server), ca });
    expect(verdict).toMatchObject({ kind: "retryable", reason: "tls" });
    expect("detail" in verdict ? verdict.detail : "").toContain("give cert and key");
  });

  it("to a port without it is told so", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanup.push(() => new Promise((resolve) => server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const verdict = await open({ address: `tls://127.0.0.1:${port}` }).deliver(aMessage(), never);
    expect(verdict).toMatchObject({
      reason: "tls",
      detail: expect.stringContaining("write tcp:// in place of tls://") as unknown,
    });
  });

  it("a file that is not there stops the start", async () => {
    const server = await serve("tls");
    const sink = open({ address: at(server), ca: "/nowhere/ca.crt" });
    expect(await sink.check?.(never)).toEqual({
      problems: [
        {
          message: expect.stringContaining("ca /nowhere/ca.crt cannot be read: ENOENT") as unknown,
          hint: "mount the file, or mend its path",
        },
      ],
      away: null,
    });
    expect(await sink.deliver(aMessage(), never)).toMatchObject({
      kind: "retryable",
      reason: "tls",
    });
  });
});

describe("the look at the start", () => {
  it("finds a server that is there, and tells it nothing", async () => {
    const server = await serve();
    expect(await open({ address: server.address }).check?.(never)).toEqual({
      problems: [],
      away: null,
    });
    expect(server.connections).toBe(1);
    expect(server.messages).toEqual([]);
  });

  it("finds one that is away, which is no mistake", async () => {
    const server = await startRiemann();
    await server.close();
    expect(await open({ address: server.address }).check?.(never)).toEqual({
      problems: [],
      away: expect.stringContaining("ECONNREFUSED") as unknown,
    });
  });

  it("does not wait for one that never answers", async () => {
    // Takes the connection and says nothing of TLS.
    const server = await serve();
    const clock = new FakeClock();
    const looking = open({ address: `tls://${server.address}` }, { ...quietIo(), clock }).check?.(
      never,
    );
    await clock.advance(3_000);
    expect(await looking).toMatchObject({ problems: [], away: expect.any(String) as unknown });
  });
});

describe("an address", () => {
  it.each([
    ["http://localhost:5555", { host: "localhost", port: 5555, tls: false }],
    ["https://riemann.example.com", { host: "riemann.example.com", port: 5554, tls: true }],
    ["tcp://10.0.0.7", { host: "10.0.0.7", port: 5555, tls: false }],
    ["tls://riemann:80/", { host: "riemann", port: 80, tls: true }],
    ["http://riemann:80", { host: "riemann", port: 80, tls: false }],
    ["riemann-heapster:5555", { host: "riemann-heapster", port: 5555, tls: false }],
    ["riemann", { host: "riemann", port: 5555, tls: false }],
    ["//riemann:1", { host: "riemann", port: 1, tls: false }],
    ["[::1]:5555", { host: "::1", port: 5555, tls: false }],
  ])("%s is %j", (text, address) => {
    expect(readAddress(text)).toEqual(address);
  });

  it.each([
    ["udp://riemann:5555", "has the scheme udp"],
    ["riemann:port", "is no address"],
    ["", "is no address"],
    ["tcp://riemann:5555/events", "has something behind the port"],
    ["tcp://u:p@riemann:5555", "has a user in it"],
  ])("%j is none", (text, problem) => {
    expect(readAddress(text)).toMatchObject({
      problem: expect.stringContaining(problem) as unknown,
    });
  });
});

describe("--sink=riemann", () => {
  const sinkOf = (uri: string) => sinkFrom(uri).sink;

  it("is kube-eventer's", () => {
    const { options, filter, digest } = sinkOf(
      "riemann:http://localhost:5555?ttl=120&state=ok&tags=foobar&batchsize=150",
    );
    expect(options).toEqual({
      address: "http://localhost:5555",
      ttl: 120,
      state: "ok",
      tags: ["foobar"],
      batchSize: 150,
    });
    expect([filter.level, digest]).toEqual(["Normal", false]);
    expect(sinkOf("riemann:").options).toEqual({
      address: "riemann-heapster:5555",
      ttl: 60,
      state: "ok",
      tags: ["heapster"],
      batchSize: 1000,
    });
  });

  it.each([
    [{ ttl: 0 }, "ttl"],
    [{ ttl: "soon" }, "ttl"],
    [{ batchSize: 0 }, "batchSize"],
    [{ address: "udp://r:5555" }, "address: has the scheme udp"],
    [{ cert: "/a", address: "tls://r" }, "cert: needs its other half"],
    [{ key: "/a", address: "tls://r" }, "key: needs its other half"],
    [{ cert: "/a", key: "/b" }, "cert: is of no use without TLS"],
  ])("refuses %j", (given, problem) => {
    expect(problemsWith(riemann, given).join("\n")).toContain(problem);
  });
});
