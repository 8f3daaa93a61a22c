import { afterAll, beforeAll } from "vitest";
import type { FakeClock } from "../../../support/clock.ts";
import { until } from "../../../support/crier.ts";
import { databaseNames, Mariadb } from "../../../support/mariadb.ts";

/** A server for the tests of a `describe`, which is skipped where there is none (`apt-get install mariadb-server`). */
export function aServer(): { readonly server: () => Mariadb; readonly next: () => string } {
  let started: Mariadb | null = null;
  beforeAll(async () => {
    started = await Mariadb.start();
  }, 60_000);
  afterAll(() => started?.destroy());
  return { server: () => started as Mariadb, next: databaseNames() };
}

/** Until something is so, the ledger's own time going on meanwhile. */
export async function eventually(
  clock: FakeClock,
  isSo: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  await until(async () => {
    await clock.advance(500);
    return (await isSo()) ? true : undefined;
  }, what);
}
