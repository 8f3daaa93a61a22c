import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sinks } from "../../../sinks/index.ts";
import { ConfigError } from "../../../src/config/config.ts";
import { loadBody } from "../../../src/template/body.ts";
import { createTemplates } from "../../../src/template/templates.ts";
import { fieldPaths, viewFieldsMarkdown } from "../../../src/template/view-fields.ts";
import { aDigest, aGap } from "../../support/alerts.ts";
import { aView, BUILTIN, READER, theTemplates } from "../../support/templates.ts";

const folder = (source: string, files: Readonly<Record<string, string>>) => ({ source, files });
const inline = (name: string, text: string) => `{{#*inline "${name}"}}${text}{{/inline}}\n`;

function problems(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigError)
      return error.issues.map(({ where, message, hint }) => `${where}: ${message} (${hint ?? ""})`);
    throw error;
  }
  return [];
}

describe("which template is taken", () => {
  const render = (templates: ReturnType<typeof theTemplates>, block: string, view = aView()) =>
    templates.get("dingtalk").render(block, "text", view, READER);

  it("ours where there is no other", () => {
    expect(render(theTemplates(), "title")).toBe("🟠 Back-off restarting container · web-7d4b9c");
  });

  it("the user's block before ours, ours for the blocks it lacks", () => {
    const templates = theTemplates(
      folder("/etc/t", { "dingtalk.hbs": inline("title", "mine {{name}}") }),
    );
    expect(render(templates, "title")).toBe("mine web-7d4b9c");
    expect(render(templates, "text")).toContain("kubectl -n shop describe pod web-7d4b9c");
    expect(templates.get("slack").render("title", "text", aView(), READER)).not.toContain("mine");
  });

  it("the first folder before the second, block by block", () => {
    const templates = theTemplates(
      folder("/etc/a", { "dingtalk.hbs": inline("title", "a") }),
      folder("configmap:shop/b", { "dingtalk.hbs": inline("title", "b") + inline("text", "b") }),
    );
    expect(render(templates, "title")).toBe("a");
    expect(render(templates, "text")).toBe("b");
  });

  it("a sink's own file before all folders, for this sink alone", () => {
    const templates = theTemplates(folder("/etc/a", { "dingtalk.hbs": inline("title", "a") }));
    const own = templates.withFiles([{ source: "/etc/own.hbs", text: inline("title", "own") }]);
    expect(render(own, "title")).toBe("own");
    expect(render(templates, "title")).toBe("a");
    const more = own.withFiles([{ source: "/etc/more.hbs", text: inline("text", "more") }]);
    expect([render(more, "title"), render(more, "text")]).toEqual(["own", "more"]);
  });

  it("a body of the user's own, for every kind of alert", () => {
    const webhook = theTemplates()
      .withFiles([{ source: "configmap:default/body/content", text: '{"m":"{{message}}"}' }])
      .get("webhook");
    for (const view of [aView(), aView(aDigest()), aView(aGap())])
      expect(JSON.parse(webhook.render("body", "json", view, READER))).toEqual({ m: view.message });
  });

  it("digest-NAME and gap-NAME for summaries: the user's, then ours, then NAME", () => {
    const templates = theTemplates(
      folder("/etc/t", {
        "dingtalk.hbs": inline("title", "mine") + inline("digest-title", "my digest"),
      }),
    );
    expect(render(templates, "title", aView(aDigest()))).toBe("my digest");
    expect(render(templates, "title", aView(aGap()))).toBe("⚪ Blind 10:02–10:09 · prod-a");
    expect(render(templates, "title")).toBe("mine");
  });

  it("in the medium of the file that is taken for this kind of alert", async () => {
    const text = "{{ .Reason }}: {{ .Message }}";
    const loaded = await loadBody({ source: "body.txt", text }, null, null);
    const webhook = theTemplates(
      folder("/etc/t", { "webhook.hbs": inline("digest-body", '{"total": {{digest.total}} }') }),
    )
      .withFiles([{ source: "body.txt", text, loaded }])
      .get("webhook");
    expect(webhook.medium("body", "json", "event")).toBe("text");
    expect(webhook.medium("body", "json", "gap")).toBe("text");
    expect(webhook.medium("body", "json", "digest")).toBe("json");
    expect(webhook.render("body", "json", aView(aDigest()), READER)).toBe('{"total": 37 }');
    expect(webhook.render("body", "text", aView(), READER)).toMatch(/^BackOff: Back-off/);
    expect(webhook.medium("nosuch", "markdown", "event")).toBe("markdown");
  });

  it("none: an error of ours", () => {
    expect(() => theTemplates().get("webhook").render("body", "json", aView(), READER)).toThrow(
      'no template of webhook has the block "body"',
    );
    expect(() => theTemplates().get("nosuch").render("text", "text", aView(), READER)).toThrow(
      'no template of nosuch has the block "text"',
    );
  });
});

