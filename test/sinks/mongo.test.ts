import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import mongo from "../../sinks/mongo.ts";
import { documentOf } from "../../sinks/mongo/document.ts";
import { MongoTrouble, type Privilege } from "../../sinks/mongo/driver.ts";
import { documentVerdict, missingRight, troubleOf } from "../../sinks/mongo/trouble.ts";
import { adapted, normalUri } from "../../sinks/mongo/uri.ts";
import { type DirectSink, Secret, type SinkIo } from "../../src/sink/index.ts";
import { aDigest } from "../support/alerts.ts";
import { FakeClock, settle } from "../support/clock.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor, problemsWith } from "../support/messages.ts";
import { quietIo, sinkFrom } from "../support/sinks.ts";

const never = new AbortController().signal;
const accepted = { kind: "accepted" };
const nowhere = "mongodb://127.0.0.1:1/";
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function open(
  uri: string,
  given: Readonly<Record<string, unknown>> = {},
  io: Partial<SinkIo> = {},
): DirectSink {
  if (mongo.transport !== "direct") throw new Error("mongo speaks no HTTP");
  const sink = mongo.create(optionsFor(mongo, { uri, ...given }), { ...quietIo(), ...io });
  ends.push(() => sink.close());
  return sink;
}

/** Takes connections and, but for what it is told to say, is silent. */
async function aServer(say?: Buffer): Promise<{
  readonly uri: string;
  readonly connections: number;
  connected(): Promise<void>;
}> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    if (say !== undefined) socket.end(say);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    uri: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get connections() {
      return sockets.length;
    },
    async connected() {
      if (sockets.length === 0) await once(server, "connection");
    },
  };
}

describe("a document", () => {
  it("has kube-eventer's fields by their names and types, the occurrence as its _id, and what kube-eventer left out", () => {
    expect(documentOf(anEvent()).document).toEqual({
      _id: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11/81234",
      // kube-eventer's, as its struct has them: an int32, texts, and times.
      count: 12,
      namespace: "shop",
      kind: "Pod",
      name: "web-7d4b9c",
      type: "Warning",
      reason: "BackOff",
      message: "Back-off restarting failed container web in pod web-7d4b9c",
      event_id: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
      first_occurrence_time: new Date("2026-11-20T08:00:00Z"),
      last_occurrence_time: new Date("2026-11-20T08:05:30Z"),
      // Ours.
      cluster: "prod-a",
      component: "kubelet",
      host: "node-1",
      api_version: "v1",
      field_path: "spec.containers{web}",
      object_uid: "0c0ffee0-1111-2222-3333-444455556666",
    });
  });

  it("leaves out what is empty, as kube-eventer does", () => {
    const event = anEvent({ cluster: "", message: "", object: { namespace: null, uid: null } });
    const { document } = documentOf(event);
    for (const field of ["cluster", "message", "namespace", "object_uid", "action"])
      expect(document).not.toHaveProperty(field);
  });

  it("is another for the next time the same event is seen, and the same for the same time", () => {
    const idOf = (resourceVersion: string) =>
      documentOf(anEvent({ uid: "u", resourceVersion, message: resourceVersion })).document._id;
    expect(idOf("7")).toBe("u/7");
    expect(idOf("8")).not.toBe(idOf("7"));
    expect(idOf("7")).toBe(idOf("7"));
    expect(documentOf(anEvent({ uid: "u", resourceVersion: "", count: 3 })).document._id).toBe(
      "u/count-3",
    );
  });

  it("is cut long before the sixteen megabytes of a document, and says so", () => {
    const long = "容".repeat(6_000_000);
    const { document, isCut } = documentOf(
      anEvent({ message: long, reason: long, object: { name: long, fieldPath: long } }),
    );
    expect(String(document["message"])).toMatch(/… \(1000000 of 6000000 characters\)$/);
    expect(Buffer.byteLength(JSON.stringify(document))).toBeLessThan(4_000_000);
    expect(isCut).toBe(true);
    expect(documentOf(anEvent()).isCut).toBe(false);
  });

  it("has no half of a character in it: BSON is UTF-8", () => {
    expect(documentOf(anEvent({ message: "high \ud83d end" })).document["message"]).toBe(
      "high \ufffd end",
    );
  });
});

