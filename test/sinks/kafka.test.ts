import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import kafka from "../../sinks/kafka.ts";
import { lz4, snappy } from "../../sinks/kafka/codecs.ts";
import { failureOf } from "../../sinks/kafka/errors.ts";
import { BrokerError, faultOf } from "../../sinks/kafka/fault.ts";
import { recordOf, valueOf } from "../../sinks/kafka/record.ts";
import { parseSinkFlag } from "../../src/config/sink-uri.ts";
import type { HttpClient } from "../../src/sink/http.ts";
import { retryable } from "../../src/sink/index.ts";
import { openSink } from "../../src/sink/open.ts";
import { aDigest, aGap } from "../support/alerts.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor, problemsWith } from "../support/messages.ts";
import { quietIo, sinkFrom } from "../support/sinks.ts";
import { unlz4, unsnappy } from "../support/unpack.ts";

const noClient: HttpClient = {
  exchange: () => Promise.reject(new Error("it speaks no HTTP")),
  close: () => undefined,
};

describe("options", () => {
  const from = (flag: string) => {
    const { entry, issues } = parseSinkFlag(flag, [kafka], {});
    expect(issues).toEqual([]);
    const { type: _, filter: __, timeout: ___, ...own } = entry;
    return optionsFor(kafka, own);
  };

  it("are those of kube-eventer's own documentation", () => {
    expect(
      from("kafka:?brokers=localhost:9092&brokers=localhost:9093&eventstopic=testtopic"),
    ).toMatchObject({
      brokers: ["localhost:9092", "localhost:9093"],
      eventsTopic: "testtopic",
      compression: "none",
    });
  });

  it("have kube-eventer's names and defaults, the secret one hidden", () => {
    const options = from(
      "kafka:?brokers=k:9093&compression=lz4&user=u&password=p%26q&cacert=/ca&cert=/c&key=/k&insecuressl=true",
    );
    expect(options).toMatchObject({
      eventsTopic: "heapster-events",
      compression: "lz4",
      user: "u",
      mechanism: "PLAIN",
      caCert: "/ca",
      cert: "/c",
      key: "/k",
      insecureSsl: true,
    });
    expect(JSON.stringify(options)).not.toContain("p&q");
  });

  it("that kube-eventer took and nothing comes of here are told of", () => {
    const flag = "kafka:?brokers=localhost:9092&timeseriestopic=testseries";
    const { warnings } = sinkFrom(flag);
    expect(JSON.stringify(warnings)).toContain("timeseriestopic");
  });

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{}, "brokers: "],
    [{ brokers: [] }, "brokers: names none; expected HOST:PORT"],
    [
      { brokers: ["kafka://k:9092"] },
      'brokers: has "kafka://k:9092"; expected HOST:PORT, the host as a name',
    ],
    [{ brokers: ["[::1]:9092"] }, "brokers: has"],
    [{ brokers: ["k"], eventsTopic: "a b" }, "eventsTopic: is no name of a topic"],
    [{ brokers: ["k"], eventsTopic: ".." }, "eventsTopic: is no name of a topic"],
    [{ brokers: ["k"], compression: "brotli" }, "compression: "],
    [{ brokers: ["k"], user: "u" }, "password: is missing; a user has a name and a password"],
    [{ brokers: ["k"], password: "p" }, "user: is missing; a user has a name and a password"],
    [{ brokers: ["k"], cert: "/c" }, "cert: needs its other half; give both cert and key"],
    [{ brokers: ["k"], key: "/k" }, "key: needs its other half; give both cert and key"],
    [{ brokers: ["k"], maxMessageBytes: 1 }, "maxMessageBytes: "],
    [{ brokers: ["k"], mechanism: "GSSAPI" }, "mechanism: "],
  ])("%j is refused in words", (given, words) => {
    const problems = problemsWith(kafka, given);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.slice(0, words.length)).toBe(words);
  });

  it.each([
    [{ insecureSsl: true }, [expect.stringMatching(/^insecureSsl changes nothing without TLS/)]],
    [{ insecureSsl: true, tls: true }, []],
    [{ insecureSsl: true, caCert: "/ca" }, []],
    [{}, []],
  ])("%j is taken, with a warning where it has no effect", async (given, expected) => {
    const warnings: string[] = [];
    const options = optionsFor(kafka, { brokers: ["k"], ...given });
    const io = { ...quietIo(), warning: (text: string) => void warnings.push(text) };
    const sink = openSink(kafka, options, { ...io, client: noClient, timeoutMs: 1000 });
    await sink.close();
    expect(warnings).toEqual(expected);
  });
});