describe("what is wrong", () => {
  it("is told for all files at once, with their places", () => {
    expect(
      problems(() =>
        theTemplates(
          folder("/etc/t", {
            "dingtalk.hbs": inline("title", "{{titel}}"),
            "slak.hbs": inline("title", "x"),
            "README.md": "{{not a template",
          }),
          folder("configmap:shop/t", { "lark.hbs": "{{#if}}" }),
        ),
      ),
    ).toEqual([
      '/etc/t/dingtalk.hbs:1:23: unknown field "titel" (did you mean "title"?)',
      '/etc/t/slak.hbs: no sink type is called "slak" (did you mean slack.hbs?)',
      "configmap:shop/t/lark.hbs:1:8: the template ends inside a block (close each {{#if}} with {{/if}}, each {{#each}} with {{/each}})",
    ]);
  });

  it("a file named after nothing we know", () => {
    expect(problems(() => theTemplates(folder("/etc/t", { "irc.hbs": "x" })))).toEqual([
      '/etc/t/irc.hbs: no sink type is called "irc" (templates are named after sink types: dingtalk.hbs, lark.hbs, slack.hbs, stdout.hbs, webhook.hbs, wechat.hbs, wecom.hbs)',
    ]);
  });

  it("a sink's own file", () => {
    expect(
      problems(() => theTemplates().withFiles([{ source: "own.hbs", text: "{{nam}}" }])),
    ).toEqual(['own.hbs:1:3: unknown field "nam" (did you mean "name"?)']);
  });

  it("raw text is a warning", () => {
    const templates = theTemplates(folder("/t", { "slack.hbs": inline("title", "{{{title}}}") }));
    expect(templates.warnings.map(({ where }) => where)).toEqual(["/t/slack.hbs:1:21"]);
    const own = templates.withFiles([{ source: "own.hbs", text: "{{{title}}}" }]);
    expect(own.warnings.map(({ where }) => where)).toEqual(["own.hbs:1:1"]);
  });
});

describe("a template against its sink", () => {
  const check = (type: string, text: string, wanted: readonly string[]) =>
    theTemplates()
      .withFiles([{ source: "own.hbs", text }])
      .get(type)
      .check(wanted);

  it("fits with any of the type's blocks, whatever the options ask for", () => {
    const all = ["title", "text", "markdown", "digest-text", "gap-markdown"].map((name) =>
      inline(name, "x"),
    );
    expect(check("dingtalk", all.join(""), ["title", "markdown"])).toEqual([]);
    expect(check("webhook", "{{json event}}", ["body"])).toEqual([]);
    const shared = inline("facts", "x") + inline("text", "{{> facts}}");
    expect(check("dingtalk", shared, ["title", "text"])).toEqual([]);
  });

  it("a block that nothing uses", () => {
    expect(check("dingtalk", inline("titel", "x"), ["title", "markdown"])).toEqual([
      { where: "own.hbs", message: 'dingtalk has no block "titel"', hint: 'did you mean "title"?' },
    ]);
  });

  it("a whole file for a sink that needs to know which is which", () => {
    expect(check("dingtalk", "{{message}}", ["title", "markdown"])).toEqual([
      {
        where: "own.hbs",
        message: "this template has no blocks, and dingtalk needs to know which is which",
        hint: 'put the text into {{#*inline "NAME"}}…{{/inline}}, NAME one of title, markdown, text',
      },
    ]);
  });

  it("a block that is missing", () => {
    expect(theTemplates().get("webhook").check(["body"])).toEqual([
      {
        where: "templates/webhook.hbs",
        message: 'the block "body", which webhook needs, is missing',
        hint: 'add {{#*inline "body"}}…{{/inline}}',
      },
    ]);
  });
});

