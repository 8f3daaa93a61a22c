import {
  permanent,
  retryable,
  type SinkProblem,
  throttled,
  transportVerdict,
  type Verdict,
} from "../../src/sink/index.ts";
import { type Fault, FileError } from "./fault.ts";

/** Where records go, for what is said of it. */
export interface Place {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly user: string | null;
  /** `null`: in the clear. */
  readonly tls: unknown;
}

export interface Failure {
  /**
   * What it is about: a record of the batch, which the broker has not taken; the producer, which must begin anew;
   * or everything else, which may or may not have been written.
   */
  readonly about: "record" | "producer" | "way";
  /** Never `accepted`. */
  readonly verdict: Verdict;
  /** What only a person changes; `null`: may pass by itself. */
  readonly problem: SinkProblem | null;
}

/** https://kafka.apache.org/protocol.html#protocol_error_codes: what waits for the brokers, and a word for the person who looks. */
const WAITING: Readonly<Record<string, string>> = {
  LEADER_NOT_AVAILABLE: "the partition has no leader: a broker is down",
  NOT_LEADER_FOR_PARTITION: "the partition's leader has changed",
  REPLICA_NOT_AVAILABLE: "a replica is not available",
  BROKER_NOT_AVAILABLE: "the broker is not available",
  NOT_ENOUGH_REPLICAS:
    "fewer replicas are in sync than min.insync.replicas asks for: bring the other brokers back",
  NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    "fewer replicas are in sync than min.insync.replicas asks for: bring the other brokers back",
  REQUEST_TIMED_OUT: "the replicas did not confirm it in time",
  KAFKA_STORAGE_ERROR: "the broker cannot write to its disk: see its log",
  NETWORK_EXCEPTION: "the brokers do not reach each other",
  CORRUPT_MESSAGE: "it was damaged on its way",
  GROUP_COORDINATOR_NOT_AVAILABLE: "the coordinator is not available",
  GROUP_LOAD_IN_PROGRESS: "the coordinator is loading",
  NOT_CONTROLLER: "the controller has changed",
};

const LOST_TRACK = new Set([
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "INVALID_PRODUCER_EPOCH",
  "UNKNOWN_PRODUCER_ID",
  "PRODUCER_FENCED",
]);

/** Newer than the client's own list. */
const NUMBERS: Readonly<Record<string, string>> = {
  "87": "INVALID_RECORD",
  "89": "THROTTLING_QUOTA_EXCEEDED",
  "90": "PRODUCER_FENCED",
};

/** What an error means for records that are to be written, and for the start. */
export function failureOf(fault: Fault | FileError, place: Place): Failure {
  if (fault instanceof FileError)
    return cured("tls", fault.message, "mount the file, or mend its path");
  const number = /Unknown error code (\d+)/.exec(fault.message)?.[1] ?? "";
  const type = NUMBERS[number] ?? fault.type;
  if (/SASL|Authenticat/i.test(`${fault.name} ${type ?? ""}`)) return loginFailure(fault, place);
  return type === null ? withoutAnswer(fault, place) : answered(type, fault, place);
}

function answered(type: string, { message }: Fault, place: Place): Failure {
  const said = `${type}: ${message}`.slice(0, 300);
  const { topic } = place;
  const word = WAITING[type];
  if (word !== undefined)
    return waits(
      retryable(type === "REQUEST_TIMED_OUT" ? "timeout" : "server", `${type}: ${word}`),
    );
  if (LOST_TRACK.has(type))
    return {
      about: "producer",
      verdict: retryable("server", `${type}: the broker lost track of this producer; begun anew`),
      problem: null,
    };
  switch (type) {
    case "UNKNOWN_TOPIC_OR_PARTITION":
      return missingTopic(place);
    case "INVALID_TOPIC_EXCEPTION":
      return cured("config", `${topic} is no name of a topic: ${said}`, "check `eventsTopic`");
    case "TOPIC_AUTHORIZATION_FAILED":
      return cured(
        "auth",
        `${who(place)} may not write to the topic ${topic}`,
        `kafka-acls.sh --add --allow-principal User:${place.user ?? "ANONYMOUS"} --operation Write --operation Describe --topic ${topic}`,
      );
    case "CLUSTER_AUTHORIZATION_FAILED":
      return cured(
        "auth",
        `${who(place)} may not write idempotently`,
        `kafka-acls.sh --add --allow-principal User:${place.user ?? "ANONYMOUS"} --operation IdempotentWrite --cluster`,
      );
    case "UNSUPPORTED_COMPRESSION_TYPE":
      return cured("config", said, "choose another `compression`; zstd needs Kafka 2.1");
    case "UNSUPPORTED_VERSION":
      return cured("config", said, "Kafka 0.11 or newer is needed");
    case "MESSAGE_TOO_LARGE":
    case "RECORD_LIST_TOO_LARGE":
      return ofRecord(
        permanent(
          "tooLarge",
          `${type}: the topic ${topic} takes no record of this size; lower \`maxMessageBytes\` to the topic's max.message.bytes, or raise that`,
        ),
      );
    case "INVALID_TIMESTAMP":
      // A later attempt has a later time.
      return {
        about: "producer",
        verdict: retryable(
          "server",
          `${type}: the broker's clock is too far from this machine's; set them right, or mend the topic's message.timestamp.after.max.ms`,
        ),
        problem: null,
      };
    case "INVALID_RECORD":
    case "POLICY_VIOLATION":
    case "UNSUPPORTED_FOR_MESSAGE_FORMAT":
      return ofRecord(permanent("rejected", `${type}: the broker's rules do not admit it`));
    case "THROTTLING_QUOTA_EXCEEDED":
      return waits(throttled(null, `${type}: the account's quota is used up`));
    default:
      // Nobody knows whether it was written: what is sent under a new name is written at least once.
      return { about: "producer", verdict: retryable("unknown", said), problem: null };
  }
}

