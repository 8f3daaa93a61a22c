import {
  accepted,
  type DirectSink,
  Gatherer,
  type Message,
  occurrenceOf,
  retryable,
  type SinkCheck,
  type SinkIo,
  TOLD_ALREADY,
  type Verdict,
} from "../../src/sink/index.ts";
import { documentOf, type Made } from "./document.ts";
import { type Collection, openCollection, type Place } from "./driver.ts";
import { documentVerdict, missingRight, troubleOf } from "./trouble.ts";

/** The lane tries again: a server that is away is not worth a longer wait within an attempt. */
const CONNECT_MS = 3_000;
/** A database that is slow is waited for by the lane and not by the start. */
const PATIENCE_MS = 3_000;
/** Less, so that the driver has time to say what is the matter. */
const LOOK_MS = 2_500;
/** How long a server is told goodbye. */
const GOODBYE_MS = 1_000;
/** Characters of one insert: three bytes each stay below the sixteen megabytes at which the driver would part it. */
const CHARACTERS = 4_000_000;
export const MOST = 256;

export class Writer implements DirectSink {
  readonly #place: Place;
  readonly #io: SinkIo;
  readonly #gatherer: Gatherer<Made>;
  #collection: Collection | null = null;

  constructor(place: Place, io: SinkIo) {
    this.#place = place;
    this.#io = io;
    this.#gatherer = new Gatherer({
      most: MOST,
      size: CHARACTERS,
      sizeOf: ({ size }) => size,
      send: (made, signal) => this.#insert(made, signal),
    });
  }

  deliver(message: Message, signal: AbortSignal): Promise<Verdict> {
    const event = occurrenceOf(message);
    if (event === null) return Promise.resolve(TOLD_ALREADY);
    const made = documentOf(event);
    if (made.isCut) this.#io.messageCut();
    return this.#gatherer.deliver(made, signal);
  }

  /** Logs in and asks what the user may do, or looks at the collection where the server does not say; writes nothing. */
  async check(signal: AbortSignal): Promise<SinkCheck> {
    const ended = new AbortController();
    const late = this.#io.clock
      .sleep(PATIENCE_MS, AbortSignal.any([signal, ended.signal]))
      .then((): SinkCheck => ({
        problems: [],
        away: `MongoDB gives no answer in ${PATIENCE_MS} ms`,
      }));
    const check = await Promise.race([this.#look(), late]);
    ended.abort();
    return check;
  }

  async close(): Promise<void> {
    this.#gatherer.close();
    await this.#drop();
  }

  async #look(): Promise<SinkCheck> {
    let found: Collection | null = null;
    try {
      found = await openCollection(this.#place, LOOK_MS);
      const privileges = await found.privileges();
      if (privileges === null) await found.look();
      const missing = privileges === null ? null : missingRight(privileges, this.#place);
      return { problems: missing === null ? [] : [missing], away: null };
    } catch (error) {
      const { verdict, problem } = troubleOf(error, this.#place);
      if (problem !== null) return { problems: [problem], away: null };
      return { problems: [], away: "detail" in verdict ? verdict.detail : null };
    } finally {
      if (found !== null) await this.#farewell(found);
    }
  }

  /** An insert that nobody waits for any more ends with its connections: a server that hangs would hold all that follow. */
  async #insert(made: readonly Made[], signal: AbortSignal): Promise<Verdict | readonly Verdict[]> {
    const ended = new Promise<Verdict>((resolve) => {
      const end = () => {
        void this.#drop();
        resolve(STOPPED);
      };
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    });
    return Promise.race([this.#inserted(made, signal), ended]);
  }

  async #inserted(
    made: readonly Made[],
    signal: AbortSignal,
  ): Promise<Verdict | readonly Verdict[]> {
    try {
      if (this.#collection === null) {
        const opened = await openCollection(this.#place, CONNECT_MS);
        if (signal.aborted) {
          await this.#farewell(opened);
          return STOPPED;
        }
        this.#collection = opened;
      }
      const refused = await this.#collection.insert(made.map(({ document }) => document));
      return made.map((_, index) => {
        const trouble = refused.get(index);
        return trouble === undefined ? accepted : documentVerdict(trouble);
      });
    } catch (error) {
      const { verdict } = troubleOf(error, this.#place);
      // A new client reads the certificates anew, which somebody may have renewed.
      if (verdict.kind === "retryable") await this.#drop();
      return verdict;
    }
  }

  async #drop(): Promise<void> {
    const collection = this.#collection;
    this.#collection = null;
    if (collection !== null) await this.#farewell(collection);
  }

  /** The driver tells the server that it goes, and would wait for one that hangs. */
  async #farewell(collection: Collection): Promise<void> {
    const gone = new AbortController();
    await Promise.race([
      collection.close().then(() => gone.abort()),
      this.#io.clock.sleep(GOODBYE_MS, gone.signal),
    ]);
  }
}

const STOPPED = retryable("network", "ended before MongoDB answered: shutting down");
