import { type FailureReason, OUTAGE_REASONS } from "../event/reason.ts";
import type { Observer } from "./observer.ts";
import { redact } from "./redact.ts";

/** How many deliveries of a sink are remembered. */
const REMEMBERED = 256;

/** What happened to a sink lately. */
export interface Lately {
  /** Milliseconds from owed to accepted, of the last deliveries; `null`: none yet. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
  readonly lastError: {
    /** Milliseconds since the epoch. */
    readonly at: number;
    readonly reason: FailureReason;
    /** Redacted. */
    readonly detail: string;
  } | null;
  /** Since when it has not answered, in milliseconds since the epoch; `null`: it answered last. */
  readonly awaySince: number | null;
}

/** Before anything did. */
export const NOTHING_LATELY: Lately = { latency: null, lastError: null, awaySince: null };

interface Memory {
  readonly ages: number[];
  /** Where the next one goes. */
  next: number;
  lastError: Lately["lastError"];
  awaySince: number | null;
}

/** Remembers of each sink what people ask about first; the observer does all it did. */
export function rememberLately(
  observer: Observer,
  now: () => number,
): { readonly observer: Observer; readonly of: (sink: string) => Lately } {
  const memories = new Map<string, Memory>();
  const memoryOf = (sink: string): Memory => {
    const known = memories.get(sink) ?? { ages: [], next: 0, lastError: null, awaySince: null };
    memories.set(sink, known);
    return known;
  };
  return {
    observer: {
      ...observer,
      delivered(sink, id, ageMs, durationMs) {
        const memory = memoryOf(sink);
        memory.awaySince = null;
        memory.ages[memory.next] = ageMs;
        memory.next = (memory.next + 1) % REMEMBERED;
        observer.delivered(sink, id, ageMs, durationMs);
      },
      attemptFailed(sink, id, reason, detail, retryMs, durationMs) {
        const memory = memoryOf(sink);
        const at = now();
        memory.lastError = { at, reason, detail: redact(detail) };
        memory.awaySince = OUTAGE_REASONS.has(reason) ? (memory.awaySince ?? at) : null;
        observer.attemptFailed(sink, id, reason, detail, retryMs, durationMs);
      },
    },
    of: (sink) => {
      const memory = memories.get(sink);
      return memory === undefined
        ? NOTHING_LATELY
        : {
            latency: percentiles(memory.ages),
            lastError: memory.lastError,
            awaySince: memory.awaySince,
          };
    },
  };
}

function percentiles(ages: readonly number[]): Lately["latency"] {
  if (ages.length === 0) return null;
  const sorted = ages.toSorted((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return { p50: at(0.5) ?? 0, p99: at(0.99) ?? 0 };
}
