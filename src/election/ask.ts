import type { Clock } from "../clock.ts";
import type { Observer } from "../observe/observer.ts";
import { LeaseError } from "./lease.ts";

export type Asked<T> =
  | { readonly kind: "answered"; readonly answer: T }
  | { readonly kind: "failed"; readonly detail: string };

export interface AskLimits {
  readonly ms: number;
  /** Whoever asked loses interest. */
  readonly until: AbortSignal | null;
}

/** One request about the Lease, with an end. What may happen to it is told and answered; anything else is a mistake of ours and thrown. */
export async function ask<T>(
  request: (signal: AbortSignal) => Promise<T>,
  { ms, until }: AskLimits,
  clock: Clock,
  observer: Pick<Observer, "leaseFailed" | "leaseAnswered">,
): Promise<Asked<T>> {
  const inner = new AbortController();
  const over = new AbortController();
  const cut = Promise.withResolvers<Asked<T>>();
  const failed = (detail: string): Asked<T> => ({ kind: "failed", detail });
  const onAbort = () => {
    inner.abort();
    cut.resolve(failed("interrupted"));
  };
  const late = async () => {
    await clock.sleep(ms, over.signal);
    if (over.signal.aborted) return;
    inner.abort();
    const detail = `no answer within ${ms / 1000} s`;
    observer.leaseFailed("network", detail);
    cut.resolve(failed(detail));
  };
  void late();
  until?.addEventListener("abort", onAbort, { once: true });
  if (until?.aborted === true) onAbort();
  try {
    const answered = request(inner.signal).then((answer) => ({
      kind: "answered" as const,
      answer,
    }));
    const asked = await Promise.race([answered, cut.promise]);
    if (asked.kind === "answered") observer.leaseAnswered();
    return asked;
  } catch (error) {
    if (inner.signal.aborted) return failed("interrupted");
    if (!(error instanceof LeaseError)) throw error;
    observer.leaseFailed(error.failure, error.message);
    return failed(error.message);
  } finally {
    over.abort();
    until?.removeEventListener("abort", onAbort);
  }
}

/** As Kubernetes writes a MicroTime. The last digits count, so that no two renewals are the same even where the clock stands still. */
export function microTime(at: number, count: number): string {
  const micros = String(count % 1_000).padStart(3, "0");
  return `${new Date(at).toISOString().slice(0, -1)}${micros}Z`;
}