describe("our own templates", () => {
  it("are there for each sink, with every block it may ask for", () => {
    const templates = createTemplates({ builtinDir: BUILTIN, overrides: [] });
    for (const sink of sinks) {
      const wanted = Object.keys(sink.blocks(sink.options.parse(sink.example.yaml)));
      expect(templates.get(sink.type).check(wanted), sink.type).toEqual([]);
    }
  });

  it("put nothing into a message raw", () => {
    for (const name of readdirSync(BUILTIN).filter((file) => file.endsWith(".hbs")))
      expect(readFileSync(path.join(BUILTIN, name), "utf8")).not.toMatch(/\{\{\{|\{\{&/);
  });
});

describe("the table of fields", () => {
  it("names every field of the view and what it is", () => {
    const table = viewFieldsMarkdown()
      .split("\n")
      .map((row) => row.replaceAll(/ +/g, " "));
    const view = aView();
    for (const name of Object.keys(view))
      expect(table.some((row) => row.startsWith(`| \`${name}\``))).toBe(true);
    expect(table).toContain("| `event.object.name` | text | the object's name |");
    expect(table).toContain("| `digest.lines[].where` | text | `shop/web (3 pods)` |");
    expect(table).toContain("| `labels` | list of texts | the sink's labels, in order |");
    for (const { about, path } of fieldPaths()) expect(about, path).not.toBe("");
  });
});

describe("the guide", () => {
  const guide = readFileSync(path.resolve(BUILTIN, "../docs/templates.md"), "utf8");
  const examples = [...guide.matchAll(/^```\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");
  const templates = examples.filter((example) => /\{\{[^}]*\}\}/.test(example));

  it("has examples that work", async () => {
    expect(templates).toHaveLength(4);
    const [title = "", ...bodies] = templates;
    const mine = theTemplates(folder("/t", { "dingtalk.hbs": title })).get("dingtalk");
    expect(mine.render("title", "text", aView(), READER)).toBe(
      "🟠 Back-off restarting container in shop",
    );
    for (const body of bodies) {
      const loaded = await loadBody({ source: "body", text: body }, null, "json");
      const own = theTemplates().withFiles([{ source: "body", text: body, loaded }]);
      expect(own.warnings).toEqual([]);
      for (const view of [aView(), aView(aDigest()), aView(aGap())]) {
        const text = own.get("webhook").render("body", "json", view, READER);
        expect(JSON.parse(text)).toBeTypeOf("object");
      }
    }
  });

  it("shows the error that is really given", () => {
    const wrong = (templates[0] ?? "").replace("reasonText", "reasonTxt");
    const [problem = ""] = problems(() =>
      theTemplates(folder("/etc/kube-crier/templates", { "dingtalk.hbs": wrong })),
    );
    // As `check` and `run` print it: what to do stands in a line of its own.
    const [, what = "", hint = ""] = /^(.*) \((did you mean .*)\)$/.exec(problem) ?? [];
    expect(guide).toContain(`${what}\n    → ${hint}\n`);
  });

  it("names every block of every sink", () => {
    for (const sink of sinks) {
      const row = guide.split("\n").find((line) => line.startsWith(`| ${sink.type} `));
      for (const block of Object.keys(sink.blocks(sink.options.parse(sink.example.yaml))))
        expect(row).toContain(`\`${block}\``);
    }
  });
});
