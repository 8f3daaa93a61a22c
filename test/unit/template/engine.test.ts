import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Medium } from "../../../src/sink/index.ts";
import { loadTemplate } from "../../../src/template/engine.ts";
import { HELPERS, helpersMarkdown, MEDIA } from "../../../src/template/helpers.ts";
import { HOSTILE } from "../../fixtures/hostile.ts";
import { aDigest, aGap } from "../../support/alerts.ts";
import { anEvent } from "../../support/events.ts";
import { activeIn } from "../../support/inert.ts";
import { aTemplate, aView, READER } from "../../support/templates.ts";

const render = (source: string, medium: Medium = "text", view = aView()): string =>
  aTemplate(source).render("body", medium, view, { ...READER, lang: view.lang });

const hostile = (text: string) =>
  aView({ kind: "event", event: anEvent({ message: text, reason: text }) });

describe("one render and the next", () => {
  it("have nothing of each other: neither medium, reader nor view", () => {
    const template = aTemplate(
      '{{#*inline "body"}}{{date lastSeen "time"}} {{event.message}} {{> tail}}{{/inline}}{{#*inline "tail"}}{{@root.event.reason}}{{/inline}}',
    );
    const view = (message: string, lastSeen: string) =>
      aView({ kind: "event", event: anEvent({ message, reason: message, lastSeen }) });
    const first = view("<a>", "2026-11-20T08:00:00Z");
    const second = view("b&c", "2026-11-20T09:30:00Z");
    for (let n = 0; n < 3; n += 1) {
      const utc = { ...READER, timezone: "UTC" };
      expect(template.render("body", "html", first, utc)).toBe("08:00:00 &lt;a&gt; &lt;a&gt;");
      const shanghai = { ...READER, timezone: "Asia/Shanghai" };
      expect(template.render("body", "slack", second, shanghai)).toBe("17:30:00 b&amp;c b&amp;c");
    }
  });

  it("of a template that includes a name it does not have is refused, whatever the name", () => {
    for (const name of ["other", "__note"])
      expect(loadTemplate(`{{#*inline "body"}}{{> ${name}}}{{/inline}}`, "x.hbs").ok).toBe(false);
  });
});

describe("every {{x}} is escaped for where it stands", () => {
  const view = hostile('<b>*so*</b> & "q"');
  it.each([
    ["text", '<b>*so*</b> & "q"'],
    ["markdown", '<\u2060b>\\*so\\*<\u2060/b> & "q"'],
    ["slack", '&lt;b&gt;*\ufeffso*&lt;/b&gt; &amp; "q"'],
    ["lark", '<\u2060b>*\ufeffso*\ufeff<\u2060/b> & "q"'],
    ["wecom", '<\u2060b>*so*<\u2060/b> & "q"'],
    ["json", String.raw`<b>*so*</b> & \"q\"`],
    ["html", "&lt;b&gt;*so*&lt;/b&gt; &amp; &quot;q&quot;"],
  ] as const)("%s", (medium, expected) => {
    expect(render("{{event.message}}", medium, view)).toBe(expected);
  });

  it("in conditions, loops, objects, included blocks and through helpers", () => {
    const forms = [
      "{{#if title}}{{event.message}}{{/if}}",
      "{{#unless gap}}{{event.message}}{{/unless}}",
      "{{#if gap}}x{{else}}{{event.message}}{{/if}}",
      "{{#if gap}}x{{else if digest}}y{{else}}{{event.message}}{{/if}}",
      "{{#with event}}{{message}}{{/with}}",
      "{{#with gap}}x{{else}}{{event.message}}{{/with}}",
      "{{#each (lines event.message)}}{{this}}{{/each}}",
      "{{#each labels}}{{#if @first}}{{../event.message}}{{/if}}{{/each}}",
      "{{truncate event.message 100}}",
      '{{default event.message "x"}}',
      "{{@root.event.message}}",
      "{{#with event as |e|}}{{e.message}}{{/with}}",
    ];
    for (const form of forms)
      expect(render(form, "html", view), form).toBe("&lt;b&gt;*so*&lt;/b&gt; &amp; &quot;q&quot;");
    const included = aTemplate(
      '{{#*inline "a"}}{{event.message}}{{/inline}}{{#*inline "b"}}{{> a}}{{/inline}}',
    );
    expect(included.render("b", "html", view, READER)).toBe(
      "&lt;b&gt;*so*&lt;/b&gt; &amp; &quot;q&quot;",
    );
  });

  it("once, whatever is rendered in between in another medium", () => {
    const template = aTemplate("{{event.message}}");
    for (const medium of [...MEDIA, ...MEDIA])
      expect(template.render("body", medium, view, READER)).toBe(
        render("{{event.message}}", medium, view),
      );
  });
});

