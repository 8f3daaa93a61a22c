import type { Clock } from "../clock.ts";
import type { Checkpoint } from "../source/source.ts";

/** Tells how far the wall clock was set back since it was last asked, `elapsed` ago; 0: it was not. Milliseconds. */
export function setBacks(clock: Pick<Clock, "now">): (elapsed: number) => number {
  let last = clock.now();
  return (elapsed) => {
    const before = last;
    last = clock.now();
    return last < before ? before + elapsed - last : 0;
  };
}

/** How far it was set back since the last checkpoint was written, at least: while nobody ran, none can say more. Milliseconds; 0: it was not. */
export function setBackSince(
  checkpoints: ReadonlyMap<string, Pick<Checkpoint, "at">>,
  now: number,
): number {
  return Math.max(0, ...[...checkpoints.values()].map(({ at }) => at - now));
}
