import { describe, expect, it } from "vitest";
import { tellOrphans } from "../../../src/app/parts.ts";
import { MysqlHistory } from "../../../src/ledger/mysql/history.ts";
import { Session } from "../../../src/ledger/mysql/session.ts";
import { readLedgerUrl } from "../../../src/ledger/mysql/target.ts";

describe("what is owed to sinks that are gone", () => {
  it("is no reason to end where the ledger's database goes away in the middle of the start", async () => {
    // Nothing listens there: the database has just gone.
    const target = readLedgerUrl("mysql://crier:secret@127.0.0.1:1/crier");
    if ("problem" in target) throw new Error(target.problem);
    const session = new Session(target);
    const history = new MysqlHistory(session);
    await expect(history.counts()).rejects.toThrow("ECONNREFUSED");
    const warnings: string[] = [];
    const ledger = { history } as unknown as Parameters<typeof tellOrphans>[1];
    await tellOrphans([], ledger, { warning: (text) => void warnings.push(text) });
    expect(warnings).toEqual([]);
    session.destroy();
  });
});
