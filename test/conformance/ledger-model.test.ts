import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { compare, eventually, ledgerCommands, mended } from "../support/ledger-commands.ts";
import { LedgerModel } from "../support/ledger-model.ts";
import { type Can, type LedgerRig, mysqlRig, sqliteRig } from "../support/ledger-rig.ts";
import { databaseNames, haveMariadb, Mariadb } from "../support/mariadb.ts";

const started: Mariadb[] = [];
const names = databaseNames();

async function inMariadb(away: "bypass" | "block"): Promise<LedgerRig> {
  const server = started[0] ?? (await Mariadb.start());
  if (started.length === 0) started.push(server);
  return mysqlRig(server, names(), away);
}

afterAll(async () => {
  for (const server of started) await server.destroy();
});

interface Kind {
  readonly numRuns: number;
  /** What has failed is told as it is: to look for a smaller failure would take minutes. */
  readonly slow: boolean;
  /** While it is away nothing is taken. */
  readonly blocks: boolean;
  readonly can: Can;
  readonly open: () => Promise<LedgerRig>;
}

const SQLITE: Kind = {
  numRuns: Number(process.env["MODEL_RUNS"] ?? 150),
  slow: false,
  blocks: false,
  can: { refuse: true },
  open: async () => sqliteRig(mkdtempSync(path.join(tmpdir(), "kube-crier-model-"))),
};
/** Slower by far, and no other process: fewer runs. */
const MYSQL: Kind = {
  numRuns: Math.ceil(SQLITE.numRuns / 15),
  slow: true,
  blocks: false,
  can: { refuse: false },
  open: () => inMariadb("bypass"),
};
const BLOCKING: Kind = { ...MYSQL, blocks: true, open: () => inMariadb("block") };
const KINDS: readonly (readonly [string, Kind])[] = [
  ["SQLite", SQLITE],
  ...(haveMariadb
    ? ([
        ["MySQL", MYSQL],
        ["MySQL that blocks while it is away", BLOCKING],
      ] as const)
    : []),
];

/** Every ledger against one model: whatever is done to it, in whatever order, it says what the model says. */
describe.each(KINDS)("%s", (_, { numRuns, can, open, slow, blocks }) => {
  const timeout = 60_000 + numRuns * 3_000;
  test("says what the model says, whatever happens to it", { timeout }, async () => {
    await fc.assert(
      fc.asyncProperty(ledgerCommands(can), async (list) => {
        const rig = await open();
        const model = new LedgerModel(rig.clock.now(), blocks);
        try {
          await fc.asyncModelRun(() => ({ model, real: rig }), list);
          // However it ended: what the last process wrote is what the next one finds.
          if (model.troubled) await mended(model, rig);
          expect(await rig.restart()).toBe(0);
          model.now = rig.clock.now();
          await eventually(() => compare(model, rig), rig.patienceMs);
        } finally {
          await rig.end();
        }
      }),
      { numRuns, endOnFailure: slow, verbose: slow },
    );
  });
});
