import type { HttpAnswer, HttpBatch, HttpRequest } from "./define.ts";
import { TransportError } from "./transport.ts";

/** How many requests of one sink may be under way: what comes meanwhile goes with the next. */
const REQUESTS = 4;
/** What a server says of a body that it does not take, whichever delivery in it is to blame. */
const UNWANTED: ReadonlySet<number> = new Set([400, 413, 422]);

/** Of fewer deliveries it would say less, or not refuse them all. */
const isForFewer = ({ status, isCut }: HttpAnswer) =>
  UNWANTED.has(status) || (isCut === true && status < 300);

export type Exchange = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>;

interface Waiting {
  readonly request: HttpRequest;
  /** Where one of these differs, a request cannot be shared. */
  readonly head: string;
  readonly bytes: number;
  resolve(answer: HttpAnswer): void;
  reject(error: unknown): void;
  /** Answered, or nobody waits any more. */
  over: boolean;
  /** Of the request it is under way with. */
  stop: (() => void) | null;
}

/**
 * Sends what is to be told in one turn of the event loop, and what comes while requests are under way, in few requests of many deliveries.
 * Each gets the answer that speaks of it; a request refused as a whole is sent again in halves, so that one bad delivery harms no other, and
 * so is one whose answer is too long to be read to its end.
 */
export class Batches {
  readonly #batch: HttpBatch;
  readonly #exchange: Exchange;
  #queue: Waiting[] = [];
  #underWay = 0;
  #woken = false;

  constructor(batch: HttpBatch, exchange: Exchange) {
    this.#batch = batch;
    this.#exchange = exchange;
  }

  /** The answer that speaks of this one. Rejects as the exchange does. */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    if (signal.aborted) return Promise.reject(TransportError.aborted());
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        if (waiting.over) return;
        waiting.over = true;
        signal.removeEventListener("abort", abort);
        settle();
      };
      const abort = () => {
        end(() => reject(TransportError.aborted()));
        this.#queue = this.#queue.filter((one) => one !== waiting);
        waiting.stop?.();
      };
      const { method, url, headers, body } = request;
      const waiting: Waiting = {
        request,
        head: JSON.stringify([method, url, headers]),
        bytes: Buffer.byteLength(body),
        resolve: (answer) => end(() => resolve(answer)),
        reject: (error) => end(() => reject(error)),
        over: false,
        stop: null,
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#queue.push(waiting);
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    setImmediate(() => {
      this.#woken = false;
      while (this.#queue.length > 0 && this.#underWay < REQUESTS) void this.#carry(this.#next());
    });
  }

  /** As many as one request may carry, the oldest first. */
  #next(): readonly Waiting[] {
    const group: Waiting[] = [];
    const rest: Waiting[] = [];
    let bytes = 0;
    for (const one of this.#queue) {
      // What joins two bodies is a byte or two.
      const room = group.length < this.#batch.max && bytes + one.bytes + 2 <= this.#batch.bytes;
      if (group.length === 0 || (room && one.head === group[0]?.head)) {
        group.push(one);
        bytes += one.bytes + 2;
      } else rest.push(one);
    }
    this.#queue = rest;
    return group;
  }

  async #carry(group: readonly Waiting[]): Promise<void> {
    this.#underWay += 1;
    await this.#tell(group);
    this.#underWay -= 1;
    this.#wake();
  }

  async #tell(all: readonly Waiting[]): Promise<void> {
    const group = all.filter(({ over }) => !over);
    const [first] = group;
    if (first === undefined) return;
    const { request } = first;
    const many = group.length > 1;
    const ending = new AbortController();
    const stop = () => {
      if (group.every(({ over }) => over)) ending.abort();
    };
    for (const one of group) one.stop = stop;
    try {
      const body = many ? this.#batch.join(group.map((one) => one.request.body)) : request.body;
      const answer = await this.#exchange({ ...request, body }, ending.signal);
      const answers = many ? this.#batch.split(answer, group.length) : null;
      if (many && answers === null && isForFewer(answer)) {
        const middle = Math.ceil(group.length / 2);
        await this.#tell(group.slice(0, middle));
        await this.#tell(group.slice(middle));
        return;
      }
      for (const [index, one] of group.entries()) one.resolve(answers?.[index] ?? answer);
    } catch (error) {
      for (const one of group) one.reject(error);
    }
  }
}
