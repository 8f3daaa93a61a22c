import type { DatabaseSync } from "node:sqlite";
import type { KubeEvent } from "../../event/event.ts";
import { readEvent } from "../../ledger/readable.ts";
import { traitsOf } from "../match.ts";
import { searched, spread } from "../words.ts";
import { Classes } from "./classes.ts";
import { Additions } from "./counts.ts";
import { Forgetting } from "./forgetting.ts";
import { HOUR_MS, MINUTE_MS } from "../numbers.ts";
import { MOMENT, numberAt, SECOND, timeOf } from "./schema.ts";

/** Rows of one transaction: some ten milliseconds of a thread of its own. */
const BATCH = 250;
/** Objects whose numbers are remembered. */
const OBJECTS = 4_096;

/** Numbers of a second that are left for what is indexed later: what arrived earlier, and backwards what arrives yet. */
const BEFORE = 512;

type Direction = "forward" | "backward";

interface Taken {
  readonly seq: number;
  readonly at: number;
  readonly event: KubeEvent;
  readonly suppressed: string | null;
  readonly sinks: readonly string[];
}

/** What of the ledger is in the index: everything above `low`, up to `high`, by the ledger's own numbers. */
export interface Covered {
  readonly low: number;
  readonly high: number;
}

/**
 * Brings the index after the ledger, a batch at a time: the newest first, so that what people ask for is there at once, and then,
 * backwards, what a ledger of before already held.
 */
export class Indexer {
  readonly classes: Classes;
  readonly #ledger;
  readonly #sql;
  readonly #db: DatabaseSync;
  readonly #counts: Additions;
  readonly #forgetting: Forgetting;
  readonly #objects = new Map<string, number>();
  #version: unknown = null;
  #failed = false;

  constructor(ledger: DatabaseSync, db: DatabaseSync) {
    this.#db = db;
    this.classes = new Classes(db);
    this.classes.load();
    this.#ledger = readings(ledger);
    this.#sql = statements(db);
    this.#counts = new Additions(db);
    this.#forgetting = new Forgetting(ledger, db, this.classes, this.#counts);
  }

  covered(): Covered {
    const row = this.#sql.covered.get();
    return { low: Number(row?.["low"]), high: Number(row?.["high"]) };
  }

  /** The last batch could not be written, as on a full disk. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Occurrences that arrived after what is covered. */
  behind(): number {
    return Math.max(0, this.#newest() - this.covered().high);
  }

  /** The next batch of what arrived since; answers whether there may be more. */
  forward(): boolean {
    return this.#batch(() => {
      const { low, high } = this.#begin();
      const rows = this.#ledger.after.all(high, BATCH);
      const taken = rows.map(toTaken);
      this.#add(taken, "forward");
      const last = rows.at(-1);
      if (last !== undefined) this.#sql.cover.run(low, Number(last["seq"]), String(last["key"]));
      return rows.length === BATCH;
    });
  }

  /** The next batch of what was there before the index was; answers whether there may be more. */
  backward(): boolean {
    return this.#batch(() => {
      const { low, high } = this.covered();
      if (low === 0) return false;
      const rows = this.#ledger.before.all(low, BATCH);
      this.#add(rows.map(toTaken), "backward");
      const next = rows.length < BATCH ? 0 : Number(rows.at(-1)?.["seq"]) - 1;
      this.#sql.cover.run(next, high, this.#sql.covered.get()?.["high_key"] ?? null);
      return next > 0;
    });
  }

  /** Forgets a batch of what the ledger has forgotten; answers whether there may be more. */
  prune(): boolean {
    return this.#batch(() => {
      const more = this.#forgetting.step();
      this.#objects.clear();
      return more;
    });
  }

  #newest(): number {
    return Number(this.#ledger.newest.get()?.["seq"] ?? 0);
  }

  /**
   * Where the ledger and the index agree. A ledger that was put back to an earlier state, or emptied, gives its numbers to other
   * occurrences: then all is made anew.
   */
  #begin(): Covered {
    const { low, high } = this.covered();
    const newest = this.#newest();
    if (high === 0) {
      this.#sql.cover.run(newest, newest, null);
      return { low: newest, high: newest };
    }
    const key = this.#sql.covered.get()?.["high_key"] ?? null;
    const found = this.#ledger.key.get(high)?.["key"] ?? null;
    if (newest >= high && (key === null || found === null || key === found)) return { low, high };
    for (const table of ["entry", "minute", "hour", "object"])
      this.#db.exec(`DELETE FROM ${table}`);
    this.#db.exec("INSERT INTO word (word) VALUES ('delete-all')");
    this.#objects.clear();
    this.#sql.cover.run(newest, newest, null);
    return { low: newest, high: newest };
  }

  #add(taken: readonly Taken[], direction: Direction): void {
    const sorted = taken.toSorted((a, b) => numberAt(a.at) - numberAt(b.at) || a.seq - b.seq);
    if (direction === "backward") sorted.reverse();
    const words: (readonly [id: number, text: string])[] = [];
    for (const { seq, at, event, suppressed, sinks } of sorted) {
      const id = this.#freeId(at, direction);
      const of = this.classes.idOf(traitsOf(event, suppressed, sinks));
      this.#sql.entry.run(id, seq, of, this.#objectId(event));
      words.push([id, spread(searched(event))]);
      this.#count(id, of, 1);
    }
    // In the order of their numbers: the index of words writes a segment whenever it has to go back.
    for (const [id, text] of words.toSorted(([a], [b]) => a - b)) this.#sql.words.run(id, text);
    this.#counts.write();
  }

  #count(id: number, of: number, n: number): void {
    const at = timeOf(id);
    this.#counts.add("minute", Math.floor(at / MINUTE_MS), of, n);
    this.#counts.add("hour", Math.floor(at / HOUR_MS), of, n);
  }

  /** After those of the same second that are there already; backwards, before them: so that they stand in the order of arrival. */
  #freeId(at: number, direction: Direction): number {
    const first = numberAt(at);
    const end = first + SECOND;
    // What arrives later in the same second goes behind it.
    if (direction === "forward") return this.#freeFrom(first, end, first + BEFORE);
    return this.#freeBelow(first, end) ?? this.#freeFrom(first, end, first + BEFORE);
  }

  /** What has no room in its second runs over into those that follow, a minute of them at a time. */
  #freeFrom(first: number, end: number, empty: number): number {
    for (let [from, to, free] = [first, end, empty]; ;) {
      const last = idIn(this.#sql.lastOf.get(from, to));
      if (last === null) return free;
      if (last + 1 < to) return last + 1;
      // The rest of the first minute, then the next one.
      [from, to] = to === end ? [first, first + MOMENT] : [to, to + MOMENT];
      free = from;
    }
  }

  /** The same, into those before; `null`: there is no earlier one. */
  #freeBelow(first: number, end: number): number | null {
    for (let [from, to, free] = [first, end, end - 1 - BEFORE]; ;) {
      const least = idIn(this.#sql.firstOf.get(from, to));
      if (least === null) return free;
      if (least > from) return least - 1;
      if (from === 0) return null;
      [from, to] = to === end && from === first ? [end - MOMENT, end] : [from - MOMENT, from];
      from = Math.max(0, from);
      free = to - 1;
    }
  }

  #objectId({ object }: KubeEvent): number {
    const { name, kind, namespace } = object;
    const text = JSON.stringify([name, kind, namespace]);
    const known = this.#objects.get(text);
    if (known !== undefined) return known;
    const key = [name, kind, namespace ?? ""] as const;
    const id = Number(
      this.#sql.object.get(...key)?.["id"] ?? this.#sql.addObject.run(...key).lastInsertRowid,
    );
    if (this.#objects.size >= OBJECTS) this.#objects.clear();
    this.#objects.set(text, id);
    return id;
  }

  #batch(work: () => boolean): boolean {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      this.#notice();
      const more = work();
      this.#db.exec("COMMIT");
      this.#failed = false;
      return more;
    } catch (error) {
      this.#failed = true;
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      this.classes.reload();
      this.#objects.clear();
      this.#counts.forget();
      throw error;
    }
  }

  /** Another process may have forgotten what is remembered here. */
  #notice(): void {
    const version = this.#sql.version.get()?.["data_version"];
    if (version === this.#version) return;
    this.#version = version;
    this.classes.reload();
    this.#objects.clear();
  }
}

