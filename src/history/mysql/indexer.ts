import { number, text } from "../../ledger/mysql/literal.ts";
import { inserts, pieces } from "../../ledger/mysql/script.ts";
import { AwayError, type Session } from "../../ledger/mysql/session.ts";
import { Classes } from "./classes.ts";
import { countStatements } from "./counts.ts";
import { type Covered, readCovered } from "./covered.ts";
import { dayOf, Days } from "./days.ts";
import { freed } from "./freed.ts";
import { DAY_MS } from "../numbers.ts";
import { numberAt } from "./ids.ts";
import { SEGMENT, segmentStatements } from "./segments.ts";
import { Recent } from "./recent.ts";
import { reread, type Strays, straysBelow } from "./strays.ts";
import { READ, readTaken, type Taken } from "./taken.ts";
import { unusedClasses } from "./unused.ts";

/** Objects of a day that are known to be there. */
const OBJECTS = 20_000;
/** Others index meanwhile; whoever is always faster has to look again. */
const STAY_TRIES = 20;

/**
 * Brings the index after the ledger, a batch at a time: the newest first, so that what people ask for is there at once, and then,
 * backwards, what a ledger of before already held. Whoever looks may do it; of two that do it at once one is undone, and looks again.
 */
export class Indexer {
  readonly classes = new Classes();
  /** The texts of what has no segment yet. */
  readonly recent = new Recent();
  readonly #days = new Days();
  readonly #session: Session;
  readonly #wording: Session;
  readonly #objects = new Set<string>();
  /** What was forgotten last with some that stayed. */
  #strayDay: number | null = null;
  /** The last change seen, or made here: with another one classes may have gone. */
  #turn: number | null = null;
  /** Classes up to here were looked at, since days went; `null`: all of them. */
  #tidied: number | null = null;

  /** @param wording for segments, which take their time, beside everything else */
  constructor(session: Session, wording: Session) {
    this.#session = session;
    this.#wording = wording;
  }

  covered(session = this.#session): Promise<Covered> {
    return readCovered(session);
  }