describe("{{{x}}}", () => {
  const view = hostile('<!channel> "x", "a":"b');

  it("is raw, as Handlebars has it", () => {
    expect(render("{{{event.message}}}", "slack", view)).toBe('<!channel> "x", "a":"b');
    expect(render("{{&event.message}}", "markdown", view)).toContain("<!channel>");
  });

  it("is text all the same: a list, nothing, and what a helper gives of an object", () => {
    const view = aView(aDigest());
    expect(render("{{{labels}}}|{{{event.reason}}}|", "text", view)).toBe("team-a, #oncall||");
    expect(render("{{{default gap digest.lines}}}", "text", view)).toBe(
      render("{{default gap digest.lines}}", "text", view),
    );
    expect(render("{{{default object id}}}", "html", aView())).toMatch(/^\{"kind":"Pod"/);
    expect(render("{{{quote message}}}", "slack", hostile("<b>"))).toBe("> &lt;b&gt;");
  });

  it("is never raw in JSON", () => {
    const body = render('{"text": "{{{event.message}}}"}', "json", view);
    expect(JSON.parse(body)).toEqual({ text: '<!channel> "x", "a":"b' });
  });
});

describe("a JSON body", () => {
  it.each(HOSTILE.map(({ name, text }) => [name, text] as const))("stays whole: %s", (_, text) => {
    const body = render(
      '{"text": "{{event.message}}", "safe": "{{message}}", "quoted": "{{quote message}}", "reason": {{json event.reason}}, "event": {{json event}}, "labels": {{{json labels}}}, "count": {{count}} }',
      "json",
      hostile(text),
    );
    expect(JSON.parse(body)).toMatchObject({
      text,
      reason: text,
      event: { message: text },
      labels: ["team-a", "#oncall"],
      count: 12,
    });
  });

  it("for a chat takes the chat's escape, too", () => {
    for (const { text } of HOSTILE)
      for (const medium of ["lark", "slack", "markdown", "wecom"] as const) {
        const body = render(
          `{"text": "{{escape "${medium}" event.message}}"}`,
          "json",
          hostile(text),
        );
        const { text: sent } = JSON.parse(body) as { text: string };
        expect(activeIn(medium, sent)).toEqual([]);
      }
  });

  it("holds for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const body = render(
          '{"a":"{{event.message}}","b":{{json event.message}} }',
          "json",
          hostile(text),
        );
        expect(JSON.parse(body)).toEqual({ a: text, b: text });
      }),
    );
  });
});

describe("what is not there", () => {
  it("is nothing, and no error at night", () => {
    expect(render("[{{event.related.kind}}{{event.action}}{{gap.since}}{{digest.total}}]")).toBe(
      "[]",
    );
    const digest = aView(aDigest());
    expect(render("[{{event.message}}{{event.object.name}}]", "text", digest)).toBe("[]");
    expect(render("{{#each digest.lines}}{{count}} {{where}};{{/each}}", "text", digest)).toBe(
      "2 node-3 (1 node);21 shop/web (3 pods);9 shop/cart (9 pods);",
    );
    expect(render("{{gap.sinceText}}", "text", aView(aGap()))).toBe("10:02:00");
  });

  it("reaches no prototype", () => {
    const loaded = loadTemplate("{{#with event}}{{constructor.name}}{{/with}}", "x.hbs");
    expect(loaded.ok).toBe(false);
  });
});

