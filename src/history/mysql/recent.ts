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
      const indexed = await indexedOf(session, taken);
      // Somebody else has read on meanwhile.
      if (this.#upTo !== from) continue;
      for (const { seq, id, class: of, text } of taken)
        this.#rows.push({ seq, text, ...(indexed.get(seq) ?? { id, class: of }) });
      this.#upTo = taken.length < READ ? high : (taken.at(-1)?.seq ?? high);
    }
  }

  all(): readonly Fresh[] {
    return this.#rows;
  }
}

/** As far as one is moved on where its number was another's: as many happen in one second. */
const MOVED = 1_000;

/**
 * As the index has them, by the ledger's numbers: more may be owed of some by now, and a class that nothing is of is forgotten; and where
 * the number of one was another's it has the next one that was free.
 */
async function indexedOf(
  session: Session,
  taken: readonly Taken[],
): Promise<ReadonlyMap<number, Pick<Fresh, "id" | "class">>> {
  const indexed = new Map<number, Pick<Fresh, "id" | "class">>();
  if (taken.length === 0) return indexed;
  const read = async (where: string) => {
    const rows = await session.query(
      `SELECT id, seq, class FROM kube_crier_history_entry WHERE ${where}`,
    );
    for (const [id, seq, of] of rows)
      indexed.set(Number(seq), { id: Number(id), class: Number(of) });
    return rows;
  };
  const found = await read(`id IN (${taken.map(({ id }) => number(id)).join(", ")})`);
  const used = new Set(found.map(([id]) => Number(id)));
  for (const { id, seq } of taken)
    if (!indexed.has(seq) && used.has(id))
      await read(`id > ${number(id)} AND id < ${number(id + MOVED)} AND seq = ${number(seq)}`);
  return indexed;
}
