import { hash } from "node:crypto";
import { number, text } from "../../ledger/mysql/literal.ts";
import { inserts } from "../../ledger/mysql/script.ts";
import { AwayError, type Session } from "../../ledger/mysql/session.ts";
import { KnownClasses, textOf } from "../classes.ts";
import type { Traits } from "../match.ts";

/** What was just made, and nothing is of yet, others may forget. */
const TRIES = 3;

/** The classes of the index in a database: other processes add to them, and forget of them. */
export class Classes extends KnownClasses {
  /** How often all of them were read anew. */
  #reads = 0;
  /** The table's numbers, as far as they were read: how many, and their sum. */
  #numbers: ReadonlySet<number> = new Set();
  #sum = 0;

  /** Makes them those of the table. */
  async load(session: Session): Promise<void> {
    const reads = this.#reads;
    const rows = await session.query(
      `SELECT id, traits FROM kube_crier_history_class WHERE id > ${number(this.last)}
       UNION ALL SELECT -COUNT(*), CONCAT(COALESCE(SUM(id), 0)) FROM kube_crier_history_class`,
    );
    // Read before somebody else here has read them anew.
    if (reads !== this.#reads) return this.load(session);
    const [count, sum] = this.#take(rows);
    // None is given twice: as many, with the same sum, are the same.
    if (count !== this.#numbers.size || sum !== this.#sum) await this.#reload(session);
  }

  /** The numbers of these; new ones are made. They stay as long as something is of them. */
  async idsOf(session: Session, all: readonly Traits[]): Promise<readonly number[]> {
    const texts = all.map(textOf);
    const isNew = (one: string) => this.idOfText(one) === undefined;
    if (texts.some(isNew)) await this.load(session);
    for (let tries = 0; texts.some(isNew); tries += 1) {
      if (tries === TRIES)
        throw new AwayError("the classes of the history change all the time", null, null);
      const missing = [...new Set(texts.filter(isNew))];
      await session.transaction(
        inserts(
          "INSERT IGNORE INTO kube_crier_history_class (hash, traits) VALUES ",
          missing.map((one) => `(X'${hash("sha256", one)}', ${text(one)})`),
          "",
        ).map((statement) => [statement]),
      );
      await this.load(session);
    }
    return texts.map((one) => this.idOfText(one) ?? Number.NaN);
  }

  async #reload(session: Session): Promise<void> {
    const rows = await session.query("SELECT id, traits FROM kube_crier_history_class");
    this.#reads += 1;
    this.forget();
    this.#numbers = new Set();
    this.#sum = 0;
    this.#take(rows);
  }

  /** @returns what stands at a number below one: how many there are of them, and their sum */
  #take(rows: readonly (readonly unknown[])[]): readonly [count: number, sum: number] {
    const numbers = new Set(this.#numbers);
    let told: readonly [number, number] = [0, 0];
    for (const [id, traits] of rows) {
      if (Number(id) <= 0) {
        told = [-Number(id), Number(traits)];
        continue;
      }
      if (!numbers.has(Number(id))) this.#sum += Number(id);
      numbers.add(Number(id));
      this.know(Number(id), String(traits));
    }
    this.#numbers = numbers;
    return told;
  }
}
