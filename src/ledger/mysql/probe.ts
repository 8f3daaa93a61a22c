import { AwayError, type Session } from "./session.ts";
import { TABLES } from "./schema.ts";

interface Problem {
  readonly message: string;
  readonly hint: string | null;
}

/** What this account may not do, all of it: statements that change nothing are judged as those that do. */
export async function missingRights(session: Session): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  for (const table of TABLES)
    for (const statement of [
      `SELECT 1 FROM ${table} WHERE 1 = 0`,
      `INSERT INTO ${table} SELECT * FROM ${table} WHERE 1 = 0`,
      `UPDATE ${table} SET ${table === "kube_crier_ledger" ? "one = one" : (COLUMN[table] ?? "seq = seq")} WHERE 1 = 0`,
      `DELETE FROM ${table} WHERE 1 = 0`,
    ])
      try {
        await session.query(statement);
      } catch (error) {
        if (!(error instanceof AwayError) || error.problem === null) throw error;
        problems.push(error.problem);
      }
  return problems.filter(
    ({ message }, index) => problems.findIndex((one) => one.message === message) === index,
  );
}

const COLUMN: Readonly<Record<string, string>> = {
  kube_crier_checkpoint: "at = at",
  kube_crier_try: "at = at",
};
