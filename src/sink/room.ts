/** Bytes for the longest names, the times and the command of an event, and for a beginning of its message. */
const LEAST = 2048;

/**
 * What is wrong where the configuration's own part of every message leaves too little for what the message tells: each would be refused, and
 * none would say why. `null`: nothing.
 * @param taken bytes, of `max` that the platform takes
 */
export function roomProblem(taken: number, max: number): string | null {
  if (max - taken >= LEAST) return null;
  return `take ${taken} of the ${max} bytes of a message; expected at most ${max - LEAST}, so that it can tell what happened`;
}

/** A quarter of the smallest message there is, WeCom's. */
const LABEL_BYTES = 1024;
export const LABELS_TOO_LONG = `take too much of every message; expected at most ${LABEL_BYTES} bytes together, so that it can tell what happened`;

/** Whether labels, which are in every message, leave enough of it for what the message tells. */
export function leavesRoom(labels: readonly string[]): boolean {
  return Buffer.byteLength(labels.join(" ")) <= LABEL_BYTES;
}
