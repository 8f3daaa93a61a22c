import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Delivery, Outcome } from "../../../src/event/delivery.ts";
import { openDatabase } from "../../../src/ledger/database.ts";
import { Held } from "../../../src/ledger/held.ts";
import { SqliteStore } from "../../../src/ledger/sqlite.ts";
import { settlement, type Write } from "../../../src/ledger/store.ts";
import { anEvent } from "../../support/events.ts";
import { none } from "../../support/ledger.ts";
const NOW = 1_000_000;
const auth = { reason: "auth", detail: "no", counted: true } as const;

function aDelivery(id: string, sink: string, owedAt: number): Delivery {
  const event = anEvent({ uid: id });
  return { id, sink, alert: { kind: "event", event }, attempts: 0, owedAt, notBefore: owedAt };
}

function take(delivery: Delivery): Write {
  const event = delivery.alert.kind === "event" ? delivery.alert.event : null;
  return { kind: "take", event, receivedAt: NOW, deliveries: [delivery], force: false };
}

describe("memory over an empty disk", () => {
  /** Ids and sinks are few, so that what happens to one delivery happens often. */
  const id = fc.constantFrom("a", "b", "c", "d", "e");
  const at = fc.integer({ min: 0, max: 50 }).map((ms) => NOW + ms);
  const outcome: fc.Arbitrary<Outcome> = fc.oneof(
    at.map((at) => ({ kind: "delivered" as const, at, sent: "", answer: "" })),
    fc.record({
      kind: fc.constant("retry" as const),
      at,
      notBefore: at,
      reason: fc.constant("server" as const),
      detail: fc.constant(""),
      counted: fc.boolean(),
    }),
    at.map((at) => ({ kind: "dead" as const, at, ...auth })),
  );
  const write: fc.Arbitrary<Write> = fc.oneof(
    fc.tuple(id, at).map(([id, at]) => take(aDelivery(id, id < "d" ? "ops" : "dev", at))),
    fc.tuple(id, outcome).map(([id, outcome]) => settlement(id, outcome)),
    fc.record({
      kind: fc.constant("checkpoint" as const),
      checkpoint: fc.record({
        scope: fc.constantFrom("shop", "bank"),
        cluster: fc.constant("9f2"),
        resourceVersion: fc.constantFrom("1", "2", "3"),
        at: fc.constant(7),
      }),
    }),
  );

  /** Only what is pending is ever settled. */
  function sensible(writes: readonly Write[]): readonly Write[] {
    const taken = new Set<string>();
    const over = new Set<string>();
    return writes.filter((write) => {
      if (write.kind === "take") for (const { id } of write.deliveries) taken.add(id);
      if (write.kind !== "settle") return true;
      if (!taken.has(write.id) || over.has(write.id)) return false;
      if (write.outcome.kind !== "retry") over.add(write.id);
      return true;
    });
  }

  test("looks as the disk would, and the disk looks so afterwards", () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 25 }), fc.nat(4), (steps, part) => {
        const writes = sensible(steps);
        using disk = aDisk();
        using late = aDisk();
        disk.store.write(writes);
        const held = new Held(late.store);
        for (const one of writes) held.apply(one);
        const expected = seen(disk.store, (sink, now) => disk.store.due(sink, now, 10));
        expect(seen(held, (sink, now) => held.due(sink, now, 10, none))).toEqual(expected);
        do late.store.write(held.next(part + 1));
        while (!held.written(part + 1));
        expect(seen(late.store, (sink, now) => late.store.due(sink, now, 10))).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });
});

function aDisk(): { readonly store: SqliteStore } & Disposable {
  const db = openDatabase(":memory:", 10);
  return { store: new SqliteStore(db), [Symbol.dispose]: () => db.close() };
}

/** Everything a lane can ask, at three moments. */
function seen(
  from: Pick<SqliteStore, "pending" | "checkpoints">,
  due: (sink: string, now: number) => readonly Delivery[],
) {
  const looks = ["ops", "dev"].flatMap((sink) =>
    [NOW, NOW + 20, NOW + 60].map((now) => ({
      pending: from.pending(sink, now),
      // Those of one moment come in any order.
      due: due(sink, now)
        .map((one) => JSON.stringify(one))
        .toSorted((a, b) => (a < b ? -1 : 1)),
    })),
  );
  return { looks, checkpoints: Object.fromEntries(from.checkpoints()) };
}
