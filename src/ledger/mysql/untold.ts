import type { Wanted } from "../ledger.ts";
import { keyHash, number, text } from "./literal.ts";
import { AwayError, type Session } from "./session.ts";

/** A statement of many more parts is too much for a server. */
const AT_ONCE = 50;

/** Which of them have a number up to `mark`, and were never owed to one of their sinks; none, while the database is away. */
export async function readUntold(
  session: Session,
  wanted: readonly Wanted[],
  mark: number,
): Promise<readonly boolean[]> {
  const parts = wanted.map(
    ({ event, sinks }, index) =>
      `SELECT ${number(index)} FROM kube_crier_occurrence o
       WHERE o.key_hash = ${keyHash(event)} AND o.seq <= ${number(mark)} AND NOT EXISTS (
         SELECT 1 FROM kube_crier_delivery d WHERE d.occurrence = o.seq AND d.sink IN (${sinks.map(text).join(", ")}))`,
  );
  const found = new Set<number>();
  try {
    for (let at = 0; at < parts.length; at += AT_ONCE)
      for (const [index] of await session.query(parts.slice(at, at + AT_ONCE).join(" UNION ALL ")))
        found.add(Number(index));
  } catch (error) {
    if (!(error instanceof AwayError)) throw error;
  }
  return wanted.map((_, index) => found.has(index));
}