export function missingTopic({ topic, brokers }: Pick<Place, "topic" | "brokers">): Failure {
  const failure = cured(
    "config",
    `there is no topic ${topic} on ${brokers.join(", ")}`,
    `kafka-topics.sh --create --topic ${topic}, or mend \`eventsTopic\``,
  );
  // What was under way to it cannot be in it.
  return { ...failure, about: "producer" };
}

function loginFailure({ message }: Fault, place: Place): Failure {
  const hint = /mechanism is not supported/i.test(message)
    ? "set `mechanism` to one that the listener has (sasl.enabled.mechanisms)"
    : "check `user`, `password` and `mechanism`";
  return cured(
    "auth",
    `${place.brokers.join(", ")} lets nobody in: ${message.slice(0, 200)}`,
    hint,
  );
}

function withoutAnswer({ name, code, message, broker }: Fault, place: Place): Failure {
  const where = broker ?? place.brokers.join(", ");
  if (/Timeout/.test(name) || /timeout/i.test(message))
    return waits(retryable("timeout", `${where}: no answer in time`));
  const verdict = transportVerdict({ code: code ?? "" });
  if (verdict.kind !== "retryable") return waits(retryable("unknown", `${where}: ${message}`));
  if (verdict.reason === "tls") return waits(retryable("tls", `${where}: ${tlsHint(code ?? "")}`));
  if (code !== null && verdict.reason !== "unknown" && code !== "ECONNRESET")
    return waits({ ...verdict, detail: `${where}: ${verdict.detail}` });
  if (code === "ECONNRESET" || name === "KafkaJSConnectionClosedError")
    return waits(
      retryable("network", `${where} hung up${place.tls !== null ? PLAIN : wants(place)}`),
    );
  const network = /Connection|Broker|Metadata/.test(name);
  return waits(retryable(network ? "network" : "unknown", `${where}: ${message.slice(0, 200)}`));
}

const PLAIN = "; if it stays so, the listener may speak no TLS, or want a client certificate";

function wants({ user }: Place): string {
  return `; if it stays so, the listener may speak TLS (give cacert, or \`tls\`)${user === null ? " or want a user" : ""}`;
}

function tlsHint(code: string): string {
  const next = /ALERT|HANDSHAKE/.test(code)
    ? "the broker refused the connection: it may want a client certificate that its CA signed, give cert and key"
    : /WRONG_VERSION|PACKET_LENGTH|RECORD/.test(code)
      ? "nobody speaks TLS there: take tls and cacert out, or name the TLS listener"
      : "its certificate is not trusted: give cacert, and name the host as the certificate does";
  return `${next} (${code})`;
}

function who({ user }: Place): string {
  return user === null ? "who names no user" : `the user ${user}`;
}

function waits(verdict: Verdict): Failure {
  return { about: "way", verdict, problem: null };
}

function ofRecord(verdict: Verdict): Failure {
  return { about: "record", verdict, problem: null };
}

/** Only a person can cure it, and the records wait for that. */
function cured(reason: "auth" | "config" | "tls", message: string, hint: string): Failure {
  return {
    about: "way",
    verdict: retryable(reason, `${message}; ${hint}`),
    problem: { message, hint },
  };
}
