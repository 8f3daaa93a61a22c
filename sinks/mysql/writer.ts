import {
  accepted,
  type DirectSink,
  type Message,
  permanent,
  retryable,
  type SinkIo,
  type Verdict,
} from "../../src/sink/index.ts";
import type { Row } from "./columns.ts";
import { type Encoded, encode, keyOf, rowOf } from "./row.ts";
import type { Connection } from "./driver.ts";
import { Retention } from "./retention.ts";
import { findOccurrences, insertRows, LARGEST, sizesOf } from "./statements.ts";
import { type Opened, openTable, type Target } from "./table.ts";
import { troubleOf } from "./trouble.ts";

const CONNECT_MS = 10_000;
/** Characters of messages in one batch: three bytes each stay below the smallest max_allowed_packet of today. */
const BATCH_CHARACTERS = 300_000;
/** What a statement of one row takes besides its values, amply. */
const STATEMENT_BYTES = 2_048;
/** How often the same rows are tried before the lane hears of it: a deadlock, or a connection that the server closed while it was idle. */
const ROUNDS = 4;
/** How far the clocks of a cluster may be apart. */
const SKEW_MS = 5 * 60_000;

interface Waiting {
  readonly row: Row;
  settle(verdict: Verdict): void;
  settled: boolean;
}

/**
 * Gathers what is delivered in one turn of the event loop, and what comes while the database is busy, into statements of many rows.
 * A row may be written twice (an answer was lost): the key, or a look before, keeps it one row.
 */
export class Writer implements Pick<DirectSink, "deliver" | "close"> {
  readonly #target: Target;
  readonly #io: SinkIo;
  readonly #retention: Retention | null;
  readonly #openedAt: number;
  /** Occurrences that may have been written, though nobody said so; only where no key would tell. */
  readonly #uncertain = new Set<string>();
  #queue: Waiting[] = [];
  #writing: readonly Waiting[] = [];
  #busy = false;
  #connection: Connection | null = null;
  #opened: Opened | null = null;
  #closed = false;
  #toldOfCut = false;
  #toldOfLayout = false;

  constructor(target: Target, retentionMs: number | null, io: SinkIo) {
    this.#target = target;
    this.#io = io;
    this.#openedAt = io.clock.now();
    this.#retention = retentionMs === null ? null : new Retention(target, retentionMs, io);
  }

