const BASE_MS = 1_000;
const CAP_MS = 300_000;

/**
 * How long to wait after the `attempt`-th failed attempt (from 1): exponential with full jitter, so that what failed together does
 * not come back together. At most 1 s after the first, doubling up to 5 min.
 * @param random in [0, 1)
 * @returns milliseconds
 */
export function backoffMs(attempt: number, random: number): number {
  return Math.floor(random * Math.min(CAP_MS, BASE_MS * 2 ** (Math.max(1, attempt) - 1)));
}
