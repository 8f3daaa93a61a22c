import type { Clock } from "../../clock.ts";
import { AwayError, Session } from "../../ledger/mysql/session.ts";
import { versionOf } from "../../ledger/mysql/schema.ts";
import { type LedgerTarget, nameOf } from "../../ledger/mysql/target.ts";
import type { Budget } from "../budget.ts";
import { UnreadableError } from "../history.ts";
import type { Answer, Answering, Kind, Question } from "../question.ts";
import { deliveriesOf, deliveryOf, sinksOf } from "./deliveries.ts";
import { Indexer } from "./indexer.ts";
import { pageOf } from "./page.ts";
import { homesOf, storyOf, tailOf } from "./story.ts";
import { timelineOf } from "./timeline.ts";

/** Of the time for an answer, this part may be spent on indexing what has just arrived. */
const CATCH_UP = 0.25;
/** One statement that takes longer than this has met a server that is not well. */
const PATIENCE_MS = 12_000;
const INDEXING_MS = 120_000;
const PRUNE_EVERY_MS = 3_600_000;
/** What is answered from the index. */
const INDEXED: ReadonlySet<Kind> = new Set(["events", "timeline", "event", "namespaces"]);
/** The version of the ledger's tables that the index is in. */
const VERSION = 2;

/** Answers one question at a time over MySQL, in short statements on a connection of its own; others index. */
export class Engine implements Answering {
  readonly #target: LedgerTarget;
  readonly #clock: Clock;
  readonly #reading: Session;
  readonly #writing: Session;
  readonly #wording: Session;
  readonly #indexer: Indexer;
  #ready = false;
  #prunedAt = Number.NEGATIVE_INFINITY;
  /** One batch at a time. */
  #indexing: Promise<unknown> = Promise.resolve();
  #segmenting: Promise<unknown> = Promise.resolve();

  constructor(target: LedgerTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
    this.#reading = new Session(target, PATIENCE_MS);
    this.#writing = new Session(target, INDEXING_MS);
    this.#wording = new Session(target, INDEXING_MS);
    this.#indexer = new Indexer(this.#writing, this.#wording);
  }

  async answer(question: Question, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const until = this.#clock.now() + question.deadlineMs;
    const now = () => this.#clock.now();
    const budget = { over: () => signal.aborted || now() >= until, now };
    const { promise: gone, reject } = Promise.withResolvers<never>();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([gone, this.#readable(() => this.#answer(question, budget))]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Indexes a batch; answers whether there may be more to do. What cannot be indexed now is tried again later. */
  async work(): Promise<boolean> {
    try {
      await this.#prepare();
      if (await this.#alone(() => this.#indexer.forward())) return true;
      // A segment takes its time; nobody waits for it.
      if (await this.#words()) return true;
      if (await this.#alone(() => this.#indexer.backward())) return true;
      const now = this.#clock.now();
      // A clock that was set back tells nothing of how long ago that was.
      if (Math.abs(now - this.#prunedAt) >= PRUNE_EVERY_MS) {
        this.#prunedAt = now;
        if (await this.#alone(() => this.#indexer.prune(now))) return true;
      }
      return await this.#alone(() => this.#indexer.tidy());
    } catch (error) {
      if (error instanceof AwayError || error instanceof UnreadableError) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#indexing, this.#segmenting]);
    await Promise.all([this.#reading, this.#writing, this.#wording].map((one) => one.end()));
  }

  async #answer(question: Question, budget: Budget): Promise<Answer> {
    await this.#prepare();
    const { kind, visible } = question;
    const isThere = !INDEXED.has(kind) || (await this.#catchUp(question.deadlineMs * CATCH_UP));
    const session = this.#reading;
    const looking = { session, indexer: this.#indexer, visible, isThere };
    switch (kind) {
      case "events":
        return pageOf(
          { ...looking, filter: question.filter },
          question.limit,
          question.before,
          budget,
        );
      case "timeline":
        return timelineOf({ ...looking, filter: question.filter }, question.query, budget);
      case "event":
        return storyOf(session, question.id, visible);
      case "delivery":
        return deliveryOf(session, question.id, visible, budget);
      case "deliveries":
        return deliveriesOf(session, question.query, question.before, visible, budget);
      case "namespaces":
        return homesOf(session, this.#indexer, visible);
      case "sinks":
        return sinksOf(session, visible, budget);
      case "tail":
        return tailOf(session, question.filter, question.mark, question.limit, visible);
    }
  }

  /**
   * What has just arrived is indexed first, as far as there is time for it: a batch that takes longer goes on beside the answer.
   * @returns whether all of it is there
   */
  async #catchUp(ms: number): Promise<boolean> {
    const enough = new AbortController();
    const over = this.#clock.sleep(ms, enough.signal).then(() => {
      enough.abort();
      return false;
    });
    const isThere = await Promise.race([over, this.#caughtUp(enough.signal)]);
    enough.abort();
    return isThere;
  }

  /** An account that may only read looks in what is indexed; who cannot read either learns it from the answer. */
  async #caughtUp(enough: AbortSignal): Promise<boolean> {
    const batch = async () => (await this.#indexer.forward()) || (await this.#indexer.backward());
    for (let failed = 0; !enough.aborted;)
      try {
        if (!(await this.#alone(batch))) return true;
      } catch (error) {
        if (!(error instanceof AwayError)) throw error;
        failed += 1;
        if (error.problem !== null || failed > 2) return false;
      }
    return false;
  }

  #words(): Promise<boolean> {
    const done = this.#indexer.words();
    this.#segmenting = done.catch(() => undefined);
    return done;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#indexing.then(work, work);
    this.#indexing = done.catch(() => undefined);
    return done;
  }

  async #prepare(): Promise<void> {
    if (this.#ready) return;
    const version = await versionOf(this.#reading);
    if (version === null || version < VERSION)
      throw new UnreadableError(
        version === null
          ? `there is no ledger in ${nameOf(this.#target)}; name the database that \`run\` was given, or run it first`
          : `the ledger in ${nameOf(this.#target)} has version ${version}, its history is kept from version ${VERSION} on; start \`run\` once with this program`,
      );
    this.#ready = true;
  }

  async #readable<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AwayError)) throw error;
      const { problem, message } = error;
      const hint = problem?.hint ?? "ask again when the database answers";
      throw new UnreadableError(
        `the history in ${nameOf(this.#target)} cannot be read: ${problem?.message ?? message}; ${hint}`,
        { cause: error },
      );
    }
  }
}
