import { accepted, type DirectSink, retryable, type Verdict } from "../../src/sink/index.ts";
import { Connection, type Target } from "./connection.ts";
import { frame } from "./protobuf.ts";
import { troubleOf } from "./trouble.ts";

/** Of one message: a server takes more, but reads it whole into its memory. */
const MESSAGE_BYTES = 1_000_000;

interface Waiting {
  readonly event: Buffer;
  settle(verdict: Verdict): void;
  over: boolean;
}

/** Gathers what is delivered in one turn of the event loop, and what comes while the server has not answered, into messages of many events. */
export class Writer implements Pick<DirectSink, "close"> {
  readonly #target: Target;
  readonly #most: number;
  #queue: Waiting[] = [];
  #writing: readonly Waiting[] = [];
  #busy = false;
  #connection: Connection | null = null;
  #connecting: AbortController | null = null;
  #closed = false;

  constructor(target: Target, most: number) {
    this.#target = target;
    this.#most = most;
  }

  deliver(event: Buffer, signal: AbortSignal): Promise<Verdict> {
    if (signal.aborted || this.#closed) return Promise.resolve(STOPPED);
    return new Promise((resolve) => {
      const abort = () => {
        waiting.settle(retryable("timeout", "ended while waiting for Riemann's answer"));
        this.#forget();
      };
      const waiting: Waiting = {
        event,
        over: false,
        settle: (verdict) => {
          if (waiting.over) return;
          waiting.over = true;
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

  close(): Promise<void> {
    this.#closed = true;
    for (const waiting of [...this.#queue.splice(0), ...this.#writing]) waiting.settle(STOPPED);
    this.#drop();
    return Promise.resolve();
  }

  /** An answer nobody waits for any more would be taken for the next message's: it goes with its connection. */
  #forget(): void {
    this.#queue = this.#queue.filter(({ over }) => !over);
    if (this.#writing.length > 0 && this.#writing.every(({ over }) => over)) this.#drop();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      this.#writing = this.#next();
      try {
        await this.#write(this.#writing, { left: 2 * Math.ceil(Math.log2(this.#writing.length)) });
      } catch (error) {
        const { verdict } = troubleOf(error, this.#target);
        for (const waiting of this.#writing) waiting.settle(verdict);
        this.#drop();
      }
      this.#writing = [];
    }
    this.#busy = false;
  }

  #next(): readonly Waiting[] {
    let bytes = 0;
    let end = 0;
    for (const { event } of this.#queue.slice(0, this.#most)) {
      bytes += event.length + 8;
      if (end > 0 && bytes > MESSAGE_BYTES) break;
      end += 1;
    }
    return this.#queue.splice(0, end);
  }

  /**
   * The server answers for a whole message: what it refuses is sent again in halves, until the one at fault is alone.
   * @param halvings how often that is done: where all is refused, no event is at fault
   */
  async #write(all: readonly Waiting[], halvings: { left: number }): Promise<void> {
    const group = all.filter(({ over }) => !over);
    if (group.length === 0) return;
    const { ok, error } = await this.#ask(frame(group.map(({ event }) => event)));
    if (ok) {
      for (const waiting of group) waiting.settle(accepted);
      return;
    }
    if (group.length > 1 && halvings.left > 0) {
      halvings.left -= 1;
      const middle = Math.ceil(group.length / 2);
      await this.#write(group.slice(0, middle), halvings);
      await this.#write(group.slice(middle), halvings);
      return;
    }
    const words = error === "" ? "without a word" : `with: ${error.slice(0, 200)}`;
    const verdict = retryable(
      "server",
      `Riemann refused it ${words}; a stream of its configuration failed, see the server's log`,
    );
    for (const waiting of group) waiting.settle(verdict);
  }

  /** A connection that was open may have been closed while nobody looked: then, once more with a new one. */
  async #ask(message: Buffer) {
    const known = this.#connection;
    if (known?.open === true) {
      try {
        return await known.ask(message);
      } catch (error) {
        if (this.#closed || this.#writing.every(({ over }) => over)) throw error;
      }
    }
    this.#drop();
    const connecting = new AbortController();
    this.#connecting = connecting;
    const connection = await Connection.open(this.#target, connecting.signal);
    this.#connecting = null;
    this.#connection = connection;
    return connection.ask(message);
  }

  #drop(): void {
    this.#connecting?.abort();
    this.#connecting = null;
    this.#connection?.close();
    this.#connection = null;
  }
}

const STOPPED = retryable("network", "ended before it was written: shutting down");
