import { describe, expect, it, onTestFinished } from "vitest";
import mongo from "../../sinks/mongo.ts";
import { MOST } from "../../sinks/mongo/writer.ts";
import type { DirectSink, Message, SinkIo } from "../../src/sink/index.ts";
import { aDigest } from "../support/alerts.ts";
import { FakeClock, settle } from "../support/clock.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor } from "../support/messages.ts";
import { type Command, type MongoWire, startMongoWire, type Told } from "../support/mongo-wire.ts";
import { quietIo } from "../support/sinks.ts";

const never = new AbortController().signal;
const accepted = { kind: "accepted" };

async function bench(
  io: Partial<SinkIo> = {},
  answer: (command: Command) => Told | null = () => null,
): Promise<{ readonly wire: MongoWire; readonly sink: DirectSink }> {
  const usual = ({ name, documents }: Command): Told =>
    name === "insert" ? { ok: 1, n: documents.length } : { ok: 1 };
  const wire = await startMongoWire((command) => answer(command) ?? usual(command));
  onTestFinished(() => wire.close());
  if (mongo.transport !== "direct") throw new Error("mongo speaks no HTTP");
  const sink = mongo.create(optionsFor(mongo, { uri: wire.uri }), { ...quietIo(), ...io });
  onTestFinished(() => sink.close());
  return { wire, sink };
}

const numbered = (n: number, message = "m"): Message =>
  aMessage({ id: `d${n}`, event: anEvent({ uid: `uid-${n}`, resourceVersion: "7", message }) });
const inserts = ({ commands }: MongoWire) => commands.filter(({ name }) => name === "insert");
const sizes = (wire: MongoWire) => inserts(wire).map(({ documents }) => documents.length);
const ids = (wire: MongoWire) =>
  inserts(wire).flatMap(({ documents }) => documents.map((document) => document["_id"]));
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const deliver = (sink: DirectSink, count: number, message?: string) =>
  Promise.all(numbers(count).map((n) => sink.deliver(numbered(n, message), never)));

describe("one insert", () => {
  it.each([
    [MOST, [MOST]],
    [MOST + 1, [MOST, 1]],
    [2 * MOST, [MOST, MOST]],
  ])("of %i documents that wait is %j of them, in their order", async (count, expected) => {
    const { wire, sink } = await bench();
    for (const verdict of await deliver(sink, count)) expect(verdict).toEqual(accepted);
    expect(sizes(wire)).toEqual(expected);
    expect(ids(wire)).toEqual(numbers(count).map((n) => `uid-${n}/7`));
  });

  it("of long documents has fewer of them, so that the driver never parts it", async () => {
    const { wire, sink } = await bench();
    // Three bytes a character, a megabyte of characters: as long as a message is kept.
    for (const verdict of await deliver(sink, 5, "容".repeat(1_000_000)))
      expect(verdict).toEqual(accepted);
    expect(inserts(wire).length).toBeGreaterThan(1);
    for (const { documents } of inserts(wire)) {
      const bytes = Buffer.byteLength(JSON.stringify(documents));
      expect(bytes).toBeLessThan(16 * 1024 * 1024);
    }
    expect(ids(wire)).toEqual(numbers(5).map((n) => `uid-${n}/7`));
  });

  it("is under way alone: what comes meanwhile goes together in the next", async () => {
    let hold = true;
    const { wire, sink } = await bench({}, ({ name }) =>
      hold && name === "insert" ? "hang" : null,
    );
    const attempt = new AbortController();
    const first = sink.deliver(numbered(0), attempt.signal);
    await wire.asked("insert");
    const later = [1, 2, 3].map((n) => sink.deliver(numbered(n), never));
    await settle();
    expect(sizes(wire)).toEqual([1]);
    hold = false;
    attempt.abort();
    expect(await first).toMatchObject({ kind: "retryable", reason: "timeout" });
    for (const verdict of await Promise.all(later)) expect(verdict).toEqual(accepted);
    expect(sizes(wire)).toEqual([1, 3]);
  });

  it("goes over the connection that is there", async () => {
    const { wire, sink } = await bench();
    await deliver(sink, 1);
    const open = wire.open;
    for (const n of [1, 2, 3]) expect(await sink.deliver(numbered(n), never)).toEqual(accepted);
    expect(wire.open).toBe(open);
    expect(sizes(wire)).toEqual([1, 1, 1, 1]);
  });
});

describe("what is delivered", () => {
  it("that has no occurrence, as a digest, is written nowhere and tried no more", async () => {
    const { wire, sink } = await bench();
    const digest = aMessage({ alert: aDigest() });
    expect(await sink.deliver(digest, never)).toMatchObject({ kind: "permanent" });
    expect(wire.commands).toEqual([]);
  });

  it("and was too long is counted as cut, once for each, and arrives", async () => {
    let cut = 0;
    const { wire, sink } = await bench({ messageCut: () => (cut += 1) });
    expect(await sink.deliver(numbered(1), never)).toEqual(accepted);
    expect(cut).toBe(0);
    expect(await sink.deliver(numbered(2, "x".repeat(1_000_001)), never)).toEqual(accepted);
    expect(cut).toBe(1);
    expect(ids(wire)).toEqual(["uid-1/7", "uid-2/7"]);
  });

  it("when nobody waits any more is not sent at all", async () => {
    const { wire, sink } = await bench();
    expect(await sink.deliver(numbered(1), AbortSignal.abort())).toMatchObject({
      kind: "retryable",
    });
    await settle();
    expect(inserts(wire)).toEqual([]);
  });

  it("after the end is owed, and asks the server for nothing", async () => {
    const { wire, sink } = await bench();
    await sink.close();
    await sink.close();
    expect(await sink.deliver(numbered(1), never)).toMatchObject({ kind: "retryable" });
    expect(wire.commands).toEqual([]);
    expect(wire.open).toBe(0);
  });
});

describe("a look at a server that answers", () => {
  it("slowly is ended after three seconds, and the start waits no longer", async () => {
    const clock = new FakeClock();
    const { wire, sink } = await bench({ clock }, ({ name }) =>
      name === "connectionStatus" ? "hang" : null,
    );
    const looking = sink.check?.(never);
    await wire.asked("connectionStatus");
    await clock.advance(2_999);
    const early = await Promise.race([looking, settle().then(() => "looks yet")]);
    expect(early).toBe("looks yet");
    await clock.advance(1);
    expect(await looking).toEqual({ problems: [], away: "MongoDB gives no answer in 3000 ms" });
  });

  it("at once leaves no timer and no connection behind", async () => {
    const clock = new FakeClock();
    const { wire, sink } = await bench({ clock }, ({ name }) =>
      name === "connectionStatus"
        ? {
            ok: 1,
            authInfo: {
              authenticatedUsers: [{ user: "crier", db: "admin" }],
              authenticatedUserPrivileges: [
                { resource: { db: "k8s", collection: "event" }, actions: ["insert"] },
              ],
            },
          }
        : null,
    );
    expect(await sink.check?.(never)).toEqual({ problems: [], away: null });
    await wire.left();
    expect(clock.sleeping).toBe(0);
  });

  it("with an error that may pass says that it is away, and mistakes it for no problem", async () => {
    const { sink } = await bench({}, ({ name }) =>
      name === "connectionStatus" ? { ok: 0, code: 11_600, errmsg: "interrupted" } : null,
    );
    expect(await sink.check?.(never)).toEqual({
      problems: [],
      away: expect.stringMatching(/11600 interrupted/) as string,
    });
  });
});
