import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sinks } from "../../../sinks/index.ts";
import { createClients } from "../../../src/app/clients.ts";
import { loadTemplates } from "../../../src/app/templates.ts";
import { checkTemplates } from "../../../src/cli/checks.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { lockDataDir } from "../../../src/ledger/lock.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { cutOff, databaseIn, filledLedger } from "../../support/damage.ts";
import { type Inbox, startInbox } from "../../support/inbox.ts";
import { cli } from "../../support/io.ts";
import { kubeconfigFor } from "../../support/source.ts";

let api: FakeApiServer;
let inbox: Inbox;
let folder: string;

beforeEach(async () => {
  api = await FakeApiServer.start();
  inbox = await startInbox();
  folder = mkdtempSync(path.join(tmpdir(), "kube-crier-check-"));
});

afterEach(async () => {
  await Promise.all([api.close(), inbox.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const check = (...flags: string[]) =>
  cli([
    "check",
    `--source=kubernetes:?kubeconfig=${kubeconfigFor(api)}`,
    `--data-dir=${folder}/data`,
    ...flags,
  ]);

/** The line of the table about something. */
function line(stdout: string, what: string): string {
  return stdout.split("\n").find((candidate) => candidate.includes(what)) ?? "";
}

describe("check", () => {
  it.each(sinks.map((sink) => [sink.type, sink] as const))(
    "finds nothing to mend in what %s makes of its examples",
    async (_, { example }) => {
      const { config } = loadConfig({ flags: { sink: [example.uri] }, registry: sinks, env: {} });
      const clock = new FakeClock();
      const ports = { clients: createClients([], clock), clock, observer: { warning: () => {} } };
      const { signal } = new AbortController();
      const templates = await loadTemplates(config, ports, signal);
      const { rows, issues } = checkTemplates(config, templates, clock.now());
      expect(issues).toEqual([]);
      expect(rows.map(({ result }) => result)).toEqual([expect.stringMatching(/^renders [34] /)]);
    },
  );

  it("prints one table of what was asked, and says that run would start", async () => {
    const { code, stdout, stderr } = await check(`--sink=webhook:${inbox.url}/hook?name=audit`);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^checked +what +result$/m);
    expect(line(stdout, "source ")).toBeTruthy();
    expect(line(stdout, "audit (webhook)")).toContain(`${new URL(inbox.url).host} answers`);
    expect(line(stdout, "template")).toContain("renders 4 examples");
    expect(line(stdout, "ledger      ")).toContain("can be written");
    expect(stdout).toContain("all is well: run would start");
  });

  it("tells nobody anything: a sink is connected to, and nothing is said", async () => {
    await check(`--sink=webhook:${inbox.url}/hook`);
    expect(inbox.connections).toBe(1);
    expect(inbox.requests).toEqual([]);
  });

  it("says that a sink which is away would be waited for, and is not a mistake", async () => {
    await inbox.close();
    const { code, stdout } = await check(`--sink=webhook:${inbox.url}/hook`);
    expect(code).toBe(0);
    expect(line(stdout, "webhook (webhook)")).toMatch(
      /is away and would be waited for: .*ECONNREFUSED/,
    );
    inbox = await startInbox();
  });

  it("does not knock past a proxy", async () => {
    const { stdout } = await cli(
      ["check", "--source=file:-", `--data-dir=${folder}`, `--sink=webhook:${inbox.url}/hook`],
      { env: { HTTPS_PROXY: "http://proxy.example:3128" } },
    );
    expect(line(stdout, "webhook (webhook)")).toContain("behind a proxy: not asked");
    expect(inbox.connections).toBe(0);
  });

  it("asks the API server what is allowed, for each group, verb and namespace, and shows its reason", async () => {
    const review = (request: { path: string }) =>
      request.path.endsWith("/selfsubjectaccessreviews");
    const refusal = { status: { allowed: false, reason: "no RBAC policy matched" } };
    api.answer({ status: 201, headers: {}, body: JSON.stringify(refusal) }, review, 2);
    const { stdout } = await cli([
      "check",
      `--source=kubernetes:?kubeconfig=${kubeconfigFor(api)}&namespaces=shop&api=core`,
      `--data-dir=${folder}`,
    ]);
    expect(line(stdout, "list events (core) in shop")).toContain(
      "not allowed: no RBAC policy matched",
    );
    expect(line(stdout, "watch events (core) in shop")).toContain("not allowed");
    expect(stdout).not.toContain("events.k8s.io) in shop");
  });

  it("says whether a canary may be written, and names the rule that is missing", async () => {
    const review = (request: { path: string }) =>
      request.path.endsWith("/selfsubjectaccessreviews");
    const answering = (allowed: boolean, times: number) =>
      api.answer(
        { status: 201, headers: {}, body: JSON.stringify({ status: { allowed } }) },
        review,
        times,
      );
    answering(true, 8);
    const good = await check("--canary=5m");
    expect(good.code, good.stderr).toBe(0);
    expect(line(good.stdout, "canary  ")).toContain("every 5m, to the ledger within 1m");
    expect(line(good.stdout, "canary ")).toBeTruthy();
    expect(good.stdout).toMatch(/^canary +kubernetes +may be written, or will be tried$/m);

    answering(true, 4);
    answering(false, 4);
    const bad = await check("--canary=5m");
    expect(bad.code).toBe(2);
    expect(bad.stdout).toMatch(/^canary +kubernetes +cannot be written$/m);
    expect(bad.stderr).toContain("events of namespace default may not be written");
    expect(bad.stderr).toContain('resources: ["events"], verbs: ["create", "patch"]');
    expect(api.written, "check writes none").toEqual([]);
  });

  it("finds a data directory that cannot be used", async () => {
    const blocked = path.join(folder, "file");
    writeFileSync(blocked, "");
    const { code, stderr } = await cli(["check", "--source=file:-", `--data-dir=${blocked}/below`]);
    expect(code).toBe(2);
    expect(stderr).toContain("cannot be written by this user");
  });

  it("looks at the ledger as a start would, beside whoever uses it, and leaves it as it is", async () => {
    const flags = ["check", "--source=file:-", `--data-dir=${folder}`, "--sink=stdout:"];
    const file = databaseIn(folder);
    await filledLedger(folder, 3);
    const unlock = lockDataDir(folder);
    const sound = await cli(flags);
    unlock();
    expect(sound.code, sound.stderr).toBe(0);
    expect(sound.stdout).toMatch(new RegExp(`^ledger +${folder} +can be written$`, "m"));

    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 99");
    db.close();
    const newer = await cli(flags);
    expect(newer.code).toBe(2);
    expect(newer.stderr).toContain("the ledger has version 99, this program knows up to 5");

    cutOff(file, 50);
    const damaged = await cli(flags);
    expect(damaged.code, "no reason not to start").toBe(0);
    expect(damaged.stdout).toMatch(
      /^ledger +\S+ +is damaged: .*50 bytes.*; the start sets it aside and begins a new one$/m,
    );
    expect(statSync(file).size).toBe(50);
  });
});