describe("a value", () => {
  const parsed = (value: string) =>
    JSON.parse(value) as {
      EventValue: string;
      EventTimestamp: string;
      EventTags: Readonly<Record<string, string>>;
    };

  it("is the event as core/v1 has it, indented by one space, in Go's order and escapes", () => {
    const event = anEvent({ message: "<a & b>\u2028" });
    const value = valueOf(event);
    expect(value).toContain(String.raw`\\u003ca \\u0026 b\\u003e\\u2028`);
    expect(parsed(value).EventValue.split("\n").slice(0, 10)).toEqual([
      "{",
      ' "metadata": {',
      '  "name": "web-7d4b9c.17a1",',
      '  "namespace": "shop",',
      '  "uid": "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",',
      '  "resourceVersion": "81234",',
      '  "creationTimestamp": "2026-11-20T08:00:00Z"',
      " },",
      ' "involvedObject": {',
      '  "kind": "Pod",',
    ]);
    expect(Object.keys(parsed(value))).toEqual(["EventValue", "EventTimestamp", "EventTags"]);
    expect(Object.keys(parsed(value).EventTags)).toEqual([
      "eventID",
      "hostname",
      "pod_id",
      "pod_name",
    ]);
  });

  it("of what is no pod has no tags of one, and an empty host where none is named", () => {
    const event = anEvent({
      object: { kind: "Node", name: "node-1" },
      reporter: { host: null },
    });
    expect(parsed(valueOf(event)).EventTags).toEqual({ eventID: event.uid, hostname: "" });
  });

  it.each([
    ["2026-11-20T08:05:30Z", "2026-11-20T08:05:30Z"],
    ["2026-11-20T08:05:30.120000Z", "2026-11-20T08:05:30.12Z"],
    ["2026-11-20T08:05:30.000000Z", "2026-11-20T08:05:30Z"],
    ["2026-11-20T08:05:30.123456Z", "2026-11-20T08:05:30.123456Z"],
  ])("last seen at %s has the time as Go writes it: %s", (lastSeen, expected) => {
    expect(parsed(valueOf(anEvent({ lastSeen }))).EventTimestamp).toBe(expected);
  });
});

