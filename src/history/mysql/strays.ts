import { number } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { Classes } from "./classes.ts";
import { bytesOf, unpackedRising } from "./packed.ts";
import { readTaken, type Taken } from "./taken.ts";

/** More of them hold their days: it is not a few that stayed, or whose clocks are wrong. */
const STRAYS = 500;

/** What the ledger still has, in days of which it has nothing else. */
export interface Strays {
  readonly taken: readonly Taken[];
  /** Those, by the ledger's numbers, whose words go with these days. */
  readonly worded: ReadonlySet<number>;
}

/** Of everything below `end`: what has to stay. `null`: too much for its days to go, or nothing goes. */
export async function straysBelow(
  session: Session,
  classes: Classes,
  end: number,
): Promise<Strays | null> {
  const living = await session.query(
    `SELECT e.id, e.seq FROM kube_crier_history_entry e JOIN kube_crier_occurrence o ON o.seq = e.seq
     WHERE e.id < ${number(end)} LIMIT ${STRAYS + 1}`,
  );
  if (living.length === 0) return { taken: [], worded: new Set() };
  if (living.length > STRAYS || !(await isAnyGone(session, end))) return null;
  const taken = await reread(
    session,
    classes,
    living.map(([id, seq]) => ({ id: Number(id), seq: Number(seq) })),
  );
  const last = taken.reduce((most, { id }) => Math.max(most, id), 0);
  const listed = new Set<number>();
  const segments = await session.query(
    `SELECT low, ids FROM kube_crier_history_segment WHERE id < ${number(end)} AND low <= ${number(last)}`,
  );
  for (const [low, all] of segments)
    for (const one of unpackedRising(bytesOf(all))) listed.add(Number(low) + one);
  const worded = taken.filter(({ id }) => listed.has(id)).map(({ seq }) => seq);
  return { taken, worded: new Set(worded) };
}

/** These as the ledger has them now, under the numbers they have. */
export async function reread(
  session: Session,
  classes: Classes,
  some: readonly Pick<Taken, "id" | "seq">[],
): Promise<readonly Taken[]> {
  const ids = new Map(some.map(({ id, seq }) => [seq, id]));
  const list = [...ids.keys()].map(number).join(", ");
  const found = await readTaken(session, classes, `o.seq IN (${list})`);
  return found.map((one) => ({ ...one, id: ids.get(one.seq) ?? one.id }));
}

async function isAnyGone(session: Session, end: number): Promise<boolean> {
  const rows = await session.query(
    `SELECT 1 FROM kube_crier_history_entry e LEFT JOIN kube_crier_occurrence o ON o.seq = e.seq
     WHERE e.id < ${number(end)} AND o.seq IS NULL LIMIT 1`,
  );
  return rows.length > 0;
}