describe("a connection string", () => {
  const plain = "mongodb://db:27017/?replicaSet=rs0&w=majority";

  it.each([
    [plain, plain],
    [`?${plain}`, plain],
    ["mongodb+srv://u:p%40ss@cluster.example.net/", "mongodb+srv://u:p%40ss@cluster.example.net/"],
    ["mongodb://a:1,b:2,c:3", "mongodb://a:1,b:2,c:3/"],
    ["mongodb://a?ssl=true", "mongodb://a/?ssl=true"],
    [
      "mongodb://u:p@a,b/admin?authMechanism=SCRAM-SHA-1",
      "mongodb://u:p@a,b/admin?authMechanism=SCRAM-SHA-1",
    ],
    // What Go's driver calls otherwise: https://pkg.go.dev/go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring
    [
      "mongodb://a/?sslCertificateAuthorityFile=/ca&sslClientCertificateKeyFile=/c&sslClientCertificateKeyPassword=p",
      "mongodb://a/?tlsCAFile=/ca&tlsCertificateKeyFile=/c&tlsCertificateKeyFilePassword=p",
    ],
    [
      "mongodb://a/?connect=direct&heartbeatIntervalMS=500",
      "mongodb://a/?directConnection=true&heartbeatFrequencyMS=500",
    ],
    [
      "mongodb://a/?connect=automatic&maxPoolSize=50&serverSelectionTimeoutMS=60000",
      "mongodb://a/",
    ],
  ])("%s is read", (text, uri) => {
    expect(normalUri(text)).toEqual({ text: uri });
  });

  it.each([
    ["db:27017", "is no connection string"],
    ["mysql://db", "is no connection string"],
    ["mongodb://", "names no host"],
    ["mongodb://u:p@/k8s", "names no host"],
    ["mongodb://u:p/w@db/", "percent-encode"],
    ["mongodb://u:p@w@db/", "percent-encode"],
    ["mongodb://u:p#w@db/", "percent-encode"],
    ["mongodb://u:100%@db/", "percent-encode"],
    ["mongodb://db/?appName=100%", "begins no %41"],
  ])("%s is not", (text, problem) => {
    const read = normalUri(text);
    expect(read).toMatchObject({ problem: expect.stringContaining(problem) as unknown });
    expect(JSON.stringify(read)).not.toContain("p/w");
  });

  it.each([
    ["compressors=snappy,zlib", "compressors=zlib", []],
    ["compressors=snappy,zstd", "", [/^compressors= names none/]],
    ["w=0&journal=true", "journal=true", [/^w=0 is taken as w=1/]],
    ["w=2", "w=2", []],
    [
      "readPreferenceTags=dc:a&readPreferenceTags=",
      "readPreferenceTags=dc:a&readPreferenceTags=",
      [],
    ],
  ])(
    "of which the driver cannot do all is followed as far as it goes: %s",
    (query, kept, notes) => {
      const made = adapted(`mongodb://a/?${query}`);
      expect(made.uri).toBe(kept === "" ? "mongodb://a/" : `mongodb://a/?${kept}`);
      expect(made.notes).toEqual(notes.map((note) => expect.stringMatching(note) as unknown));
    },
  );

  it("may name certificate and key apart, as a Secret of Kubernetes has them", () => {
    expect(
      adapted(
        "mongodb://a/?tls=true&tlsCertificateFile=/t/tls.crt&tlsPrivateKeyFile=/t%20/tls.key",
      ),
    ).toMatchObject({
      uri: "mongodb://a/?tls=true",
      certificate: "/t/tls.crt",
      key: "/t /tls.key",
    });
  });

  it("asks for an acknowledgement, whatever it says, and tells", () => {
    const warnings: string[] = [];
    open(`${nowhere}?w=0`, {}, { warning: (words) => warnings.push(words) });
    expect(warnings).toEqual([
      "w=0 is taken as w=1: what nobody acknowledges nobody knows to be written",
    ]);
  });
});

