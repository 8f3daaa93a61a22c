import type { Clock } from "../clock.ts";
import { type Ask, BusyError, type HistoryReader, UnreadableError } from "../history/history.ts";

/** What arrives is known at once; what another process wrote, and what was indexed since, after this time. */
const ASKED_EVERY_MS = 10_000;

/**
 * The namespaces that somebody's rights are asked about: those of the history, asked now and then, and those of what came since.
 * A store that cannot be read has those that it had.
 */
export function knownNamespaces(
  reader: Pick<HistoryReader, "namespaces">,
  arrived: ReadonlySet<string>,
  ask: Ask,
  clock: Clock,
): () => Promise<readonly string[]> {
  const stored = new Set<string>();
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;
  const refresh = async () => {
    try {
      for (const one of await reader.namespaces(ask)) stored.add(one);
      askedAt = clock.now();
    } catch (error) {
      if (!(error instanceof UnreadableError || error instanceof BusyError)) throw error;
    } finally {
      asking = null;
    }
  };
  return async () => {
    const now = clock.now();
    // Before that moment: the clock was set back.
    if (now < askedAt || now - askedAt >= ASKED_EVERY_MS) await (asking ??= refresh());
    return [...new Set([...stored, ...arrived])].filter((one) => one !== "").toSorted();
  };
}
