import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConfigError } from "../../src/config/config.ts";
import { isList, recorded, type FakeApiServer } from "../support/apiserver.ts";
import { cli } from "../support/io.ts";
import { World } from "../support/world.ts";
import { freePort } from "../support/ports.ts";

/** A port somebody else listens on. */
async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function forbidEvents(api: FakeApiServer): void {
  api.answer(recorded("list-403-anonymous"), isList, 1_000);
}

async function story() {
  const world = await World.begin();
  const inbox = await world.inbox();
  const badTemplates = world.file("templates");
  mkdirSync(badTemplates);
  writeFileSync(
    `${badTemplates}/webhook.hbs`,
    '{{#*inline "title"}}{{reasonTxt}}{{/inline}}\n{{#*inline "titel"}}x{{/inline}}\n',
  );
  const hook = `webhook:${inbox.url}/hook`;
  return { world, inbox, badTemplates, hook };
}

describe("a start that cannot succeed", () => {
  it("says everything that is wrong at once, each with its place and remedy, and starts nothing", async () => {
    const { world, inbox, badTemplates, hook } = await story();
    const running = await world.watching({ sink: [hook] });
    forbidEvents(world.api);
    const port = await takenPort();
    const args = [
      `--source=${world.source()}`,
      "--source=file:/nowhere/events.json",
      `--sink=${hook}`,
      `--sink=${hook}?name=own&custom_body_configmap=body&custom_body_configmap_namespace=ops`,
      `--sink=${hook}?name=mine&template=/nowhere/mine.hbs`,
      `--templates=${badTemplates}`,
      "--templates=configmap:ops/words",
      `--data-dir=${world.dataDir}`,
      `--listen=127.0.0.1:${port}`,
    ];
    const { code, stdout, stderr } = await cli(["run", ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    const said = stderr.slice(stderr.search(/^\d+ problems, nothing was started/m));
    for (const problem of [
      /webhook\.hbs:1:\d+: unknown field "reasonTxt"\n\s+→ did you mean "reasonText"/,
      /there is no ConfigMap words in namespace ops; see `kubectl -n ops get configmaps`/,
      /sink own: there is no ConfigMap body in namespace ops/,
      /sink mine: the template \/nowhere\/mine\.hbs cannot be read/,
      /source kubernetes .*events of all namespaces may not be read: .*forbidden/,
      /bind a ClusterRole with .*verbs: \["get", "list", "watch"\]/,
      /\/nowhere\/events\.json: cannot be read/,
      /--data-dir .*: another kube-crier is running on it/,
      new RegExp(
        `--listen: cannot listen on 127\\.0\\.0\\.1:${port}: another program listens there`,
      ),
    ])
      expect(said).toMatch(problem);
    expect(said).toMatch(/^8 problems/);
    expect(inbox.requests).toEqual([]);
    expect(running.ended, "the one that was running is none the worse for it").toBe(false);
    world.api.create("one");
    await running.delivered(1);
  });

  it.each(["run", "check"])(
    "%s tells a mistake in a sink's options together with what only templates and the cluster show",
    async (command) => {
      const { world, inbox, badTemplates, hook } = await story();
      forbidEvents(world.api);
      const { code, stderr } = await cli([
        command,
        `--source=${world.source()}`,
        "--source=file:/nowhere/events.json",
        `--sink=${hook}?name=typo&levl=Warning`,
        `--sink=${hook}`,
        `--templates=${badTemplates}`,
        `--data-dir=${world.dataDir}`,
      ]);
      expect(code).toBe(2);
      for (const problem of [
        /levl/,
        /webhook\.hbs:1:\d+: unknown field "reasonTxt"/,
        /events of all namespaces may not be read: .*forbidden/,
        /\/nowhere\/events\.json: cannot be read/,
      ])
        expect(stderr).toMatch(problem);
      expect(inbox.requests).toEqual([]);
    },
  );

  it("tells no more than the mistake where it is not sure which cluster was meant", async () => {
    const { hook } = await story();
    for (const mistake of ["--sorce=file:events.json", "--source=fiel:events.json"]) {
      const { code, stderr } = await cli(["run", mistake, `--sink=${hook}?levl=Warning`]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^2 problems, nothing was started/);
      expect(stderr).not.toMatch(/kubeconfig|KUBECONFIG/);
    }
  });

  it("names a kubeconfig that cannot be read once, beside all else that is wrong", async () => {
    const { world, hook } = await story();
    const { code, stderr } = await cli([
      "run",
      "--source=kubernetes:?kubeconfig=/nowhere/config",
      "--source=file:/nowhere/events.json",
      `--sink=${hook}?name=own&custom_body_configmap=body`,
      "--templates=/nowhere/templates",
      `--data-dir=${world.dataDir}`,
    ]);
    expect(code).toBe(2);
    const said = stderr.slice(stderr.search(/^\d+ problems, nothing was started/m));
    expect(said.match(/\/nowhere\/config: cannot be read: ENOENT/g)).toHaveLength(1);
    expect(said).toContain("there is no directory /nowhere/templates");
    expect(said).toContain("/nowhere/events.json: cannot be read");
    expect(said).toMatch(/^3 problems/);
  });

  it("lets go of its port, its ledger and its connections", async () => {
    const { world, inbox, badTemplates, hook } = await story();
    const port = await freePort();
    const flags = { sink: [hook], listen: `127.0.0.1:${port}` };
    const failed = world.start({ ...flags, templates: [badTemplates] });
    await expect(failed.summary).rejects.toThrow(ConfigError);
    expect(failed.log).toContain(`listening on http://127.0.0.1:${port}`);
    expect(inbox.connections).toBe(0);
    expect(world.api.asked("watch").some(({ query }) => query.has("allowWatchBookmarks"))).toBe(
      false,
    );
    const life = await world.watching(flags);
    world.api.create("one");
    await life.delivered(1);
  });

  it("for the same reasons as check, which starts nothing either", async () => {
    const { world, inbox, badTemplates, hook } = await story();
    forbidEvents(world.api);
    const flags = [`--source=${world.source()}`, `--sink=${hook}`, `--templates=${badTemplates}`];
    const problems = (text: string) =>
      text.slice(text.indexOf("problem")).replaceAll(/\(context [^)]+\)/g, "");
    const check = await cli(["check", ...flags]);
    const run = await cli(["run", ...flags, `--data-dir=${world.dataDir}`]);
    expect([check.code, run.code]).toEqual([2, 2]);
    expect(problems(check.stderr)).toBe(problems(run.stderr));
    expect(inbox.connections).toBe(0);
  });

  it("of a namespaced role: each namespace that may not be read is named", async () => {
    const { world, hook } = await story();
    world.api.answer(
      recorded("list-403-anonymous"),
      (request) => isList(request) && request.path.includes("/namespaces/pay/"),
      1_000,
    );
    const life = world.start({
      sink: [hook],
      source: [`${world.source()}&namespaces=shop,pay`],
    });
    await expect(life.summary).rejects.toThrow(/events of namespace pay may not be read/);
    await expect(life.summary).rejects.not.toThrow(/namespace shop/);
  });

  it("told to stop while it waits for a ConfigMap: no error, no watch, exit code 0", async () => {
    const { world, hook } = await story();
    await world.api.down();
    const life = world.start({ sink: [hook], templates: ["configmap:ops/words"] });
    await life.said("waiting for ConfigMap ops/words");
    expect(await life.stop()).toMatchObject({ received: 0, problems: [] });
    expect(life.lines("error")).toEqual([]);
  });
});

describe("a start that must wait is no mistake", () => {
  it("an API server that is down, overloaded or refuses the token for now", async () => {
    const { world, inbox, hook } = await story();
    world.api.answer({ status: 429, headers: { "retry-after": "2" }, body: "" }, isList, 2);
    world.api.answer(recorded("list-401"), isList, 2);
    const life = world.start({ sink: [hook] });
    await life.until("synced", () => life.observed.of("sourceFailed").length > 0);
    for (let second = 0; second < 60 && life.observed.of("sourceSynced").length === 0; second += 1)
      await world.pass(1);
    world.api.create("one");
    await life.delivered(1);
    expect(inbox.requests).toHaveLength(1);
  });

  it("a receiver that is down: nobody asks it before there is something to tell", async () => {
    const { world, hook } = await story();
    const life = await world.watching({ sink: [hook.replace(/:\d+\//, ":9/")] });
    world.api.create("one");
    await life.until("refused", () => life.observed.of("attemptFailed").length > 0);
    expect(life.ended).toBe(false);
    expect(await life.stop()).toMatchObject({ pending: 1, dead: 0 });
  });
});