describe("a --sink", () => {
  const configOf = (uri: string, env = {}) => {
    const { sink, warnings } = sinkFrom(uri, env);
    expect(sink.options["uri"]).toBeInstanceOf(Secret);
    const revealed = (sink.options["uri"] as Secret).reveal();
    const options = { ...sink.options, uri: revealed, level: sink.filter.level };
    return { options, warnings: warnings.map(({ message, hint }) => `${message}: ${hint}`) };
  };
  const sinkOf = (uri: string, env = {}) => configOf(uri, env).options;
  const kubeEventers = { database: "k8s", collection: "event", level: "Normal" };

  it.each([
    "mongodb://root:example@mongo:27017/?authSource=admin&retryWrites=false",
    // kube-eventer's own documentation.
    "mongodb://root:123456@mongo-replset-0-0.dba-c1.example.com:30694,mongo-replset-0-1.dba-c1.example.com:32761,mongo-replset-0-2.dba-c1.example.com:31958/?authSource=admin",
    // Each name that https://www.mongodb.com/docs/manual/reference/connection-string-options/ has and that is not the house's.
    "mongodb://h/?appName=a&authMechanism=SCRAM-SHA-256&authMechanismProperties=CANONICALIZE_HOST_NAME:true&compressors=zlib&directConnection=true&heartbeatFrequencyMS=1&journal=true&loadBalanced=false&localThresholdMS=1&maxIdleTimeMS=1&maxStalenessSeconds=90&readConcernLevel=local&readPreference=primary&readPreferenceTags=dc:a&replicaSet=r&retryReads=true&socketTimeoutMS=1&srvMaxHosts=1&srvServiceName=s&ssl=true&tls=true&tlsAllowInvalidCertificates=true&tlsAllowInvalidHostnames=true&tlsCAFile=/a&tlsCertificateKeyFile=/b&tlsCertificateKeyFilePassword=c&tlsInsecure=true&w=majority&waitQueueTimeoutMS=1&wtimeoutMS=1&wtimeout=1&zlibCompressionLevel=1&timeoutMS=1",
  ])("takes what kube-eventer takes, and writes where it writes: %s", (uri) => {
    expect(configOf(`mongo:?${uri}`)).toEqual({ options: { ...kubeEventers, uri }, warnings: [] });
  });

  it("takes the house's parameters and the sink's own among the others", () => {
    expect(
      sinkOf(
        "mongo:?mongodb://h/?authSource=admin&collection=audit&level=Warning&w=1&database=ops",
      ),
    ).toEqual({
      uri: "mongodb://h/?authSource=admin&w=1",
      database: "ops",
      collection: "audit",
      level: "Warning",
    });
    expect(sinkOf("mongo:mongodb://mongo:27017/?tls=true&collection=events").uri).toBe(
      "mongodb://mongo:27017/?tls=true",
    );
  });

  it.each([
    [
      "mongo:?mongodb://u:${PASS}@mongo:27017/",
      "p@ss/word",
      "mongodb://u:p%40ss%2Fword@mongo:27017/",
    ],
    // kube-eventer put it in as it was: people keep it percent-encoded.
    ["mongo:?mongodb://u:${PASS}@mongo:27017/", "p%40ss", "mongodb://u:p%40ss@mongo:27017/"],
    ["mongo:mongodb://u:${PASS}@mongo:27017/", "a:b?c", "mongodb://u:a%3Ab%3Fc@mongo:27017/"],
    [
      "mongo:?${PASS}",
      "mongodb://u:p%40ss@a:1,b:2/?replicaSet=r&w=2",
      "mongodb://u:p%40ss@a:1,b:2/?replicaSet=r&w=2",
    ],
    ["mongo:${PASS}", "mongodb://a/?w=2", "mongodb://a/?w=2"],
    ["mongo:?mongodb://${PASS}/?w=2", "a:1,b:2", "mongodb://a:1,b:2/?w=2"],
    ["mongo:?mongodb://u:p@${PASS}/?w=2", "a:1,b:2", "mongodb://u:p@a:1,b:2/?w=2"],
    ["mongo:?mongodb://a:1,${PASS}/", "b:2,c:3", "mongodb://a:1,b:2,c:3/"],
    ["mongo:?mongodb://a/?tlsCAFile=${PASS}", "/a b/c", "mongodb://a/?tlsCAFile=%2Fa%20b%2Fc"],
  ])("%s with PASS=%s", (uri, PASS, expected) => {
    expect(sinkOf(uri, { PASS }).uri).toBe(expected);
  });

  it("takes what has no effect here, and says why", () => {
    const { options, warnings } = configOf(
      "mongo:?mongodb://h/?maxPoolSize=10&zstdCompressionLevel=3&serverSelectionTimeoutMS=5000",
    );
    expect(options.uri).toBe("mongodb://h/");
    expect(warnings).toEqual([
      expect.stringMatching(/^maxPoolSize .*one insert at a time needs no more$/),
      expect.stringMatching(/^zstdCompressionLevel .*compressed with zlib or not at all$/),
      expect.stringMatching(/^serverSelectionTimeoutMS .*`timeout` bounds an attempt/),
    ]);
  });

  it("names the nearest of what is wanted for what is not", () => {
    const start = () => configOf("mongo:?mongodb://h/?colection=x");
    expect(start).toThrow(/"colection" is no parameter of mongo/);
  });

  it.each([
    [{ uri: "db" }, "uri: is no connection string"],
    [{ uri: nowhere, database: "a b" }, "database: is no name"],
    [{ uri: nowhere, collection: "$x" }, "collection: is no name"],
    [{}, "uri"],
  ])("is refused with the rest: %j", (given, problem) => {
    expect(problemsWith(mongo, given).join()).toContain(problem);
  });
});

