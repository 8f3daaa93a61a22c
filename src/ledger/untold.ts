import type { Wanted } from "./ledger.ts";
import { StorageError, type Store } from "./store.ts";

/** Which of them were taken before the store was opened, and never owed to one of their sinks; none, while it cannot be asked. */
export function untoldIn(
  store: Pick<Store, "unowed">,
  wanted: readonly Wanted[],
): readonly boolean[] {
  try {
    return wanted.map(({ event, sinks }) => store.unowed(event, sinks));
  } catch (error) {
    if (error instanceof StorageError) return wanted.map(() => false);
    throw error;
  }
}
