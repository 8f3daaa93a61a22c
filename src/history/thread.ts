import { Worker } from "node:worker_threads";
import type { Clock } from "../clock.ts";
import type { LedgerTarget } from "../ledger/mysql/target.ts";
import { UnreadableError } from "./history.ts";
import type { Answer, Answering, Question } from "./question.ts";

/** Which history: beside the ledger of a data directory, or in a database. */
export type Where = { readonly dataDir: string } | { readonly target: LedgerTarget };

export type ToThread =
  | { readonly kind: "ask"; readonly id: number; readonly question: Question }
  | { readonly kind: "stop"; readonly id: number }
  | { readonly kind: "index" }
  | { readonly kind: "close" };

export type FromThread =
  | { readonly kind: "answer"; readonly id: number; readonly answer: Answer }
  | {
      readonly kind: "failed";
      readonly id: number;
      readonly name: string;
      readonly message: string;
    }
  | { readonly kind: "indexed" };

interface Asked {
  readonly worker: Worker;
  readonly settle: PromiseWithResolvers<Answer>;
}

/** A thread nobody asks anything ends after this time, and its memory with it. */
const IDLE_MS = 60_000;
/** A step that SQLite does not come back from: the thread is ended this long after the deadline. */
const STUCK_MS = 5_000;
/** The bundle brings the thread's program along under this name. */
declare global {
  var BUNDLED: boolean | undefined;
}

/**
 * Answers in a thread of its own, with its own connections, so that no question holds up what is delivered. It begins with the first
 * question and ends when there are no more.
 */
export class Thread implements Answering {
  readonly #where: Where;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #asked = new Map<number, Asked>();
  #worker: Worker | null = null;
  /** Threads that have not ended yet, and when they will have. */
  readonly #alive = new Map<Worker, Promise<void>>();
  #idle = new AbortController();
  #last = 0;
  #indexing = false;

  constructor(where: Where, clock: Clock, idleMs = IDLE_MS) {
    this.#where = where;
    this.#clock = clock;
    this.#idleMs = idleMs;
  }

  get running(): boolean {
    return this.#worker !== null;
  }

  async answer(question: Question, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    this.#last += 1;
    const id = this.#last;
    const settle = Promise.withResolvers<Answer>();
    const done = new AbortController();
    const worker = this.#start();
    this.#asked.set(id, { worker, settle });
    worker.ref();
    const stop = () => {
      this.#send(worker, { kind: "stop", id });
      settle.reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
    void this.#watch(worker, question.deadlineMs + STUCK_MS, done.signal);
    this.#send(worker, { kind: "ask", id, question });
    try {
      return await settle.promise;
    } finally {
      done.abort();
      signal.removeEventListener("abort", stop);
      this.#asked.delete(id);
      this.#rest();
    }
  }

  /** Indexes what has arrived, when nobody asks anything. */
  index(): void {
    if (this.#indexing) return;
    this.#indexing = true;
    this.#send(this.#start(), { kind: "index" });
  }

  async close(): Promise<void> {
    this.#idle.abort();
    const worker = this.#worker;
    this.#worker = null;
    if (worker !== null) this.#send(worker, { kind: "close" });
    for (const alive of this.#alive.keys()) alive.ref();
    await Promise.all(this.#alive.values());
  }

  #start(): Worker {
    this.#idle.abort();
    if (this.#worker !== null) return this.#worker;
    const file = globalThis.BUNDLED === true ? "./history-worker.js" : "./worker.ts";
    const worker = new Worker(new URL(file, import.meta.url), {
      workerData: this.#where,
      // Rows are read a page at a time; a segment of a database's words is made in memory.
      resourceLimits: {
        maxOldGenerationSizeMb: "dataDir" in this.#where ? 64 : 192,
        maxYoungGenerationSizeMb: 4,
      },
    });
    const ended = Promise.withResolvers<void>();
    this.#alive.set(worker, ended.promise);
    worker.on("message", (message: FromThread) => this.#take(message));
    worker.once("error", (error) => this.#lose(worker, error.message));
    worker.once("exit", () => {
      this.#lose(worker, "its thread ended");
      this.#alive.delete(worker);
      ended.resolve();
    });
    // It serves questions; by itself it keeps no process alive.
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #take(message: FromThread): void {
    if (message.kind === "indexed") {
      this.#indexing = false;
      this.#rest();
      return;
    }
    const settle = this.#asked.get(message.id)?.settle;
    if (message.kind === "answer") settle?.resolve(message.answer);
    else settle?.reject(errorOf(message));
  }

  #lose(worker: Worker, why: string): void {
    if (this.#worker === worker) {
      this.#worker = null;
      this.#indexing = false;
    }
    for (const asked of this.#asked.values())
      if (asked.worker === worker)
        asked.settle.reject(new UnreadableError(`the history cannot be read: ${why}; ask again`));
  }

  /** Ends the thread where an answer is overdue. */
  async #watch(worker: Worker, ms: number, done: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, done);
    if (done.aborted) return;
    this.#lose(worker, "it did not come to an end in time");
    await worker.terminate();
  }

  #send(worker: Worker, message: ToThread): void {
    // The list of what is handed over, not copied: nothing.
    worker.postMessage(message, []);
  }

  /** Ends it unless somebody asks again. */
  #rest(): void {
    if (this.#asked.size > 0) return;
    this.#worker?.unref();
    if (this.#indexing || this.#worker === null) return;
    this.#idle.abort();
    const idle = new AbortController();
    this.#idle = idle;
    const worker = this.#worker;
    void this.#endIdle(worker, idle.signal);
  }

  async #endIdle(worker: Worker, asked: AbortSignal): Promise<void> {
    await this.#clock.sleep(this.#idleMs, asked);
    if (asked.aborted || this.#worker !== worker) return;
    this.#worker = null;
    this.#send(worker, { kind: "close" });
  }
}

function errorOf({ name, message }: FromThread & { kind: "failed" }): Error {
  if (name === "UnreadableError") return new UnreadableError(message);
  return Object.assign(new Error(message), { name });
}
