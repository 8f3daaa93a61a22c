import { orAborted } from "../clock.ts";
import type { Outbox } from "../ledger/ledger.ts";

/** Resolves when what the outbox was told is written, but no later than `stop` aborts; `null`: there is nothing to wait for. */
export function recorded(outbox: Pick<Outbox, "written">, stop: AbortSignal): Promise<void> | null {
  const written = outbox.written();
  if (written === null || stop.aborted) return null;
  return orAborted(written, stop);
}
