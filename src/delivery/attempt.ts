import type { Clock } from "../clock.ts";
import type { Delivery } from "../event/delivery.ts";
import { retryable } from "../sink/verdict.ts";
import type { Sender, Sent } from "./sender.ts";

/** How an attempt ended; `null` for one that shutdown interrupted: it counts for nothing. */
export type Attempted = (Sent & { readonly durationMs: number }) | null;

/** Made once: a reason of its own for every request would cost as much as the rest of this. */
const OVER = new Error("the attempt is over");

/**
 * One attempt, the only caller of a sink's code: never rejects, and never takes longer than `timeoutMs`, whatever the sink does
 * with its signal.
 */
export async function attempt(
  sender: Sender,
  delivery: Delivery,
  timeoutMs: number,
  clock: Clock,
  stop: AbortSignal,
): Promise<Attempted> {
  if (stop.aborted) return null;
  const started = clock.now();
  const ending = new AbortController();
  const interrupted = Promise.withResolvers<null>();
  const onStop = () => interrupted.resolve(null);
  stop.addEventListener("abort", onStop, { once: true });
  const late = clock.sleep(timeoutMs, ending.signal).then(() => timedOut(timeoutMs));
  const result = await Promise.race([
    answered(sender, delivery, ending.signal, started),
    late,
    interrupted.promise,
  ]);
  stop.removeEventListener("abort", onStop);
  // Ends the timer, and the request where it is still under way.
  ending.abort(OVER);
  // The wall clock may have been set back meanwhile.
  return result && { ...result, durationMs: Math.max(0, clock.now() - started) };
}

async function answered(
  sender: Sender,
  delivery: Delivery,
  signal: AbortSignal,
  now: number,
): Promise<Sent> {
  try {
    return await sender.send(delivery, signal, now);
  } catch (error) {
    return { verdict: retryable("unknown", describe(error)), sent: "", answer: "" };
  }
}

function timedOut(timeoutMs: number): Sent {
  const verdict = retryable("timeout", `no complete answer within ${timeoutMs} ms`);
  return { verdict, sent: "", answer: "" };
}

/** An exception nobody foresaw, in a line; an address in it may be a webhook's, which is a password. */
function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `threw ${typeof error}`;
  return text.replaceAll(/\b[a-z][a-z0-9+.-]*:\/\/\S+/giu, "<url>").slice(0, 300);
}
