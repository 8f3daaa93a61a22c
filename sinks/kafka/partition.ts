import { accepted, type Verdict } from "../../src/sink/index.ts";
import type { Failure } from "./errors.ts";
import type { KafkaRecord } from "./record.ts";

export interface Batching {
  /** Of one batch, and of a single record that is larger. */
  readonly maxBytes: number;
  /** All or nothing: `null` when the broker has confirmed them. Never rejects. */
  send(partition: number, records: readonly KafkaRecord[]): Promise<Failure | null>;
  /** Sequence numbers begin anew. */
  reset(): Promise<void>;
}

interface Owed {
  readonly record: KafkaRecord;
  /** `null`: nobody waits now. */
  settle: ((verdict: Verdict) => void) | null;
}

/** Fewer requests than that are faster than larger ones are. */
const MOST_RECORDS = 1_000;
const REMEMBERED = 10_000;

/**
 * What is to be written to one partition, a batch at a time. A batch whose answer was lost may have been written: until the broker says so, the
 * very same one is sent again, under the same numbers, which tell the broker that it knows it. Another batch under these numbers would be taken
 * for it and be lost.
 */
export class Partition {
  readonly #number: number;
  readonly #batching: Batching;
  /** By the delivery; a batch keeps what nobody waits for any more, the queue does not. */
  #batch: Map<string, Owed> | null = null;
  /** Parts of a batch that the broker refused whole. */
  #parts: Map<string, Owed>[] = [];
  #queue = new Map<string, Owed>();
  /** Written while nobody waited: who asks again is told. */
  readonly #written = new Set<string>();
  #busy = false;

  constructor(number: number, batching: Batching) {
    this.#number = number;
    this.#batching = batching;
  }

  /** Whether this delivery is under way here, or was written. */
  knows(id: string): boolean {
    return this.#written.has(id) || this.#find(id) !== undefined;
  }

  add(record: KafkaRecord, settle: (verdict: Verdict) => void): void {
    const { id } = record;
    if (this.#written.delete(id)) {
      settle(accepted);
      return;
    }
    const known = this.#find(id);
    if (known === undefined) this.#queue.set(id, { record, settle });
    else known.settle = settle;
    if (this.#busy) return;
    this.#busy = true;
    // What comes in the same turn of the event loop goes with it.
    setImmediate(() => void this.#run());
  }

  forget(id: string): void {
    const known = this.#find(id);
    if (known !== undefined) known.settle = null;
    this.#queue.delete(id);
  }

  /** The sink is closed. */
  end(verdict: Verdict): void {
    for (const owed of this.#all()) tell(owed, verdict);
    this.#queue.clear();
    this.#parts = [];
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#batch ??= this.#next();
      const batch = this.#batch;
      if (batch === null) break;
      const records = [...batch.values()].map(({ record }) => record);
      const failure = await this.#batching.send(this.#number, records);
      if (failure === null) {
        this.#batch = null;
        for (const owed of batch.values()) this.#confirm(owed);
      } else if (failure.about === "way") {
        // Whatever else is to be written here would fare no better, and must not overtake it.
        this.#fail(failure.verdict);
        break;
      } else await this.#refused(batch, failure);
    }
    this.#busy = false;
    if (this.#queue.size > 0 || this.#parts.length > 0) {
      this.#busy = true;
      setImmediate(() => void this.#run());
    }
  }

  /** One record may be at fault: the others must not wait for it. */
  async #refused(batch: Map<string, Owed>, failure: Failure): Promise<void> {
    this.#batch = null;
    if (failure.about === "producer") await this.#batching.reset();
    if (batch.size === 1 || failure.about === "producer") {
      for (const owed of batch.values()) tell(owed, failure.verdict);
      return;
    }
    const all = [...batch].filter(([, { settle }]) => settle !== null);
    const middle = Math.ceil(all.length / 2);
    const halves = [all.slice(0, middle), all.slice(middle)];
    this.#parts.unshift(...halves.filter((half) => half.length > 0).map((half) => new Map(half)));
  }

  #confirm(owed: Owed): void {
    if (owed.settle !== null) {
      tell(owed, accepted);
      return;
    }
    this.#written.add(owed.record.id);
    // Not all are asked for again: some were given up.
    const [oldest] = this.#written;
    if (this.#written.size > REMEMBERED && oldest !== undefined) this.#written.delete(oldest);
  }

  #fail(verdict: Verdict): void {
    for (const owed of this.#all()) tell(owed, verdict);
    this.#queue.clear();
    this.#parts = [];
  }

  #next(): Map<string, Owed> | null {
    const part = this.#parts.shift();
    if (part !== undefined) return part;
    const batch = new Map<string, Owed>();
    let bytes = 0;
    for (const [id, owed] of this.#queue) {
      bytes += owed.record.bytes;
      if (batch.size > 0 && (bytes > this.#batching.maxBytes || batch.size === MOST_RECORDS)) break;
      batch.set(id, owed);
      this.#queue.delete(id);
    }
    return batch.size === 0 ? null : batch;
  }

  #find(id: string): Owed | undefined {
    const held = [this.#batch, ...this.#parts, this.#queue];
    return held.find((some) => some?.has(id) === true)?.get(id);
  }

  #all(): readonly Owed[] {
    const held = [this.#batch, ...this.#parts, this.#queue];
    return held.flatMap((some) => (some === null ? [] : [...some.values()]));
  }
}

function tell(owed: Owed, verdict: Verdict): void {
  const { settle } = owed;
  owed.settle = null;
  settle?.(verdict);
}
