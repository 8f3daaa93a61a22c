import type { Delivery } from "../event/delivery.ts";
import type { Outbox } from "../ledger/ledger.ts";
import type { Observer } from "../observe/observer.ts";

/** What is looked at together when it is too much: more is folded, or given up, part by part. */
export const LOOK = 2_000;

/** Due deliveries of a sink, oldest first, none of those in `except`; those past their give-up age become dead on the way. */
export function takeDue(
  { outbox, observer }: { readonly outbox: Outbox; readonly observer: Observer },
  { name, giveUpAfterMs }: { readonly name: string; readonly giveUpAfterMs: number },
  now: number,
  max: number,
  except: ReadonlySet<string>,
): readonly Delivery[] {
  if (max <= 0) return [];
  let limit = max;
  for (;;) {
    const found = outbox.due(name, now, limit, except);
    const expired = found.filter(({ owedAt }) => now - owedAt >= giveUpAfterMs);
    if (expired.length === 0) return found.slice(0, max);
    const detail = `not accepted within ${Math.round(giveUpAfterMs / 60_000)} min`;
    for (const { id } of expired) {
      outbox.settle(id, { kind: "dead", at: now, reason: "expired", detail, counted: false });
      observer.dead(name, id, "expired", detail);
    }
    // Where one is too old the others may be as well.
    limit = Math.max(max, LOOK);
  }
}
