import type { Wanted } from "./ledger.ts";
import { StorageError, type Store } from "./store.ts";

/** The numbers up to this one were given before. */
export function markOf(store: Pick<Store, "mark">): number {
  return orElse(0, () => store.mark());
}

/** Which of them have a number up to `mark`, and were never owed to one of their sinks; none, while the store cannot be asked. */
export function untoldIn(
  store: Pick<Store, "unowed">,
  wanted: readonly Wanted[],
  mark: number,
): readonly boolean[] {
  const asked = () => wanted.map(({ event, sinks }) => store.unowed(event, sinks, mark));
  return orElse(
    wanted.map(() => false),
    asked,
  );
}

function orElse<T>(otherwise: T, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof StorageError) return otherwise;
    throw error;
  }
}
