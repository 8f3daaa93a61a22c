import { defineSink, type OptionsOf, s } from "../src/sink/index.ts";
import { COMPRESSIONS, MECHANISMS, type Target } from "./kafka/library.ts";
import type { RecordShape } from "./kafka/record.ts";
import { Writer } from "./kafka/writer.ts";

const BROKER = /^[\w.-]+(:\d{1,5})?$/;

const options = s
  .object({
    brokers: s.list({
      description:
        "Brokers to ask first, as HOST:PORT; the others are found by them. In a URI repeated, or with commas.",
      example: ["kafka-0.example.com:9092"],
    }),
    eventsTopic: s
      .text({
        description: "The topic to write to; where the brokers may make topics, they make it.",
        aliases: ["topic"],
      })
      .regex(
        /^(?!\.{1,2}$)[\w.-]{1,249}$/,
        "is no name of a topic; expected letters, digits, . _ -",
      )
      .default("heapster-events"),
    compression: s
      .oneOf(COMPRESSIONS, { description: "How batches are compressed." })
      .default("none"),
    user: s
      .text({ description: "The user, for SASL.", example: "crier", aliases: ["username"] })
      .optional(),
    password: s.secret({ description: "The user's password." }).optional(),
    mechanism: s
      .oneOf(MECHANISMS, {
        description: "How the password is shown. With PLAIN it is sent, so TLS should be on.",
      })
      .default("PLAIN"),
    tls: s
      .bool({
        description: "Speak TLS. On where caCert or cert is given; alone it trusts public CAs.",
      })
      .default(false),
    caCert: s
      .text({
        description: "A PEM file of the CA that signed the brokers' certificates; turns TLS on.",
        example: "/etc/kafka-tls/ca.crt",
        aliases: ["ca"],
      })
      .optional(),
    cert: s
      .text({
        description: "A PEM file of a client certificate, where the brokers ask for one.",
        example: "/etc/kafka-tls/tls.crt",
      })
      .optional(),
    key: s
      .text({
        description: "The PEM file of its private key.",
        example: "/etc/kafka-tls/tls.key",
      })
      .optional(),
    insecureSsl: s
      .bool({
        description:
          "Do not ask whose certificate it is: what is sent can be read and changed by whoever is between. For trying out.",
      })
      .default(false),
    format: s
      .oneOf(["eventer", "event"], {
        description:
          "What a record holds: with `eventer` kube-eventer's JSON, in which `EventValue` is the event as a text; with `event` the event itself, as core/v1 has it in JSON.",
      })
      .default("eventer"),
    maxMessageBytes: s
      .integer(
        {
          description:
            "The most bytes of a record and of a batch before compression; of a longer one the end of the event's message is cut. No more than the topic's max.message.bytes.",
        },
        10_000,
        100_000_000,
      )
      .default(1_000_000),
  })
  .superRefine((given, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    const { brokers, user, password, cert, key } = given;
    if (brokers.length === 0) problem("brokers", "names none; expected HOST:PORT");
    for (const broker of brokers)
      if (!BROKER.test(broker))
        problem("brokers", `has ${JSON.stringify(broker)}; expected HOST:PORT, the host as a name`);
    if ((user === undefined) !== (password === undefined))
      problem(
        user === undefined ? "user" : "password",
        "is missing; a user has a name and a password",
      );
    if ((cert === undefined) !== (key === undefined))
      problem(cert === undefined ? "key" : "cert", "needs its other half; give both cert and key");
  });

export default defineSink({
  type: "kafka",
  title: "Kafka",
  summary:
    "A topic in Apache Kafka: one record for each occurrence, as kube-eventer wrote it, in order for each object, by an idempotent producer.",
  docs: "https://kafka.apache.org/documentation/#producerconfigs",
  facts: {
    kind: "stream",
    auth: "SASL PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512; TLS with CA and client certificate",
    idempotency:
      "idempotent producer, acks=all; what is sent again after a restart has the same `idempotency-key` header",
    batch:
      "1000 records or `maxMessageBytes` for each partition; one that is refused is told alone",
    testedAgainst: "Apache Kafka 4.1, plain, with SASL, and over TLS",
  },
  options,
  defaultLevel: "Normal",
  isRecord: true,
  uri: {
    target: null,
    keep: [],
    ignored: { timeseriestopic: "it was for metrics, of which there are none here" },
  },
  example: {
    uri: "kafka:?brokers=kafka-0.example.com:9093&brokers=kafka-1.example.com:9093&eventstopic=k8s-events&compression=gzip&user=crier&password=fedcba9876543210&mechanism=SCRAM-SHA-512&cacert=/etc/kafka-tls/ca.crt",
    yaml: {
      brokers: ["kafka-0.example.com:9093", "kafka-1.example.com:9093"],
      eventsTopic: "k8s-events",
      compression: "gzip",
      user: "crier",
      password: "fedcba9876543210",
      mechanism: "SCRAM-SHA-512",
      caCert: "/etc/kafka-tls/ca.crt",
    },
  },
  // Records are the event's own words.
  blocks: () => ({}),
  // They share batches.
  limits: () => ({ rates: [], concurrency: 1000, body: null, blocks: {}, throttledMs: 5000 }),
  create: (given, io) => {
    // kube-eventer takes it, too, and goes on without TLS.
    if (given.insecureSsl && !speaksTls(given))
      io.warning(
        "insecureSsl changes nothing without TLS, and what is sent is readable on its way: give `tls` as well, or take it out",
      );
    return new Writer(targetOf(given), shapeOf(given), io);
  },
});

function shapeOf({ maxMessageBytes, format }: OptionsOf<typeof options>): RecordShape {
  return { maxBytes: maxMessageBytes, format };
}

function targetOf(given: OptionsOf<typeof options>): Target {
  const { caCert, cert, key, insecureSsl } = given;
  return {
    brokers: given.brokers.map((broker) => (broker.includes(":") ? broker : `${broker}:9092`)),
    topic: given.eventsTopic,
    user: given.user ?? null,
    password: given.password?.reveal() ?? "",
    mechanism: given.mechanism,
    compression: given.compression,
    tls: speaksTls(given)
      ? { ca: caCert ?? null, cert: cert ?? null, key: key ?? null, trustsAnybody: insecureSsl }
      : null,
  };
}

function speaksTls(given: {
  readonly tls: boolean;
  readonly caCert?: string | undefined;
  readonly cert?: string | undefined;
}): boolean {
  return given.tls || given.caCert !== undefined || given.cert !== undefined;
}
