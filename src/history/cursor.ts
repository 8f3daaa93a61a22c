import type { Cursor } from "./history.ts";

const FORM = /^1\.([0-9a-z]{1,11})\.([0-9a-z]{1,10})$/;

/** As it stands in an address: its version, then both numbers. Nobody is to take it apart, but it hides nothing either. */
export function printCursor({ at, tie }: Cursor): string {
  return `1.${at.toString(36)}.${tie.toString(36)}`;
}

/** `null` for what `printCursor` did not make. */
export function readCursor(text: string): Cursor | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const at = Number.parseInt(match[1] ?? "", 36);
  const tie = Number.parseInt(match[2] ?? "", 36);
  // 8.64e15 is the last moment a Date knows.
  return at <= 8.64e15 && Number.isSafeInteger(tie) ? { at, tie } : null;
}
