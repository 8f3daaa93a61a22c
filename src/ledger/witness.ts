import type { Checkpoint, Witness } from "../source/source.ts";

/** How a checkpoint's witness stands in its column. */
export function witnessText(witness: Witness | undefined): string | null {
  return witness === undefined ? null : JSON.stringify(witness);
}

/** A checkpoint of an earlier version has none. */
export function witnessOf(column: unknown): Pick<Checkpoint, "witness"> {
  return typeof column === "string" ? { witness: JSON.parse(column) as Witness } : {};
}
