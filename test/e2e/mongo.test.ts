import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import mongo from "../../sinks/mongo.ts";
import { documentOf } from "../../sinks/mongo/document.ts";
import type { Alert } from "../../src/event/alert.ts";
import type { KubeEvent } from "../../src/event/event.ts";
import type { DirectSink } from "../../src/sink/index.ts";
import { HOSTILE } from "../fixtures/hostile.ts";
import { aGap } from "../support/alerts.ts";
import { Crier, crier } from "../support/crier.ts";
import { anEvent } from "../support/events.ts";
import { Ferretdb, findFerretdb } from "../support/ferretdb.ts";
import { aMessage, optionsFor } from "../support/messages.ts";
import { becameOf, openRoad } from "../support/road.ts";
import { quietIo } from "../support/sinks.ts";

/** The mongo sink against a FerretDB of the test's own; skips, and says why, where it cannot be built. */
const found = await findFerretdb();
const program = "program" in found ? found.program : "";
if ("missing" in found) process.stderr.write(`test/e2e/mongo: skipped: ${found.missing}\n`);

const never = new AbortController().signal;
const accepted = { kind: "accepted" };
const TLS = path.resolve(import.meta.dirname, "../fixtures/kube-apiserver/tls");
const ca = path.join(TLS, "ca.crt");
const cert = path.join(TLS, "server.crt");
const key = path.join(TLS, "server.key");
const opened: DirectSink[] = [];
const started: Ferretdb[] = [];

afterEach(async () => {
  for (const sink of opened.splice(0)) await sink.close();
});
afterAll(async () => {
  for (const one of started) await one.destroy();
});

async function ferretdb(...args: [Parameters<typeof Ferretdb.start>[1]?]): Promise<Ferretdb> {
  const one = await Ferretdb.start(program, ...args);
  started.push(one);
  return one;
}

function open(uri: string, given: Readonly<Record<string, unknown>> = {}): DirectSink {
  if (mongo.transport !== "direct") throw new Error("mongo speaks no HTTP");
  const sink = mongo.create(optionsFor(mongo, { uri, ...given }), quietIo());
  opened.push(sink);
  return sink;
}

const tell = (sink: DirectSink, events: readonly KubeEvent[]) =>
  Promise.all(events.map((event) => sink.deliver(aMessage({ event }), never)));
const numbered = (count: number) =>
  Array.from({ length: count }, (_, n) => anEvent({ uid: `u${n}`, message: `m${n}` }));

