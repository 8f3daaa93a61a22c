import { afterAll, describe, expect, test } from "vitest";
import { type Ledger } from "../../src/ledger/open.ts";
import { FakeClock, settle } from "../support/clock.ts";
import { until } from "../support/crier.ts";
import { anEvent } from "../support/events.ts";
import {
  anEntry,
  aRunningLedger,
  countingIds,
  never,
  temporaryDirectory,
} from "../support/ledger.ts";
import { databaseNames, haveMariadb, Mariadb } from "../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../support/mysql-ledger.ts";

const started: Mariadb[] = [];
const names = databaseNames();

afterAll(async () => {
  for (const server of started) await server.destroy();
});

/** One process after the other on the same place. */
type Place = (life: number) => Promise<Ledger>;

function inAFile(): Place {
  const dataDir = temporaryDirectory();
  return async (life) => aRunningLedger(dataDir, { makeId: countingIds(`${life}-`) });
}

async function inMariadb(): Promise<Place> {
  const server = started[0] ?? (await Mariadb.start());
  if (started.length === 0) started.push(server);
  const target = await aDatabase(server, names());
  return (life) => aMysqlLedger(target, { makeId: countingIds(`${life}-`), term: life });
}

const LEDGERS: readonly (readonly [string, () => Place | Promise<Place>])[] = [
  ["SQLite", inAFile],
  ...(haveMariadb ? ([["MySQL (MariaDB)", inMariadb]] as const) : []),
];

const old = (uid: string) => {
  const event = anEvent({ uid });
  return { event, alert: { kind: "event", event }, sinks: [], suppressed: "tooOld" } as const;
};
const wanted = (uid: string, ...sinks: readonly string[]) => ({ event: anEvent({ uid }), sinks });

describe.each(LEDGERS)("what a process before this one took and told nobody, in %s", (_, begin) => {
  test("is known where it is owed to none of those who want it", async () => {
    const open = await begin();
    const first = await open(1);
    const owed = { ...anEntry(1, ["ops"]), event: anEvent({ uid: "owed" }) };
    await first.outbox.add([old("a"), old("b"), owed], [], never);
    expect(await first.untold([wanted("a", "ops")]), "by this one").toEqual([false]);
    await settle();
    await first.close();

    const second = await open(2);
    await second.outbox.add([old("later")], [], never);
    const asked = [
      wanted("a", "ops"),
      wanted("later", "ops"),
      wanted("owed", "ops"),
      wanted("owed", "dev", "ops"),
      wanted("owed", "dev"),
      wanted("never", "ops"),
      wanted("b", "dev", "it's \\"),
    ];
    expect(await second.untold(asked)).toEqual([true, false, false, false, true, false, true]);
    expect(await second.untold([])).toEqual([]);
  });

  test("is known of more than fit one question", async () => {
    const open = await begin();
    const uids = Array.from({ length: 230 }, (__, index) => `u-${index}`);
    const first = await open(1);
    await first.outbox.add(uids.map(old), [], never);
    await first.close();
    const second = await open(2);
    const asked = uids.map((uid, index) => wanted(index % 3 === 0 ? `${uid}-other` : uid, "ops"));
    expect(await second.untold(asked)).toEqual(uids.map((__, index) => index % 3 !== 0));
  });
});

describe.each(LEDGERS)("a process that ended in the middle of an attempt, in %s", (_, begin) => {
  test("is known by the delivery that may have arrived", async () => {
    const open = await begin();
    const first = await open(1);
    for (const n of [1, 2, 3, 4, 5]) await first.outbox.add([anEntry(n, ["ops"])], [], never);
    const now = new FakeClock().now();
    const due = (ledger: Ledger) => ledger.outbox.due("ops", now + 10, 10, new Set());
    const ids = due(first).map(({ id }) => id);
    for (const id of ids.slice(0, 4)) first.outbox.attempting("ops", now, id);
    await first.outbox.written();
    const ended = { at: now, reason: "server", detail: "500", counted: true } as const;
    const delivered = { kind: "delivered", at: now, sent: "hello", answer: "200" } as const;
    first.outbox.settle(ids[1] ?? "", { ...ended, kind: "retry", notBefore: now + 1 });
    first.outbox.settle(ids[2] ?? "", delivered);
    await settle();
    await first.outbox.written();
    await first.close();

    const second = await open(2);
    await until(() => (due(second).length > 0 ? true : undefined), "what is due to be read");
    const begun = (ledger: Ledger) =>
      due(ledger).flatMap(({ id, begun: isBegun }) => (isBegun === true ? [id] : []));
    expect(begun(second)).toEqual([ids[0], ids[3]]);
    const rows = await second.history.deliveries({ sink: "ops" });
    const sent = new Map(rows.map((row) => [row.id, row.sent]));
    expect(ids.map((id) => sent.get(id))).toEqual([null, null, "hello", null, null]);
    for (const id of [ids[0], ids[1], ids[3]]) second.outbox.attempting("ops", now, id);
    second.outbox.settle(ids[0] ?? "", { ...ended, kind: "retry", notBefore: now + 2 });
    second.outbox.settle(ids[1] ?? "", { ...ended, kind: "retry", notBefore: now + 1 });
    second.outbox.settle(ids[3] ?? "", { ...ended, kind: "dead" });
    await settle();
    await second.outbox.written();
    await second.close();
    const third = await open(3);
    await until(() => (due(third).length > 0 ? true : undefined), "what is due to be read");
    expect(begun(third), "refused now, it may have arrived before").toEqual([ids[0]]);
    expect(due(third).map(({ id }) => id)).toEqual([ids[4], ids[1], ids[0]]);
  });
});

describe.skipIf(!haveMariadb)("a database that is away", () => {
  test("says of nothing that it was told nobody", async () => {
    const server = started[0] ?? (await Mariadb.start());
    if (started.length === 0) started.push(server);
    const target = await aDatabase(server, names());
    const first = await aMysqlLedger(target, { term: 1 });
    await first.outbox.add([old("a")], [], never);
    await first.close();
    const second = await aMysqlLedger(target, { term: 2 });
    await server.down();
    expect(await second.untold([wanted("a", "ops")])).toEqual([false]);
    await server.up();
    expect(await second.untold([wanted("a", "ops")])).toEqual([true]);
  });
});
