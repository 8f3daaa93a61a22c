import { setImmediate as nextTurn } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import type { Clock } from "../clock.ts";

/** How often a thread is asked for a sign of life; both are woken for it, so rarely. */
const ASK_EVERY_MS = 10_000;
/** What a thread may use of the processor before it comes to a question; a long answer of the page takes less than a second of it. */
export const HANGS_AFTER_MS = 10_000;

/** Whom to watch, and how. */
export interface Watched {
  readonly worker: Pick<Worker, "cpuUsage">;
  /** Asks it for a sign of life; rejects where it has ended. */
  readonly alive: () => Promise<void>;
  readonly hangsAfterMs: number;
}

/**
 * Resolves with why, once the thread hangs: it answers nothing and uses the processor all the while. That is counted in the time of the
 * processor that it had, and in no other: a thread that gets none (others need it, the whole process is stopped, the machine sleeps) is slow
 * and does not hang. `null` once `signal` aborts.
 */
export async function hangs(
  { worker, alive, hangsAfterMs }: Watched,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | null> {
  // Node 22 does not say what a thread used.
  if (!("cpuUsage" in worker)) return null;
  while (!signal.aborted) {
    const asked = { answered: false };
    // One that has ended answers nothing more, and uses nothing.
    void alive().then(
      () => (asked.answered = true),
      () => undefined,
    );
    let before: number | null = null;
    for (;;) {
      await clock.sleep(ASK_EVERY_MS, signal);
      const used = await usedMs(worker);
      // This thread may have been held up itself: what came meanwhile is taken first.
      await nextTurn();
      if (signal.aborted || used === null) return null;
      if (asked.answered) break;
      before ??= used;
      if (used - before >= hangsAfterMs)
        return `it hung: it answered nothing for ${Math.round((used - before) / 1000)} s of the processor's time`;
    }
  }
  return null;
}

/** Of the processor, since the thread began; `null`: it has ended. A thread says that also in the middle of a loop. */
async function usedMs(worker: Watched["worker"]): Promise<number | null> {
  try {
    const { user, system } = await worker.cpuUsage();
    return (user + system) / 1000;
  } catch {
    return null;
  }
}