describe("a record", () => {
  const record = (
    message: Parameters<typeof recordOf>[0],
    maxBytes = 1_000_000,
    format: "eventer" | "event" = "eventer",
  ) => {
    const made = recordOf(message, { maxBytes, format }, 1_795_161_930_000);
    if (made === null) throw new Error("no record");
    return made;
  };

  it("of an object without a UID has its name as the key", () => {
    const object = { kind: "Node", namespace: null, name: "node-1" };
    for (const uid of [null, ""])
      expect(record(aMessage({ event: anEvent({ object: { ...object, uid } }) })).key).toBe(
        "Node//node-1",
      );
  });

  it("without a name of the cluster has no header of it", () => {
    const event = anEvent({ cluster: "" });
    expect(record(aMessage({ event })).headers).toEqual({ "idempotency-key": aMessage().id });
  });

  it("tells of a gap, and of a digest that was asked for", () => {
    expect(record(aMessage({ event: null, alert: aGap() })).value).toContain("HistoryGap");
    expect(record(aMessage({ event: null, alert: aDigest() })).value).toContain("Digest");
  });

  it("has at most as many bytes as it may, however its message is escaped, and keeps what fits", () => {
    const characters = fc.constantFrom('"', "\\", "\n", "<", "a", "容", "👩‍👩‍👧", "\u0000", "\u2028");
    fc.assert(
      fc.property(characters, fc.integer({ min: 10_000, max: 30_000 }), (unit, max) => {
        const long = aMessage({ event: anEvent({ message: unit.repeat(30_000) }) });
        const { bytes, value, isCut } = record(long, max);
        expect(bytes).toBeLessThanOrEqual(max);
        expect(Buffer.byteLength(value)).toBeLessThan(max);
        expect(Buffer.byteLength(value)).toBeGreaterThan(max * 0.6);
        expect(isCut).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("holds the event itself where that is asked for, cut as the other", () => {
    const event = anEvent({ message: 'say "hi"\n<there>' });
    const { key, value, headers } = record(aMessage({ event }), 1_000_000, "event");
    expect(JSON.parse(value)).toMatchObject({
      metadata: { name: "web-7d4b9c.17a1", namespace: "shop", uid: event.uid },
      involvedObject: { kind: "Pod", name: "web-7d4b9c" },
      message: 'say "hi"\n<there>',
      count: 12,
      lastTimestamp: "2026-11-20T08:05:30Z",
    });
    expect([key, headers]).toEqual([event.object.uid, record(aMessage({ event })).headers]);
    const long = aMessage({ event: anEvent({ message: "容".repeat(30_000) }) });
    const { bytes, isCut } = record(long, 20_000, "event");
    expect([bytes <= 20_000, isCut]).toEqual([true, true]);
  });

  it("that is too long even without its message is none", () => {
    const event = anEvent({ reason: "r".repeat(20_000) });
    expect(recordOf(aMessage({ event }), { maxBytes: 10_000, format: "eventer" }, 0)).toBeNull();
  });
});

describe("an error of the broker", () => {
  const place = { brokers: ["k:9092"], topic: "events", user: "crier", tls: null };
  const fault = (given: Partial<BrokerError>) =>
    new BrokerError({
      name: "E",
      type: null,
      code: null,
      message: "some words",
      broker: null,
      ...given,
    });
  const judged = (type: string) => failureOf(fault({ type, name: "KafkaJSProtocolError" }), place);

  // https://kafka.apache.org/protocol.html#protocol_error_codes
  it.each([
    ["LEADER_NOT_AVAILABLE", "way", "retryable server"],
    ["NOT_LEADER_FOR_PARTITION", "way", "retryable server"],
    ["REQUEST_TIMED_OUT", "way", "retryable timeout"],
    ["NOT_ENOUGH_REPLICAS", "way", "retryable server"],
    ["NOT_ENOUGH_REPLICAS_AFTER_APPEND", "way", "retryable server"],
    ["KAFKA_STORAGE_ERROR", "way", "retryable server"],
    ["REPLICA_NOT_AVAILABLE", "way", "retryable server"],
    ["BROKER_NOT_AVAILABLE", "way", "retryable server"],
    ["NETWORK_EXCEPTION", "way", "retryable server"],
    ["CORRUPT_MESSAGE", "way", "retryable server"],
    ["GROUP_COORDINATOR_NOT_AVAILABLE", "way", "retryable server"],
    ["GROUP_LOAD_IN_PROGRESS", "way", "retryable server"],
    ["NOT_CONTROLLER", "way", "retryable server"],
    ["ILLEGAL_SASL_STATE", "way", "retryable auth"],
    ["TOPIC_AUTHORIZATION_FAILED", "way", "retryable auth"],
    ["CLUSTER_AUTHORIZATION_FAILED", "way", "retryable auth"],
    ["SASL_AUTHENTICATION_FAILED", "way", "retryable auth"],
    ["UNSUPPORTED_SASL_MECHANISM", "way", "retryable auth"],
    ["UNSUPPORTED_VERSION", "way", "retryable config"],
    ["UNSUPPORTED_COMPRESSION_TYPE", "way", "retryable config"],
    ["INVALID_TOPIC_EXCEPTION", "way", "retryable config"],
    ["THROTTLING_QUOTA_EXCEEDED", "way", "throttled"],
    ["UNKNOWN_TOPIC_OR_PARTITION", "producer", "retryable config"],
    ["OUT_OF_ORDER_SEQUENCE_NUMBER", "producer", "retryable server"],
    ["UNKNOWN_PRODUCER_ID", "producer", "retryable server"],
    ["INVALID_PRODUCER_EPOCH", "producer", "retryable server"],
    ["SOMETHING_NEW", "producer", "retryable unknown"],
    ["MESSAGE_TOO_LARGE", "record", "permanent tooLarge"],
    ["RECORD_LIST_TOO_LARGE", "record", "permanent tooLarge"],
    ["INVALID_RECORD", "record", "permanent rejected"],
    ["POLICY_VIOLATION", "record", "permanent rejected"],
    ["UNSUPPORTED_FOR_MESSAGE_FORMAT", "record", "permanent rejected"],
    ["INVALID_TIMESTAMP", "producer", "retryable server"],
  ])("%s is about the %s: %s", (type, about, expected) => {
    const { verdict, ...failure } = judged(type);
    const reason = "reason" in verdict ? ` ${verdict.reason}` : "";
    expect(`${verdict.kind}${reason}`).toBe(expected);
    expect(failure.about).toBe(about);
    expect("detail" in verdict ? verdict.detail.length : 0).toBeGreaterThan(20);
  });

  it.each([
    [87, "INVALID_RECORD", "permanent"],
    [89, "THROTTLING_QUOTA_EXCEEDED", "throttled"],
    [90, "PRODUCER_FENCED", "retryable"],
  ])("%i is known, though the client has no name for it: %s", (code, name, kind) => {
    const message = `Unknown error code ${code}`;
    const { verdict } = failureOf(fault({ type: "KAFKAJS_UNKNOWN_ERROR_CODE", message }), place);
    expect(verdict.kind).toBe(kind);
    expect("detail" in verdict ? verdict.detail : "").toContain(name);
  });

  it.each([
    [
      { code: "ECONNREFUSED", broker: "k-1:9092" },
      "network",
      /^k-1:9092: the connection was refused/,
    ],
    [{ code: "ENOTFOUND" }, "network", /^k:9092: the host name is unknown/],
    [{ code: "ECONNRESET" }, "network", /^k:9092 hung up; .*give cacert/],
    [{ code: "ERR_SSL_WRONG_VERSION_NUMBER" }, "tls", /nobody speaks TLS there/],
    [{ code: "DEPTH_ZERO_SELF_SIGNED_CERT" }, "tls", /give cacert/],
    [{ code: "ERR_TLS_CERT_ALTNAME_INVALID" }, "tls", /name the host as the certificate does/],
    [{ name: "KafkaJSRequestTimeoutError" }, "timeout", /^k:9092: no answer in time$/],
    [{ name: "KafkaJSConnectionError", message: "Connection timeout" }, "timeout", /no answer/],
    [{ name: "KafkaJSBrokerNotFound" }, "network", /^k:9092: some words$/],
    [{ name: "TypeError" }, "unknown", /^k:9092: some words$/],
  ])("%j is waited for", (given, reason, words) => {
    const { about, verdict } = failureOf(fault(given), place);
    expect(about).toBe("way");
    expect(verdict).toMatchObject({ kind: "retryable", reason });
    expect("detail" in verdict ? verdict.detail : "").toMatch(words);
  });

  it("that hangs up is asked about what it may want and was not given", () => {
    const words = (given: Partial<typeof place> | { readonly tls: unknown }) => {
      const { verdict } = failureOf(fault({ code: "ECONNRESET" }), { ...place, ...given });
      return "detail" in verdict ? verdict.detail : "";
    };
    expect(words({})).not.toContain("want a user");
    expect(words({ user: null as never })).toContain(
      "may speak TLS (give cacert, or `tls`) or want a user",
    );
    expect(words({ tls: {} })).toContain("may speak no TLS, or want a client certificate");
  });

  it("that closes the connection without a code is the network's", () => {
    const { verdict } = failureOf(fault({ name: "KafkaJSConnectionClosedError" }), place);
    expect(verdict).toMatchObject({ kind: "retryable", reason: "network" });
  });

  it("is what is at the bottom of the client's own tries", () => {
    const cause = { name: "KafkaJSProtocolError", type: "REQUEST_TIMED_OUT", message: "late" };
    const once = { name: "KafkaJSNumberOfRetriesExceeded", message: "5 tries", cause };
    const twice = { name: "KafkaJSNonRetriableError", message: "given up", cause: once };
    for (const error of [cause, once, twice])
      expect(faultOf(error)).toMatchObject({ type: "REQUEST_TIMED_OUT", message: "late" });
    // With nothing below it, it is the error itself.
    expect(faultOf({ name: "KafkaJSNonRetriableError", message: "given up" })).toMatchObject({
      name: "KafkaJSNonRetriableError",
      type: null,
      message: "given up",
    });
  });

  it.each([undefined, null, "text", 7, {}, { name: 1, message: 2, code: 3, type: 4 }])(
    "is a fault of the client's, whatever was thrown: %j",
    (thrown) => {
      expect(faultOf(thrown)).toMatchObject({
        name: "Error",
        type: null,
        code: null,
        broker: null,
        message: "the client failed",
      });
    },
  );

  it("of a cause that is its own cause comes to an end", () => {
    const error: { name: string; message: string; cause?: unknown } = {
      name: "KafkaJSNumberOfRetriesExceeded",
      message: "again",
    };
    error.cause = error;
    expect(faultOf(error).message).toBe("again");
  });

  it("of OpenSSL has a code that reads as Node's", () => {
    const error = { name: "Error", code: "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", message: "x" };
    expect(failureOf(faultOf(error), place).verdict).toMatchObject({
      reason: "tls",
      detail: expect.stringContaining("give cert and key (ERR_SSL_SSL_TLS_ALERT_BAD_CERTIFICATE)"),
    });
  });

  it("tells who may not and how they may", () => {
    const nobody = { ...place, user: null };
    const type = "TOPIC_AUTHORIZATION_FAILED";
    expect(failureOf(fault({ type }), nobody).problem).toEqual({
      message: "who names no user may not write to the topic events",
      hint: "kafka-acls.sh --add --allow-principal User:ANONYMOUS --operation Write --operation Describe --topic events",
    });
    expect(judged("CLUSTER_AUTHORIZATION_FAILED").problem?.hint).toContain("IdempotentWrite");
  });
});

describe("compression", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 70 }), fc.integer({ min: 1, max: 2000 }))
        .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes))),
    ),
    { maxLength: 6 },
  );

  it.each([
    ["snappy", snappy, unsnappy],
    ["lz4", lz4, unlz4],
  ] as const)("by %s loses nothing, and gains where something repeats", (_, pack, unpack) => {
    fc.assert(
      fc.property(pieces, (parts) => {
        const input = Buffer.concat(parts);
        expect(unpack(pack(input)).equals(input)).toBe(true);
      }),
      { numRuns: 150 },
    );
    const repeated = Buffer.from("Back-off restarting failed container ".repeat(5000));
    expect(pack(repeated).length).toBeLessThan(repeated.length / 15);
  });
});

