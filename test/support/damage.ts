import { closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from "node:fs";
import path from "node:path";
import { aLedger, anEntry, never } from "./ledger.ts";
import { FakeClock } from "./clock.ts";

export const PAGE = 4_096;

export const databaseIn = (dataDir: string) => path.join(dataDir, "ledger.db");

/** A ledger of some pages that was closed well: `count` occurrences owed to `chat`, d1 first. */
export async function filledLedger(dataDir: string, count = 60): Promise<void> {
  const { outbox, db } = aLedger({ dataDir, clock: new FakeClock() });
  const entries = Array.from({ length: count }, (_, n) => anEntry(n, ["chat"]));
  await outbox.add(entries, [], never);
  outbox.close();
  db.close();
}

/** Every byte of a part of the file turned over. */
export function flip(file: string, from: number, to = statSync(file).size): void {
  const part = readFileSync(file).subarray(from, to);
  const handle = openSync(file, "r+");
  writeSync(
    handle,
    part.map((byte) => byte ^ 0xff),
    0,
    part.length,
    from,
  );
  closeSync(handle);
}

export function cutOff(file: string, size: number): void {
  truncateSync(file, size);
}
