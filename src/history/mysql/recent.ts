import { number } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { Classes } from "./classes.ts";
import type { Covered } from "./covered.ts";
import { READ, readTaken, type Taken } from "./taken.ts";

/** One whose words have no segment yet. */
export type Fresh = Pick<Taken, "seq" | "id" | "class" | "text">;

/** The texts of what was taken last, in memory: everything above `worded`, up to where it has been read. */
export class Recent {
  #rows: Fresh[] = [];
  #from = 0;
  #upTo = 0;

  /** What was indexed after `from`; left alone where something is missing between. */
  add(from: number, taken: readonly Taken[]): void {
    if (this.#upTo !== from && this.#rows.length > 0) return;
    for (const { seq, id, class: of, text } of taken) this.#rows.push({ seq, id, class: of, text });
    this.#upTo = taken.at(-1)?.seq ?? from;
    if (this.#rows.length === taken.length) this.#from = from;
  }

  clear(): void {
    this.#rows = [];
    this.#upTo = 0;
    this.#from = 0;
  }

  /** Reads what is missing: another process may have indexed some of it, or made segments. */
  async catchUp(session: Session, classes: Classes, { high, worded }: Covered): Promise<void> {
    if (this.#upTo > high || this.#from > worded) this.clear();
    this.#rows = this.#rows.filter(({ seq }) => seq > worded);
    this.#from = worded;
    this.#upTo = Math.max(this.#upTo, worded);
    while (this.#upTo < high) {
      const from = this.#upTo;
      const taken = await readTaken(
        session,
        classes,
        `o.seq > ${number(from)} AND o.seq <= ${number(high)} ORDER BY o.seq LIMIT ${READ}`,
      );
      const indexed = await classesOf(session, taken);
      // Somebody else has read on meanwhile.
      if (this.#upTo !== from) continue;
      for (const { seq, id, class: of, text } of taken)
        this.#rows.push({ seq, id, class: indexed.get(seq) ?? of, text });
      this.#upTo = taken.length < READ ? high : (taken.at(-1)?.seq ?? high);
    }
  }

  all(): readonly Fresh[] {
    return this.#rows;
  }
}

/** As the index has them, by the ledger's numbers: more may be owed of some by now, and a class that nothing is of is forgotten. */
async function classesOf(
  session: Session,
  taken: readonly Taken[],
): Promise<ReadonlyMap<number, number>> {
  if (taken.length === 0) return new Map();
  const list = taken.map(({ id }) => number(id)).join(", ");
  const rows = await session.query(
    `SELECT seq, class FROM kube_crier_history_entry WHERE id IN (${list})`,
  );
  return new Map(rows.map(([seq, of]) => [Number(seq), Number(of)]));
}
