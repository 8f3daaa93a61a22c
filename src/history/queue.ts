import type { Clock } from "../clock.ts";
import { BusyError } from "./history.ts";
import type { Answer, Answering, Question } from "./question.ts";

/** More are turned away: some ten seconds' worth of questions. */
export const WAITING_MAX = 512;
/** Nobody wants an answer any more that they have waited so long for. */
export const PATIENCE_MS = 10_000;
/** The time an answer gets at least, however long it was waited for: none at all would be no answer. */
const LEAST_MS = 300;

interface Waiting {
  readonly question: Question;
  readonly signal: AbortSignal;
  readonly since: number;
  readonly settle: PromiseWithResolvers<Answer>;
}

/**
 * Lets one question after the other through, so that they neither share temporary tables nor a thread's time. Each asker has a line, and
 * the lines take turns: whoever asks a lot waits for themselves. A bounded number waits; where there is no room the longest line gives it.
 * What is followed live comes first, in turn with everything else, for it is asked for all who follow together.
 */
export class Queue implements Answering {
  readonly #behind: Answering;
  readonly #clock: Clock;
  /** In the order of their turns. */
  readonly #lines = new Map<string, Waiting[]>();
  readonly #tails: Waiting[] = [];
  #size = 0;
  #tailWasLast = false;
  /** What one answer takes, lately. */
  #serviceMs = 20;
  #serving: Promise<void> | null = null;

  constructor(behind: Answering, clock: Clock) {
    this.#behind = behind;
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#size;
  }

  async answer(question: Question, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    if (this.#size >= WAITING_MAX) this.#makeRoom(question);
    const settle = Promise.withResolvers<Answer>();
    const waiting = { question, signal, since: this.#clock.now(), settle };
    this.#join(waiting);
    const leave = () => {
      if (this.#remove(waiting)) settle.reject(signal.reason);
    };
    signal.addEventListener("abort", leave, { once: true });
    this.#serving ??= this.#serve();
    try {
      return await settle.promise;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  async close(): Promise<void> {
    for (const line of [this.#tails, ...this.#lines.values()])
      for (const { settle } of line.splice(0)) settle.reject(new BusyError(0));
    this.#lines.clear();
    this.#size = 0;
    await this.#serving;
    await this.#behind.close();
  }

  #lineOf({ kind, asker = "" }: Question): Waiting[] {
    if (kind === "tail") return this.#tails;
    const line = this.#lines.get(asker) ?? [];
    this.#lines.set(asker, line);
    return line;
  }

  #join(waiting: Waiting): void {
    this.#lineOf(waiting.question).push(waiting);
    this.#size += 1;
  }

  /** @returns false: it is not waiting any more */
  #remove(waiting: Waiting): boolean {
    const line = this.#lineOf(waiting.question);
    const place = line.indexOf(waiting);
    if (place >= 0) {
      line.splice(place, 1);
      this.#size -= 1;
    }
    this.#tidy(waiting.question);
    return place >= 0;
  }

  #tidy({ asker = "" }: Question): void {
    if (this.#lines.get(asker)?.length === 0) this.#lines.delete(asker);
  }

  /** The last of the longest line goes, unless that is the line of whoever comes now. @throws BusyError */
  #makeRoom(question: Question): void {
    const own = this.#lineOf(question);
    const longest = [this.#tails, ...this.#lines.values()].reduce((a, b) =>
      b.length > a.length ? b : a,
    );
    const last = longest.at(-1);
    if (last === undefined || longest.length <= own.length + 1) {
      this.#tidy(question);
      throw this.#busy(own.length > WAITING_MAX / 2);
    }
    this.#remove(last);
    last.settle.reject(this.#busy(longest.length >= WAITING_MAX / 2));
  }

  #busy(own: boolean): BusyError {
    return new BusyError(this.#size, own, Math.ceil((this.#size * this.#serviceMs) / 1000));
  }

  #next(): Waiting | undefined {
    if (this.#size === 0) return undefined;
    const tail = this.#tailWasLast && this.#lines.size > 0 ? undefined : this.#tails.shift();
    this.#tailWasLast = tail !== undefined;
    if (tail !== undefined) {
      this.#size -= 1;
      return tail;
    }
    const [turn] = this.#lines;
    if (turn === undefined) return undefined;
    const [asker, line] = turn;
    const next = line.shift();
    this.#size -= 1;
    // To the end of the turns.
    this.#lines.delete(asker);
    if (line.length > 0) this.#lines.set(asker, line);
    return next;
  }

  async #serve(): Promise<void> {
    for (;;) {
      const next = this.#next();
      if (next === undefined) break;
      const { question, signal, since, settle } = next;
      const begun = this.#clock.now();
      if (begun - since > PATIENCE_MS) {
        settle.reject(this.#busy(false));
        continue;
      }
      const deadlineMs = Math.max(
        Math.min(LEAST_MS, question.deadlineMs),
        question.deadlineMs - (begun - since),
      );
      try {
        settle.resolve(await this.#behind.answer({ ...question, deadlineMs }, signal));
      } catch (error) {
        settle.reject(error);
      }
      this.#serviceMs += (this.#clock.now() - begun - this.#serviceMs) / 10;
    }
    this.#serving = null;
  }
}