describe("what cannot be written", () => {
  const open = (given: Readonly<Record<string, unknown>> = {}) =>
    openSink(kafka, optionsFor(kafka, { brokers: ["127.0.0.1:1"], ...given }), {
      ...quietIo(),
      client: noClient,
      timeoutMs: 1000,
    });

  it("is an event that is too long even without its message: the option is named, and no broker asked", async () => {
    const sink = open({ maxMessageBytes: 10_000 });
    const long = aMessage({ event: anEvent({ object: { name: "n".repeat(10_000) } }) });
    expect((await sink.tell(long, 0, new AbortController().signal)).verdict).toMatchObject({
      kind: "permanent",
      reason: "tooLarge",
      detail: expect.stringMatching(/10000 bytes even without its message.*`maxMessageBytes`/),
    });
    await sink.close();
  });

  it("is nothing for who has gone before, nor behind the end", async () => {
    const sink = open();
    const gone = AbortSignal.abort();
    for (const signal of [gone, new AbortController().signal]) {
      if (!signal.aborted) await sink.close();
      expect((await sink.tell(aMessage(), 0, signal)).verdict).toEqual(
        retryable("network", "ended before it was written: shutting down"),
      );
    }
  });

  it("ends with the attempt, or the sink, while brokers are still looked for", async () => {
    const sink = open();
    const attempt = new AbortController();
    const first = sink.tell(aMessage({ id: "a" }), 0, attempt.signal);
    const second = sink.tell(aMessage({ id: "b" }), 0, new AbortController().signal);
    attempt.abort();
    expect((await first).verdict).toMatchObject({ kind: "retryable", reason: "timeout" });
    await sink.close();
    expect((await second).verdict).toMatchObject({ kind: "retryable" });
  });
});