function idIn(row: Record<string, unknown> | undefined): number | null {
  return typeof row?.["id"] === "number" ? row["id"] : null;
}

/** When it was last seen; a clock that is ahead of ours must not put it before everything else for good. */
export function momentOf(lastSeen: string, receivedAt: number): number {
  const at = Date.parse(lastSeen);
  return Number.isNaN(at) ? receivedAt : Math.max(0, Math.min(at, receivedAt));
}

const COLUMNS = `o.seq, o.key, o.received_at, o.event, o.suppressed,
  (SELECT json_group_array(DISTINCT d.sink) FROM delivery d WHERE d.occurrence = o.seq) AS sinks
  FROM occurrence o`;

function toTaken(row: Record<string, unknown>): Taken {
  const event = readEvent(row["event"], Number(row["received_at"]));
  return {
    seq: Number(row["seq"]),
    at: momentOf(event.lastSeen, Number(row["received_at"])),
    event,
    suppressed: typeof row["suppressed"] === "string" ? row["suppressed"] : null,
    sinks: (JSON.parse(String(row["sinks"])) as string[]).toSorted(),
  };
}

function readings(ledger: DatabaseSync) {
  return {
    newest: ledger.prepare("SELECT MAX(seq) AS seq FROM occurrence"),
    key: ledger.prepare("SELECT key FROM occurrence WHERE seq = ?"),
    after: ledger.prepare(`SELECT ${COLUMNS} WHERE o.seq > ? ORDER BY o.seq LIMIT ?`),
    before: ledger.prepare(`SELECT ${COLUMNS} WHERE o.seq <= ? ORDER BY o.seq DESC LIMIT ?`),
  };
}

function statements(db: DatabaseSync) {
  return {
    covered: db.prepare("SELECT low, high, high_key FROM covered"),
    cover: db.prepare("UPDATE covered SET low = ?, high = ?, high_key = ?"),
    lastOf: db.prepare("SELECT MAX(id) AS id FROM entry WHERE id >= ? AND id < ?"),
    firstOf: db.prepare("SELECT MIN(id) AS id FROM entry WHERE id >= ? AND id < ?"),
    entry: db.prepare("INSERT INTO entry (id, seq, class, object) VALUES (?, ?, ?, ?)"),
    words: db.prepare("INSERT INTO word (rowid, text) VALUES (?, ?)"),
    object: db.prepare("SELECT id FROM object WHERE name = ? AND kind = ? AND namespace = ?"),
    addObject: db.prepare("INSERT INTO object (name, kind, namespace) VALUES (?, ?, ?)"),
    version: db.prepare("PRAGMA data_version"),
  };
}