describe.skipIf(program === "")("a collection", () => {
  let db: Ferretdb;
  let uri: string;
  beforeAll(async () => {
    db = await ferretdb();
    uri = `mongodb://${db.host}/`;
  });
  const documents = (collection: string) => db.documents(uri, collection);

  it("is k8s.event, as kube-eventer has it, and an event in it has its numbers and times as such", async () => {
    const event = anEvent();
    expect(await tell(open(uri), [event])).toEqual([accepted]);
    const [document, ...more] = await db.documents(uri);
    expect(more).toEqual([]);
    expect(document).toMatchObject({
      count: 12,
      namespace: "shop",
      kind: "Pod",
      name: "web-7d4b9c",
      type: "Warning",
      reason: "BackOff",
      message: "Back-off restarting failed container web in pod web-7d4b9c",
      event_id: event.uid,
      first_occurrence_time: new Date("2026-11-20T08:00:00Z"),
      last_occurrence_time: new Date("2026-11-20T08:05:30Z"),
    });
    expect(document).toEqual(documentOf(event).document);
  });

  it("may be another, in another database", async () => {
    const sink = open(uri, { database: "ops", collection: "audit" });
    await tell(sink, [anEvent()]);
    expect(await db.documents(uri, "audit", "ops")).toHaveLength(1);
    expect(await documents("audit")).toEqual([]);
  });

  it("has a document for each time an event is seen, and for a gap", async () => {
    const sink = open(uri, { collection: "times" });
    const at = (resourceVersion: string, count: number) =>
      anEvent({ uid: "u", resourceVersion, count });
    expect(await tell(sink, [at("7", 1), at("8", 2), at("9", 3), at("8", 2)])).toEqual(
      Array.from({ length: 4 }, () => accepted),
    );
    await sink.deliver(aMessage({ event: null, alert: aGap() }), never);
    const found = await documents("times");
    expect(found.map(({ reason, count }) => `${reason} ${count}`).toSorted()).toEqual([
      "BackOff 1",
      "BackOff 2",
      "BackOff 3",
      "HistoryGap 1",
    ]);
  });

  it("gets many at once, what is new among what is there, and each once", async () => {
    const sink = open(uri, { collection: "many" });
    expect(new Set((await tell(sink, numbered(300))).map(({ kind }) => kind))).toEqual(
      new Set(["accepted"]),
    );
    // Of these the server refuses 300 and takes 200.
    expect(new Set((await tell(sink, numbered(500))).map(({ kind }) => kind))).toEqual(
      new Set(["accepted"]),
    );
    const ids = (await documents("many")).map(({ _id }) => String(_id));
    expect(ids.toSorted()).toEqual(
      numbered(500)
        .map(({ uid, resourceVersion }) => `${uid}/${resourceVersion}`)
        .toSorted(),
    );
  });

  it("keeps every hostile text as it is, in every field", async () => {
    const events = HOSTILE.map(({ text }, n) =>
      anEvent({
        uid: `${n} ${text}`,
        message: text,
        reason: text,
        action: text,
        object: { name: text, kind: text, namespace: text, fieldPath: text },
        reporter: { host: text, component: text },
      }),
    );
    const verdicts = await tell(open(uri, { collection: "hostile" }), events);
    expect(verdicts.filter(({ kind }) => kind !== "accepted")).toEqual([]);
    const found = new Map((await documents("hostile")).map((one) => [String(one._id), one]));
    expect(found.size).toBe(events.length);
    for (const [n, { name, text }] of HOSTILE.entries()) {
      const well = text.toWellFormed();
      const document = found.get(`${n} ${well}/81234`);
      for (const field of ["message", "reason", "action", "name", "kind", "namespace", "host"])
        expect(document?.[field], `${name}: ${field}`).toBe(well);
    }
  });

  it("takes messages of megabytes, cut to what somebody can read, several at once", async () => {
    const message = "容".repeat(2_000_000);
    const events = numbered(6).map((event) => ({ ...event, message }));
    const verdicts = await tell(open(uri, { collection: "huge" }), events);
    expect(new Set(verdicts.map(({ kind }) => kind))).toEqual(new Set(["accepted"]));
    const found = await documents("huge");
    expect(found).toHaveLength(6);
    expect(String(found[0]?.["message"])).toMatch(/… \(1000000 of 2000000 characters\)$/);
  });

  it("is looked at at the start, and nothing is written", async () => {
    expect(await open(uri, { collection: "looked" }).check?.(never)).toEqual({
      problems: [],
      away: null,
    });
    expect(await documents("looked")).toEqual([]);
    const told = await crier(["check", "--source=file:package.json", `--sink=mongo:?${uri}`]);
    expect(told.code).toBe(0);
    expect(told.stdout).toContain("answers, and can be used");
  });

  it("has everything of a database that dies and comes back, once", async () => {
    const road = openRoad(`mongo:?${uri}?retryWrites=false&collection=died`);
    const about = (uid: string): Alert => ({ kind: "event", event: anEvent({ uid }) });
    await road.owe(about("before"));
    await road.attempts(1);
    await db.kill();
    await road.owe(about("after"));
    await road.attempts(2);
    await db.up();
    await road.clock.advance(1000);
    await road.attempts(3);
    const ids = (await documents("died")).map(({ event_id }) => String(event_id));
    expect(ids.toSorted()).toEqual(["after", "before"]);
    expect(road.history.deliveries({}).map(({ state }) => state)).toEqual([
      "delivered",
      "delivered",
    ]);
  });

  it("is waited for by the program where it is away at the start, and then gets all", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-mongo-"));
    const file = path.join(folder, "events.json");
    const item = (n: number) => ({
      kind: "Event",
      apiVersion: "v1",
      metadata: { name: `e${n}`, namespace: "shop", uid: `uid-${n}`, resourceVersion: `${n}` },
      involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
      reason: "BackOff",
      message: `m${n}`,
      type: "Warning",
      count: 1,
      firstTimestamp: "2026-11-20T08:00:00Z",
      lastTimestamp: "2026-11-20T08:00:00Z",
    });
    const items = Array.from({ length: 1000 }, (_, n) => item(n));
    writeFileSync(file, JSON.stringify({ kind: "List", apiVersion: "v1", items }));
    await db.kill();
    const running = new Crier([
      "run",
      `--source=file:${file}`,
      `--data-dir=${folder}/ledger`,
      `--sink=mongo:?${uri}?collection=program`,
    ]);
    try {
      await running.says("ECONNREFUSED");
      await db.up();
      expect(await running.ended()).toBe(0);
      expect(await documents("program")).toHaveLength(1000);
    } finally {
      await running.destroy();
    }
  });
});

