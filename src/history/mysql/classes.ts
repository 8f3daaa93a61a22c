import { hash } from "node:crypto";
import { text } from "../../ledger/mysql/literal.ts";
import { inserts } from "../../ledger/mysql/script.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import { KnownClasses, textOf } from "../classes.ts";
import type { Traits } from "../match.ts";

/** The classes of the index in a database. */
export class Classes extends KnownClasses {
  /** Another process may have added some. */
  async load(session: Session): Promise<void> {
    const rows = await session.query(
      `SELECT id, traits FROM kube_crier_history_class WHERE id > ${this.last} ORDER BY id`,
    );
    for (const [id, traits] of rows) this.know(Number(id), String(traits));
  }

  /** The numbers of these; new ones are made. They stay, whatever becomes of what they were made for. */
  async idsOf(session: Session, all: readonly Traits[]): Promise<readonly number[]> {
    const texts = all.map(textOf);
    const isNew = (one: string) => this.idOfText(one) === undefined;
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
    return texts.map((one) => this.idOfText(one) ?? Number.NaN);
  }
}
