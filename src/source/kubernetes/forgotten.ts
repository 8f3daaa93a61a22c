import type { GapCause } from "../../event/alert.ts";
import type { Gap } from "../source.ts";
import type { Progress } from "./progress.ts";
import type { Relisted } from "./relist.ts";

/** Events live for an hour unless the cluster says otherwise. */
const EVENT_TTL_MS = 3_600_000;
/** A witness of more than this age may have gone in the ordinary way: when it was written is not known to the minute. */
const WITNESS_MS = EVENT_TTL_MS / 2;

/** A time that was not watched, in milliseconds since the epoch. */
export interface Blind {
  readonly cause: GapCause;
  readonly since: number;
  readonly until: number;
}

/**
 * What a list after a 410 cannot bring back, because the cluster has forgotten it; `null` where nothing is known to be missing.
 * What still reaches back to before the break is whole. Else it depends on how long the cluster keeps Events, which it does not tell:
 * an hour, unless the Event seen last is gone before its time.
 */
export function forgotten(
  { at, witness }: Pick<Progress, "at" | "witness">,
  { reachesBack, witnessGone }: Pick<Relisted, "reachesBack" | "witnessGone">,
  now: number,
): Blind | null {
  if (reachesBack) return null;
  const kept = now - EVENT_TTL_MS;
  if (at < kept) return { cause: "downtime", since: at, until: kept };
  if (witness === null || !witnessGone || witness.at < now - WITNESS_MS) return null;
  return { cause: "expired", since: at, until: now };
}

export function gapOf({ cause, since, until }: Blind, listed: boolean): Gap {
  return {
    cause,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    listed,
  };
}
