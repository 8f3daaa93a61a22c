import type { Wanted } from "./ledger.ts";
import { type Store, unlessRefused } from "./store.ts";

/** Which of them were taken before the store was opened, and never owed to one of their sinks; none, while it cannot be asked. */
export function untoldIn(
  store: Pick<Store, "unowed">,
  wanted: readonly Wanted[],
): readonly boolean[] {
  return unlessRefused(
    () => wanted.map(({ event, sinks }) => store.unowed(event, sinks)),
    wanted.map(() => false),
  );
}
