import { retryable, type Verdict } from "./verdict.ts";

export interface Batching<T> {
  /** The most items of one request. */
  readonly most: number;
  /** The most of their sizes together; a single item may be larger. */
  readonly size: number;
  sizeOf(item: T): number;
  /**
   * One request: a verdict for each item in their order, or one for all. Where one for all permanently refuses what it holds (`rejected`,
   * `tooLarge`), the item at fault is looked for by halves.
   */
  send(items: readonly T[], signal: AbortSignal): Promise<Verdict | readonly Verdict[]>;
}

interface Waiting<T> {
  readonly item: T;
  settled: boolean;
  settle(verdict: Verdict): void;
}

/**
 * Gathers what is delivered in one turn of the event loop, and what comes while a request is under way, into requests of many.
 * Each item gets a verdict of its own: one that the other side refuses does not take the others with it.
 */
export class Gatherer<T> {
  readonly #batching: Batching<T>;
  #queue: Waiting<T>[] = [];
  #sending: readonly Waiting<T>[] = [];
  #stop = new AbortController();
  #busy = false;
  #closed = false;

  constructor(batching: Batching<T>) {
    this.#batching = batching;
  }

  deliver(item: T, signal: AbortSignal): Promise<Verdict> {
    if (signal.aborted || this.#closed) return Promise.resolve(SHUTTING_DOWN);
    return new Promise((resolve) => {
      const abort = () => {
        waiting.settle(retryable("timeout", "ended while waiting for an answer"));
        this.#forget();
      };
      const waiting: Waiting<T> = {
        item,
        settled: false,
        settle: (verdict) => {
          waiting.settled = true;
          signal.removeEventListener("abort", abort);
          resolve(verdict);
        },
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#queue.push(waiting);
      if (this.#busy) return;
      this.#busy = true;
      setImmediate(() => void this.#run());
    });
  }

  close(): void {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.settle(SHUTTING_DOWN);
    this.#stop.abort();
  }

  /** A request nobody waits for any more is given up: it would hold all that follow. */
  #forget(): void {
    this.#queue = this.#queue.filter(({ settled }) => !settled);
    if (this.#sending.length > 0 && this.#sending.every(({ settled }) => settled))
      this.#stop.abort();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      this.#sending = this.#next();
      this.#stop = new AbortController();
      try {
        await this.#send(this.#sending);
      } catch {
        // A mistake of the sink's: its words may hold what is being sent.
        for (const waiting of this.#sending)
          if (!waiting.settled) waiting.settle(retryable("unknown", "the request failed"));
      }
      this.#sending = [];
    }
    this.#busy = false;
  }

  #next(): readonly Waiting<T>[] {
    const { most, size } = this.#batching;
    let total = 0;
    let end = 0;
    for (const { item } of this.#queue.slice(0, most)) {
      total += this.#batching.sizeOf(item);
      if (end > 0 && total > size) break;
      end += 1;
    }
    return this.#queue.splice(0, end);
  }

  async #send(batch: readonly Waiting<T>[]): Promise<void> {
    const left = batch.filter(({ settled }) => !settled);
    if (left.length === 0) return;
    const items = left.map(({ item }) => item);
    const told = await this.#batching.send(items, this.#stop.signal);
    const each = isEach(told) ? told : items.map(() => told);
    if (!isEach(told) && left.length > 1 && isAboutOne(told)) {
      const middle = Math.ceil(left.length / 2);
      await this.#send(left.slice(0, middle));
      await this.#send(left.slice(middle));
      return;
    }
    for (const [index, waiting] of left.entries())
      if (!waiting.settled) waiting.settle(each[index] ?? NO_WORD);
  }
}

const NO_WORD = retryable("unknown", "the answer says nothing of this one");
const SHUTTING_DOWN = retryable("network", "ended before it was sent: shutting down");

function isEach(told: Verdict | readonly Verdict[]): told is readonly Verdict[] {
  return Array.isArray(told);
}

function isAboutOne(verdict: Verdict): boolean {
  return (
    verdict.kind === "permanent" && (verdict.reason === "rejected" || verdict.reason === "tooLarge")
  );
}
