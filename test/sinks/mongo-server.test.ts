import { describe, expect, it, onTestFinished } from "vitest";
import mongo from "../../sinks/mongo.ts";
import type { DirectSink, Verdict } from "../../src/sink/index.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor } from "../support/messages.ts";
import { type Command, type MongoWire, startMongoWire, type Told } from "../support/mongo-wire.ts";
import { quietIo } from "../support/sinks.ts";

/** What a server does once in a blue moon, by one that does it at once: MongoDB's protocol, and no database behind it. */
const never = new AbortController().signal;
const accepted: Verdict = { kind: "accepted" };
const OK = { ok: 1 };

async function bench(
  answer: (command: Command) => Told | null = () => null,
  limits: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly wire: MongoWire; readonly sink: DirectSink }> {
  const usual = ({ name, documents }: Command): Told =>
    name === "insert" ? { ok: 1, n: documents.length } : OK;
  const wire = await startMongoWire((command) => answer(command) ?? usual(command), limits);
  onTestFinished(() => wire.close());
  if (mongo.transport !== "direct") throw new Error("mongo speaks no HTTP");
  const sink = mongo.create(optionsFor(mongo, { uri: wire.uri }), quietIo());
  onTestFinished(() => sink.close());
  return { wire, sink };
}

const numbered = (n: number) =>
  aMessage({ id: `d${n}`, event: anEvent({ uid: `uid-${n}`, resourceVersion: "7" }) });
const deliver = (sink: DirectSink, count: number, signal = never) =>
  Promise.all(Array.from({ length: count }, (_, n) => sink.deliver(numbered(n), signal)));
const inserts = ({ commands }: MongoWire) => commands.filter(({ name }) => name === "insert");
const ids = ({ documents }: Command) => documents.map((document) => document["_id"]);
/** What is wrong with the documents at these places of an insert. */
const refusing =
  (errors: Readonly<Record<number, readonly [number, string]>>) => (command: Command) =>
    command.name === "insert"
      ? {
          ok: 1,
          n: command.documents.length - Object.keys(errors).length,
          writeErrors: Object.entries(errors).map(([index, [code, errmsg]]) => ({
            index: Number(index),
            code,
            errmsg,
          })),
        }
      : null;
const duplicate = (index: string) =>
  [
    11_000,
    `E11000 duplicate key error collection: k8s.event index: ${index} dup key: { x: 1 }`,
  ] as const;

describe("documents that are delivered together", () => {
  it("go in one insert, each on its own, into k8s.event", async () => {
    const { wire, sink } = await bench();
    expect(await deliver(sink, 3)).toEqual([accepted, accepted, accepted]);
    expect(inserts(wire)).toHaveLength(1);
    const [insert] = inserts(wire);
    expect(insert?.body).toMatchObject({ insert: "event", $db: "k8s", ordered: false });
    expect(insert?.documents.map((document) => document["_id"])).toEqual([
      "uid-0/7",
      "uid-1/7",
      "uid-2/7",
    ]);
  });

  it("that are there already are as good as written: an answer was lost", async () => {
    const { sink } = await bench(refusing({ 1: duplicate("_id_") }));
    expect(await deliver(sink, 3)).toEqual([accepted, accepted, accepted]);
  });

  it("that an index of somebody else's keeps out are refused alone, with what to do", async () => {
    const { sink } = await bench(refusing({ 0: duplicate("name_1"), 2: duplicate("_id_") }));
    expect(await deliver(sink, 3)).toEqual([
      expect.objectContaining({
        kind: "permanent",
        reason: "rejected",
        detail: expect.stringContaining("drop the unique index name_1") as string,
      }),
      accepted,
      accepted,
    ]);
  });

  it("that the collection's validator does not take are refused alone", async () => {
    const { sink } = await bench(refusing({ 1: [121, "Document failed validation"] }));
    const [first, second] = await deliver(sink, 2);
    expect(first).toEqual(accepted);
    expect(second).toMatchObject({ kind: "permanent", detail: expect.stringMatching(/validator/) });
  });

  it("may all be unwritten where the server could not confirm them: each is owed", async () => {
    const { sink } = await bench(({ name, documents }) =>
      name === "insert"
        ? {
            ok: 1,
            n: documents.length,
            writeConcernError: { code: 64, errmsg: "waiting for replication timed out" },
          }
        : null,
    );
    for (const verdict of await deliver(sink, 3))
      expect(verdict).toMatchObject({
        kind: "retryable",
        detail: expect.stringMatching(/64 wait/),
      });
  });

  it("that the server takes in parts are told by their place in the whole", async () => {
    const { wire, sink } = await bench(
      (command) => {
        const at = ids(command).indexOf("uid-3/7");
        return at < 0 ? null : refusing({ [at]: [121, "Document failed validation"] })(command);
      },
      { maxWriteBatchSize: 3 },
    );
    const verdicts = await deliver(sink, 5);
    expect(inserts(wire).length).toBeGreaterThan(1);
    expect(inserts(wire).flatMap(ids)).toEqual([0, 1, 2, 3, 4].map((n) => `uid-${n}/7`));
    expect(verdicts.map(({ kind }) => kind)).toEqual([
      "accepted",
      "accepted",
      "accepted",
      "permanent",
      "accepted",
    ]);
  });

  it("are all owed where a part of them failed as a whole: those that were written are there the next time", async () => {
    let part = 0;
    const { sink } = await bench(
      ({ name }) => {
        if (name !== "insert") return null;
        part += 1;
        return part === 2 ? { ok: 0, code: 11_600, errmsg: "interrupted at shutdown" } : null;
      },
      { maxWriteBatchSize: 2 },
    );
    for (const { kind } of await deliver(sink, 5)) expect(kind).toBe("retryable");
    expect(await deliver(sink, 5)).toEqual(Array.from({ length: 5 }, () => accepted));
  });
});

