import { afterAll, describe, expect, test } from "vitest";
import type { Alert } from "../../src/event/alert.ts";
import type { Delivery } from "../../src/event/delivery.ts";
import { type FakeClock, settle } from "../support/clock.ts";
import { anEvent } from "../support/events.ts";
import type { History, HistoryFilter, Outbox } from "../../src/ledger/ledger.ts";
import { until } from "../support/crier.ts";
import { aLedger, anEntry, never, temporaryDirectory, none } from "../support/ledger.ts";
import { databaseNames, haveMariadb, Mariadb } from "../support/mariadb.ts";
import { aDatabase, aMysqlLedger } from "../support/mysql-ledger.ts";
import { aDigestOf } from "../support/alerts.ts";

interface AnyLedger {
  readonly clock: FakeClock;
  readonly outbox: Outbox;
  readonly history: History;
}

const started: Mariadb[] = [];
const names = databaseNames();

/** One server for all of them, a database for each. */
async function inMariadb(): Promise<AnyLedger> {
  const server = started[0] ?? (await Mariadb.start());
  if (started.length === 0) started.push(server);
  return aMysqlLedger(await aDatabase(server, names()));
}

afterAll(async () => {
  for (const server of started) await server.destroy();
});

/** What every ledger must do, whatever it is kept in. Where there is no MariaDB (`apt-get install mariadb-server`) its part is skipped. */
const LEDGERS: readonly (readonly [string, () => AnyLedger | Promise<AnyLedger>])[] = [
  ["SQLite in memory", () => aLedger()],
  ["SQLite in a file", () => aLedger({ dataDir: temporaryDirectory() })],
  ...(haveMariadb ? ([["MySQL (MariaDB)", inMariadb]] as const) : []),
];

/** What was told is written. */
async function written(outbox: Outbox): Promise<void> {
  await settle();
  await outbox.written();
}
const MINUTE = 60_000;

const digest = aDigestOf(2);

