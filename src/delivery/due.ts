import type { Delivery } from "../event/delivery.ts";
import type { Outbox } from "../ledger/ledger.ts";
import type { Observer } from "../observe/observer.ts";
import { spanText } from "../template/times.ts";

/** What is looked at together when it is too much: more is folded, or given up, part by part. */
export const LOOK = 2_000;

/** What a sink is to be sent now, oldest first. */
export interface Taken {
  readonly due: readonly Delivery[];
  /** So much was too old that the rest waits for another turn of the event loop. */
  readonly isMore: boolean;
}

/** Due deliveries of a sink, none of those in `except`; those past their give-up age become dead on the way. */
export function takeDue(
  { outbox, observer }: { readonly outbox: Outbox; readonly observer: Observer },
  { name, giveUpAfterMs }: { readonly name: string; readonly giveUpAfterMs: number },
  now: number,
  max: number,
  except: ReadonlySet<string>,
): Taken {
  if (max <= 0) return { due: [], isMore: false };
  let limit = max;
  for (;;) {
    const found = outbox.due(name, now, limit, except);
    const expired = found.filter(({ owedAt }) => now - owedAt >= giveUpAfterMs);
    if (expired.length === 0) return { due: found.slice(0, max), isMore: false };
    const detail = `not accepted within ${spanText(giveUpAfterMs, "en") || `${giveUpAfterMs} ms`}`;
    for (const { id } of expired) {
      outbox.settle(id, { kind: "dead", at: now, reason: "expired", detail, counted: false });
      observer.dead(name, id, "expired", detail);
    }
    // A process that was away for days finds all it owed too old: the Lease and the other sinks must not wait for the last of it.
    if (expired.length >= LOOK) return { due: [], isMore: true };
    // Where one is too old the others may be as well.
    limit = Math.max(max, LOOK);
  }
}
