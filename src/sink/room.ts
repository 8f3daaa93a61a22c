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