describe.each(LEDGERS)("%s", (_, open) => {
  test("what is added is due at once, to each of its sinks, with an id of its own", async () => {
    const { outbox, clock } = await open();
    const entry = anEntry(1, ["ops", "dev"]);
    expect(await outbox.add([entry], [], never)).toEqual(["enqueued"]);
    const [ops] = outbox.due("ops", clock.now(), 10, none);
    const [dev] = outbox.due("dev", clock.now(), 10, none);
    expect(ops).toEqual({
      id: "d1",
      sink: "ops",
      alert: entry.alert,
      attempts: 0,
      owedAt: clock.now(),
      notBefore: clock.now(),
    });
    expect(dev).toMatchObject({ id: "d2", sink: "dev" });
    expect(outbox.due("nobody", clock.now(), 10, none)).toEqual([]);
  });

  test("an occurrence is taken once: the second time it owes nothing", async () => {
    const { outbox, clock } = await open();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    const again = await outbox.add(
      [anEntry(1, ["ops"]), anEntry(2, ["ops"]), anEntry(2, ["ops"])],
      [],
      never,
    );
    expect(again).toEqual(["duplicate", "enqueued", "duplicate"]);
    expect(outbox.pending("ops", clock.now()).total).toBe(2);
  });

  test("a higher count of the same Event is another occurrence", async () => {
    const { outbox } = await open();
    const taken = await outbox.add(
      [12, 13].map((count) => {
        const event = anEvent({ count });
        return { event, alert: { kind: "event", event }, sinks: ["ops"] } as const;
      }),
      [],
      never,
    );
    expect(taken).toEqual(["enqueued", "enqueued"]);
  });

  test("text comes back as it went in, whatever it holds", async () => {
    const { outbox, clock } = await open();
    const event = anEvent({ message: `'; DROP TABLE delivery; -- "\\\u0000\u2028😀 \ud800 你好` });
    await outbox.add([{ event, alert: { kind: "event", event }, sinks: ["ops"] }], [], never);
    expect(outbox.due("ops", clock.now(), 1, none)[0]?.alert).toEqual({ kind: "event", event });
  });

  test("a gap has no occurrence and is owed every time", async () => {
    const { outbox, clock, history } = await open();
    const alert: Alert = {
      kind: "gap",
      cluster: "prod-a",
      since: "2026-11-20T07:00:00Z",
      until: "2026-11-20T08:00:00Z",
      cause: "downtime",
    };
    const gap = { event: null, alert, sinks: ["ops"] };
    expect(await outbox.add([gap, gap], [], never)).toEqual(["enqueued", "enqueued"]);
    expect(outbox.due("ops", clock.now(), 10, none).map((one) => one.alert)).toEqual([
      alert,
      alert,
    ]);
    expect(await history.events({})).toEqual([]);
  });

  test("checkpoints are remembered by scope, the last one counts", async () => {
    const { outbox } = await open();
    expect(outbox.checkpoints().size).toBe(0);
    const at = (resourceVersion: string, scope = "kubernetes:*") => ({
      scope,
      cluster: "9f2",
      resourceVersion,
      at: 7,
    });
    await outbox.add([], [at("100"), at("50", "kubernetes:shop")], never);
    await outbox.add([anEntry(1, [])], [at("101")], never);
    expect([...outbox.checkpoints().values()]).toEqual([at("101"), at("50", "kubernetes:shop")]);
  });

  test("a checkpoint keeps its witness, and the next one its own or none", async () => {
    const { outbox } = await open();
    const plain = { scope: "kubernetes:*", cluster: "9f2", resourceVersion: "100", at: 7 };
    const witness = { uid: "0000", type: "Warning", at: 6 };
    const remembered = () => outbox.checkpoints().get("kubernetes:*");
    await outbox.add([], [{ ...plain, witness }], never);
    expect(remembered()).toEqual({ ...plain, witness });
    await outbox.add([], [{ ...plain, witness: { ...witness, at: 8 } }], never);
    expect(remembered()?.witness?.at).toBe(8);
    await outbox.add([], [plain], never);
    expect(remembered()).toEqual(plain);
  });

  test("due: oldest first, at most so many, without those under way", async () => {
    const { outbox, clock } = await open();
    for (const n of [1, 2, 3, 4]) {
      await outbox.add([anEntry(n, ["ops"])], [], never);
      await clock.advance(10);
    }
    const ids = (except: ReadonlySet<string>) =>
      outbox.due("ops", clock.now(), 2, except).map((one) => one.id);
    expect(ids(none)).toEqual(["d1", "d2"]);
    expect(ids(new Set(["d1", "d3"]))).toEqual(["d2", "d4"]);
  });

  test("delivered: not due any more, even before it is written, and the history says what was sent", async () => {
    const { outbox, clock, history } = await open();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    outbox.settle("d1", { kind: "delivered", at: clock.now(), sent: "{}", answer: "HTTP 200: ok" });
    expect(outbox.due("ops", clock.now(), 10, none)).toEqual([]);
    expect(outbox.pending("ops", clock.now())).toEqual({
      due: 0,
      total: 0,
      nextAt: null,
      oldestOwedAt: null,
    });
    await written(outbox);
    expect(await history.deliveries({})).toMatchObject([
      { id: "d1", state: "delivered", settledAt: clock.now(), sent: "{}", answer: "HTTP 200: ok" },
    ]);
  });

  test("retry: due again at its time, its attempt counted, its age unchanged", async () => {
    const { outbox, clock, history } = await open();
    const owedAt = clock.now();
    await outbox.add([anEntry(1, ["ops"])], [], never);
    const retry = { kind: "retry", reason: "server", detail: "HTTP 500", counted: true } as const;
    outbox.settle("d1", { ...retry, at: owedAt, notBefore: owedAt + 1_000 });
    expect(outbox.due("ops", owedAt, 10, none)).toEqual([]);
    expect(outbox.nextAt("ops", owedAt)).toBe(owedAt + 1_000);
    expect(outbox.pending("ops", owedAt)).toEqual({
      due: 0,
      total: 1,
      nextAt: owedAt + 1_000,
      oldestOwedAt: owedAt,
    });
    await clock.advance(1_000);
    expect(outbox.due("ops", clock.now(), 10, none)).toMatchObject([{ attempts: 1, owedAt }]);
    expect(outbox.nextAt("ops", clock.now())).toBeNull();
    await written(outbox);
    expect(await history.deliveries({})).toMatchObject([{ reason: "server", detail: "HTTP 500" }]);
  });

  test("a throttled attempt does not count, and the ledger knows until when the platform is left alone", async () => {
    const { outbox, clock } = await open();
    const now = clock.now();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    expect(outbox.throttledUntil("ops", now)).toBeNull();
    const until = now + 10 * MINUTE;
    const outcome = {
      kind: "retry",
      reason: "throttled",
      detail: "130101",
      counted: false,
    } as const;
    outbox.settle("d1", { ...outcome, at: now, notBefore: until });
    await written(outbox);
    expect(outbox.throttledUntil("ops", now)).toBe(until);
    expect(outbox.throttledUntil("dev", now)).toBeNull();
    expect(outbox.throttledUntil("ops", until)).toBeNull();
    expect(outbox.due("ops", until, 10, none).map((one) => one.attempts)).toEqual([0, 0]);
  });

  test("of several throttled in one turn the longest wait counts, whichever is answered last", async () => {
    const { outbox, clock } = await open();
    const now = clock.now();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    const outcome = { kind: "retry", reason: "throttled", detail: "429", counted: false } as const;
    outbox.settle("d1", { ...outcome, at: now, notBefore: now + 60_000 });
    outbox.settle("d2", { ...outcome, at: now, notBefore: now + 10_000 });
    await written(outbox);
    expect(outbox.throttledUntil("ops", now)).toBe(now + 60_000);
  });

  test("dead letters are put away, or owed again, only by those who may see them", async () => {
    const { outbox, clock, history } = await open();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops"])], [], never);
    const gap = { kind: "gap", cluster: "", since: "", until: "", cause: "downtime" } as const;
    await outbox.add([{ event: null, alert: gap, sinks: ["ops"] }], [], never);
    const dead = { kind: "dead", reason: "auth", detail: "", counted: true } as const;
    for (const id of ["d1", "d2", "d3"]) outbox.settle(id, { ...dead, at: clock.now() });
    await written(outbox);
    expect(await history.discard([], null, ["data"])).toBe(0);
    expect(await history.retry(["d1"], null, clock.now(), [])).toBe(0);
    expect(await history.discard(["d1", "d3"], "ops", ["shop"])).toBe(1);
    expect(await history.retry([], null, clock.now(), ["shop", "it's"])).toBe(1);
    expect((await history.counts()).get("ops")).toEqual({
      pending: 1,
      delivered: 0,
      dead: 1,
      folded: 0,
      discarded: 1,
    });
    expect(await history.discard([], null)).toBe(1);
    expect(await history.retry(["d1"], null, clock.now())).toBe(0);
  });

  test("dead, and made pending again by hand with a fresh age", async () => {
    const { outbox, clock, history } = await open();
    await outbox.add([anEntry(1, ["ops", "dev"]), anEntry(2, ["ops"])], [], never);
    const dead = { kind: "dead", reason: "auth", detail: "sign not match", counted: true } as const;
    for (const id of ["d1", "d2", "d3"]) outbox.settle(id, { ...dead, at: clock.now() });
    await written(outbox);
    expect(outbox.pending("ops", clock.now()).total).toBe(0);
    expect(await history.deliveries({ state: "dead", sink: "ops" })).toMatchObject([
      { id: "d3", attempts: 1, reason: "auth", detail: "sign not match" },
      { id: "d1" },
    ]);
    await clock.advance(90 * MINUTE);
    expect(await history.retry(["d1", "unheard-of"], null, clock.now())).toBe(1);
    // A ledger behind a network reads again what somebody has changed.
    const again = () => outbox.due("ops", clock.now(), 10, none);
    await until(() => Promise.resolve(again().length > 0 || undefined), "it to be due again");
    expect(again()).toMatchObject([{ id: "d1", attempts: 0, owedAt: clock.now() }]);
    expect(await history.retry([], "dev", clock.now())).toBe(1);
    expect(await history.retry([], null, clock.now())).toBe(1);
    expect(await history.retry([], null, clock.now())).toBe(0);
    expect((await history.counts()).get("ops")).toEqual({
      pending: 2,
      delivered: 0,
      dead: 0,
      folded: 0,
      discarded: 0,
    });
  });

  test("fold: one digest owed in place of many, in one step", async () => {
    const { outbox, clock, history } = await open();
    await outbox.add(
      [1, 2, 3].map((n) => anEntry(n, ["ops"])),
      [],
      never,
    );
    await clock.advance(5_000);
    const made = outbox.fold("ops", ["d1", "d2"], digest, clock.now());
    expect(made).toEqual({
      id: "d4",
      sink: "ops",
      alert: digest,
      attempts: 0,
      owedAt: clock.now(),
      notBefore: clock.now(),
    } satisfies Delivery);
    const due = outbox.due("ops", clock.now(), 10, none);
    expect(due.map((one) => one.id)).toEqual(["d3", "d4"]);
    expect(due[1]).toEqual(made);
    await written(outbox);
    expect(await history.deliveries({ state: "folded" })).toMatchObject([
      { id: "d2", foldedInto: "d4" },
      { id: "d1", foldedInto: "d4" },
    ]);
  });

  test("onAdded calls for new deliveries of that sink, and not for duplicates", async () => {
    const { outbox } = await open();
    let called = 0;
    const stop = outbox.onAdded("ops", () => (called += 1));
    await outbox.add([anEntry(1, ["dev"])], [], never);
    expect(called).toBe(0);
    await outbox.add([anEntry(2, ["ops"]), anEntry(3, ["ops"])], [], never);
    expect(called).toBe(1);
    await outbox.add([anEntry(2, ["ops"])], [], never);
    expect(called).toBe(1);
    stop();
    await outbox.add([anEntry(4, ["ops"])], [], never);
    expect(called).toBe(1);
  });

  test("attempts are remembered by sink and time", async () => {
    const { outbox } = await open();
    for (const at of [100, 200, 300]) outbox.attempting("ops", at);
    outbox.attempting("dev", 250);
    expect(outbox.recentAttempts("ops", 150)).toEqual([200, 300]);
    expect(outbox.recentAttempts("nobody", 0)).toEqual([]);
  });

  test("add refuses to begin when its signal has aborted", async () => {
    const { outbox, clock } = await open();
    const stopped = AbortSignal.abort(new Error("stopping"));
    await expect(outbox.add([anEntry(1, ["ops"])], [], stopped)).rejects.toThrow("stopping");
    expect(outbox.pending("ops", clock.now()).total).toBe(0);
  });
});