describe("what MongoDB says when it refuses", () => {
  const place = { uri: nowhere, database: "k8s", collection: "event" };
  const said = (kind: string, code: number | null, message = "no", system: string | null = null) =>
    troubleOf(new MongoTrouble(kind, code, message, system), place);

  // https://www.mongodb.com/docs/manual/reference/error-codes/
  it.each([
    [
      11_000,
      'E11000 duplicate key error collection: k8s.event index: _id_ dup key: { _id: "u/1" }',
      accepted,
    ],
    // A hostile text in the key.
    [
      11_000,
      'E11000 duplicate key error collection: k8s.event index: _id_ dup key: { _id: "a collection: x index: y" }',
      accepted,
    ],
    [11_000, "E11000 duplicate key error collection: k8s.event", accepted],
    [
      11_000,
      'E11000 duplicate key error collection: k8s.event index: event_id_1 dup key: { event_id: "u" }',
      {
        kind: "permanent",
        reason: "rejected",
        detail: expect.stringContaining("drop the unique index event_id_1") as unknown,
      },
    ],
    [121, "Document failed validation", { kind: "permanent", reason: "rejected" }],
    [10_334, "BSONObj size is invalid", { kind: "permanent", reason: "rejected" }],
    [11_600, "interrupted at shutdown", { kind: "retryable", reason: "server" }],
    [
      14_031,
      "Can't take a write lock while out of disk space",
      { kind: "retryable", reason: "server" },
    ],
  ])("of one document: %i %s", (code, message, verdict) => {
    expect(documentVerdict(new MongoTrouble("WriteError", code, message))).toMatchObject(verdict);
  });

  it.each([
    ["MongoServerError", 18, null, "auth", "authSource="],
    ["MongoBulkWriteError", 8000, null, "auth", "authSource="],
    ["MongoServerError", 13, null, "auth", "grant the user readWrite on k8s"],
    ["MongoParseError", null, null, "config", "mend the connection string"],
    ["MongoMissingDependencyError", null, null, "config", "SCRAM or X.509"],
    ["MongoCompatibilityError", null, null, "config", "MongoDB 4.4 or later"],
    ["MongoServerSelectionError", null, "DEPTH_ZERO_SELF_SIGNED_CERT", "tls", "tlsCAFile="],
    [
      "MongoServerSelectionError",
      null,
      "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
      "tls",
      "tlsCertificateKeyFile=",
    ],
    ["Error", null, "EACCES", "tls", "mount the file"],
  ])("of everything, where a person must act: %s %s %s", (kind, code, system, reason, hint) => {
    const { verdict, problem } = said(kind, code, "no", system);
    expect(verdict).toMatchObject({ kind: "retryable", reason });
    expect(problem?.hint).toContain(hint);
    expect("detail" in verdict ? verdict.detail : "").toContain(hint);
  });

  it.each([
    ["MongoServerSelectionError", null, "ECONNREFUSED", "network"],
    ["MongoNetworkTimeoutError", null, null, "network"],
    ["MongoClientClosedError", null, null, "network"],
    ["Error", null, "ENOTFOUND", "network"],
    ["MongoServerError", 10_107, null, "server"],
    ["MongoServerError", 91, null, "server"],
    ["MongoWriteConcernError", 64, null, "server"],
  ])("of everything, which may pass: %s %s %s", (kind, code, system, reason) => {
    const { verdict, problem } = said(kind, code, "no", system);
    expect(problem).toBeNull();
    expect(verdict).toMatchObject({ kind: "retryable", reason });
  });

  it("of a document that is too large for any server", () => {
    // The driver's own words, before it asks.
    const words = "Document is larger than the maximum size 16777216";
    expect(said("MongoInvalidArgumentError", null, words).verdict).toMatchObject({
      kind: "permanent",
      reason: "tooLarge",
    });
  });

  it("is never a mistake of ours in disguise", () => {
    expect(() => troubleOf(new TypeError("bug"), place)).toThrow("bug");
  });

  // https://www.mongodb.com/docs/manual/reference/resource-document/
  it.each<[Privilege, boolean]>([
    [{ resource: { db: "k8s", collection: "" }, actions: ["find", "insert"] }, true],
    [{ resource: { db: "k8s", collection: "event" }, actions: ["insert"] }, true],
    [{ resource: { db: "", collection: "" }, actions: ["insert"] }, true],
    [{ resource: { db: "", collection: "event" }, actions: ["insert"] }, true],
    [{ resource: { anyResource: true }, actions: ["anyAction"] }, true],
    [{ resource: { db: "k8s", collection: "" }, actions: ["find"] }, false],
    [{ resource: { db: "other", collection: "" }, actions: ["insert"] }, false],
    [{ resource: { db: "k8s", collection: "other" }, actions: ["insert"] }, false],
    [{ resource: {}, actions: ["insert"] }, false],
    [{}, false],
  ])("of the user's rights: %j", (privilege, may) => {
    const missing = missingRight([{ resource: { db: "x", collection: "y" } }, privilege], place);
    expect(missing?.hint ?? "").toMatch(may ? /^$/ : /^grant the user readWrite on k8s/);
  });
});

