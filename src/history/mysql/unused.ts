import { number } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import type { Classes } from "./classes.ts";

/** Classes looked at together: of each it is one look into the index of every day. */
const AT_ONCE = 64;

/** Of the next classes after `from`: those that nothing is of any more; `last`: where to go on, `null`: these were all. */
export async function unusedClasses(
  session: Session,
  classes: Classes,
  from: number,
): Promise<{ readonly unused: readonly number[]; readonly last: number | null }> {
  const ids = [...classes.all()].map(([id]) => id).toSorted((a, b) => a - b);
  const some = ids.filter((id) => id > from).slice(0, AT_ONCE);
  // Where a server counts on from the highest number there is, after a restart, that one must not be given twice.
  const old = some.filter((id) => id < classes.last);
  if (old.length === 0) return { unused: [], last: null };
  const looks = old.map(
    (id) =>
      `(SELECT class FROM kube_crier_history_entry FORCE INDEX (by_class) WHERE class = ${number(id)} LIMIT 1)`,
  );
  const used = new Set((await session.query(looks.join(" UNION ALL "))).map(([id]) => Number(id)));
  const unused = old.filter((id) => !used.has(id));
  return { unused, last: some.length < AT_ONCE ? null : (some.at(-1) ?? null) };
}
