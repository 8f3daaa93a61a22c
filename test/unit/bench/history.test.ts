import { describe, expect, test } from "vitest";
import { Happenings } from "../../../bench/history/events.ts";
import { BATCH, Filler } from "../../../bench/history/fill.ts";
import { systemClock } from "../../../src/clock.ts";
import { EVERYTHING } from "../../../src/history/history.ts";
import { openReaderHere } from "../../../src/history/open.ts";
import { checkLedger } from "../../../src/ledger/check.ts";
import { openDatabase } from "../../../src/ledger/database.ts";
import { anyone, NOON } from "../../support/history.ts";
import { temporaryDirectory } from "../../support/ledger.ts";

const some = (seed: number, count: number) => {
  const happenings = new Happenings(seed);
  return Array.from({ length: count }, (_, n) => happenings.next(NOON + n * 1000));
};

describe("the made-up history", () => {
  test("is the same for the same seed, and another for another", () => {
    expect(some(7, 200)).toEqual(some(7, 200));
    expect(some(8, 200)).not.toEqual(some(7, 200));
  });

  test("is as uneven as a cluster: few namespaces and reasons have most, some are rare, some is Chinese", () => {
    const events = some(7, 20_000);
    const share = (of: (event: (typeof events)[number]) => boolean) =>
      events.filter(of).length / events.length;
    expect(share(({ eventNamespace }) => eventNamespace === "team-0")).toBeGreaterThan(0.1);
    expect(share(({ reason }) => reason === "BackOff")).toBeGreaterThan(0.08);
    const rare = share(({ reason }) => reason === "扩容失败");
    expect(rare).toBeGreaterThan(0);
    expect(rare).toBeLessThan(0.05);
    expect(share(({ message }) => /\p{Script=Han}/u.test(message))).toBeGreaterThan(0.01);
    expect(share(({ count }) => count > 1)).toBeGreaterThan(0.1);
    expect(new Set(events.map(({ key }) => key)).size).toBe(events.length);
    expect(new Set(events.map(({ reason }) => reason)).size).toBeGreaterThan(15);
  });

  test("is a sound ledger, whose history answers", async () => {
    const dataDir = temporaryDirectory();
    const db = openDatabase(dataDir, 10);
    const filler = new Filler(db, 7);
    for (let batch = 0; batch < 5; batch += 1)
      filler.batch(BATCH, (index) => NOON + (batch * BATCH + index) * 1000);
    db.close();
    expect(checkLedger(dataDir)).toMatchObject({ findings: [] });
    const reader = openReaderHere(dataDir, systemClock);
    const timeline = { by: "type", step: null, top: 8 } as const;
    expect((await reader.timeline(EVERYTHING, timeline, anyone)).total).toBe(5 * BATCH);
    await reader.close();
  });
});
