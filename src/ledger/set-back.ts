import type { Clock } from "../clock.ts";

/** Tells how far the wall clock was set back since it was last asked, `elapsed` ago; 0: it was not. Milliseconds. */
export function setBacks(clock: Pick<Clock, "now">): (elapsed: number) => number {
  let last = clock.now();
  return (elapsed) => {
    const before = last;
    last = clock.now();
    return last < before ? before + elapsed - last : 0;
  };
}
