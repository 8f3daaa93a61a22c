import { onTestFinished } from "vitest";
import { systemClock } from "../../src/clock.ts";
import type { KubeEvent } from "../../src/event/event.ts";
import {
  type Ask,
  type Cursor,
  type EventPage,
  type EventRow,
  EVERYTHING,
  type Filter,
  type HistoryReader,
} from "../../src/history/history.ts";
import { openReaderBeside, openReaderHere, openReaderOver } from "../../src/history/open.ts";
import { openMysqlReaderHere } from "../../src/history/mysql/open.ts";
import type { Outbox } from "../../src/ledger/ledger.ts";
import { FakeClock, settle } from "./clock.ts";
import { anEvent } from "./events.ts";
import { aLedger, never, temporaryDirectory, type TestLedger } from "./ledger.ts";
import { databaseNames, haveMariadb, Mariadb } from "./mariadb.ts";
import { aDatabase, aMysqlLedger } from "./mysql-ledger.ts";

export const NOON = Date.parse("2026-11-20T12:00:00Z");
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

/** Everything, with time enough. */
export const anyone: Ask = { visible: "all", deadlineMs: 60_000, signal: never };

export interface Kept {
  readonly clock: FakeClock;
  readonly outbox: Outbox;
  readonly reader: HistoryReader;
}

/** A ledger, and a history over it: each way there is to open one. */
export const READERS: readonly (readonly [string, () => Kept | Promise<Kept>])[] = [
  ["SQLite in memory", () => kept(":memory:", ({ db }) => openReaderOver(db, systemClock))],
  ["SQLite in a file", () => keptIn((dataDir) => openReaderHere(dataDir, systemClock))],
  [
    "SQLite in a thread of its own",
    () => keptIn((dataDir) => openReaderBeside(dataDir, () => 0, systemClock)),
  ],
  // `apt-get install mariadb-server`; where there is none it is skipped.
  ...(haveMariadb ? ([["MySQL (MariaDB)", inMariadb]] as const) : []),
];

const started: Promise<Mariadb>[] = [];
const names = databaseNames();

/** One server for all of them, a database for each. */
async function inMariadb(): Promise<Kept> {
  const server = await (started[0] ??= Mariadb.start());
  const clock = new FakeClock("2026-11-20T12:00:00Z");
  const target = await aDatabase(server, names());
  const { outbox } = await aMysqlLedger(target, { clock });
  const reader = openMysqlReaderHere(target, systemClock);
  onTestFinished(() => reader.close());
  return { outbox, clock, reader };
}

export async function endServers(): Promise<void> {
  for (const server of started) await (await server).destroy();
}

/** What was told is written. */
export async function written({ outbox }: Pick<Kept, "outbox">): Promise<void> {
  await settle();
  await outbox.written();
}

function keptIn(open: (dataDir: string) => HistoryReader): Kept {
  const dataDir = temporaryDirectory();
  return kept(dataDir, () => open(dataDir));
}

function kept(dataDir: string, open: (ledger: TestLedger) => HistoryReader): Kept {
  const clock = new FakeClock("2026-11-20T12:00:00Z");
  const ledger = aLedger({ dataDir, clock });
  const reader = open(ledger);
  onTestFinished(() => reader.close());
  return { ...ledger, reader };
}

type Changes = Parameters<typeof anEvent>[0];

/** The n-th event, last seen at `at`. */
export function seen(n: number, at: number, changes: Changes = {}): KubeEvent {
  const time = new Date(at).toISOString();
  return anEvent({
    uid: `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
    count: 1,
    firstSeen: time,
    lastSeen: time,
    ...changes,
    object: { name: `web-${n}`, ...changes?.object },
  });
}

export async function take(
  { outbox }: { readonly outbox: Pick<Outbox, "add"> },
  events: readonly KubeEvent[],
  sinks: readonly string[] = ["ops"],
): Promise<void> {
  const entries = events.map((event) => ({
    event,
    alert: { kind: "event", event } as const,
    sinks,
  }));
  await outbox.add(entries, [], never);
}

/** All there is, page after page, newest first; nothing of it may be cut short. */
export async function paged(
  reader: HistoryReader,
  changes: Partial<Filter>,
  size: number,
  ask = anyone,
): Promise<readonly EventRow[]> {
  const found: EventRow[] = [];
  let before: Cursor | null = null;
  do {
    const page: EventPage = await reader.events({ ...EVERYTHING, ...changes }, size, before, ask);
    if (page.refine !== null) throw new Error(`cut short: ${JSON.stringify(page.refine)}`);
    found.push(...page.rows);
    before = page.next;
  } while (before !== null);
  return found;
}

/** Many, in transactions of some hundred. */
export async function takeAll(
  kept: Parameters<typeof take>[0],
  events: readonly KubeEvent[],
): Promise<void> {
  for (let from = 0; from < events.length; from += 300)
    await take(kept, events.slice(from, from + 300));
}

export function namesOf(rows: readonly Pick<EventRow, "event">[]): readonly string[] {
  return rows.map(({ event }) => event.object.name);
}