describe("layout", () => {
  it("lines with nothing but tags leave no line, and the ends are trimmed", () => {
    const source = "\n\n{{#if title}}\n{{kind}}\n{{/if}}\n{{#if gap}}\nno\n{{/if}}\n{{name}}  \n\n";
    expect(render(source)).toBe("Pod\nweb-7d4b9c");
  });

  it("a list of texts is joined", () => {
    expect(render("{{labels}}")).toBe("team-a, #oncall");
  });

  it("an unknown block is an error of ours", () => {
    expect(() => aTemplate("x").render("title", "text", aView(), READER)).toThrow(
      'test.hbs has no block "title"',
    );
  });
});

describe("helpers", () => {
  it.each([
    ["{{upper kind}} {{lower kind}}", "POD pod"],
    ["{{truncate message 12}}", "Back-off re…"],
    ["{{truncate message 0}}{{truncate message -1}}{{truncate message kind}}", ""],
    ['{{default gap.since "none"}} {{default kind "none"}}', "none Pod"],
    [
      '{{plural count "time"}} {{plural 1 "pod"}} {{plural 2 "mouse" "mice"}}',
      "12 times 1 pod 2 mice",
    ],
    ['{{join labels " · "}} {{join labels}} {{join kind}}', "team-a · #oncall team-a, #oncall Pod"],
    [
      "{{#each (lines event.eventName)}}[{{this}}]{{/each}}{{#each (lines gap.since)}}x{{/each}}",
      "[web-7d4b9c.17a1]",
    ],
    ['{{#if (eq kind "Pod")}}yes{{/if}}{{#if (eq kind "pod")}}no{{/if}}', "yes"],
    ["{{#if (eq count 12)}}yes{{/if}}{{#if (eq gap null)}}yes{{/if}}", "yesyes"],
    ["{{#if (and kind name)}}yes{{/if}}{{#if (and kind gap)}}no{{/if}}", "yes"],
    ["{{#if (or gap name)}}yes{{/if}}{{#if (or gap digest)}}no{{/if}}", "yes"],
    ["{{#if (not gap)}}yes{{/if}}{{#if (not labels)}}no{{/if}}", "yes"],
    ["{{json labels}} {{json count}} {{json gap}}", '["team-a","#oncall"] 12 null'],
    ["{{date lastSeen}} {{date '2026-11-19T08:00:00Z'}}", "16:05:30 19 Nov 16:00:00"],
    ['{{date lastSeen "time"}} {{date lastSeen "date"}}', "16:05:30 20 Nov"],
    ['{{date lastSeen "full"}} {{date lastSeen "unix"}}', "2026-11-20 16:05:30 1795161930"],
    ['{{date kind "full"}}{{date gap.since}}', "Pod"],
    ['{{escape "slack" "<a>"}}', "&lt;a&gt;"],
    ['{{anchor "https://a.example/?b=1&c=2" "more"}}', "more https://a.example/?b=1&c=2"],
    ['{{anchor "https://a.example/"}}{{anchor ""}}', "https://a.example/"],
    ['{{anchor "javascript:alert(1)" "more"}}', "more javascript:alert(1)"],
  ])("%s: %s", (source, expected) => {
    expect(render(source)).toBe(expected);
  });

  it("write code and quotations as the medium does", () => {
    expect(render("{{code command}}", "markdown")).toBe(
      "`kubectl -n shop describe pod web-7d4b9c`",
    );
    expect(render("{{code command}}", "lark")).toBe("kubectl -n shop describe pod web-7d4b9c");
    expect(render("{{quote message}}", "html")).toMatch(/^<blockquote>.*<\/blockquote>$/);
    expect(render("{{upper (code kind)}}", "markdown")).toBe("\\`POD\\`");
    expect(render('{"q": {{json (quote message)}} }', "json")).toContain('"> Back-off');
  });

  it("are told the reader's language", () => {
    const view = aView(undefined, { lang: "zh" });
    expect(render("{{date '2026-11-19T08:00:00Z'}}", "text", view)).toBe("11月19日 16:00:00");
  });

  it("are all in the table, and each usage is right", () => {
    const table = helpersMarkdown();
    for (const [name, { usage, about }] of Object.entries(HELPERS)) {
      expect(usage).toContain(name);
      expect(table).toContain(about);
      const closed = usage.startsWith("{{#if") ? `${usage}x{{/if}}` : usage;
      expect(loadTemplate(closed, name)).toMatchObject({ ok: true });
    }
  });
});
