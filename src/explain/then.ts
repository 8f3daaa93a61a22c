import type { SuppressReason } from "../event/reason.ts";
import type { Explanation } from "./event.ts";

/**
 * Where the ledger has it otherwise than this configuration decides: it was another one then.
 *
 * - `owedThen`: the sink was owed the event, and would not be now
 * - `owedNow`: the sink would be owed the event, and was not then
 * - `gone`: the sink was owed the event, and is no sink of this configuration
 */
export interface Difference {
  readonly sink: string;
  readonly what: "owedThen" | "owedNow" | "gone";
}

/** Decided by how old it was, or by what had been taken already, not by filters: no configuration of now says otherwise. */
const NOT_BY_FILTERS: readonly SuppressReason[] = ["tooOld", "duplicate"];

/** @param told the sinks it was owed to, whatever became of that */
export function differencesOf(
  { canary, sinks }: Pick<Explanation, "canary" | "sinks">,
  told: readonly string[],
  suppressed: SuppressReason | null,
): readonly Difference[] {
  // Where a canary goes is no matter of filters, then or now.
  if (canary) return [];
  const known = sinks.flatMap(({ sink, owed }): readonly Difference[] => {
    const then = told.includes(sink);
    if (then && !owed) return [{ sink, what: "owedThen" }];
    if (then || !owed) return [];
    return suppressed !== null && NOT_BY_FILTERS.includes(suppressed)
      ? []
      : [{ sink, what: "owedNow" }];
  });
  const gone = new Set(told.filter((name) => !sinks.some(({ sink }) => sink === name)));
  return [...known, ...[...gone].map((sink) => ({ sink, what: "gone" }) as const)];
}
