/**
 * What several wait for, as far as one of them waits: `null` where his signal comes first. What is shared goes on for the others, so it
 * must not be begun with the signal of one; it is not begun for one who has gone. Rejects as it does.
 */
export async function unlessAborted<T>(
  share: () => Promise<T>,
  signal: AbortSignal,
): Promise<T | null> {
  if (signal.aborted) return null;
  const over = new AbortController();
  const stopped = new Promise<null>((resolve) =>
    signal.addEventListener("abort", () => resolve(null), { once: true, signal: over.signal }),
  );
  try {
    return await Promise.race([share(), stopped]);
  } finally {
    over.abort();
  }
}
