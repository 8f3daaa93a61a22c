import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compare, ledgerCommands } from "../support/ledger-commands.ts";
import { LedgerModel } from "../support/ledger-model.ts";
import { type LedgerRig, sqliteRig } from "../support/ledger-rig.ts";

/** Every ledger against one model: whatever is done to it, in whatever order, it says what the model says. */
const LEDGERS: readonly (readonly [string, number, () => Promise<LedgerRig>])[] = [
  [
    "SQLite in a file",
    Number(process.env["MODEL_RUNS"] ?? 150),
    async () => sqliteRig(mkdtempSync(path.join(tmpdir(), "kube-crier-model-"))),
  ],
];

describe.each(LEDGERS)("%s", (_, numRuns, open) => {
  test(
    "says what the model says, whatever happens to it",
    { timeout: 20_000 + numRuns * 1_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(ledgerCommands, async (list) => {
          const rig = await open();
          const model = new LedgerModel(rig.clock.now());
          try {
            await fc.asyncModelRun(() => ({ model, real: rig }), list);
            // However it ended: what the last process wrote is what the next one finds.
            if (model.troubled) await rig.mend();
            model.recover();
            expect(await rig.restart()).toBe(0);
            model.now = rig.clock.now();
            await compare(model, rig);
          } finally {
            await rig.end();
          }
        }),
        { numRuns },
      );
    },
  );
});
