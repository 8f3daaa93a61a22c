import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { FakeApiServer } from "../support/apiserver.ts";
import { World } from "../support/world.ts";

/** A ConfigMap on the API server, as long as it is asked for. */
function configMap(
  api: FakeApiServer,
  reference: string,
  data: Readonly<Record<string, string>>,
): void {
  const [namespace, name] = reference.split("/");
  api.answer(
    {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "ConfigMap", metadata: { namespace, name }, data }),
    },
    (request) => request.path === `/api/v1/namespaces/${namespace}/configmaps/${name}`,
    100,
  );
}

const block = (name: string, text: string) => `{{#*inline "${name}"}}${text}{{/inline}}\n`;

async function story() {
  const world = await World.begin();
  const chats = await world.chats();
  const inbox = await world.inbox();
  const folder = (name: string, files: Readonly<Record<string, string>>) => {
    const place = world.file(name);
    mkdirSync(place);
    for (const [file, text] of Object.entries(files)) writeFileSync(path.join(place, file), text);
    return place;
  };
  return {
    world,
    chats,
    inbox,
    folder,
    dingtalk: `dingtalk:${chats.webhook("dingtalk", "ops")}&lang=en`,
    hook: `webhook:${inbox.url}/hook`,
  };
}

describe("words of one's own", () => {
  it("one block in a directory changes one line; the rest of the message stays as it is", async () => {
    const { world, chats, folder, dingtalk } = await story();
    const words = folder("words", {
      "dingtalk.hbs": block("title", "[{{cluster}}] {{reason}} @ {{name}}"),
      "slack.hbs": block("title", "for another sink"),
    });
    const life = await world.watching({ sink: [dingtalk], templates: [words] });
    world.api.create("one");
    await life.delivered(1);
    const [message] = chats.messages();
    expect(message?.title).toBe("[prod-a] BackOff @ web-0");
    expect(message?.text).toContain("message of one\nkubectl -n shop describe pod web-0");
  });

  it("the first that has a block wins: the sink's own file, then directories in order, then ours", async () => {
    const { world, chats, folder, dingtalk } = await story();
    const first = folder("first", { "dingtalk.hbs": block("title", "first") });
    const second = folder("second", {
      "dingtalk.hbs": block("title", "second") + block("markdown", "second: {{message}}"),
    });
    const own = path.join(folder("own", { "mine.hbs": block("title", "mine") }), "mine.hbs");
    const life = await world.watching({
      sink: [
        `${dingtalk}&name=plain`,
        `dingtalk:${chats.webhook("dingtalk", "own")}&name=own&template=${own}`,
      ],
      templates: [first, second],
    });
    world.api.create("one");
    await life.delivered(2);
    const seen = (robot: string) => chats.messages(robot).map(({ title, text }) => [title, text]);
    expect(seen("dingtalk/ops")).toEqual([["first", "second: message of one"]]);
    expect(seen("dingtalk/own")).toEqual([["mine", "second: message of one"]]);
  });

  it("raw text is allowed, with a warning that has its place; a block nobody asks for is a mistake", async () => {
    const { world, chats, folder, dingtalk } = await story();
    const raw = folder("raw", { "dingtalk.hbs": block("title", "hello\n{{{reason}}}") });
    const life = await world.watching({ sink: [dingtalk], templates: [raw] });
    expect(life.lines("warn")).toEqual([
      expect.stringMatching(/raw\/dingtalk\.hbs:2:1: .*as it is/),
    ]);
    world.api.create("one");
    await life.delivered(1);
    expect(chats.messages()[0]?.title).toContain("BackOff");
    await life.stop();
    const wrong = folder("wrong", {
      "dingtalk.hbs": block("titel", "x"),
      "dingding.hbs": block("title", "x"),
    });
    const refused = world.start({ sink: [dingtalk], templates: [wrong] });
    await expect(refused.summary).rejects.toThrow(/wrong\/dingding\.hbs: no sink type is called/);
  });

  it("come from a ConfigMap as well", async () => {
    const { world, chats, dingtalk } = await story();
    configMap(world.api, "ops/words", { "dingtalk.hbs": block("title", "from the cluster") });
    const life = await world.watching({ sink: [dingtalk], templates: ["configmap:ops/words"] });
    world.api.create("one");
    await life.delivered(1);
    expect(chats.messages()[0]?.title).toBe("from the cluster");
  });

  it("from a ConfigMap of an API server that is down: waited for, said once, not ready, and then as if nothing had been", async () => {
    const { world, chats, dingtalk } = await story();
    await world.api.down();
    configMap(world.api, "ops/words", { "dingtalk.hbs": block("title", "from the cluster") });
    const life = world.start({
      sink: [dingtalk],
      templates: ["configmap:ops/words"],
      listen: "127.0.0.1:0",
    });
    await life.said("waiting for ConfigMap ops/words");
    const url = await life.url();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    await world.pass(300);
    expect(life.lines("warn").filter((line) => line.includes("ConfigMap"))).toHaveLength(1);
    await world.api.up();
    await world.pass(5);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    world.api.create("one");
    await life.delivered(1);
    expect(chats.messages()[0]?.title).toBe("from the cluster");
  });

  it("for digests and gaps too", async () => {
    const { world, chats, folder, dingtalk } = await story();
    const words = folder("words", {
      "dingtalk.hbs":
        block("digest-title", "{{count}} at once") +
        block("gap-title", "blind from {{date gap.since}}"),
    });
    const flags = { sink: [dingtalk], templates: [words] };
    const life = await world.watching(flags);
    for (let n = 0; n < 40; n += 1) world.api.create(`event-${n}`);
    await life.received(40);
    await world.pass(120);
    const titles = () => chats.messages().map(({ title }) => title ?? "");
    expect(titles().some((title) => /^\d+ at once$/.test(title))).toBe(true);
    await life.stop();
    await world.pass(7200);
    world.api.forget();
    const second = await world.watching(flags);
    await second.delivered(1);
    expect(titles().at(-1)).toMatch(/^blind from /);
  });
});