describe.each(LEDGERS)("%s: history", (_, open) => {
  test("newest first, every filter narrows it", async () => {
    const { outbox, clock, history } = await open();
    await outbox.add([anEntry(1, ["ops"]), anEntry(2, ["ops", "dev"], "OOMKilling")], [], never);
    await clock.advance(MINUTE);
    await outbox.add([anEntry(3, [])], [], never);
    outbox.settle("d1", { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await written(outbox);
    const found = async (filter: HistoryFilter) =>
      (await history.events(filter)).map((row) => row.event.object.name);
    expect(await found({})).toEqual(["web-3", "web-2", "web-1"]);
    expect(await found({ reason: "OOMKilling" })).toEqual(["web-2"]);
    expect(await found({ namespace: "shop", kind: "Pod", name: "web-1" })).toEqual(["web-1"]);
    expect(await found({ namespace: "bank" })).toEqual([]);
    expect(await found({ sink: "dev" })).toEqual(["web-2"]);
    expect(await found({ state: "delivered" })).toEqual(["web-1"]);
    expect(await found({ state: "delivered", sink: "dev" })).toEqual([]);
    expect(await found({ since: clock.now() })).toEqual(["web-3"]);
    expect(await found({ limit: 2 })).toEqual(["web-3", "web-2"]);
  });

  test("a row shows the occurrence and what became of it at each sink", async () => {
    const { outbox, clock, history } = await open();
    const entry = anEntry(1, ["ops", "dev"]);
    await outbox.add([entry], [], never);
    outbox.settle("d1", { kind: "delivered", at: clock.now(), sent: "", answer: "" });
    await written(outbox);
    const [row] = await history.events({});
    expect(row?.event).toEqual(entry.event);
    expect(row?.receivedAt).toBe(clock.now());
    expect(row?.deliveries.map((one) => [one.sink, one.state])).toEqual([
      ["ops", "delivered"],
      ["dev", "pending"],
    ]);
    expect(row?.deliveries[0]?.alert).toEqual(entry.alert);
  });
});
