import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import type kafkajs from "kafkajs";
import type { Kafka, LogEntry, PartitionMetadata, Producer, SASLOptions } from "kafkajs";
import { lz4, snappy } from "./codecs.ts";
import type { Place } from "./errors.ts";
import { BrokerError, faultOf, FileError } from "./fault.ts";
import type { KafkaRecord } from "./record.ts";
import { Sockets, type Tls } from "./sockets.ts";

/** The one door of the client: everything else here speaks of records, partitions and `Fault`. */

export interface Target extends Place {
  readonly password: string;
  readonly mechanism: Mechanism;
  /** `null`: in the clear. */
  readonly tls: Tls | null;
  readonly compression: Compression;
}

export const MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
export type Mechanism = (typeof MECHANISMS)[number];
export const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

type Library = typeof kafkajs;

const zstd = promisify(zstdCompress);

const CONNECT_MS = 3_000;
const ANSWER_MS = 8_000;
/** How long the leader waits for its replicas: less than we wait for the leader. */
const REPLICAS_MS = 6_000;
/** A seed that is down, a leader that moved. What takes longer is the lane's, with its own back-off. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 800 };
const CLOSE_MS = 1_000;

/** What the first message asks: it ends in the partitioner, before anything is sent. */
class Looked extends Error {
  override readonly name = "Looked";
}

/**
 * A producer whose numbers stay the same over every reconnection, so that a batch sent again is known to the broker.
 * It counts on being given the same batch again after an error: see `Partition`.
 */
export class Client {
  readonly #target: Target;
  readonly #hear: (text: string) => void;
  readonly #sockets: Sockets;
  #producer: Producer | null = null;
  #partitions: PartitionMetadata[] = [];
  #fault: FileError | null = null;
  #closed = false;

  /** @param hear what the library says on its own account, never with the password in it */
  constructor(target: Target, hear: (text: string) => void) {
    this.#target = target;
    this.#hear = hear;
    this.#sockets = new Sockets(target.tls);
  }

  /** The partition of each key, as Java's client has it. @throws BrokerError, FileError */
  route(keys: readonly string[]): Promise<readonly number[]> {
    return this.#translated(async () => {
      const { Partitioners } = await this.#loaded();
      if (this.#partitions.length === 0) await this.#look();
      const partition = Partitioners.DefaultPartitioner();
      const { topic } = this.#target;
      return keys.map((key) =>
        partition({ topic, partitionMetadata: this.#partitions, message: { key, value: null } }),
      );
    });
  }

  /** All of them, once, in this order. @throws BrokerError, FileError */
  send(partition: number, records: readonly KafkaRecord[]): Promise<void> {
    return this.#translated(async () => {
      const { CompressionTypes } = await this.#loaded();
      const codec = (["None", "GZIP", "Snappy", "LZ4", "ZSTD"] as const)[
        COMPRESSIONS.indexOf(this.#target.compression)
      ];
      const producer = await this.#ready();
      const results = await producer.send({
        topic: this.#target.topic,
        acks: -1,
        timeout: REPLICAS_MS,
        compression: CompressionTypes[codec ?? "None"],
        messages: records.map(({ key, value, headers, timestamp }) => ({
          key,
          value,
          headers,
          timestamp,
          partition,
        })),
      });
      // A partition that is gone is passed over by the library without a word.
      if (results.length > 0) return;
      this.#partitions = [];
      throw new BrokerError({
        name: "Missing",
        type: "UNKNOWN_TOPIC_OR_PARTITION",
        code: null,
        message: `partition ${partition} is gone`,
        broker: null,
      });
    });
  }

  /** The next batch is sent by a producer of another name, whose numbers begin anew. */
  async reset(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    this.#partitions = [];
    await producer?.disconnect().catch(() => undefined);
  }