describe("a webhook's body of one's own", () => {
  const BODY = '{"alert": "{{reason}}", "text": "{{message}}", "n": {{count}} }';

  it("from a file, every value escaped as JSON", async () => {
    const { world, inbox, folder, hook } = await story();
    const file = path.join(folder("own", { "body.hbs": BODY }), "body.hbs");
    const life = await world.watching({ sink: [`${hook}?body_file=${file}`] });
    const message = 'exec: "sh\\c"\n\u2028 {{count}} 内存';
    world.api.create("one", { message });
    await life.delivered(1);
    const body = JSON.parse(inbox.requests[0]?.body ?? "") as { text: string };
    expect(body).toMatchObject({ alert: "BackOff", n: 1 });
    expect(body.text).toContain('exec: "sh\\c"');
    expect(body.text).toContain("{{count}} 内存");
  });

  it("from the key content of a ConfigMap, as kube-eventer has it", async () => {
    const { world, inbox, hook } = await story();
    configMap(world.api, "kube-system/custom-body", { content: BODY });
    const options = "custom_body_configmap=custom-body&custom_body_configmap_namespace=kube-system";
    const life = await world.watching({ sink: [`${hook}?${options}&method=PUT`] });
    world.api.create("one");
    await life.delivered(1);
    expect(inbox.requests[0]?.method).toBe("PUT");
    expect(JSON.parse(inbox.requests[0]?.body ?? "")).toEqual({
      alert: "BackOff",
      text: "message of one",
      n: 1,
    });
  });

  it("a ConfigMap without that key is a mistake, said with what to do", async () => {
    const { world, hook } = await story();
    configMap(world.api, "default/custom-body", { body: BODY });
    const life = world.start({ sink: [`${hook}?custom_body_configmap=custom-body`] });
    await expect(life.summary).rejects.toThrow(
      'sink webhook: ConfigMap default/custom-body has no key "content"; put the body there',
    );
  });

  it("that is text and no JSON, where the content type says so", async () => {
    const { world, inbox, folder, hook } = await story();
    const file = path.join(folder("own", { "body.hbs": "{{title}}\n{{command}}" }), "body.hbs");
    const life = await world.watching({
      sink: [`${hook}?body_file=${file}&content_type=text/plain&lang=en`],
    });
    world.api.create("one");
    await life.delivered(1);
    expect(inbox.requests[0]?.headers["content-type"]).toBe("text/plain");
    expect(inbox.requests[0]?.body).toBe(
      "🟠 Back-off restarting container · web-0\nkubectl -n shop describe pod web-0",
    );
  });
});
