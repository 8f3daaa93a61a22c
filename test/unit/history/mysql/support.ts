import { onTestFinished } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { type EventPage, EVERYTHING, type Filter } from "../../../../src/history/history.ts";
import { Engine } from "../../../../src/history/mysql/engine.ts";
import { readerOf } from "../../../../src/history/question.ts";
import type { LedgerTarget } from "../../../../src/ledger/mysql/target.ts";
import { FakeClock } from "../../../support/clock.ts";
import { anyone } from "../../../support/history.ts";
import type { Mariadb } from "../../../support/mariadb.ts";
import { aDatabase, aMysqlLedger, type TestMysqlOptions } from "../../../support/mysql-ledger.ts";

/** A ledger in a database of its own, at noon. */
export async function aHistory(server: Mariadb, name: string, options: TestMysqlOptions = {}) {
  const clock = new FakeClock("2026-11-20T12:00:00Z");
  const target = await aDatabase(server, name);
  const ledger = await aMysqlLedger(target, { clock, ...options });
  return { ...ledger, ...lookingAt(target), clock, target };
}

/** Somebody who looks at it: indexes a batch, asks. */
export function lookingAt(target: LedgerTarget, clock = systemClock) {
  const engine = new Engine(target, clock);
  const reader = readerOf(engine);
  onTestFinished(() => engine.close());
  const events = (changes: Partial<Filter> = {}, limit = 100): Promise<EventPage> =>
    reader.events({ ...EVERYTHING, ...changes }, limit, null, anyone);
  const total = async (changes: Partial<Filter> = {}) =>
    (
      await reader.timeline(
        { ...EVERYTHING, ...changes },
        { by: "reason", step: null, top: 9 },
        anyone,
      )
    ).total;
  return { engine, reader, events, total };
}

export function names({ rows }: EventPage): readonly string[] {
  return rows.map(({ event }) => event.object.name);
}