  /** Whether the topic is there, and whether the broker would make it; `null` where it does not say. Changes nothing. */
  look(): Promise<{ readonly topic: boolean; readonly makesTopics: boolean | null }> {
    return this.#translated(async () => {
      const { topic } = this.#target;
      const library = await this.#loaded();
      const admin = this.#kafka(library).admin();
      try {
        await admin.connect();
        try {
          await admin.fetchTopicMetadata({ topics: [topic] });
          return { topic: true, makesTopics: null };
        } catch (error) {
          if (faultOf(error).type !== "UNKNOWN_TOPIC_OR_PARTITION") throw error;
        }
        const [broker] = (await admin.describeCluster()).brokers;
        const option = "auto.create.topics.enable";
        const { resources } = await admin
          .describeConfigs({
            includeSynonyms: false,
            resources: [
              {
                type: library.ConfigResourceTypes.BROKER,
                name: String(broker?.nodeId ?? ""),
                configNames: [option],
              },
            ],
          })
          .catch(() => ({ resources: [] }));
        const entry = resources[0]?.configEntries.find(({ configName }) => configName === option);
        return {
          topic: false,
          makesTopics: entry === undefined ? null : entry.configValue === "true",
        };
      } finally {
        await admin.disconnect();
      }
    });
  }

  /** What is under way has half a second. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#sockets.close();
    const impatient = setTimeout(() => this.#sockets.hangUp(), CLOSE_MS / 2);
    const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
    await Promise.race([this.reset(), late]);
    clearTimeout(impatient);
    this.#sockets.hangUp();
  }

  /** Every connection's errors, in one form. */
  async #translated<T>(ask: () => Promise<T>): Promise<T> {
    this.#fault = null;
    try {
      return await ask();
    } catch (error) {
      const missing = this.#missing();
      if (missing !== null) throw missing;
      const fault = faultOf(error);
      // It would ask the same connection again and again.
      if (fault.name === "KafkaJSRequestTimeoutError") this.#sockets.hangUp();
      if (fault.type === "UNKNOWN_TOPIC_OR_PARTITION") this.#partitions = [];
      throw fault;
    }
  }

  #missing(): FileError | null {
    return this.#fault;
  }

  /** Asks for the topic's partitions, which the library tells the partitioner alone. */
  async #look(): Promise<void> {
    const producer = await this.#ready();
    try {
      await producer.send({ topic: this.#target.topic, messages: [{ value: null }] });
    } catch (error) {
      if (!(error instanceof Looked)) throw error;
    }
  }

  /** Connected, and with a name of its own: without one nothing would tell a batch that is sent again. */
  async #ready(): Promise<Producer> {
    if (this.#closed) throw new Error("closed");
    const library = await this.#loaded();
    this.#producer ??= this.#kafka(library).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      // Where the broker may make a topic, it does.
      allowAutoTopicCreation: true,
      createPartitioner:
        () =>
        ({ message, partitionMetadata }) => {
          this.#partitions = partitionMetadata;
          if (message.partition === undefined) throw new Looked("looked at the partitions");
          return message.partition;
        },
    });
    await this.#producer.connect();
    return this.#producer;
  }

  /** Only those who have such a sink load the library. */
  async #loaded(): Promise<Library> {
    const [{ default: library }, { default: queue }] = await Promise.all([
      import("kafkajs"),
      import("kafkajs/src/network/requestQueue/index.js"),
    ]);
    quieten(queue.prototype);
    const { CompressionCodecs, CompressionTypes } = library;
    CompressionCodecs[CompressionTypes.Snappy] = () => codec(snappy);
    CompressionCodecs[CompressionTypes.LZ4] = () => codec(lz4);
    CompressionCodecs[CompressionTypes.ZSTD] = () => codec(zstd);
    return library;
  }

  #kafka(library: Library): Kafka {
    const { brokers, tls } = this.#target;
    return new library.Kafka({
      clientId: "kube-crier",
      brokers: [...brokers],
      connectionTimeout: CONNECT_MS,
      authenticationTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      retry: { ...RETRY, retries: Math.max(2, brokers.length) },
      ssl: tls !== null,
      ...saslOf(this.#target),
      socketFactory: ({ host, port, onConnect }) => this.#socket(host, port, onConnect),
      logLevel: library.logLevel.WARN,
      logCreator: () => (entry) => this.#tell(entry),
    });
  }

  #socket(host: string, port: number, connected: () => void) {
    try {
      return this.#sockets.connect(host, port, connected);
    } catch (error) {
      // The library keeps an error's words alone.
      if (error instanceof FileError) this.#fault = error;
      throw error;
    }
  }

  #tell({ log }: LogEntry): void {
    const { message } = log;
    // We hold the batch ourselves, and what looks at partitions is no mistake.
    if (/Limiting retries for the idempotent|looked at the partitions/.test(message)) return;
    const { password } = this.#target;
    this.#hear(password === "" ? message : message.replaceAll(password, "<redacted>"));
  }
}

const quiet = new WeakSet<object>();

/** It sets a timer after each answer, by a date that lies in the past where there is nothing to wait for: Node warns of that on standard error. */
function quieten(queue: Pending): void {
  if (quiet.has(queue)) return;
  quiet.add(queue);
  const schedule = queue.scheduleCheckPendingRequests;
  queue.scheduleCheckPendingRequests = function scheduleWhereNeeded(this: Pending) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
  };
}

interface Pending {
  readonly throttledUntil: number;
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: Pending) => void;
}

function codec(compress: (input: Buffer) => Buffer | Promise<Buffer>) {
  return { compress: async ({ buffer }: { readonly buffer: Buffer }) => compress(buffer) };
}

function saslOf({ user, password, mechanism }: Target): { readonly sasl?: SASLOptions } {
  if (user === null) return {};
  const login = { username: user, password };
  switch (mechanism) {
    case "PLAIN":
      return { sasl: { mechanism: "plain", ...login } };
    case "SCRAM-SHA-256":
      return { sasl: { mechanism: "scram-sha-256", ...login } };
    case "SCRAM-SHA-512":
      return { sasl: { mechanism: "scram-sha-512", ...login } };
  }
}