describe("where there is no MongoDB", () => {
  const pem = (() => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), "kube-crier-mongo-")), "no.pem");
    writeFileSync(file, "no certificate");
    return file;
  })();

  it.each([
    ["tls=true&tlsCAFile=/nowhere/ca.crt", "mount the file"],
    ["tls=true&tlsCertificateFile=/nowhere/tls.crt", "mount the file"],
    ["noSuchOption=1", "mend the connection string"],
    ["authMechanism=MONGODB-X509&tls=false&authSource=k8s", "mend the connection string"],
  ])("a mistake of the connection string is told at the start: %s", async (query, hint) => {
    const found = await open(`${nowhere}?${query}`).check?.(never);
    expect(found).toMatchObject({
      problems: [{ hint: expect.stringContaining(hint) as unknown }],
      away: null,
    });
  });

  it("a file that holds no certificate is no reason to fall", async () => {
    const verdict = await open(`${nowhere}?tls=true&tlsCAFile=${pem}`).deliver(aMessage(), never);
    expect(verdict.kind).toBe("retryable");
  });

  it("the database is waited for: at the start, and with what is owed", async () => {
    const sink = open(`${nowhere}?heartbeatFrequencyMS=500`);
    const found = await sink.check?.(never);
    expect(found).toEqual({
      problems: [],
      away: expect.stringContaining("ECONNREFUSED") as unknown,
    });
    expect(await sink.deliver(aMessage(), never)).toMatchObject({
      kind: "retryable",
      reason: "network",
    });
  });

  it("a digest has no document", async () => {
    const digest = aMessage({ event: null, alert: aDigest() });
    expect(await open(nowhere).deliver(digest, never)).toMatchObject({ kind: "permanent" });
  });

  it("a server that is silent holds nobody up: not the start, not the next, not the end", async () => {
    const server = await aServer();
    const clock = new FakeClock();
    const sink = open(server.uri, {}, { clock });
    const looking = sink.check?.(never);
    await server.connected();
    await settle();
    await clock.advance(5_000);
    expect(await looking).toEqual({ problems: [], away: "MongoDB gives no answer in 3000 ms" });
    const stop = new AbortController();
    const waiting = sink.deliver(aMessage(), stop.signal);
    stop.abort();
    expect(await waiting).toMatchObject({ kind: "retryable", reason: "timeout" });
    const next = sink.deliver(aMessage(), never);
    const closing = sink.close();
    expect((await next).kind).toBe("retryable");
    await clock.advance(2_000);
    await closing;
    expect((await sink.deliver(aMessage(), never)).kind).toBe("retryable");
  });

  it("who is closed while it opens connects no more", async () => {
    const [closed, other] = [await aServer(), await aServer()];
    const tls = path.resolve(import.meta.dirname, "../fixtures/kube-apiserver/tls");
    const files = `tlsCertificateFile=${tls}/server.crt&tlsPrivateKeyFile=${tls}/server.key`;
    const sink = open(`${closed.uri}?tls=true&${files}`);
    const delivering = sink.deliver(aMessage(), never);
    // In the next turn it reads the files.
    await new Promise((resolve) => setImmediate(resolve));
    await sink.close();
    expect(await delivering).toMatchObject({ kind: "retryable", reason: "network" });
    void open(`${other.uri}?tls=true&${files}`).deliver(aMessage(), never);
    await other.connected();
    expect(closed.connections).toBe(0);
  });

  it("a server that speaks another language is waited for as well", async () => {
    const { uri } = await aServer(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(await open(uri).deliver(aMessage(), never)).toMatchObject({
      kind: "retryable",
      reason: "network",
    });
  });

  it("no password is in anything that is said", async () => {
    const uri = "mongodb://crier:fedcba9876543210@127.0.0.1:1/?authMechanism=NONE";
    const sink = open(uri);
    const said = JSON.stringify([await sink.check?.(never), await sink.deliver(aMessage(), never)]);
    expect(said).toContain("mend the connection string");
    expect(said).not.toContain("fedcba9876543210");
  });
});
