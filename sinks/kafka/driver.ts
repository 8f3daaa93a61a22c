import { BrokerError, faultOf, FileError } from "./fault.ts";
import {
  COMPRESSIONS,
  kafkaAt,
  type Library,
  loadLibrary,
  type PartitionMetadata,
  type Producer,
  type Target,
} from "./library.ts";
import { type Look, lookAt } from "./look.ts";
import type { KafkaRecord } from "./record.ts";
import { Sockets } from "./sockets.ts";

/** How long the leader waits for its replicas: less than we wait for the leader. */
const REPLICAS_MS = 6_000;
const CLOSE_MS = 1_000;

/** What the first message asks: it ends in the partitioner, before anything is sent. */
class Looked extends Error {
  override readonly name = "Looked";
  readonly partitions: PartitionMetadata[];

  constructor(partitions: PartitionMetadata[]) {
    super("looked at the partitions");
    this.partitions = partitions;
  }
}

/**
 * A producer whose numbers stay the same over every reconnection, so that a batch sent again is known to the broker.
 * It counts on being given the same batch again after an error: see `Partition`.
 */
export class Client {
  readonly #target: Target;
  readonly #hear: (text: string) => void;
  readonly #sockets: Sockets;
  #own: { readonly producer: Producer; connecting: Promise<void> | null } | null = null;
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
      const { Partitioners } = await loadLibrary();
      const known = this.#partitions;
      const partitionMetadata = known.length > 0 ? known : await this.#look();
      const partition = Partitioners.DefaultPartitioner();
      const { topic } = this.#target;
      return keys.map((key) =>
        partition({ topic, partitionMetadata, message: { key, value: null } }),
      );
    });
  }

  /** All of them, once, in this order. @throws BrokerError, FileError */
  send(partition: number, records: readonly KafkaRecord[]): Promise<void> {
    return this.#translated(async () => {
      const producer = await this.#ready();
      const results = await producer.send({
        topic: this.#target.topic,
        acks: -1,
        timeout: REPLICAS_MS,
        compression: COMPRESSIONS.indexOf(this.#target.compression),
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
    const own = this.#own;
    this.#own = null;
    this.#partitions = [];
    await own?.producer.disconnect().catch(() => undefined);
  }

  /** Whether the topic is there. Changes nothing. @throws BrokerError, FileError */
  look(): Promise<Look> {
    return this.#translated(async () => {
      const library = await loadLibrary();
      return lookAt(library, this.#kafka(library).admin(), this.#target.topic);
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
  async #look(): Promise<PartitionMetadata[]> {
    const producer = await this.#ready();
    try {
      await producer.send({ topic: this.#target.topic, messages: [{ value: null }] });
    } catch (error) {
      if (error instanceof Looked) return error.partitions;
      throw error;
    }
    throw new Error("the client did not ask for a partition");
  }

  /** Connected, and with a name of its own: without one nothing would tell a batch that is sent again. */
  async #ready(): Promise<Producer> {
    if (this.#closed) throw new Error("closed");
    const library = await loadLibrary();
    const own = (this.#own ??= { producer: this.#made(library), connecting: null });
    // Two at once would each give it a name, and numbers that begin anew under the batch of the other.
    own.connecting ??= own.producer.connect().finally(() => {
      own.connecting = null;
    });
    await own.connecting;
    return own.producer;
  }

  #made(library: Library): Producer {
    return this.#kafka(library).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      // Where the broker may make a topic, it does.
      allowAutoTopicCreation: true,
      createPartitioner:
        () =>
        ({ message, partitionMetadata }) => {
          this.#partitions = partitionMetadata;
          if (message.partition === undefined) throw new Looked(partitionMetadata);
          return message.partition;
        },
    });
  }

  #kafka(library: Library) {
    return kafkaAt(
      library,
      this.#target,
      ({ host, port, onConnect }) => this.#socket(host, port, onConnect),
      (text) => {
        // We hold the batch ourselves, and what looks at partitions is no mistake.
        if (!/Limiting retries for the idempotent|looked at the partitions/.test(text))
          this.#hear(text);
      },
    );
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
}
