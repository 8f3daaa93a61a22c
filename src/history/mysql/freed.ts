import { number } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { Taken } from "./taken.ts";

/** Each under a number that nothing has: a million after another, of the same second, stands behind that one. */
export async function freed(session: Session, taken: readonly Taken[]): Promise<readonly Taken[]> {
  const free: Taken[] = [];
  const used = new Set<number>();
  for (const one of taken) {
    let { id } = one;
    while (used.has(id) || (await isUsed(session, id))) id += 1;
    used.add(id);
    free.push({ ...one, id });
  }
  return free;
}

async function isUsed(session: Session, id: number): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 FROM kube_crier_history_entry WHERE id = ${number(id)}`,
  );
  return rows.length > 0;
}
