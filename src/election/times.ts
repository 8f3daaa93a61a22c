/** How patient an election is; the names are client-go's. */
export interface ElectionTimes {
  /** For how long after the holder's last sign of life nobody else may take the Lease. */
  readonly leaseMs: number;
  /** A leader that could not renew for so long stops. */
  readonly renewMs: number;
  /** From one look, or one renewal, to the next. */
  readonly retryMs: number;
}

/** How much later than that a look may come, so that two do not go in step. */
export const JITTER = 1.2;

/** From the death of a leader until another one has the Lease, at most, but for the time of a request. */
export function failoverMs({ leaseMs, retryMs }: ElectionTimes): number {
  return leaseMs + retryMs * JITTER;
}

/** What was not given follows from the duration, in the proportions of client-go's 15, 10 and 2 seconds. */
export function electionTimes(
  leaseMs: number,
  renewMs: number | undefined,
  retryMs: number | undefined,
): ElectionTimes {
  return {
    leaseMs,
    renewMs: renewMs ?? Math.round((leaseMs * 2) / 3),
    retryMs: retryMs ?? Math.round((leaseMs * 2) / 15),
  };
}
