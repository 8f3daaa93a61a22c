import { ATTEMPTS_KEPT, type Attempt, keptAttempts, type Outcome } from "../../event/delivery.ts";
import { settlement } from "../store.ts";
import type { Owed, Settle, Tried } from "./script.ts";
import { number } from "./literal.ts";
import type { Session } from "./session.ts";

/** @param owed as it was pending; its number, and its attempts so far, are known where it is in memory */
export function settleOf(id: string, owed: Owed | undefined, outcome: Outcome): Settle {
  const failed = outcome.kind !== "delivered" && outcome.counted ? 1 : 0;
  const attempts = (owed?.delivery.attempts ?? 0) + failed;
  return { id, seq: owed?.seq ?? null, outcome, attempts, tries: triesOf(outcome) };
}

/** What is kept of an attempt that has ended; of one that was never made, nothing. */
function triesOf(outcome: Outcome): readonly Tried[] {
  if (outcome.kind !== "delivered") return settlement("", outcome).tries;
  const { at, tookMs } = outcome;
  return tookMs === undefined ? [] : [{ at, tookMs, reason: null, detail: null }];
}

/** Those of before, which nobody has written yet, and the last. */
export function joined(before: readonly Tried[], after: readonly Tried[]): readonly Tried[] {
  const all = [...before, ...after];
  return all.length <= ATTEMPTS_KEPT
    ? all
    : [...all.slice(0, 1), ...all.slice(all.length - ATTEMPTS_KEPT + 1)];
}

export interface Tries {
  readonly tookMs: number | null;
  readonly tries: readonly Attempt[];
}

const NONE: Tries = { tookMs: null, tries: [] };

/** What is known of the attempts of each of these deliveries. */
export async function readTries(
  session: Session,
  deliveries: readonly number[],
): Promise<(delivery: number) => Tries> {
  if (deliveries.length === 0) return () => NONE;
  const rows = await session.query(
    `SELECT delivery, at, took, reason, detail FROM kube_crier_try
     WHERE delivery IN (${deliveries.map(number).join(", ")}) ORDER BY delivery, at`,
  );
  const of = new Map<number, { tookMs: number | null; tries: Attempt[] }>();
  for (const [delivery, at, took, reason, detail] of rows) {
    const key = Number(delivery);
    const one = of.get(key) ?? { tookMs: null, tries: [] };
    const tookMs = took === null || took === undefined ? null : Number(took);
    if (reason === null) one.tookMs = tookMs;
    else
      one.tries.push({
        at: Number(at),
        tookMs,
        reason: String(reason) as Attempt["reason"],
        detail: String(detail ?? ""),
      });
    of.set(key, one);
  }
  return (delivery) => {
    const found = of.get(delivery);
    return found === undefined ? NONE : { ...found, tries: keptAttempts(found.tries) };
  };
}