  /** The next batch of what arrived since; answers whether there may be more. */
  async forward(): Promise<boolean> {
    const found = await this.#begun();
    const { low, high, worded, newest } = found;
    if (high === 0 || newest < high || !found.isSame) {
      if (newest === 0 && high === 0) return false;
      return this.#begin(found);
    }
    if (newest === high) return false;
    const whole = worded === high && newest - high >= SEGMENT;
    const taken = await this.#read((after) => `o.seq > ${number(after)} ORDER BY o.seq`, high, {
      most: whole ? SEGMENT : READ,
    });
    const last = taken.at(-1)?.seq ?? high;
    const cover = { low, high: last, worded: whole ? last : worded };
    const written = await this.#write(found, taken, () => whole, cover);
    if (written !== null && !whole) this.recent.add(high, written);
    return true;
  }

  /** The next batch of what was there before the index was; answers whether there may be more. */
  async backward(): Promise<boolean> {
    const found = await this.#begun();
    const { low, high, worded } = found;
    if (low === 0) return false;
    const taken = await this.#read((from) => `o.seq <= ${number(from)} ORDER BY o.seq DESC`, low, {
      most: SEGMENT,
    });
    const next = taken.length < SEGMENT ? 0 : (taken.at(-1)?.seq ?? 1) - 1;
    await this.#write(found, taken, () => true, { low: next, high, worded });
    return true;
  }

  /** A segment of what has none, as soon as it fills one; answers whether it was made. */
  async words(): Promise<boolean> {
    const found = await this.covered(this.#wording);
    if (found.high - found.worded < SEGMENT) return false;
    await this.recent.catchUp(this.#wording, this.classes, found);
    const some = this.recent
      .all()
      .filter(({ seq }) => seq <= found.high)
      .slice(0, SEGMENT);
    const last = some.length < SEGMENT ? found.high : (some.at(-1)?.seq ?? found.high);
    // What arrives meanwhile is indexed meanwhile: the row that everybody changes is changed last, and only this of it.
    const taken = `worded = IF(worded = ${number(found.worded)}, ${number(last)}, NULL)`;
    await this.#try(this.#wording, await segmentStatements(some), [
      `UPDATE kube_crier_history SET ${taken} WHERE one = 1`,
    ]);
    return true;
  }

  /** Forgets the days of which the ledger holds nothing any more, but for a few that stay; answers whether it did. */
  async prune(now: number): Promise<boolean> {
    const [[first] = []] = await this.#session.query(
      "SELECT MIN(id) FROM kube_crier_history_entry",
    );
    if (first === null || first === undefined || (await this.covered()).low > 0) return false;
    const oldest = await this.#session.query(
      "SELECT received_at FROM kube_crier_occurrence ORDER BY seq LIMIT 1",
    );
    // What has just been seen may have been taken later than it happened.
    const kept = Math.min(Number(oldest[0]?.[0] ?? now), now - DAY_MS);
    const day = dayOf(kept) - 1;
    const end = numberAt((day + 1) * DAY_MS);
    if (Number(first) >= end) return false;
    // With some that stay it is more to do, for what may be little: once a day.
    const strays =
      this.#strayDay === day ? null : await straysBelow(this.#session, this.classes, end);
    if (strays === null) return false;
    await this.#days.drop(this.#session, day);
    this.#objects.clear();
    this.#tidied = 0;
    if (strays.taken.length > 0) {
      this.#strayDay = day;
      await this.#stay(strays);
    }
    return true;
  }

  /** Namespaces come and go: forgets a few classes that nothing is of since days went; answers whether there may be more. */
  async tidy(): Promise<boolean> {
    if (this.#tidied === null) return false;
    const found = await this.#begun();
    const { unused, last } = await unusedClasses(this.#session, this.classes, this.#tidied);
    if (unused.length > 0) {
      // Whoever writes something of them meanwhile is overtaken by this, or overtakes it.
      const list = unused.map(number).join(", ");
      const forget = `DELETE FROM kube_crier_history_class WHERE id IN (${list})`;
      if (!(await this.#commit(found, [forget], found))) return true;
      await this.classes.load(this.#session);
    }
    this.#tidied = last;
    return last !== null;
  }

  /** One of a node whose clock begins in 1970 must not hold everything that was forgotten since. */
  async #stay({ taken, worded }: Strays): Promise<void> {
    for (let tries = 0; tries < STAY_TRIES; tries += 1) {
      const found = await this.#begun();
      const isKnown = taken.every((one) => this.classes.get(one.class) !== undefined);
      const some = isKnown ? taken : await reread(this.#session, this.classes, taken);
      if ((await this.#write(found, some, (one) => worded.has(one.seq), found)) !== null) return;
    }
  }

  /** For whoever writes next, with the classes that are there then. */
  async #begun(): Promise<Covered> {
    const found = await this.covered();
    if (found.turn !== this.#turn) await this.classes.load(this.#session);
    this.#turn = found.turn;
    return found;
  }

  async #read(
    where: (from: number) => string,
    from: number,
    { most }: { readonly most: number },
  ): Promise<readonly Taken[]> {
    const taken: Taken[] = [];
    let next = from;
    while (taken.length < most) {
      const limit = Math.min(READ, most - taken.length);
      const some = await readTaken(this.#session, this.classes, `${where(next)} LIMIT ${limit}`);
      taken.push(...some);
      const last = some.at(-1);
      if (last === undefined || some.length < limit) break;
      next = last.seq > from ? last.seq : last.seq - 1;
    }
    return taken;
  }

  /** Where there is no index yet, or it is another ledger's: one put back to an earlier state gives its numbers to other occurrences. */
  async #begin(found: Covered): Promise<boolean> {
    const { high, newest } = found;
    if (high > 0) await this.#days.clear(this.#session);
    this.recent.clear();
    this.#objects.clear();
    const at = (order: string) =>
      `(SELECT received_at FROM kube_crier_occurrence ORDER BY seq ${order} LIMIT 1)`;
    const [[oldest, latest] = []] = await this.#session.query(`SELECT ${at("ASC")}, ${at("DESC")}`);
    await this.#days.cover(this.#session, Number(oldest ?? 0), Number(latest ?? 0));
    return this.#commit(found, [], { low: newest, high: newest, worded: newest });
  }

  /** @returns what was written, under the numbers it got; `null`: another was faster */
  async #write(
    found: Covered,
    taken: readonly Taken[],
    isWorded: (one: Taken) => boolean,
    cover: Pick<Covered, "low" | "high" | "worded">,
  ): Promise<readonly Taken[] | null> {
    const moments = taken.map(({ at }) => at);
    if (taken.length > 0)
      await this.#days.cover(this.#session, least(moments), -least(moments.map((at) => -at)));
    const statements = async (all: readonly Taken[]) => [
      ...inserts(
        "INSERT INTO kube_crier_history_entry (id, seq, class, object) VALUES ",
        all
          .toSorted((a, b) => a.id - b.id)
          .map((one) => `(${[one.id, one.seq, one.class, one.object].map(number).join(", ")})`),
        "",
      ),
      ...this.#newObjects(all),
      ...(await countStatements(this.#session, all)),
      ...(await segmentStatements(all.filter(isWorded))),
    ];
    try {
      return (await this.#commit(found, await statements(taken), cover)) ? taken : null;
    } catch (error) {
      if (errnoOf(error) !== 1062) throw error;
      const free = await freed(this.#session, taken);
      return (await this.#commit(found, await statements(free), cover)) ? free : null;
    }
  }

  #newObjects(taken: readonly Taken[]): readonly string[] {
    const rows: string[] = [];
    if (this.#objects.size > OBJECTS) this.#objects.clear();
    for (const { at, object, name } of taken) {
      const day = numberAt(dayOf(at) * DAY_MS);
      const key = `${day}/${object}`;
      if (this.#objects.has(key)) continue;
      this.#objects.add(key);
      rows.push(`(${text(name)}, ${number(object)}, ${number(day)})`);
    }
    return inserts(
      "INSERT IGNORE INTO kube_crier_history_object (name, id, day) VALUES ",
      rows,
      "",
    );
  }

  async #commit(
    { turn, worded }: Covered,
    statements: readonly string[],
    cover: Pick<Covered, "low" | "high" | "worded">,
  ): Promise<boolean> {
    const { low, high } = cover;
    const words =
      cover.worded === worded
        ? ""
        : `worded = IF(worded = ${number(worded)}, ${number(cover.worded)}, NULL), `;
    const isDone = await this.#try(
      this.#session,
      [
        `UPDATE kube_crier_history SET ${words}turn = IF(turn = ${number(turn)}, turn + 1, NULL), low = ${number(low)}, high = ${number(high)},
           mark = (SELECT HEX(key_hash) FROM kube_crier_occurrence WHERE seq = ${number(high)}) WHERE one = 1`,
        ...statements,
      ],
      [],
    );
    if (isDone) this.#turn = turn + 1;
    return isDone;
  }

  /** False where another was faster: nothing of it was written. */
  async #try(
    session: Session,
    statements: readonly string[],
    last: readonly string[],
  ): Promise<boolean> {
    try {
      await session.transaction(pieces(["START TRANSACTION", ...statements, ...last, "COMMIT"]));
      return true;
    } catch (error) {
      this.#objects.clear();
      // A number that must not be NULL becomes it.
      if (errnoOf(error) === 1048 || (session === this.#wording && errnoOf(error) === 1062))
        return false;
      throw error;
    }
  }
}

function errnoOf(error: unknown): number | null {
  if (!(error instanceof AwayError)) return null;
  const { errno } = (error.cause ?? {}) as { readonly errno?: unknown };
  return typeof errno === "number" ? errno : null;
}

function least(numbers: readonly number[]): number {
  return numbers.reduce((least, one) => Math.min(least, one), Infinity);
}
