import { copyFileSync, statSync } from "node:fs";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { checkLedger } from "../../../src/ledger/check.ts";
import { settle } from "../../support/clock.ts";
import { cutOff, databaseIn, flip } from "../../support/damage.ts";
import { aLedger, anEntry, countingIds, never, temporaryDirectory } from "../../support/ledger.ts";

const SCOPE = "kubernetes:*";
const STEPS = 12;

/** Each step one occurrence with its checkpoint, its delivery settled in a transaction of its own. */
async function written(dataDir: string): Promise<void> {
  const { outbox, clock } = aLedger({ dataDir });
  for (let n = 1; n <= STEPS; n += 1) {
    const checkpoint = { scope: SCOPE, cluster: "c", resourceVersion: String(n), at: clock.now() };
    await outbox.add([anEntry(n, ["chat"])], [checkpoint], never);
    outbox.settle(`d${n}`, { kind: "delivered", at: clock.now(), sent: "{}", answer: "ok" });
    await settle();
  }
}

test("a power cut that leaves the write-ahead log cut off or torn, wherever: whole steps are undone from the end, and no checkpoint is left without its event", async () => {
  const dataDir = temporaryDirectory();
  await written(dataDir);
  const size = statSync(`${databaseIn(dataDir)}-wal`).size;
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: size - 1 }), fc.boolean(), async (at, torn) => {
      const copy = temporaryDirectory();
      for (const part of ["", "-wal"])
        copyFileSync(databaseIn(dataDir) + part, databaseIn(copy) + part);
      const log = `${databaseIn(copy)}-wal`;
      if (torn) flip(log, at);
      else cutOff(log, at);

      expect(checkLedger(copy).findings).toEqual([]);
      const { outbox, history, db } = aLedger({ dataDir: copy, makeId: countingIds("late") });
      const upTo = Number(outbox.checkpoints().get(SCOPE)?.resourceVersion ?? 0);
      const steps = Array.from({ length: upTo }, (_, index) => index + 1);
      expect(
        history.events({ limit: 1_000 }).map(({ event }) => event.object.name),
        "what the checkpoint says is there",
      ).toEqual(steps.map((n) => `web-${n}`).toReversed());
      const states = history.deliveries({ limit: 1_000 }).map(({ id, state }) => `${id} ${state}`);
      const told = steps.map((n) => `d${n} delivered`).toReversed();
      // The last settlement may be undone: it is then told again, with the same key.
      expect([told, [`d${upTo} pending`, ...told.slice(1)]]).toContainEqual(states);
      // It goes on from there.
      expect(await outbox.add([anEntry(upTo + 1, ["chat"])], [], never)).toEqual(["enqueued"]);
      outbox.close();
      db.close();
      expect(checkLedger(copy).findings).toEqual([]);
      seen.add(upTo);
    }),
    { numRuns: 60 },
  );
  expect(seen.size, "cuts in many steps").toBeGreaterThan(STEPS / 2);
});
