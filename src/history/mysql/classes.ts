import { hash } from "node:crypto";
import { text } from "../../ledger/mysql/literal.ts";
import { inserts } from "../../ledger/mysql/script.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { Traits } from "../match.ts";

const NAMES = [
  "cluster",
  "home",
  "namespace",
  "kind",
  "type",
  "reason",
  "component",
  "suppressed",
  "sinks",
] as const satisfies readonly (keyof Traits)[];

/** Every combination of traits that the index knows, in memory: a few thousand. */
export class Classes {
  readonly #byText = new Map<string, number>();
  readonly #all = new Map<number, Traits>();
  #last = 0;

  /** Another process may have added some. */
  async load(session: Session): Promise<void> {
    const rows = await session.query(
      `SELECT id, traits FROM kube_crier_history_class WHERE id > ${this.#last} ORDER BY id`,
    );
    for (const [id, traits] of rows) {
      const values = JSON.parse(String(traits)) as unknown[];
      this.#byText.set(String(traits), Number(id));
      this.#all.set(
        Number(id),
        Object.fromEntries(NAMES.map((name, index) => [name, values[index]])) as unknown as Traits,
      );
      this.#last = Number(id);
    }
  }

  /** The numbers of these; new ones are made. They stay, whatever becomes of what they were made for. */
  async idsOf(session: Session, all: readonly Traits[]): Promise<readonly number[]> {
    const texts = all.map((traits) => JSON.stringify(NAMES.map((name) => traits[name])));
    const isNew = (one: string) => !this.#byText.has(one);
    if (texts.some(isNew)) await this.load(session);
    const missing = [...new Set(texts.filter(isNew))];
    if (missing.length > 0) {
      await session.transaction(
        inserts(
          "INSERT IGNORE INTO kube_crier_history_class (hash, traits) VALUES ",
          missing.map((one) => `(X'${hash("sha256", one)}', ${text(one)})`),
          "",
        ).map((statement) => [statement]),
      );
      await this.load(session);
    }
    return texts.map((one) => this.#byText.get(one) ?? Number.NaN);
  }

  get(id: number): Traits | undefined {
    return this.#all.get(id);
  }

  where(fits: (traits: Traits) => boolean): ReadonlySet<number> {
    return new Set([...this.#all].flatMap(([id, traits]) => (fits(traits) ? id : [])));
  }

  all(): Iterable<readonly [number, Traits]> {
    return this.#all;
  }

  get size(): number {
    return this.#all.size;
  }
}
