import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import kafka from "../../sinks/kafka.ts";
import type { DirectSink, Message, SinkIo, Verdict } from "../../src/sink/index.ts";
import { Crier, until } from "../support/crier.ts";
import { anEvent } from "../support/events.ts";
import { Kafka, noKafka, PASSWORD, type Way } from "../support/kafka.ts";
import { aMessage, optionsFor } from "../support/messages.ts";
import { quietIo } from "../support/sinks.ts";

const never = new AbortController().signal;
const accepted: Verdict = { kind: "accepted" };

/** Each its own id, as the ledger gives them; of one object unless told otherwise. */
function numbered(count: number, objects = 1, from = 0): readonly Message[] {
  return Array.from({ length: count }, (_, index) => {
    const number = index + from;
    const object = { uid: `object-${number % objects}` };
    return aMessage({
      id: `delivery-${number}`,
      event: anEvent({ uid: `u${number}`, message: `m${number}`, object }),
    });
  });
}

const first = (messages: readonly Message[]) => messages[0] ?? aMessage();

describe.skipIf(noKafka !== null)(`a Kafka (${noKafka ?? "fetched by Maven"})`, () => {
  let broker: Kafka;
  let topics = 0;
  const opened: DirectSink[] = [];
  const warnings: string[] = [];

  beforeAll(async () => {
    broker = await Kafka.start();
  }, 120_000);
  afterEach(async () => {
    for (const sink of opened.splice(0)) await sink.close();
    warnings.length = 0;
  });
  afterAll(() => broker.destroy());

  async function topic(partitions = 1, config: Readonly<Record<string, string>> = {}) {
    topics += 1;
    const name = `events-${topics}`;
    await broker.createTopic(name, partitions, config);
    return name;
  }

  function open(given: Readonly<Record<string, unknown>>, way: Way = "plain"): DirectSink {
    if (kafka.transport !== "direct") throw new Error("kafka speaks no HTTP");
    const io: SinkIo = { ...quietIo(), warning: (text) => warnings.push(text) };
    const sink = kafka.create(optionsFor(kafka, { brokers: [broker.address(way)], ...given }), io);
    opened.push(sink);
    return sink;
  }

  const deliverAll = (sink: DirectSink, messages: readonly Message[], signal = never) =>
    Promise.all(messages.map((one) => sink.deliver(one, signal)));

  /** As the ledger does: what is owed is tried again until it is taken. */
  const insist = (sink: DirectSink, message: Message) =>
    until(async () => {
      const { kind } = await sink.deliver(message, never);
      return kind === "accepted" ? true : undefined;
    }, `${message.id} to be taken`);

  const told = (value: string) =>
    (JSON.parse((JSON.parse(value) as { EventValue: string }).EventValue) as { message: string })
      .message;
  const messagesIn = async (name: string) =>
    (await broker.read(name)).map(({ value }) => told(value));

  describe("a record", () => {
    it("is what kube-eventer wrote, with the object as its key and the delivery in its headers", async () => {
      const eventsTopic = await topic();
      const before = Date.now();
      expect(await open({ eventsTopic }).deliver(aMessage(), never)).toEqual(accepted);
      const [record, ...more] = await broker.read(eventsTopic);
      expect(more).toEqual([]);
      expect(record).toMatchObject({
        key: "0c0ffee0-1111-2222-3333-444455556666",
        headers: { "idempotency-key": aMessage().id, cluster: "prod-a" },
      });
      expect(record?.timestamp).toBeGreaterThanOrEqual(before);
      expect(JSON.parse(record?.value ?? "")).toEqual({
        EventValue: expect.stringMatching(/^\{\n "metadata": \{\n {2}"name": "web-7d4b9c.17a1",/),
        EventTimestamp: "2026-11-20T08:05:30Z",
        EventTags: {
          eventID: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
          hostname: "node-1",
          pod_id: "0c0ffee0-1111-2222-3333-444455556666",
          pod_name: "web-7d4b9c",
        },
      });
    });

    it("is the event itself with `format: event`", async () => {
      const eventsTopic = await topic();
      const sink = open({ eventsTopic, format: "event" });
      expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
      const [record] = await broker.read(eventsTopic);
      expect(JSON.parse(record?.value ?? "")).toMatchObject({
        metadata: { uid: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11" },
        message: "Back-off restarting failed container web in pod web-7d4b9c",
      });
    });

    it.each(['quote " \\ \n\t\u0000', "容器 👩‍👩‍👧 \u2028", "<b>&</b>", ""])(
      "keeps its message to the letter: %j",
      async (message) => {
        const eventsTopic = await topic();
        const sink = open({ eventsTopic });
        expect(await sink.deliver(aMessage({ event: anEvent({ message }) }), never)).toEqual(
          accepted,
        );
        expect(await messagesIn(eventsTopic)).toEqual([message]);
      },
    );

    it("is in order with all others of its object, over several partitions", async () => {
      const eventsTopic = await topic(4);
      const sink = open({ eventsTopic });
      await deliverAll(sink, numbered(60, 12));
      await deliverAll(sink, numbered(60, 12, 60));
      const records = await broker.read(eventsTopic);
      expect(records).toHaveLength(120);
      expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(1);
      for (const object of Array.from({ length: 12 }, (_, index) => `object-${index}`)) {
        const own = records.filter(({ key }) => key === object);
        expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
        const numbers = own.map(({ value }) => Number(told(value).slice(1)));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        expect(numbers).toHaveLength(10);
      }
    });

    it("goes where Java's client puts its key", async () => {
      const eventsTopic = await topic(8);
      // murmur2 of Java's client, from the vectors of its UtilsTest: "21" and "foobar".
      const expected = {
        "21": (-973_932_308 & 0x7fffffff) % 8,
        foobar: (-790_332_482 & 0x7fffffff) % 8,
      };
      const sink = open({ eventsTopic });
      for (const uid of Object.keys(expected))
        await sink.deliver(aMessage({ id: uid, event: anEvent({ object: { uid } }) }), never);
      const records = await broker.read(eventsTopic);
      expect(Object.fromEntries(records.map(({ key, partition }) => [key, partition]))).toEqual(
        expected,
      );
    });
  });

  it("is written by the program, from a flag as kube-eventer has it, and nothing but its own log is on standard error", async () => {
    const eventsTopic = await topic();
    const data = mkdtempSync(path.join(tmpdir(), "kube-crier-kafka-run-"));
    const flag = `--sink=kafka:?brokers=${broker.address("sasl")}&brokers=${broker.address("sasl")}&timeseriestopic=metrics&eventstopic=${eventsTopic}&compression=snappy&user=crier&password=${PASSWORD}`;
    const source = path.resolve(import.meta.dirname, "../../src/demo/events.jsonl");
    const crier = new Crier([
      "run",
      `--source=file:${source}`,
      flag,
      `--data-dir=${data}`,
      "--listen=127.0.0.1:0",
    ]);
    expect(await crier.ended()).toBe(0);
    expect(await broker.count(eventsTopic)).toBeGreaterThan(10);
    for (const line of crier.stderr.trim().split("\n"))
      expect(() => JSON.parse(line) as unknown, line).not.toThrow();
    expect(crier.stderr).not.toContain(PASSWORD);
  });

  describe("compression", () => {
    /** Of the record batch, https://kafka.apache.org/documentation/#recordbatch: the lowest bits of its attributes, at byte 21. */
    const codecIn = (name: string) => {
      const folder = path.join(broker.dir, "log", `${name}-0`);
      const segment = readdirSync(folder).find((file) => file.endsWith(".log")) ?? "";
      return readFileSync(path.join(folder, segment)).readInt16BE(21) & 7;
    };
    const hostile = ["", "x", "abcd".repeat(50_000), "容器👩‍👩‍👧".repeat(999), '\u0000\n"<&>'].map(
      (message, index) =>
        aMessage({ id: `c${index}`, event: anEvent({ uid: `u${index}`, message }) }),
    );

    it.each([
      ["none", 0],
      ["gzip", 1],
      ["snappy", 2],
      ["lz4", 3],
      ["zstd", 4],
    ])("%s is stored as such, and read by Kafka itself", async (compression, codec) => {
      const stored = await topic();
      expect(await deliverAll(open({ eventsTopic: stored, compression }), hostile)).toEqual(
        hostile.map(() => accepted),
      );
      expect(codecIn(stored)).toBe(codec);
      // Here the broker takes each batch apart, and stores its records in the clear.
      const unpacked = await topic(1, { "compression.type": "uncompressed" });
      await deliverAll(open({ eventsTopic: unpacked, compression }), hostile);
      expect(codecIn(unpacked)).toBe(0);
      expect(await messagesIn(unpacked)).toEqual(hostile.map(({ event }) => event?.message));
    });
  });

  describe("many records", () => {
    it("go in few batches, each once", async () => {
      const eventsTopic = await topic();
      const sink = open({ eventsTopic }, "cut");
      const before = broker.proxy.produced;
      const all = numbered(1500);
      expect(await deliverAll(sink, all)).toEqual(all.map(() => accepted));
      expect(broker.proxy.produced - before).toBeLessThanOrEqual(3);
      expect(await messagesIn(eventsTopic)).toEqual(all.map(({ event }) => event?.message));
    });

    it("of which the broker refuses one are written but for that one, which is told why", async () => {
      const eventsTopic = await topic(1, { "max.message.bytes": "20000" });
      const sink = open({ eventsTopic });
      const all = numbered(40).map((one, index) =>
        index === 23
          ? { ...aMessage({ event: anEvent({ message: "x".repeat(30_000) }) }), id: "large" }
          : one,
      );
      const verdicts = await deliverAll(sink, all);
      expect(verdicts.filter(({ kind }) => kind === "accepted")).toHaveLength(39);
      expect(verdicts[23]).toEqual({
        kind: "permanent",
        reason: "tooLarge",
        detail: `MESSAGE_TOO_LARGE: the topic ${eventsTopic} takes no record of this size; lower \`maxMessageBytes\` to the topic's max.message.bytes, or raise that`,
      });
      expect(await broker.count(eventsTopic)).toBe(39);
    });

    it("too large for maxMessageBytes lose the end of their message, and arrive", async () => {
      const eventsTopic = await topic(1, { "max.message.bytes": "20000" });
      let cut = 0;
      if (kafka.transport !== "direct") throw new Error("kafka speaks no HTTP");
      const io = { ...quietIo(), messageCut: () => (cut += 1) };
      const brokers = [broker.address("plain")];
      const options = optionsFor(kafka, { brokers, eventsTopic, maxMessageBytes: 20_000 });
      const sink = kafka.create(options, io);
      opened.push(sink);
      for (const message of ["容".repeat(50_000), '"'.repeat(50_000)])
        expect(
          await sink.deliver(
            aMessage({ id: message[0] ?? "", event: anEvent({ message }) }),
            never,
          ),
        ).toEqual(accepted);
      const arrived = await messagesIn(eventsTopic);
      expect(arrived[0]).toMatch(/^容{4000,}…$/);
      expect(arrived[1]).toMatch(/^"{3000,}…$/);
      expect(cut).toBe(2);
    });
  });

  describe("an answer that is lost", () => {
    it("leaves no record twice, though all are sent again", async () => {
      const eventsTopic = await topic();
      const sink = open({ eventsTopic }, "cut");
      await sink.deliver(first(numbered(1)), never);
      broker.proxy.loseAnswers(1);
      const all = numbered(20, 1, 1);
      const before = broker.proxy.produced;
      const verdicts = await deliverAll(sink, all);
      expect(broker.proxy.produced - before).toBeGreaterThan(1);
      expect(verdicts).toEqual(all.map(() => accepted));
      expect(await broker.count(eventsTopic)).toBe(21);
    });

    it("as often as the client asks leaves it to the ledger, and still no record twice nor lost", async () => {
      const eventsTopic = await topic();
      const sink = open({ eventsTopic }, "cut");
      await sink.deliver(first(numbered(1)), never);
      broker.proxy.loseAnswers(3);
      const owed = numbered(5, 1, 1);
      const verdicts = await deliverAll(sink, owed);
      expect(verdicts.map(({ kind }) => kind)).toEqual(owed.map(() => "retryable"));
      // They come again one by one, and others in between: as many as were in doubt, so that the broker could take them for those.
      const others = numbered(5, 1, 100);
      expect(await deliverAll(sink, others)).toEqual(others.map(() => accepted));
      for (const message of owed.toReversed())
        expect(await sink.deliver(message, never)).toEqual(accepted);
      expect(await messagesIn(eventsTopic)).toEqual(
        ["m0", ...owed, ...others].map((one) =>
          typeof one === "string" ? one : one.event?.message,
        ),
      );
    });
  });

  describe("a broker", () => {
    it("that is down at the start is waited for; one that dies and comes back has all, once", async () => {
      const eventsTopic = await topic();
      await broker.kill();
      const sink = open({ eventsTopic });
      expect(await sink.check?.(never)).toEqual({
        problems: [],
        away: `${broker.address("plain")}: the connection was refused: nothing listens there (ECONNREFUSED)`,
      });
      const verdict = await sink.deliver(first(numbered(1)), never);
      expect(verdict).toEqual({
        kind: "retryable",
        reason: "network",
        detail: `${broker.address("plain")}: the connection was refused: nothing listens there (ECONNREFUSED)`,
      });
      expect(warnings.length).toBeGreaterThan(0);
      expect(warnings.length).toBeLessThanOrEqual(5);
      await broker.up();
      await insist(sink, first(numbered(1)));
      const writing = numbered(200, 1, 1).map((one) => insist(sink, one));
      await broker.kill();
      await broker.up();
      await Promise.all(writing);
      expect(await broker.count(eventsTopic)).toBe(201);
      expect(new Set(await messagesIn(eventsTopic)).size).toBe(201);
    }, 60_000);

    it("that holds its breath is given up within the delivery's time, and has all once it breathes", async () => {
      const eventsTopic = await topic();
      const sink = open({ eventsTopic });
      await sink.deliver(first(numbered(1)), never);
      broker.freeze();
      const stop = new AbortController();
      const hanging = sink.deliver(first(numbered(1, 1, 1)), stop.signal);
      stop.abort();
      expect(await hanging).toEqual({
        kind: "retryable",
        reason: "timeout",
        detail: "ended while waiting for the broker's answer",
      });
      broker.thaw();
      await insist(sink, first(numbered(1, 1, 1)));
      await insist(sink, first(numbered(1, 1, 2)));
      expect(await messagesIn(eventsTopic)).toEqual(["m0", "m1", "m2"]);
    }, 60_000);

    it("that holds its breath does not hold up the end", async () => {
      const eventsTopic = await topic();
      const sink = open({ eventsTopic });
      await sink.deliver(first(numbered(1)), never);
      broker.freeze();
      const hanging = sink.deliver(first(numbered(1, 1, 1)), never);
      const before = performance.now();
      await sink.close();
      expect(performance.now() - before).toBeLessThan(10_000);
      expect(await hanging).toMatchObject({ kind: "retryable", reason: "network" });
      expect(await sink.deliver(aMessage(), never)).toMatchObject({ kind: "retryable" });
      broker.thaw();
    });
  });

  describe("a topic", () => {
    it("that is not there is a problem at the start, and waited for by what is owed", async () => {
      const sink = open({ eventsTopic: "no-such-topic" });
      const message = `there is no topic no-such-topic on ${broker.address("plain")}`;
      const hint = "kafka-topics.sh --create --topic no-such-topic, or mend `eventsTopic`";
      expect(await sink.check?.(never)).toEqual({ problems: [{ message, hint }], away: null });
      expect(await sink.deliver(aMessage(), never)).toEqual({
        kind: "retryable",
        reason: "config",
        detail: `${message}; ${hint}`,
      });
      await broker.createTopic("no-such-topic");
      expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
      expect(await open({ eventsTopic: "no-such-topic" }).check?.(never)).toEqual({
        problems: [],
        away: null,
      });
    });

    it("that is deleted and made anew with fewer partitions loses nothing that comes after", async () => {
      const eventsTopic = await topic(8);
      const sink = open({ eventsTopic });
      await deliverAll(sink, numbered(20, 20));
      await broker.admin((admin) => admin.deleteTopics({ topics: [eventsTopic] }));
      await until(
        async () =>
          (await broker.admin((admin) => admin.listTopics())).includes(eventsTopic)
            ? undefined
            : true,
        "the topic to be gone",
      );
      await broker.createTopic(eventsTopic, 1);
      const after = numbered(20, 20, 20);
      await Promise.all(after.map((one) => insist(sink, one)));
      const arrived = await messagesIn(eventsTopic);
      expect(arrived).toHaveLength(after.length);
      expect(new Set(arrived)).toEqual(new Set(after.map(({ event }) => event?.message)));
    });
  });

  it("that the broker may make is made by it, and no problem at the start", async () => {
    const generous = await Kafka.start({
      "auto.create.topics.enable": "true",
      "num.partitions": "3",
    });
    try {
      const sink = open({ brokers: [generous.address("plain")], eventsTopic: "made" });
      expect(await sink.check?.(never)).toEqual({ problems: [], away: null });
      expect(await generous.admin((admin) => admin.listTopics())).toEqual([]);
      const all = numbered(30, 30);
      await Promise.all(all.map((one) => insist(sink, one)));
      expect(await generous.count("made")).toBe(30);
      const partitions = (await generous.read("made")).map(({ partition }) => partition);
      expect(new Set(partitions).size).toBe(3);
    } finally {
      await generous.destroy();
    }
  }, 60_000);

  describe("a login", () => {
    const login = { user: "crier", password: PASSWORD };

    it.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])("by %s writes", async (mechanism) => {
      const eventsTopic = await topic();
      const sink = open({ eventsTopic, mechanism, ...login }, "sasl");
      expect(await sink.check?.(never)).toEqual({ problems: [], away: null });
      expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
      expect(await broker.count(eventsTopic)).toBe(1);
    });

    it.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])(
      "by %s with another's password is a problem in words, without it",
      async (mechanism) => {
        const eventsTopic = await topic();
        const password = "not-the-password-0123";
        const sink = open({ eventsTopic, mechanism, user: "crier", password }, "sasl");
        const check = await sink.check?.(never);
        expect(check?.problems[0]?.message).toMatch(
          /^127\.0\.0\.1:\d+ lets nobody in: SASL .*authentication failed/i,
        );
        expect(check?.problems[0]?.hint).toBe("check `user`, `password` and `mechanism`");
        const verdict = await sink.deliver(aMessage(), never);
        expect(verdict).toMatchObject({ kind: "retryable", reason: "auth" });
        expect(JSON.stringify([check, verdict, warnings])).not.toContain(password);
        expect(await broker.count(eventsTopic)).toBe(0);
      },
    );

    it("of somebody who may not write is told the command that lets them", async () => {
      const eventsTopic = await topic();
      const sink = open({ eventsTopic, user: "guest", password: PASSWORD }, "sasl");
      const [problem] = (await sink.check?.(never))?.problems ?? [];
      expect(problem).toEqual({
        message: `the user guest may not write to the topic ${eventsTopic}`,
        hint: `kafka-acls.sh --add --allow-principal User:guest --operation Write --operation Describe --topic ${eventsTopic}`,
      });
      expect(await sink.deliver(aMessage(), never)).toMatchObject({ reason: "auth" });
    });

    it("that is missing is asked for", async () => {
      const verdict = await open({ eventsTopic: await topic() }, "sasl").deliver(aMessage(), never);
      expect(verdict).toMatchObject({
        kind: "retryable",
        detail: expect.stringContaining("want a user") as unknown,
      });
    });
  });

  describe("TLS", () => {
    it("with the CA and a client certificate writes", async () => {
      const eventsTopic = await topic();
      const { ca, cert, key } = broker.tls;
      const sink = open({ eventsTopic, caCert: ca, cert, key }, "tls");
      expect(await sink.check?.(never)).toEqual({ problems: [], away: null });
      expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
      expect(await broker.count(eventsTopic)).toBe(1);
    });

    it("without a question about the certificate writes as well", async () => {
      const eventsTopic = await topic();
      const { cert, key } = broker.tls;
      const sink = open({ eventsTopic, insecureSsl: true, cert, key }, "tls");
      expect(await sink.deliver(aMessage(), never)).toEqual(accepted);
    });

    it.each([
      ["without the CA", { tls: true }, "tls", /not trusted: give cacert.*\([A-Z_]+\)$/],
      ["without a client certificate", { caCert: "CA" }, "tls", /client certificate/],
      ["where none is spoken", { caCert: "CA" }, "plain", /hung up|nobody speaks TLS/],
      ["that is not asked for", {}, "tls", /may speak TLS/],
    ] as const)("%s says what to give", async (_, given, way, words) => {
      const caCert = "caCert" in given ? { caCert: broker.tls.ca } : {};
      const sink = open({ eventsTopic: await topic(), ...given, ...caCert }, way);
      const verdict = await sink.deliver(aMessage(), never);
      expect(verdict).toMatchObject({ kind: "retryable" });
      expect("detail" in verdict ? verdict.detail : "").toMatch(words);
    });

    it("with a file that is not there is a problem that names it", async () => {
      const sink = open({ eventsTopic: await topic(), caCert: "/nowhere/ca.crt" }, "tls");
      expect((await sink.check?.(never))?.problems).toEqual([
        {
          message: expect.stringMatching(
            /^cacert \/nowhere\/ca\.crt cannot be read: ENOENT/,
          ) as unknown,
          hint: "mount the file, or mend its path",
        },
      ]);
      expect(await sink.deliver(aMessage(), never)).toMatchObject({ reason: "tls" });
    });
  });
});
