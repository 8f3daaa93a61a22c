import type { Outbox } from "../ledger/ledger.ts";

/** Resolves when what the outbox was told is written, but no later than `stop` aborts; `null`: there is nothing to wait for. */
export function recorded(outbox: Pick<Outbox, "written">, stop: AbortSignal): Promise<void> | null {
  const written = outbox.written();
  if (written === null || stop.aborted) return null;
  return orStopped(written, stop);
}

async function orStopped(written: Promise<void>, stop: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  const end = () => stopped.resolve();
  stop.addEventListener("abort", end, { once: true });
  await Promise.race([written, stopped.promise]);
  stop.removeEventListener("abort", end);
}
