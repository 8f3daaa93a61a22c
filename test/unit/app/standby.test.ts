import { describe, expect, it, onTestFinished } from "vitest";
import { ledgerProblems } from "../../../src/app/standby.ts";
import { Secret } from "../../../src/sink/secret.ts";
import { startMysqlWire, type WireOptions } from "../../support/mysql-wire.ts";
import { never } from "../../support/ledger.ts";
import { freePort } from "../../support/ports.ts";

const PASSWORD = "s3cret-word";

/** What a replica that stands by says of its ledger, and warns of. */
async function look(url: string | null, signal = never) {
  const warnings: string[] = [];
  const ledger = url === null ? null : new Secret(url);
  const observer = { warning: (text: string) => void warnings.push(text) };
  const issues = await ledgerProblems({ ledger }, observer, signal);
  // Neither holds what opens it.
  expect(JSON.stringify([issues, warnings])).not.toContain(PASSWORD);
  return { issues, warnings };
}

async function aServer(options: Partial<WireOptions>) {
  const wire = await startMysqlWire({ answer: () => ({ rows: [] }), ...options });
  onTestFinished(() => wire.close());
  return { wire, url: `mysql://crier:${PASSWORD}@127.0.0.1:${wire.port}/events` };
}

describe("what a replica that stands by knows of the ledger", () => {
  it("is nothing of a file: that is its own", async () => {
    expect(await look(null)).toEqual({ issues: [], warnings: [] });
  });

  it("is nothing of what is no address, which the schema has told already", async () => {
    expect(await look("postgres://x")).toEqual({ issues: [], warnings: [] });
  });

  it("is that it is away, where nobody answers: whoever leads waits for it", async () => {
    const port = await freePort();
    const { issues, warnings } = await look(`mysql://crier:${PASSWORD}@127.0.0.1:${port}/events`);
    expect(issues).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/^the ledger is away; whoever leads waits for it: .*ECONNREFUSED/),
    ]);
  });

  it("is nothing any more once the start was told to stop", async () => {
    const port = await freePort();
    const url = `mysql://crier:${PASSWORD}@127.0.0.1:${port}/events`;
    expect(await look(url, AbortSignal.abort())).toEqual({ issues: [], warnings: [] });
  });

  it("is who may not come in, which waiting cures for nobody", async () => {
    const message = "Access denied for user 'crier'@'%' (using password: YES)";
    const { url } = await aServer({ greets: () => ({ error: 1045, message }) });
    const { issues, warnings } = await look(url);
    expect(warnings).toEqual([]);
    expect(issues).toMatchObject([{ where: expect.stringMatching(/^--ledger mysql:/) as string }]);
    expect(issues[0]?.message).toMatch(/Access denied|login|password/i);
  });

  it("makes nothing there, and leaves no connection open", async () => {
    const { url, wire } = await aServer({});
    await look(url);
    await wire.left();
    const changes = /\b(?:CREATE|ALTER|INSERT|UPDATE|DELETE|DROP)\b/i;
    expect(wire.statements.filter(({ sql }) => changes.test(sql))).toEqual([]);
  });

  it("is that a newer program has been there, which names what to do", async () => {
    const { url, wire } = await aServer({ answer: () => ({ rows: [["999"]] }) });
    const { issues } = await look(url);
    expect(issues[0]?.message).toMatch(/999/);
    expect(issues[0]?.hint ?? issues[0]?.message).toMatch(/newer|version/);
    await wire.left();
  });
});
