import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeSchedule, type Injection, schedule } from "../chaos/schedule.ts";
import type { Books } from "../chaos/books.ts";
import { faketime, whyNoSmallDisk } from "../chaos/machine.ts";
import { play } from "../chaos/run.ts";
import { clusterControl, haveControl } from "../support/cluster.ts";
import { haveMariadb, Mariadb } from "../support/mariadb.ts";

/**
 * Everything goes wrong at once on a real API server, by a schedule that a seed decides; at the end the books are compared. Needs KUBECONFIG and
 * E2E_CLUSTER, see test/support/cluster.ts. CHAOS_SEED=7 plays one seed (7,9 two), CHAOS_SEEDS=20 the first twenty, CHAOS_SECONDS is the length of each.
 */
const seconds = Number(process.env["CHAOS_SECONDS"] ?? 30);
const some = process.env["CHAOS_SEED"]?.split(",").map(Number);
/** Between them a file and a database for the ledger, a full disk, a cluster that forgets, one watch and two, and two replicas. */
const FEW = [5, 8, 13, 14, 18];
const many = process.env["CHAOS_SEEDS"];
const first = Array.from({ length: Number(many) || 0 }, (_, index) => index + 1);
const seeds = some ?? (many === undefined ? FEW : first);
let mariadb: Mariadb | null = null;

beforeAll(async () => {
  if (haveControl && haveMariadb) mariadb = await Mariadb.start();
});

afterAll(async () => {
  await mariadb?.destroy();
  // One may have been stopped in the middle of a step.
  if (haveControl) await clusterControl("up");
});

describe.skipIf(!haveControl)("while everything goes wrong", () => {
  it.each(seeds)(
    "nothing is lost, and nothing told twice without a reason: seed %i",
    async (seed) => {
      const missing: Injection[] = [
        ...(haveMariadb ? [] : (["mysql down", "mysql kill"] as const)),
        ...(whyNoSmallDisk() === null ? [] : (["disk full"] as const)),
        ...(faketime === null ? (["clock"] as const) : []),
      ];
      const planned = schedule(seed, seconds, new Set(missing));
      const { complaints, story, log, books } = await play(planned, mariadb);
      if (process.env["CHAOS_TELL"] !== undefined)
        process.stdout.write(`seed ${seed}\n${story.join("\n")}\n`);
      if (complaints.length > 0 && process.env["CHAOS_BOOKS"] !== undefined)
        writeFileSync(`${process.env["CHAOS_BOOKS"]}/${seed}.json`, asJson(books));
      const told = () => `${describeSchedule(planned)}\n\n${story.join("\n")}\n\n${log}`;
      expect(complaints, complaints.length === 0 ? "" : told()).toEqual([]);
    },
    (seconds + 300) * 1000,
  );
});

function asJson(books: Books): string {
  return JSON.stringify(books, (_, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...value] : value,
  );
}
