import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createClients } from "../../../src/app/clients.ts";
import { followTemplates, LiveTemplates } from "../../../src/app/reload.ts";
import { composeFor } from "../../../src/app/senders.ts";
import { openTemplates } from "../../../src/app/templates.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { temporaryDirectory } from "../../support/ledger.ts";
import { kubeconfigFor } from "../../support/source.ts";

const HOOK = "webhook:http://127.0.0.1:9/x";
const OF_MAP = `${HOOK}?name=lark&custom_body_configmap=body&custom_body_configmap_namespace=ops`;
const BODY = (words: string) => `{"text":"${words} {{object.name}}"}`;

/** A ConfigMap `ops/body` and a folder of templates, both followed, and what the sinks would send. */
async function story(sinks: readonly string[], extra: Record<string, unknown> = {}) {
  const server = await FakeApiServer.start();
  const dir = temporaryDirectory();
  const clock = new FakeClock();
  const said: string[] = [];
  const words = path.join(dir, "words");
  mkdirSync(words);
  let isAway = false;
  let data: unknown = { content: BODY("one") };
  const asked = () => server.requests.filter(({ path: at }) => at.includes("/configmaps/")).length;
  const answerNext = () => {
    const missing = { kind: "Status", code: 404, message: 'configmaps "body" not found' };
    const body = JSON.stringify(data === null ? missing : { data });
    const status = isAway ? 503 : data === null ? 404 : 200;
    server.answer({ status, headers: {}, body: isAway ? "" : body }, (one) =>
      one.path.includes("/configmaps/"),
    );
  };

  const { config } = loadConfig({
    flags: {
      source: [`kubernetes:?kubeconfig=${kubeconfigFor(server, undefined, {}, dir)}`],
      sink: sinks,
      ...extra,
    },
    registry,
    env: {},
  });
  const clients = createClients(config.sources, clock);
  const stop = new AbortController();
  const ports = {
    clients,
    clock,
    observer: {
      warning: (text: string) => void said.push(`warning: ${text}`),
      templatesChanged: () => void said.push("changed"),
      templatesStale: (problems: readonly string[]) => void said.push(...problems),
    },
  };
  const usesMap = sinks.includes(OF_MAP);
  if (usesMap) answerNext();
  const { templates, texts } = await openTemplates(config, ports, stop.signal);
  const live = new LiveTemplates(templates);
  const ended = followTemplates(config, { live, texts }, ports, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await ended;
    clients.close();
    await server.close();
  });

  return {
    said,
    words,
    asked,
    ended,
    stop,
    set: (content: unknown) => (data = content),
    away: (now: boolean) => (isAway = now),
    /** What each sink would send, after the next look. */
    look: async (): Promise<Record<string, string>> => {
      const before = asked();
      if (usesMap) answerNext();
      await clock.advance(10_000);
      if (usesMap) await server.until(() => asked() > before);
      // It sleeps again once it has looked, for which it may have to load an engine.
      while (clock.sleeping === 0 && !stop.signal.aborted)
        await new Promise((resolve) => setImmediate(resolve));
      const delivery = { id: "d1", alert: { kind: "event", event: anEvent() } } as const;
      return Object.fromEntries(
        config.sinks.map((sink) => {
          const template = live.bySink.get(sink.name);
          if (template === undefined) return [sink.name, "no template"];
          const composed = composeFor(config, sink, template, delivery, clock.now());
          const { title = "", body = "" } = composed.ok ? composed.message.blocks : {};
          return [sink.name, composed.ok ? body + title : "refused"];
        }),
      );
    },
  };
}