describe("a server", () => {
  it.each([
    [13, "not authorized on k8s to execute command", "auth", /grant the user readWrite on k8s/],
    [8000, "user is not allowed to do action", "auth", /check the user and password/],
    [26, "database is being dropped", "server", /26 database/],
  ])(
    "that refuses (%i) leaves all owed and says what to do",
    async (code, errmsg, reason, said) => {
      const { sink } = await bench(({ name }) =>
        name === "insert" ? { ok: 0, code, errmsg } : null,
      );
      for (const verdict of await deliver(sink, 2))
        expect(verdict).toMatchObject({
          kind: "retryable",
          reason,
          detail: expect.stringMatching(said),
        });
    },
  );

  it("that hangs up in the middle is asked again by the next attempt, on a new connection", async () => {
    let closed = 0;
    const { sink } = await bench(({ name }) => {
      if (name !== "insert" || closed > 0) return null;
      closed += 1;
      return "close";
    });
    for (const verdict of await deliver(sink, 2))
      expect(verdict).toMatchObject({ kind: "retryable", reason: "network" });
    expect(await deliver(sink, 2)).toEqual([accepted, accepted]);
  });

  it("that falls silent holds up neither the next attempt nor the end", async () => {
    let silent = true;
    const { wire, sink } = await bench(({ name }) => (silent && name === "insert" ? "hang" : null));
    const attempt = new AbortController();
    const waiting = deliver(sink, 2, attempt.signal);
    await wire.asked("insert");
    attempt.abort();
    for (const verdict of await waiting)
      expect(verdict).toMatchObject({ kind: "retryable", reason: "timeout" });
    silent = false;
    expect(await deliver(sink, 2)).toEqual([accepted, accepted]);
    silent = true;
    const last = sink.deliver(numbered(9), never);
    await wire.asked("insert", 3);
    await sink.close();
    expect(await last).toMatchObject({ kind: "retryable" });
  });

  it("is left by a sink that is closed: no connection stays", async () => {
    const { wire, sink } = await bench();
    await deliver(sink, 1);
    expect(wire.open).toBeGreaterThan(0);
    await sink.close();
    await wire.left();
  });
});

describe("a look at the start", () => {
  const status = (authInfo: Readonly<Record<string, unknown>>) => (command: Command) =>
    command.name === "connectionStatus" ? { ok: 1, authInfo } : null;
  const user = { user: "crier", db: "admin" };
  const may = (actions: readonly string[], resource: Readonly<Record<string, unknown>>) =>
    status({
      authenticatedUsers: [user],
      authenticatedUserPrivileges: [{ resource, actions }],
    });
  const looked = async (answer: (command: Command) => Told | null, limits = {}) => {
    const { wire, sink } = await bench(answer, limits);
    const check = await sink.check?.(never);
    expect(inserts(wire)).toEqual([]);
    return check;
  };
  const fine = { problems: [], away: null };

  it("asks what the user may do, and writes nothing", async () => {
    for (const resource of [
      { db: "k8s", collection: "event" },
      { db: "k8s", collection: "" },
      { db: "", collection: "" },
      { anyResource: true },
    ])
      expect(await looked(may(["find", "insert"], resource))).toEqual(fine);
  });

  it.each([
    ["only read", ["find"], { db: "k8s", collection: "" }],
    ["write elsewhere", ["insert"], { db: "test", collection: "" }],
    ["write to another collection", ["insert"], { db: "k8s", collection: "other" }],
    ["look after the cluster", ["insert"], { cluster: true }],
  ])("names what is missing where the user may %s", async (_, actions, resource) => {
    expect(await looked(may(actions, resource))).toEqual({
      problems: [
        {
          message: "MongoDB: the user may not insert into k8s.event",
          hint: "grant the user readWrite on k8s, or insert on event",
        },
      ],
      away: null,
    });
  });

  const found = { ok: 1, cursor: { id: 0n, ns: "k8s.event", firstBatch: [] } };
  it("looks at the collection where nobody logs in, and says where that is not let", async () => {
    const nobody = status({ authenticatedUsers: [], authenticatedUserPrivileges: [] });
    const looks = (told: Told) => (command: Command) =>
      nobody(command) ?? (command.name === "find" ? told : null);
    expect(await looked(looks(found))).toEqual(fine);
    const refused = { ok: 0, code: 13, errmsg: "command find requires authentication" };
    expect(await looked(looks(refused))).toMatchObject({
      problems: [{ hint: expect.stringContaining("readWrite on k8s") as string }],
    });
  });

  it("believes a server that says nothing of rights", async () => {
    const silent = status({ authenticatedUsers: [user] });
    const answer = (command: Command) =>
      silent(command) ?? (command.name === "find" ? found : null);
    expect(await looked(answer)).toEqual(fine);
  });

  it("says where the server is too old for the driver", async () => {
    expect(await looked(() => null, { maxWireVersion: 6 })).toMatchObject({
      problems: [{ hint: "MongoDB 4.4 or later is needed" }],
    });
  });
});
