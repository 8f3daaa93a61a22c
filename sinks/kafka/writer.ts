import {
  type DirectSink,
  type Message,
  permanent,
  retryable,
  type SinkCheck,
  type SinkIo,
  type Verdict,
} from "../../src/sink/index.ts";
import { Client } from "./driver.ts";
import { type Failure, failureOf, missingTopic } from "./errors.ts";
import { BrokerError, FileError } from "./fault.ts";
import type { Target } from "./library.ts";
import type { Look } from "./look.ts";
import { Partition } from "./partition.ts";
import { type KafkaRecord, recordOf, type RecordShape } from "./record.ts";

/** A broker that is slow to answer is waited for by the lane and not by the start. */
const PATIENCE_MS = 3_000;
/** Different sayings of the client's, until something is written again. */
const SAYINGS = 5;

interface Waiting {
  readonly record: KafkaRecord;
  readonly settle: (verdict: Verdict) => void;
}

/** Gives each record to its partition, which is where batches are made. */
export class Writer implements DirectSink {
  readonly #target: Target;
  readonly #shape: RecordShape;
  readonly #io: SinkIo;
  readonly #client: Client;
  readonly #partitions = new Map<number, Partition>();
  readonly #said = new Set<string>();
  /** They do not know their partition yet. */
  #unrouted = new Map<string, Waiting>();
  #routing = false;
  #closed = false;

  constructor(target: Target, shape: RecordShape, io: SinkIo) {
    this.#target = target;
    this.#shape = shape;
    this.#io = io;
    this.#client = new Client(target, (text) => this.#hear(text));
  }

  deliver(message: Message, signal: AbortSignal): Promise<Verdict> {
    if (signal.aborted || this.#closed) return Promise.resolve(STOPPED);
    const record = recordOf(message, this.#shape, this.#io.clock.now());
    if (record === null)
      return Promise.resolve(
        permanent(
          "tooLarge",
          `the event is longer than ${this.#shape.maxBytes} bytes even without its message; raise \`maxMessageBytes\``,
        ),
      );
    return new Promise((resolve) => {
      const abort = () => {
        settle(retryable("timeout", "ended while waiting for the broker's answer"));
        this.#unrouted.delete(record.id);
        for (const partition of this.#partitions.values()) partition.forget(record.id);
      };
      const settle = (verdict: Verdict) => {
        signal.removeEventListener("abort", abort);
        if (verdict.kind === "accepted" && record.isCut) this.#io.messageCut();
        resolve(verdict);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#take({ record, settle });
    });
  }

  async check(signal: AbortSignal): Promise<SinkCheck> {
    const client = new Client(this.#target, () => undefined);
    const ended = new AbortController();
    const late = this.#io.clock
      .sleep(PATIENCE_MS, AbortSignal.any([ended.signal, signal]))
      .then((): SinkCheck => {
        const where = this.#target.brokers.join(", ");
        return { problems: [], away: `${where}: no answer in ${PATIENCE_MS} ms` };
      });
    const check = await Promise.race([this.#looked(client), late]);
    ended.abort();
    await client.close();
    return check;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { settle } of this.#unrouted.values()) settle(STOPPED);
    this.#unrouted.clear();
    for (const partition of this.#partitions.values()) partition.end(STOPPED);
    await this.#client.close();
  }

  /** A record that may have been written stays with the partition it may be in, whatever the topic has become. */
  #take(waiting: Waiting): void {
    const { record, settle } = waiting;
    const known = [...this.#partitions.values()].find((partition) => partition.knows(record.id));
    if (known !== undefined) {
      known.add(record, settle);
      return;
    }
    this.#unrouted.set(record.id, waiting);
    if (this.#routing) return;
    this.#routing = true;
    setImmediate(() => void this.#route());
  }

  async #route(): Promise<void> {
    while (this.#unrouted.size > 0) {
      const all = [...this.#unrouted.values()];
      const failure = await this.#tried(async () => {
        const numbers = await this.#client.route(all.map(({ record }) => record.key));
        for (const [index, waiting] of all.entries()) {
          const { record, settle } = waiting;
          // Who was given up meanwhile has been taken out, and may have come again.
          if (this.#unrouted.get(record.id) !== waiting) continue;
          this.#unrouted.delete(record.id);
          this.#partition(numbers[index] ?? 0).add(record, settle);
        }
      });
      if (failure === null) continue;
      for (const { settle } of this.#unrouted.values()) settle(failure.verdict);
      this.#unrouted.clear();
    }
    this.#routing = false;
  }

  #partition(number: number): Partition {
    const known = this.#partitions.get(number);
    if (known !== undefined) return known;
    const made = new Partition(number, {
      maxBytes: this.#shape.maxBytes,
      send: (partition, records) => this.#tried(() => this.#client.send(partition, records)),
      reset: () => this.#client.reset(),
    });
    this.#partitions.set(number, made);
    return made;
  }

  async #tried(ask: () => Promise<void>): Promise<Failure | null> {
    try {
      await ask();
      this.#said.clear();
      return null;
    } catch (error) {
      // Written by the attempt whose answer was lost.
      if (error instanceof BrokerError && error.type === "DUPLICATE_SEQUENCE_NUMBER") return null;
      if (error instanceof BrokerError || error instanceof FileError)
        return failureOf(error, this.#target);
      const kind = error instanceof Error ? error.name : typeof error;
      return {
        about: "way",
        verdict: retryable("unknown", `the client failed (${kind})`),
        problem: null,
      };
    }
  }

  async #looked(client: Client): Promise<SinkCheck> {
    let found: Look = { topic: true, makesTopics: null };
    const failure = await this.#tried(async () => {
      found = await client.look();
    });
    if (failure !== null) return this.#told(failure);
    if (found.topic || found.makesTopics === true) return { problems: [], away: null };
    const missing = missingTopic(this.#target);
    // A broker that does not say whether it makes topics may make this one.
    return this.#told(found.makesTopics === null ? { ...missing, problem: null } : missing);
  }

  #told({ problem, verdict }: Failure): SinkCheck {
    if (problem !== null) return { problems: [problem], away: null };
    return { problems: [], away: "detail" in verdict ? verdict.detail : null };
  }

  /** The verdicts say what becomes of deliveries; this is said once, and again after it was well. */
  #hear(text: string): void {
    if (this.#closed || this.#said.has(text) || this.#said.size >= SAYINGS) return;
    this.#said.add(text);
    this.#io.warning(`kafkajs: ${text.slice(0, 300)}`);
  }
}

const STOPPED = retryable("network", "ended before it was written: shutting down");