describe("templates of the user's own, while they are in use", () => {
  it("a changed ConfigMap counts without a restart, and is said once", async () => {
    const { look, set, said } = await story([OF_MAP]);
    expect(await look()).toEqual({ lark: BODY("one").replace("{{object.name}}", "web-7d4b9c") });
    expect(said, "nothing has changed").toEqual([]);
    set({ content: BODY("two") });
    expect((await look())["lark"]).toBe('{"text":"two web-7d4b9c"}');
    expect((await look())["lark"]).toBe('{"text":"two web-7d4b9c"}');
    expect(said).toEqual(["changed"]);
  });

  it.each([
    ["deleted", null, /no ConfigMap body in namespace ops/],
    ["without its key", { other: "x" }, /ConfigMap ops\/body has no key "content"/],
    ["broken", { content: '{"text":"{{#if}}"}' }, /^configmap:ops\/body\/content:1:\d+: /],
    [
      "broken in Go's language",
      { content: '{"text":"{{ .Reson }}"}' },
      /body\/content:1:\d+: .*field Reson .*did you mean "Reason"/,
    ],
    ["of unknown fields", { content: '{"text":"{{reasonTxt}}"}' }, /body\/content:1:\d+: .*reason/],
  ])(
    "a ConfigMap that is %s leaves the last good one in use, and is said once",
    async (_, data, words) => {
      const { look, set, said } = await story([OF_MAP]);
      set(data);
      expect((await look())["lark"]).toBe('{"text":"one web-7d4b9c"}');
      expect((await look())["lark"]).toBe('{"text":"one web-7d4b9c"}');
      expect(said).toHaveLength(1);
      expect(said[0]).toMatch(words);
      set({ content: BODY("mended") });
      expect((await look())["lark"]).toBe('{"text":"mended web-7d4b9c"}');
      expect(said.at(-1)).toBe("changed");
    },
  );

  it("a body may change its language", async () => {
    const { look, set, said } = await story([OF_MAP]);
    set({ content: '{"text":"{{ .InvolvedObject.Name }} {{ .Type }}"}' });
    expect((await look())["lark"]).toBe('{"text":"web-7d4b9c Warning"}');
    set({ content: BODY("back") });
    expect((await look())["lark"]).toBe('{"text":"back web-7d4b9c"}');
    expect(said).toEqual(["changed", "changed"]);
  });

  it("an API server that is away says nothing about a ConfigMap", async () => {
    const { look, set, away, said } = await story([OF_MAP]);
    away(true);
    expect((await look())["lark"]).toBe('{"text":"one web-7d4b9c"}');
    expect(said).toEqual([]);
    set({ content: BODY("two") });
    away(false);
    expect((await look())["lark"]).toBe('{"text":"two web-7d4b9c"}');
  });

  it("a file that changes counts too: a mounted ConfigMap is one", async () => {
    const folder = temporaryDirectory();
    const file = path.join(folder, "body.hbs");
    writeFileSync(file, BODY("one"));
    const { look, said } = await story([`${HOOK}?name=own&body_file=${file}`]);
    expect((await look())["own"]).toContain("one");
    writeFileSync(file, BODY("two"));
    expect((await look())["own"]).toContain("two");
    rmSync(file);
    expect((await look())["own"]).toContain("two");
    expect(said).toEqual(["changed", expect.stringContaining("body.hbs cannot be read")]);
  });

  it("a mistake in one sink's does not hold up the others'", async () => {
    const folder = temporaryDirectory();
    const file = path.join(folder, "body.hbs");
    writeFileSync(file, BODY("one"));
    const { look, set, said } = await story([OF_MAP, `${HOOK}?name=own&body_file=${file}`]);
    set(null);
    writeFileSync(file, BODY("two"));
    const sent = await look();
    expect(sent["own"]).toContain("two");
    expect(sent["lark"]).toContain("one");
    expect(said).toEqual([expect.stringContaining("no ConfigMap body")]);
  });

  /** A folder of templates for all sinks of a type, as `--templates` names it. */
  function folderOf(words: string) {
    const folder = temporaryDirectory();
    const file = path.join(folder, "webhook.hbs");
    const write = (text: string) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        file,
        `{{#*inline "title"}}${text}{{/inline}}\n{{#*inline "text"}}{{title}}{{/inline}}\n`,
      );
    };
    write(words);
    return { folder, file, write };
  }

  it("a folder that is gone, or whose file is broken, leaves its last good templates in use", async () => {
    const { folder, file, write } = folderOf("mine");
    const { look, said } = await story([HOOK], { templates: [folder] });
    expect((await look())["webhook"]).toBe("mine");
    rmSync(folder, { recursive: true });
    expect((await look())["webhook"]).toBe("mine");
    expect(said).toEqual([expect.stringContaining(`there is no directory ${folder}`)]);
    write("{{#if}}");
    expect((await look())["webhook"]).toBe("mine");
    expect(said.at(-1)).toContain(file);
    write("mended");
    expect((await look())["webhook"]).toBe("mended");
    expect(said.at(-1)).toBe("changed");
  });

  it.each([
    ["gone", (folder: string) => rmSync(folder, { recursive: true })],
    ["broken", (folder: string) => writeFileSync(path.join(folder, "slack.hbs"), "{{#if}}")],
  ])("a folder that is %s does not hold up a body of a sink's own", async (_, spoil) => {
    const { folder } = folderOf("mine");
    const own = path.join(temporaryDirectory(), "body.hbs");
    writeFileSync(own, BODY("one"));
    const sinks = [HOOK, `${HOOK}?name=own&body_file=${own}`];
    const { look, said } = await story(sinks, { templates: [folder] });
    spoil(folder);
    writeFileSync(own, BODY("two"));
    expect(said).toEqual([]);
    expect(await look()).toEqual({ webhook: "mine", own: '{"text":"two web-7d4b9c"}' });
    expect(said).toEqual([expect.stringContaining(folder)]);
    writeFileSync(own, BODY("three"));
    expect(await look()).toEqual({
      webhook: "mine",
      own: '{"text":"three web-7d4b9c"}',
    });
  });

  it("a template that is taken out of a folder gives way to the next one, and in the end to ours", async () => {
    const [first, second] = [folderOf("first"), folderOf("second")];
    const { look, said } = await story([HOOK], { templates: [first.folder, second.folder] });
    expect((await look())["webhook"]).toBe("first");
    rmSync(first.file);
    expect((await look())["webhook"]).toBe("second");
    rmSync(second.file);
    expect((await look())["webhook"]).toContain("web-7d4b9c");
    expect(said).toEqual(["changed", "changed"]);
  });

  it("nobody is asked where no text is the user's own, and it ends with the program", async () => {
    const plain = await story([HOOK]);
    await plain.ended;
    expect(plain.asked()).toBe(0);
    const following = await story([OF_MAP]);
    following.stop.abort();
    await following.ended;
    expect(following.asked()).toBe(1);
  });
});
