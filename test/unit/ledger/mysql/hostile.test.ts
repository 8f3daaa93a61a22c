import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkMysqlLedger } from "../../../../src/ledger/mysql/check.ts";
import { aDigestOf } from "../../../support/alerts.ts";
import { anEvent } from "../../../support/events.ts";
import { countingIds, never, none } from "../../../support/ledger.ts";
import { databaseNames, haveMariadb, Mariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../../../support/mysql-ledger.ts";
import { eventually } from "./support.ts";
type Changes = Parameters<typeof anEvent>[0];

/** Whoever may create Events may write into them what they like. */
describe.skipIf(!haveMariadb)("an Event that was made to do harm", { timeout: 60_000 }, () => {
  let server: Mariadb;
  const next = databaseNames();
  beforeAll(async () => {
    // What servers took once, when nobody had said otherwise.
    server = await Mariadb.start({ args: ["--max-allowed-packet=1M"] });
  }, 60_000);
  afterAll(() => server.destroy());

  const entry = (n: number, changes: Changes) => {
    const event = anEvent({
      uid: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
      count: 1,
      ...changes,
    });
    return { event, alert: { kind: "event", event } as const, sinks: ["ops"] };
  };

  test.each<readonly [string, Changes]>([
    ["a message of a megabyte and a half", { message: '"'.repeat(1_500_000) }],
    ["a message of a megabyte of Chinese", { message: "镜".repeat(400_000) }],
    ["a message of control characters", { message: "\u0001".repeat(1_000_000) }],
    ["a reason of a megabyte", { reason: "R".repeat(1_500_000) }],
    [
      "ten thousand labels",
      {
        core: {
          labels: Object.fromEntries(
            Array.from({ length: 10_000 }, (_, n) => [`example.com/label-${n}`, "镜".repeat(40)]),
          ),
        },
      },
    ],
    ["halves of surrogate pairs", { message: "\ud800 and \udc00, \ud801x", reason: "\udfff" }],
    ["a zero byte", { message: "a\0b", reason: "\0" }],
  ])("%s: it is taken, told and settled, and keeps nothing else from it", async (_, changes) => {
    const target = await aDatabase(server, next());
    const ledger = await aMysqlLedger(target);
    const { outbox, clock, recorded } = ledger;
    expect(await outbox.add([entry(1, changes), entry(2, {})], [], never)).toEqual([
      "enqueued",
      "enqueued",
    ]);
    outbox.settle("d1", { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await outbox.written();
    expect(recorded.of("ledgerTrouble")).toEqual([]);
    expect(await outbox.add([entry(1, changes)], [], never)).toEqual(["duplicate"]);
    const { findings } = await checkMysqlLedger(target);
    expect(findings).toEqual([]);
    await ledger.close();
    const after = await aMysqlLedger(target, { makeId: countingIds("n") });
    expect(after.outbox.due("ops", clock.now(), 9, none)).toEqual([]);
    expect((await after.history.counts()).get("ops")).toMatchObject({ delivered: 1, pending: 1 });
  });

  test("is owed as it was after a restart, but for what nobody reads to its end", async () => {
    const target = await aDatabase(server, next());
    const ledger = await aMysqlLedger(target);
    const { outbox, clock } = ledger;
    const message = `${"镜像拉取失败 ".repeat(30_000)}the end`;
    const changes = { message, reason: "Failed", core: { labels: { app: "web" } } };
    const { event } = entry(1, changes);
    const small = entry(2, { message: "a".repeat(140_000) });
    await outbox.add([entry(1, changes), small], [], never);
    // What is told at once is told whole.
    expect(outbox.due("ops", clock.now(), 9, none)[0]?.alert).toEqual({ kind: "event", event });
    await ledger.close();
    const after = await aMysqlLedger(target, { makeId: countingIds("n") });
    const due = () => after.outbox.due("ops", clock.now(), 9, none);
    await eventually(after.clock, () => due().length === 2, "what is owed to be read");
    const [cut, whole] = due().map(({ alert }) => (alert.kind === "event" ? alert.event : null));
    expect(whole).toEqual(small.event);
    expect(cut).toEqual({ ...event, message: cut?.message });
    expect(cut?.message).toMatch(/^(镜像拉取失败 ){1000,}.*…$/u);
    expect(cut?.message.length).toBeLessThan(150_000);
  });

  test("holds up no gap and no digest that tell of it", async () => {
    const ledger = await aMysqlLedger(await aDatabase(server, next()));
    const { outbox, clock, recorded } = ledger;
    await outbox.add([entry(1, {})], [], never);
    const line = {
      count: 1,
      severity: "warning",
      namespace: null,
      kind: "Pod",
      objects: 1,
    } as const;
    const digest = outbox.fold(
      "ops",
      ["d1"],
      {
        ...aDigestOf(1),
        lines: [{ ...line, reason: "R".repeat(700_000), workload: "w".repeat(700_000) }],
      },
      clock.now(),
    );
    await outbox.written();
    expect(recorded.of("ledgerTrouble")).toEqual([]);
    const [row] = await ledger.history.deliveries({ state: "pending" });
    expect(row).toMatchObject({ id: digest.id, alert: { kind: "digest", total: 1 } });
  });
});
