import type { Clock } from "../../clock.ts";

/**
 * Runs `work` under a signal that aborts with `parent` or after `ms`; then what it throws is `late()`'s error.
 * Unlike AbortSignal.any it leaves nothing behind on a parent that lives as long as the process.
 */
export async function within<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const inner = new AbortController();
  const over = new AbortController();
  let expired = false;
  const unlink = linkAbort(parent, () => inner.abort());
  void after(clock, ms, over.signal, () => {
    expired = true;
    inner.abort();
  });
  try {
    // The race is for work that heeds no signal, such as a plugin that hangs.
    return await Promise.race([
      work(inner.signal),
      new Promise<never>((_, reject) => {
        linkAbort(inner.signal, () => reject(inner.signal.reason as Error));
      }),
    ]);
  } catch (error) {
    throw expired ? late() : error;
  } finally {
    over.abort();
    unlink();
  }
}

/** Calls `then` when `signal` aborts, at once if it has; answers the way to stop listening. */
export function linkAbort(signal: AbortSignal, then: () => void): () => void {
  if (signal.aborted) {
    then();
    return () => undefined;
  }
  signal.addEventListener("abort", then, { once: true });
  return () => signal.removeEventListener("abort", then);
}

/** Does something after `ms`, unless `signal` aborts before. */
export async function after(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  then: () => void,
): Promise<void> {
  await clock.sleep(ms, signal);
  if (!signal.aborted) then();
}
