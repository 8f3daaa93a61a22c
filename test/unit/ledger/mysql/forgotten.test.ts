import { describe, expect, test } from "vitest";
import { anEntry, never, none } from "../../../support/ledger.ts";
import { mysqlRig } from "../../../support/ledger-rig.ts";
import { haveMariadb } from "../../../support/mariadb.ts";
import { aServer } from "./support.ts";

describe.skipIf(!haveMariadb)("an occurrence that was told and that retention has removed", () => {
  const { server, next } = aServer();

  test("is not told again while the database is away, for memory still knows it", async () => {
    const rig = await mysqlRig(server(), next());
    try {
      const told = anEntry(1, ["ops"]);
      expect(await rig.outbox.add([told], [], never)).toEqual(["enqueued"]);
      rig.outbox.settle("d1", {
        kind: "delivered",
        at: rig.clock.now(),
        sent: "{}",
        answer: "HTTP 200",
      });
      await rig.outbox.written();
      await rig.clock.advance(1_000);
      await rig.prune(rig.clock.now(), rig.clock.now());
      expect(await rig.deliveries()).toEqual([]);

      rig.refuse("all");
      const another = anEntry(2, ["ops"]);
      expect(await rig.outbox.add([told, another], [], never)).toEqual(["duplicate", "enqueued"]);
      const due = rig.outbox.due("ops", rig.clock.now(), 10, none);
      expect(due.map(({ id }) => id)).toEqual([rig.made.at(-1)]);

      await rig.mend();
      expect((await rig.deliveries()).map(({ id }) => id)).toEqual([rig.made.at(-1)]);
    } finally {
      await rig.end();
    }
  });
});
