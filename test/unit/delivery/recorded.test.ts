import { describe, expect, test } from "vitest";
import { Lane } from "../../../src/delivery/lane.ts";
import type { Outbox } from "../../../src/ledger/ledger.ts";
import { settle } from "../../support/clock.ts";
import { aLedger, anEntry, never } from "../../support/ledger.ts";
import { DINGTALK, FakePlatform } from "./support.ts";

/** An outbox that is behind a network: what it is told is written when the test says so. */
function slow(outbox: Outbox) {
  let waiting = Promise.withResolvers<void>();
  let isWritten = true;
  const slowly: Outbox = Object.assign(Object.create(outbox) as Outbox, {
    add: outbox.add.bind(outbox),
    due: outbox.due.bind(outbox),
    pending: outbox.pending.bind(outbox),
    nextAt: outbox.nextAt.bind(outbox),
    recentAttempts: outbox.recentAttempts.bind(outbox),
    throttledUntil: outbox.throttledUntil.bind(outbox),
    onAdded: outbox.onAdded.bind(outbox),
    fold: outbox.fold.bind(outbox),
    settle: (...given: Parameters<Outbox["settle"]>) => {
      isWritten = false;
      outbox.settle(...given);
    },
    attempting: (...given: Parameters<Outbox["attempting"]>) => {
      isWritten = false;
      outbox.attempting(...given);
    },
    written: () => (isWritten ? null : waiting.promise),
  });
  const write = () => {
    isWritten = true;
    waiting.resolve();
    waiting = Promise.withResolvers();
  };
  return { outbox: slowly, write };
}

function aSlowLane(limits: Pick<typeof DINGTALK, "concurrency"> & Partial<typeof DINGTALK>) {
  const ledger = aLedger();
  const { clock, recorded } = ledger;
  const { outbox, write } = slow(ledger.outbox);
  const platform = new FakePlatform(clock);
  const lane = new Lane(
    {
      name: "ops",
      rates: [],
      throttledMs: 1_000,
      ...limits,
      timeoutMs: 5_000,
      giveUpAfterMs: 3_600_000,
      digest: false,
      digestEveryMs: 0,
      gate: null,
    },
    { sender: platform, outbox, observer: recorded.observer, clock, random: () => 0.5 },
  );
  const owe = (from: number, to: number) =>
    outbox.add(
      Array.from({ length: to - from + 1 }, (_, index) => anEntry(from + index, ["ops"])),
      [],
      never,
    );
  return { lane, owe, platform, write, clock };
}

describe("a ledger behind a network", () => {
  test("frees a slot only when its settlement is written: a death tells no more again than are under way", async () => {
    const { lane, owe, platform, write } = aSlowLane({ concurrency: 1 });
    await owe(1, 3);
    lane.start();
    await settle();
    expect(platform.told.length).toBe(1);
    await settle();
    expect(platform.told.length).toBe(1);
    write();
    await settle();
    expect(platform.told.length).toBe(2);
    await lane.stop();
  });

  test("an attempt of a sink with a rate is written before its request leaves", async () => {
    const { lane, owe, platform, write } = aSlowLane(DINGTALK);
    await owe(1, 1);
    lane.start();
    await settle();
    expect(platform.requests).toEqual([]);
    write();
    await settle();
    expect(platform.requests.length).toBe(1);
    await lane.stop();
  });

  test("one that is never written keeps no lane from stopping", async () => {
    const { lane, owe, platform } = aSlowLane({ concurrency: 1 });
    await owe(1, 2);
    lane.start();
    await settle();
    await lane.stop();
    expect(platform.told.length).toBe(1);
    expect(platform.closed).toBe(true);
  });
});
