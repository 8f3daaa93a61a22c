import { setImmediate as nextTurn } from "node:timers/promises";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../clock.ts";
import type { Budget, Steps } from "../budget.ts";
import { UnreadableError } from "../history.ts";
import type { Answer, Answering, Kind, Question } from "../question.ts";
import { deliveriesOf, deliveryOf, sinksOf } from "./deliveries.ts";
import { pageOf } from "./page.ts";
import { openIndex } from "./schema.ts";
import { homesOf, storyOf, tailOf } from "./story.ts";
import { Tables } from "./tables.ts";
import { timelineOf } from "./timeline.ts";

/** Of the time for an answer, this part may be spent on indexing what has just arrived. */
const CATCH_UP = 0.25;

/** What is answered from the index. */
const INDEXED: ReadonlySet<Kind> = new Set(["events", "timeline", "event", "namespaces"]);

/** How the two databases are come by. */
export interface Places {
  /** The ledger, for reading; opened anew after it was replaced. */
  readonly ledger: () => DatabaseSync;
  /** Where the index is: a file, or `:memory:`. */
  readonly index: string;
  /** Changes when another ledger has taken the place of the one that is open. */
  readonly which: () => unknown;
  /** Whether closing closes the ledger too. */
  readonly owned: boolean;
}

/** Answers one question at a time over SQLite, in short steps, with a turn for everyone else between them. */
export class Engine implements Answering {
  readonly #places: Places;
  readonly #clock: Clock;
  #tables: Tables | null = null;
  #which: unknown = null;

  constructor(places: Places, clock: Clock) {
    this.#places = places;
    this.#clock = clock;
  }

  async answer(question: Question, signal: AbortSignal): Promise<Answer> {
    const until = this.#clock.now() + question.deadlineMs;
    const now = () => this.#clock.now();
    const budget = { over: () => now() >= until, now };
    return await this.#readable(async () => {
      const tables = this.#open();
      if (INDEXED.has(question.kind))
        await this.#catchUp(tables, question.deadlineMs * CATCH_UP, signal);
      const steps = stepsOf(tables, question, budget);
      try {
        for (;;) {
          signal.throwIfAborted();
          const { done, value } = steps.next();
          if (done === true) return value;
          await nextTurn();
        }
      } finally {
        // Ends the statements of a search that was given up.
        steps.return(undefined as never);
      }
    });
  }

  /** Indexes a batch; answers whether there may be more to do. What cannot be indexed now is tried again later. */
  work(): boolean {
    try {
      const { indexer } = this.#open();
      return indexer.forward() || indexer.backward() || indexer.prune();
    } catch {
      this.#shut();
      return false;
    }
  }

  close(): Promise<void> {
    this.#shut();
    return Promise.resolve();
  }

  async #catchUp({ indexer }: Tables, ms: number, signal: AbortSignal): Promise<void> {
    const until = this.#clock.now() + ms;
    try {
      while (indexer.forward() || indexer.backward()) {
        if (signal.aborted || this.#clock.now() >= until) return;
        await nextTurn();
      }
    } catch (error) {
      // A full disk: what is indexed already can be searched all the same.
      if (indexer.covered().high === 0) throw error;
    }
  }

  #open(): Tables {
    const which = this.#places.which();
    if (this.#tables !== null && which === this.#which) return this.#tables;
    this.#shut();
    const ledger = this.#places.ledger();
    try {
      const source = String(ledger.prepare("SELECT id FROM identity").get()?.["id"]);
      this.#tables = new Tables(ledger, this.#openIndex(source));
    } catch (error) {
      if (this.#places.owned) ledger.close();
      throw error;
    }
    this.#which = which;
    return this.#tables;
  }

  /** Where it cannot be written it is made in memory, of the newest there is. */
  #openIndex(source: string): DatabaseSync {
    try {
      return openIndex(this.#places.index, source);
    } catch {
      return openIndex(":memory:", source);
    }
  }

  #shut(): void {
    const tables = this.#tables;
    this.#tables = null;
    if (tables === null) return;
    if (tables.index.isOpen) tables.index.close();
    if (this.#places.owned && tables.ledger.isOpen) tables.ledger.close();
  }

  async #readable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || !("errcode" in error)) throw error;
      this.#shut();
      throw new UnreadableError(`the history cannot be read: ${error.message}`, { cause: error });
    }
  }
}

function stepsOf(tables: Tables, question: Question, budget: Budget): Steps<Answer> {
  const { visible } = question;
  switch (question.kind) {
    case "events":
      return pageOf(tables, question.filter, question.limit, question.before, visible, budget);
    case "timeline":
      return timelineOf(tables, question.filter, question.query, visible, budget);
    case "event":
      return storyOf(tables, question.id, visible);
    case "delivery":
      return deliveryOf(tables, question.id, visible, budget);
    case "deliveries": {
      const { state, sink, limit } = question.query;
      return deliveriesOf(tables, state, sink, limit, question.before, visible, budget);
    }
    case "namespaces":
      return homesOf(tables, visible);
    case "sinks":
      return sinksOf(tables, visible, budget);
    case "tail":
      return tailOf(tables, question.filter, question.mark, question.limit, visible);
  }
}
