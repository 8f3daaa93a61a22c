import { DELIVERY_STATES } from "../../../event/delivery.ts";
import { type Dimension, DIMENSIONS, EVERYTHING } from "../../../history/history.ts";
import { QueryError } from "../../../history/parse.ts";
import { accessFor } from "../../auth/caller.ts";
import type { Desk } from "../../page/desk.ts";
import { askBy, type C, sinkNames, visibleOf } from "../../page/frame.ts";

const DAY_MS = 86_400_000;
const MOST = 50;

/** What is chosen from, without asking anybody. */
const KNOWN: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["type", ["Warning", "Normal"]],
  ["state", DELIVERY_STATES],
  ["kept", ["all", "owed", "suppressed"]],
  ["by", DIMENSIONS],
]);
/** What is counted: the most frequent of the last day. */
const COUNTED: ReadonlyMap<string, Dimension> = new Map([
  ["ns", "namespace"],
  ["kind", "kind"],
  ["reason", "reason"],
  ["component", "component"],
]);

export const CHOSEN: readonly string[] = [...KNOWN.keys(), ...COUNTED.keys(), "sink"];

/**
 * What a field may be, of what the caller may see.
 * @param name the field that was named, for the problem where there are no values of it
 * @throws QueryError, Refusal
 */
export async function valuesFor(
  c: C,
  desk: Desk,
  field: string,
  name: string,
): Promise<readonly string[]> {
  const known = KNOWN.get(field);
  if (known !== undefined) return known;
  const by = COUNTED.get(field);
  const { namespaces } = await accessFor(c, "read", [], desk.namespaces);
  if (field === "sink") return sinkNames(desk);
  if (by === undefined) {
    const expected = `one of ${CHOSEN.join(", ")}`;
    throw new QueryError([{ field: name, found: field.slice(0, 80), expected, example: "reason" }]);
  }
  const filter = { ...EVERYTHING, from: desk.clock.now() - DAY_MS };
  const ask = askBy(c, desk, visibleOf(namespaces));
  const { series } = await desk.reader.timeline(filter, { by, step: null, top: MOST }, ask);
  return series.flatMap(({ value }) => value ?? []).toSorted();
}
