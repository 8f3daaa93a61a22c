import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../support/clock.ts";
import { cli } from "../../support/io.ts";
import { temporaryDirectory } from "../../support/ledger.ts";

const EVENT = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.17a1", namespace: "shop", uid: "u-1", resourceVersion: "7" },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web-0" },
  reason: "BackOff",
  message: 'said "no"\n\\ and {{left}}',
  type: "Warning",
  count: 3,
  firstTimestamp: "2026-11-20T07:55:00Z",
  lastTimestamp: "2026-11-20T08:00:00Z",
};

interface Shown {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `render` of an event, the clock standing still. */
async function render(...argv: string[]) {
  const dir = temporaryDirectory();
  const file = (name: string, content: unknown) => {
    const place = path.join(dir, name);
    writeFileSync(place, typeof content === "string" ? content : JSON.stringify(content));
    return place;
  };
  const event = argv.some((arg) => arg.startsWith("--event"))
    ? []
    : [`--event=${file("event.json", EVENT)}`];
  const run = async (...more: string[]) => {
    const clock = new FakeClock("2026-11-20T08:00:30Z");
    const result = await cli(["render", ...event, ...argv, ...more], { clock });
    return { ...result, shown: result.code === 2 ? [] : (parsed(result.stdout) as Shown[]) };
  };
  return { run, file };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}

describe("render --sink", () => {
  it.each([
    ["dingtalk:https://oapi.dingtalk.com/robot/send?access_token=tok-12345678&sign=SEC12345678"],
    ["lark:https://open.feishu.cn/open-apis/bot/v2/hook/hook-12345678?sign=SEC12345678"],
    ["wecom:https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=key-12345678"],
    ["slack:https://hooks.slack.com/services/T0/B0/hook-12345678"],
    ["webhook:https://hooks.example.com/x?team=tok-12345678&header=X-Key=key-12345678"],
  ])("%s: one request, ready to be sent, without its secrets", async (sink) => {
    const { run } = await render(`--sink=${sink}`);
    const { code, stdout, shown } = await run();
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/12345678/);
    const [request] = shown;
    expect(Object.keys(request ?? {})).toEqual(["method", "url", "headers", "body"]);
    expect(request?.url).toContain(new URL(sink.slice(sink.indexOf(":") + 1)).host);
    expect(request?.url).toContain("<redacted>");
    expect(() => JSON.parse(request?.body ?? "") as unknown).not.toThrow();
    const { shown: revealed } = await run("--reveal");
    expect(revealed[0]?.url).toMatch(/12345678/);
    // The same bytes but for what is derived from a secret.
    const unsigned = (body = "") => body.replace(/"sign":"[^"]*"/, "");
    expect(unsigned(revealed[0]?.body)).toBe(unsigned(request?.body));
  });

  it("the same event gives the same bytes, every time", async () => {
    const sink = "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=t&sign=SECx";
    const { run } = await render(`--sink=${sink}`, "--reveal");
    expect((await run()).stdout).toBe((await run()).stdout);
  });

  it("for every sink and every event, whatever the filters say", async () => {
    const list = { kind: "List", items: [EVENT, { ...EVENT, type: "Normal", count: 4 }] };
    const { run, file } = await render("--event=-");
    const args = [
      "--sink=webhook:https://a.example.com/x?level=Warning&namespaces=pay",
      "--sink=webhook:https://b.example.com/x",
    ];
    const event = file("list.json", list);
    const { shown } = await run(`--event=${event}`, ...args);
    expect(shown.map(({ url }) => new URL(url.replace("<redacted>", "")).host)).toEqual([
      "a.example.com",
      "b.example.com",
      "a.example.com",
      "b.example.com",
    ]);
  });

  it("shows the text of a sink that sends none", async () => {
    const { run } = await render("--sink=stdout:", "--lang=zh");
    const { shown } = await run();
    expect(shown).toEqual([{ sink: "stdout", line: expect.stringContaining("容器反复崩溃") }]);
  });

  it("ends with 3 where something could not be sent, and shows the rest", async () => {
    const { run, file } = await render();
    const body = file("body.hbs", '{"n": {{reason}} }');
    const { code, stderr, shown } = await run(
      `--sink=webhook:https://a.example.com/x?body_file=${body}`,
      "--sink=stdout:",
    );
    expect(code).toBe(3);
    expect(shown).toHaveLength(1);
    expect(stderr).toContain("webhook: cannot be sent: ");
    expect(stderr).toContain("did not give valid JSON");
  });
});

describe("render --template", () => {
  it("prints each block under its name, those of digests and gaps left out", async () => {
    const { run, file } = await render();
    const template = file(
      "two.hbs",
      '{{#*inline "title"}}{{reasonText}}{{/inline}}{{#*inline "text"}}{{count}}x{{/inline}}{{#*inline "digest-title"}}{{count}} more{{/inline}}',
    );
    const { stdout } = await run(`--template=${template}`);
    expect(stdout).toBe("--- title\nBack-off restarting container\n--- text\n3x\n");
  });

  it("in the language and time zone asked for", async () => {
    const { run, file } = await render();
    const template = file("one.hbs", "{{reasonText}} {{lastText}}");
    const { stdout } = await run(`--template=${template}`, "--lang=zh", "--timezone=Asia/Shanghai");
    expect(stdout).toBe("容器反复崩溃 16:00:00\n");
  });

  it("escapes for JSON what looks like JSON, and says where the result is none", async () => {
    const { run, file } = await render();
    const good = await run(`--template=${file("good.hbs", '[{"text": "{{event.message}}"}]')}`);
    expect(parsed(good.stdout)).toEqual([{ text: EVENT.message }]);
    const bad = await run(`--template=${file("bad.hbs", '{"text": {{reason}} }')}`);
    expect(bad.code).toBe(3);
    expect(bad.stderr).toMatch(
      /bad\.hbs: the result is not valid JSON and would not be sent: .*line 1/,
    );
  });

  it.each([
    ["[{{cluster}}] {{reason}}", "[prod-a] BackOff\n"],
    ["[prod] {{reason}}", "[prod] BackOff\n"],
    ["{{reason}} {}", "BackOff {}\n"],
  ])("%s is a text", async (template, text) => {
    const { run, file } = await render("--cluster-name=prod-a");
    expect(await run(`--template=${file("text.hbs", template)}`)).toMatchObject({
      code: 0,
      stdout: text,
    });
  });

  it("names every mistake with its place", async () => {
    const { run, file } = await render();
    const template = file("bad.hbs", "{{reasn}}\n{{#each labels}}{{nope this}}{{/each}}");
    const { code, stderr } = await run(`--template=${template}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/bad\.hbs:1:\d+: .*"reasn"/);
    expect(stderr).toMatch(/bad\.hbs:2:\d+: .*nope/);
    const missing = await run("--template=/nowhere.hbs");
    expect(missing.stderr).toMatch(/--template: \/nowhere\.hbs cannot be read/);
  });
});

describe("what --event may hold", () => {
  it.each([
    ["nothing", ""],
    ["no JSON", "kind: Event"],
    ["a Pod", '{"kind":"Pod","apiVersion":"v1"}'],
    ["an empty List", '{"kind":"List","items":[]}'],
  ])("%s: refused, with what is expected", async (_, text) => {
    const { run, file } = await render("--sink=stdout:", "--event=-");
    const { code, stderr } = await run(`--event=${file("event.json", text)}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--event .*event\.json: [\s\S]*kubectl get event NAME -o json/);
  });
});
