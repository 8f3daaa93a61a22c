import { setImmediate as nextTurn } from "node:timers/promises";
import { number } from "../../ledger/mysql/literal.ts";
import { inserts } from "../../ledger/mysql/script.ts";
import { packed } from "../varints.ts";
import { gramsIn, hex, packedRising } from "./packed.ts";
import type { Taken } from "./taken.ts";

/** Events of one segment: the more, the shorter the index; until there are as many, their texts are looked at one by one. */
export const SEGMENT = 8_192;
/** Events, or trigrams, between two of which others have their turn. */
const TURN = 250;

/**
 * Statements that make a segment: of each trigram in it one row that says where it is, as places in the list of the segment's
 * events. It is numbered by the last of them, and lists them from the first on.
 */
export async function segmentStatements(
  taken: readonly Pick<Taken, "id" | "class" | "text">[],
): Promise<readonly string[]> {
  const sorted = taken.toSorted((a, b) => a.id - b.id);
  const first = sorted[0];
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return [];
  const places = new Map<string, number[]>();
  for (const [place, { text }] of sorted.entries()) {
    if (place % TURN === TURN - 1) await nextTurn();
    for (const gram of gramsIn(text)) {
      const of = places.get(gram);
      if (of === undefined) places.set(gram, [place]);
      else of.push(place);
    }
  }
  const ids = hex(packedRising(sorted.map(({ id }) => id - first.id)));
  const classes = hex(packed(sorted.map((one) => one.class)));
  const segment = number(last.id);
  const rows: string[] = [];
  for (const gram of [...places.keys()].toSorted()) {
    if (rows.length % TURN === TURN - 1) await nextTurn();
    const of = hex(packedRising(places.get(gram) ?? []));
    rows.push(`(${hex(Buffer.from(gram, "utf8"))}, ${segment}, ${of})`);
  }
  return [
    ...inserts("INSERT INTO kube_crier_history_word (gram, segment, places) VALUES ", rows, ""),
    `INSERT INTO kube_crier_history_segment (id, low, ids, classes) VALUES (${segment}, ${number(first.id)}, ${ids}, ${classes})`,
  ];
}
