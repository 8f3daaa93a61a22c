import type { Checkpoint, Witness } from "../source/source.ts";
import { parsed } from "./readable.ts";

/** How a checkpoint's witness stands in its column. */
export function witnessText(witness: Witness | undefined): string | null {
  return witness === undefined ? null : JSON.stringify(witness);
}

/** A checkpoint of an earlier version has none, and one that cannot be read is as good as none. */
export function witnessOf(column: unknown): Pick<Checkpoint, "witness"> {
  const found = parsed(column) ?? null;
  return found === null ? {} : { witness: found as Witness };
}