  deliver(message: Message, signal: AbortSignal): Promise<Verdict> {
    const row = rowOf(message);
    if (row === null)
      return Promise.resolve(
        permanent("rejected", "a digest has no row: the events it tells of were other deliveries"),
      );
    if (signal.aborted || this.#closed)
      return Promise.resolve(retryable("network", "ended before it was written: shutting down"));
    return new Promise((resolve) => {
      const abort = () => {
        waiting.settle(retryable("timeout", "ended while waiting for the database"));
        this.#forget();
      };
      const waiting: Waiting = {
        row,
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

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0))
      waiting.settle(retryable("network", "ended before it was written: shutting down"));
    await this.#retention?.stop();
    // What is being written, nobody waits for.
    if (this.#writing.length > 0) this.#drop();
    await this.#opened?.connection.end();
    this.#opened = null;
  }

  /** A statement nobody waits for any more is given up with its connection: a server that hangs would hold all that follow. */
  #forget(): void {
    this.#queue = this.#queue.filter(({ settled }) => !settled);
    if (this.#writing.length > 0 && this.#writing.every(({ settled }) => settled)) this.#drop();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#next();
      this.#writing = batch;
      try {
        await this.#write(batch);
      } catch (error) {
        const kind = error instanceof Error ? error.name : typeof error;
        settleAll(batch, retryable("unknown", `the rows could not be written (${kind})`));
      }
      this.#writing = [];
    }
    this.#busy = false;
  }

  #next(): readonly Waiting[] {
    let characters = 0;
    let end = 0;
    for (const { row } of this.#queue.slice(0, LARGEST)) {
      characters += row.message.length;
      if (end > 0 && characters > BATCH_CHARACTERS) break;
      end += 1;
    }
    return this.#queue.splice(0, end);
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    for (let round = 1; ; round += 1) {
      const left = batch.filter(({ settled }) => !settled);
      if (left.length === 0) return;
      const wasOpen = this.#opened !== null;
      try {
        await this.#insert(await this.#open(), left);
        return;
      } catch (error) {
        const failure = troubleOf(error, this.#target);
        const { about, verdict } = failure;
        if (about !== "row" && about !== "again") this.#drop();
        // Somebody may have put another table in this one's place, as `mysql migrate` does.
        const outdated = about === "row" && round === 1 && this.#opened?.layout.mode === "append";
        if (outdated) this.#drop();
        const curable =
          about === "again" ||
          outdated ||
          ((about === "connection" || about === "form") && wasOpen);
        if (curable && round < ROUNDS && !this.#closed) continue;
        const still = left.filter(({ settled }) => !settled);
        if (about !== "row" || still.length < 2) return settleAll(still, verdict);
        // One of them is at fault: the others must not wait for it.
        const middle = Math.ceil(still.length / 2);
        await this.#write(still.slice(0, middle));
        await this.#write(still.slice(middle));
        return;
      }
    }
  }

  async #insert({ connection, layout, packet }: Opened, batch: readonly Waiting[]): Promise<void> {
    const rows = batch
      .map((waiting) => ({ waiting, encoded: encode(waiting.row, layout) }))
      .filter(({ waiting, encoded }) => fits(waiting, encoded, packet));
    // Everyone who writes in this order waits for the others and not crosswise.
    if (layout.mode === "upsert")
      rows.sort((a, b) =>
        a.encoded.key < b.encoded.key ? -1 : a.encoded.key > b.encoded.key ? 1 : 0,
      );
    const fresh = layout.mode === "upsert" ? rows : await this.#unknown(rows);
    let start = 0;
    for (const size of sizesOf(fresh.length)) {
      const part = fresh.slice(start, start + size);
      start += size;
      if (layout.mode === "append")
        for (const { encoded } of part) this.#uncertain.add(encoded.key);
      await connection.execute(
        insertRows(this.#target.table, layout, size),
        part.flatMap(({ encoded }) => encoded.values),
      );
      for (const { waiting, encoded } of part) {
        this.#uncertain.delete(encoded.key);
        if (encoded.cut.length > 0) this.#tellCut(encoded);
        waiting.settle(accepted);
      }
    }
  }

  /** Those that have no row yet, where no key forbids a second one: looks before it writes what may have been written before. */
  async #unknown<T extends { readonly waiting: Waiting; readonly encoded: Encoded }>(
    rows: readonly T[],
  ): Promise<readonly T[]> {
    const known = await this.#known(rows);
    return rows.filter(({ waiting, encoded }) => {
      if (!known.has(encoded.key)) {
        known.add(encoded.key);
        return true;
      }
      this.#uncertain.delete(encoded.key);
      waiting.settle(accepted);
      return false;
    });
  }

  async #known(rows: readonly { readonly encoded: Encoded }[]): Promise<Set<string>> {
    const known = new Set<string>();
    const opened = this.#opened;
    if (opened === null) return known;
    const { connection, layout } = opened;
    const asked = [
      ...new Set(
        rows
          .filter(
            ({ encoded: { key, lastMs } }) =>
              layout.indexed || lastMs <= this.#openedAt + SKEW_MS || this.#uncertain.has(key),
          )
          .map(({ encoded }) => encoded.eventId),
      ),
    ];
    let start = 0;
    for (const size of sizesOf(asked.length)) {
      const part = asked.slice(start, start + size);
      start += size;
      const found = await connection.execute(findOccurrences(this.#target.table, size), part);
      for (const [id, last] of found) known.add(keyOf(String(id), String(last)));
    }
    return known;
  }

  async #open(): Promise<Opened> {
    if (this.#opened?.connection.open === true) return this.#opened;
    const opened = await openTable(this.#target, CONNECT_MS, (connection) => {
      this.#connection = connection;
    });
    if (this.#closed) {
      await opened.connection.end();
      return opened;
    }
    this.#opened = opened;
    this.#tellLayout(opened);
    this.#retention?.start();
    return opened;
  }

  #drop(): void {
    this.#connection?.destroy();
    this.#connection = null;
    this.#opened = null;
  }

  #tellLayout({ layout, created }: Opened): void {
    const { table } = this.#target;
    if (created) this.#io.notice(`created the table ${table}`);
    if (layout.whole || this.#toldOfLayout) return;
    this.#toldOfLayout = true;
    const index = layout.indexed
      ? ""
      : "; CREATE INDEX by_event ON it (event_id) spares it a look through the whole table after each start";
    this.#io.warning(
      layout.mode === "append"
        ? `the table ${table} is kube-eventer's: written as it is, a row for each occurrence and only its columns; "kube-crier mysql migrate" makes it whole${index}`
        : `the table ${table} has not all columns and indexes of ours; "kube-crier mysql migrate" adds them`,
    );
  }

  #tellCut({ cut }: Encoded): void {
    this.#io.messageCut();
    if (this.#toldOfCut) return;
    this.#toldOfCut = true;
    this.#io.warning(
      `${cut.join(", ")} of an event did not fit its column in ${this.#target.table} and was cut, as will be others (counted); "kube-crier mysql migrate" widens the table`,
    );
  }
}

/** Whether the server takes it; one that it does not is settled. */
function fits(waiting: Waiting, { values }: Encoded, packet: number): boolean {
  const bytes = values.reduce((sum, value) => sum + Buffer.byteLength(value), STATEMENT_BYTES);
  if (bytes <= packet) return true;
  const detail = `the row takes ${bytes} bytes, the server no more than ${packet} (max_allowed_packet)`;
  waiting.settle(permanent("tooLarge", detail));
  return false;
}

function settleAll(batch: readonly Waiting[], verdict: Verdict): void {
  for (const waiting of batch) if (!waiting.settled) waiting.settle(verdict);
}