describe.skipIf(program === "")("a server that asks who one is", () => {
  const user = { name: "crier", password: "fedcba9876543210" };
  let db: Ferretdb;
  beforeAll(async () => {
    db = await ferretdb({ user });
  });
  const at = (login: string, query = "") => `mongodb://${login}${db.host}/${query}`;
  const known = `${user.name}:${user.password}@`;

  it.each(["", "?authSource=admin", "?authMechanism=SCRAM-SHA-256", "?authMechanism=SCRAM-SHA-1"])(
    "lets in who has the password: %s",
    async (query) => {
      const collection = `c${query.length}`;
      const sink = open(at(known, query), { collection });
      expect(await sink.check?.(never)).toEqual({ problems: [], away: null });
      expect(await tell(sink, [anEvent()])).toEqual([accepted]);
      expect(await db.documents(at(known), collection)).toHaveLength(1);
    },
  );

  it.each([
    ["a wrong password", "crier:wrong-0123456789@", "check the user and password"],
    ["an unknown user", "nobody:fedcba9876543210@", "check the user and password"],
    ["nobody", "", "grant the user readWrite on k8s"],
  ])("refuses %s at the start and later, and says what to do", async (_, login, hint) => {
    const found = await open(at(login)).check?.(never);
    expect(found).toMatchObject({
      problems: [{ hint: expect.stringContaining(hint) as unknown }],
      away: null,
    });
    const road = openRoad(`mongo:?${at(login)}`);
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toMatch(/^again in .* after 1, auth: MongoDB: \d+ /);
    const told = await crier(["run", "--source=file:-", `--sink=mongo:?${at(login)}`], {
      stdin: "",
    });
    expect(told.code).toBe(2);
    expect(told.stderr).toContain(hint);
    expect(told.stdout + told.stderr + JSON.stringify(found) + becameOf(road)).not.toMatch(
      /wrong-0123456789|fedcba9876543210/,
    );
  });
});

describe.skipIf(program === "")("a server that speaks TLS", () => {
  let db: Ferretdb;
  let strict: Ferretdb;
  beforeAll(async () => {
    db = await ferretdb({ tls: { cert, key } });
    strict = await ferretdb({ tls: { cert, key, ca } });
  });
  const at = (one: Ferretdb, query: string) => `mongodb://${one.host}/?${query}`;

  it("is believed whose certificate the CA signed", async () => {
    const sink = open(at(db, `tls=true&tlsCAFile=${ca}`));
    expect(await sink.check?.(never)).toEqual({ problems: [], away: null });
    expect(await tell(sink, [anEvent()])).toEqual([accepted]);
    // As kube-eventer's driver has it.
    const elder = open(at(db, `ssl=true&sslCertificateAuthorityFile=${ca}`));
    expect(await tell(elder, [anEvent()])).toEqual([accepted]);
  });

  it("is not believed without the CA, and that is told", async () => {
    const sink = open(at(db, "tls=true"));
    expect(await sink.check?.(never)).toMatchObject({
      problems: [{ hint: expect.stringContaining("tlsCAFile=") as unknown }],
    });
    const [verdict] = await tell(sink, [anEvent()]);
    expect(verdict).toMatchObject({ kind: "retryable", reason: "tls" });
  });

  it("is reached once its CA is in the file that was empty: the file is read anew", async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-mongo-")), "ca.crt");
    const sink = open(at(db, `tls=true&tlsCAFile=${file}`));
    expect((await tell(sink, [anEvent()]))[0]).toMatchObject({ reason: "tls" });
    writeFileSync(file, readFileSync(ca));
    expect(await tell(sink, [anEvent()])).toEqual([accepted]);
  });

  it("gets the client's certificate where it asks for one, from one file or from two", async () => {
    const both = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-mongo-")), "both.pem");
    writeFileSync(both, `${readFileSync(cert, "utf8")}\n${readFileSync(key, "utf8")}`);
    for (const query of [
      `tlsCertificateKeyFile=${both}`,
      `tlsCertificateFile=${cert}&tlsPrivateKeyFile=${key}`,
    ]) {
      const sink = open(at(strict, `tls=true&tlsCAFile=${ca}&${query}`), {
        collection: `c${query.length}`,
      });
      expect(await sink.check?.(never)).toEqual({ problems: [], away: null });
      expect(await tell(sink, [anEvent()])).toEqual([accepted]);
    }
  });

  it("refuses who shows none", async () => {
    const sink = open(at(strict, `tls=true&tlsCAFile=${ca}`));
    const [verdict] = await tell(sink, [anEvent()]);
    expect(verdict).toMatchObject({
      kind: "retryable",
      reason: expect.stringMatching(/^(tls|network)$/) as unknown,
    });
  });
});
