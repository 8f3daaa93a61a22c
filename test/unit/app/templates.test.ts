import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createClients } from "../../../src/app/clients.ts";
import { composeFor } from "../../../src/app/senders.ts";
import { loadTemplates } from "../../../src/app/templates.ts";
import type { Config } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { FakeApiServer, recorded } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { never, temporaryDirectory } from "../../support/ledger.ts";
import { kubeconfigFor } from "../../support/source.ts";

const HOOK = "webhook:http://127.0.0.1:9/x";
const block = (name: string, text: string) => `{{#*inline "${name}"}}${text}{{/inline}}\n`;

async function story() {
  const server = await FakeApiServer.start();
  const dir = temporaryDirectory();
  onTestFinished(() => server.close());
  const clock = new FakeClock();
  const warnings: string[] = [];
  const source = `kubernetes:?kubeconfig=${kubeconfigFor(server, undefined, {}, dir)}`;
  const load = async (flags: Record<string, unknown>, signal: AbortSignal = never) => {
    const { config } = loadConfig({
      flags: { source: [source], sink: [HOOK], ...flags },
      registry,
      env: {},
    });
    const clients = createClients(config.sources, clock);
    const observer = { warning: (text: string) => void warnings.push(text) };
    try {
      const templates = await loadTemplates(config, { clients, clock, observer }, signal);
      return titlesOf(config, templates, clock.now());
    } finally {
      clients.close();
    }
  };
  const folder = (name: string, files: Readonly<Record<string, string>>) => {
    const place = path.join(dir, name);
    mkdirSync(place, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(place, file), text);
    return place;
  };
  return { server, clock, warnings, load, folder };
}

/** What each sink would send, by its name. */
function titlesOf(
  config: Config,
  templates: Awaited<ReturnType<typeof loadTemplates>>,
  now: number,
): Record<string, string> {
  const delivery = { id: "d1", alert: { kind: "event", event: anEvent() } } as const;
  return Object.fromEntries(
    config.sinks.map((sink) => {
      const template = templates.get(sink.name);
      if (template === undefined) return [sink.name, "no template"];
      const composed = composeFor(config, sink, template, delivery, now);
      const { title = "", body = "" } = composed.ok ? composed.message.blocks : {};
      return [sink.name, composed.ok ? `${title}${body}` : "refused"];
    }),
  );
}

describe("loadTemplates", () => {
  it("gives every sink its template, built in where there is no other", async () => {
    const { load, server } = await story();
    const titles = await load({ sink: [HOOK, "stdout:"] });
    expect(titles["webhook"]).toContain("Back-off restarting container");
    expect(Object.keys(titles)).toEqual(["webhook", "stdout"]);
    expect(server.requests, "nobody is asked who is not needed").toEqual([]);
  });

  it("reads a directory anew at each start, and only what ends with .hbs", async () => {
    const { load, folder } = await story();
    const words = folder("words", {
      "webhook.hbs": block("title", "one"),
      "README.md": "{{nonsense",
      "webhook.hbs~": "{{nonsense",
    });
    expect(await load({ templates: [words] })).toEqual({ webhook: "one" });
    folder("words", { "webhook.hbs": block("title", "two") });
    expect(await load({ templates: [words] })).toEqual({ webhook: "two" });
  });

  it("lets the first place win, directory or ConfigMap", async () => {
    const { load, folder, server } = await story();
    const words = folder("words", { "webhook.hbs": block("title", "directory") });
    server.answer(
      {
        status: 200,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ data: { "webhook.hbs": block("title", "map"), "notes.txt": "x" } }),
      },
      (request) => request.path === "/api/v1/namespaces/ops/configmaps/words",
      2,
    );
    expect(await load({ templates: [words, "configmap:ops/words"] })).toEqual({
      webhook: "directory",
    });
    expect(await load({ templates: ["configmap:ops/words", words] })).toEqual({ webhook: "map" });
  });

  it("says everything that is wrong, of all places and all sinks", async () => {
    const { load, folder } = await story();
    const bad = folder("bad", { "webhook.hbs": block("title", "{{reasonTxt}}") });
    const loading = load({
      templates: [bad, "/nowhere", "configmap:words", "configmap:ops/words"],
      sink: [`${HOOK}?name=a&template=/nowhere/a.hbs`, `${HOOK}?name=b&body_file=/nowhere/b.hbs`],
    });
    await expect(loading).rejects.toMatchObject({
      issues: [
        { where: "templates /nowhere", message: expect.stringContaining("there is no directory") },
        {
          where: "templates configmap:words",
          message: expect.stringContaining("expected configmap:NAMESPACE/NAME"),
        },
        {
          where: "templates configmap:ops/words",
          message: expect.stringContaining("there is no ConfigMap words in namespace ops"),
        },
        { where: "sink a", message: expect.stringContaining("/nowhere/a.hbs cannot be read") },
        { where: "sink b", message: expect.stringContaining("/nowhere/b.hbs cannot be read") },
        { where: expect.stringMatching(/webhook\.hbs:1:\d+$/) },
      ],
    });
  });

  it("finds in a sink's own file a block that the sink does not ask for", async () => {
    const { load, folder } = await story();
    const own = path.join(folder("own", { "own.hbs": block("titel", "x") }), "own.hbs");
    await expect(load({ sink: [`${HOOK}?template=${own}`] })).rejects.toThrow(/titel/);
  });

  it("refuses a ConfigMap that may not be read, with the rule that is missing", async () => {
    const { load, server } = await story();
    const isMap = (request: { path: string }) => request.path.includes("/configmaps/");
    server.answer(recorded("list-403-anonymous"), isMap, 1);
    await expect(load({ templates: ["configmap:ops/words"] })).rejects.toThrow(
      /ConfigMap ops\/words may not be read: .*allow verb "get" on resource "configmaps"/,
    );
  });

  it("asks again while the API server is down, overloaded or refuses the token, and says so once", async () => {
    const { load, server, clock, warnings } = await story();
    const isMap = (request: { path: string }) => request.path.includes("/configmaps/");
    server.answer(recorded("list-401"), isMap, 2);
    server.answer({ status: 503, headers: {}, body: "" }, isMap, 2);
    server.answer({ status: 200, headers: {}, body: '{"data":{}}' }, isMap, 1);
    const loading = load({ templates: ["configmap:ops/words"] });
    for (let asked = 1; asked <= 4; asked += 1) {
      await server.until(() => server.requests.length === asked);
      while (clock.sleeping === 0) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(2_000);
    }
    expect((await loading)["webhook"]).toContain("Back-off");
    expect(server.requests).toHaveLength(5);
    expect(warnings).toEqual([expect.stringMatching(/^waiting for ConfigMap ops\/words: .*401/)]);
  });

  it("stops waiting when told to", async () => {
    const { load, server, warnings } = await story();
    await server.down();
    const stop = new AbortController();
    const loading = load({ templates: ["configmap:ops/words"] }, stop.signal);
    loading.catch(() => undefined);
    while (warnings.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await expect(loading).rejects.toThrow("aborted");
  });

  it("warns of raw text in a user's own words, with its place", async () => {
    const { load, folder, warnings } = await story();
    const raw = folder("raw", { "webhook.hbs": block("title", "{{{message}}}") });
    expect((await load({ templates: [raw] }))["webhook"]).toContain("Back-off restarting failed");
    expect(warnings).toEqual([
      expect.stringMatching(/raw\/webhook\.hbs:1:\d+: \{\{\{message\}\}\}/),
    ]);
  });
});
