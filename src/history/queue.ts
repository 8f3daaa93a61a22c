import type { Clock } from "../clock.ts";
import { BusyError } from "./history.ts";
import type { Answer, Answering, Question } from "./question.ts";

/** Waiting for longer than its deadline nobody wants an answer any more; so many can be served within one. */
const WAITING_MAX = 256;

interface Waiting {
  readonly question: Question;
  readonly signal: AbortSignal;
  readonly since: number;
  readonly settle: PromiseWithResolvers<Answer>;
}

/** Lets one question after the other through, so that they neither share temporary tables nor a thread's time; a bounded number waits. */
export class Queue implements Answering {
  readonly #behind: Answering;
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #serving: Promise<void> | null = null;

  constructor(behind: Answering, clock: Clock) {
    this.#behind = behind;
    this.#clock = clock;
  }

  async answer(question: Question, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    if (this.#waiting.length >= WAITING_MAX) throw new BusyError(this.#waiting.length);
    const settle = Promise.withResolvers<Answer>();
    this.#waiting.push({ question, signal, since: this.#clock.now(), settle });
    this.#serving ??= this.#serve();
    return settle.promise;
  }

  async close(): Promise<void> {
    for (const { settle } of this.#waiting.splice(0)) settle.reject(new BusyError(0));
    await this.#serving;
    await this.#behind.close();
  }

  async #serve(): Promise<void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      const { question, signal, since, settle } = next;
      const deadlineMs = Math.max(1, question.deadlineMs - (this.#clock.now() - since));
      try {
        signal.throwIfAborted();
        settle.resolve(await this.#behind.answer({ ...question, deadlineMs }, signal));
      } catch (error) {
        settle.reject(error);
      }
    }
    this.#serving = null;
  }
}
