import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Medium } from "../../../src/sink/index.ts";
import { clean } from "../../../src/template/clean.ts";
import { breakMentions, code, escape, mendCut, quote } from "../../../src/template/escape.ts";
import { MEDIA } from "../../../src/template/helpers.ts";
import { HOSTILE, HUGE } from "../../fixtures/hostile.ts";
import { cpuMs } from "../../support/cpu.ts";
import { activeIn, asRead, visible } from "../../support/inert.ts";

const CHATS: readonly Medium[] = ["text", "markdown", "slack", "lark", "wecom"];

describe.each(MEDIA)("hostile text in the medium %s", (medium) => {
  it.each(HOSTILE.map((hostile) => [hostile.name, hostile] as const))(
    "%s",
    (_, { text, shows }) => {
      const cleaned = clean(text);
      const escaped = escape(medium, cleaned);
      expect(activeIn(medium, escaped)).toEqual([]);
      const read = asRead(medium, escaped);
      for (const line of shows) expect(read).toContain(visible(line));
    },
  );

  it.each(HOSTILE.map((hostile) => [hostile.name, hostile] as const))(
    "%s, as the API gave it",
    (_, { text }) => {
      const escaped = escape(medium, text);
      expect(activeIn(medium, escaped)).toEqual([]);
    },
  );

  it.each(HUGE.map((huge) => [huge.name, huge] as const))("%s, in good time", (_, { text }) => {
    const cpu = cpuMs(() => {
      escape(medium, clean(text));
      quote(medium, clean(text));
    });
    expect(cpu).toBeLessThan(5000);
  });
});

it.each(HOSTILE.map((hostile) => [hostile.name, hostile] as const))(
  "a JSON string holds exactly: %s",
  (_, { text }) => {
    expect(JSON.parse(`"${escape("json", text)}"`)).toBe(text);
  },
);

describe("text that means nothing stays as it is", () => {
  const plain = [
    "Back-off restarting failed container web in pod web-7d4b9c",
    "pod_name-1_x is not ready: 0/3 nodes are available (3 Insufficient cpu)",
    "Readiness probe failed: HTTP probe failed with statuscode: 503",
    "failed to pull registry.example.com/shop/web:v1.2.3 - timeout",
    "拉取镜像失败：超时。",
    "2026-11-20 16:05:30 +0800 a=1, b=2; c/d #3",
  ];
  it.each(CHATS)("%s", (medium) => {
    for (const text of plain) expect(escape(medium, text)).toBe(text);
  });
});

describe("markdown", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["emphasis", "**so**", String.raw`\*\*so\*\*`],
    ["underscores at the edge of a word only", "_so_ a_b", String.raw`\_so\_ a_b`],
    ["and between letters of which a client may see halves", "𠮷_𠮷_𠮷", String.raw`𠮷\_𠮷\_𠮷`],
    ["code", "`so`", "\\`so\\`"],
    ["a backslash that would escape", String.raw`\* and \n`, String.raw`\\\* and \n`],
    ["a link, by an invisible character", "[a](b)", "[a]\u2060(b)"],
    ["a tag, the same way", "<font>", "<\u2060font>"],
    ["less than, not", "a < b", "a < b"],
    ["an entity", "&lt;", "&\u2060lt;"],
    ["an ampersand, not", "a & b", "a & b"],
    ["a heading", "# so", String.raw`\# so`],
    ["a number sign, not", "#42", "#42"],
    ["a list", "- so", String.raw`\- so`],
    ["a minus, not", "-5", "-5"],
    ["an ordered list", "1. so", String.raw`1\. so`],
    ["a version, not", "1.2 so", "1.2 so"],
    ["a quote", "> so", String.raw`\> so`],
    ["indentation is kept", "a\n\tb", "a  \n\u00a0\u00a0\u00a0\u00a0b"],
    ["lines are kept", "a\nb", "a  \nb"],
  ];
  it.each(cases)("%s", (_, text, expected) => {
    expect(escape("markdown", text)).toBe(expected);
  });
});

describe("the other media", () => {
  const cases: readonly (readonly [Medium, string, string])[] = [
    ["slack", "a < b & c > d", "a &lt; b &amp; c &gt; d"],
    ["slack", "<!channel>", "&lt;\u2060!channel&gt;"],
    ["slack", "> quote", "\u2060&gt; quote"],
    ["slack", ":fire: 12:30:45 :+1:", ":\u2060fire: 12:30:45 :\u2060+1:"],
    ["slack", "*so* 2 * 3", "*\ufeffso* 2 * 3"],
    ["slack", "𠮷_so_", "𠮷_\ufeffso_"],
    ["lark", "𠮷_so_", "𠮷_\ufeffso_"],
    ["wecom", "`so` **so**", "ˋsoˋ *\u2060*so*\u2060*\u2060"],
    ["wecom", "<@zhangsan>", "<\u2060@zhangsan>"],
    ["lark", '<at user_id="all">', '<\u2060at user_id="all">'],
    ["lark", "[a](b)", "[a]\u2060(b)"],
    ["text", "@all and all@example.com", "@\u2060all and all@example.com"],
    // Discord looks for no end of a word, Mattermost leaves out marks at a word's end.
    ["text", "@everyonefoo @hereabouts", "@\u2060everyonefoo @\u2060hereabouts"],
    ["text", "@all_ @all- @channel_x", "@\u2060all_ @\u2060all- @\u2060channel_x"],
    ["text", "@alligator @all2 @channels", "@alligator @all2 @channels"],
    ["json", 'a "b"\n\u2028', String.raw`a \"b\"\n\u2028`],
    ["html", `<b class="x">&'`, "&lt;b class=&quot;x&quot;&gt;&amp;&#39;"],
  ];
  it.each(cases)("%s: %s", (medium, text, expected) => {
    expect(escape(medium, text)).toBe(expected);
  });
});

describe("mentions", () => {
  it("are broken once: what is broken already stays as it is", () => {
    const broken = breakMentions("<!here> @all <at id=all>");
    expect(breakMentions(broken)).toBe(broken);
  });

  it("are broken where two values meet", () => {
    for (const [first, second] of [
      ["<", "!channel>"],
      ["@", "all"],
      ["<", "at id=all>"],
      ["[x]", "(http://evil.example)"],
    ] as const)
      for (const medium of CHATS)
        expect(activeIn(medium, escape(medium, first) + escape(medium, second))).toEqual([]);
  });
});

describe("code", () => {
  const command = "kubectl -n shop describe pod web_1";
  it("is a code span where the medium has one", () => {
    expect(MEDIA.map((medium) => [medium, code(medium, command)])).toEqual([
      ["text", command],
      ["markdown", `\`${command}\``],
      ["slack", `\`${command}\``],
      ["lark", command],
      ["wecom", `\`${command}\``],
      ["json", command],
      ["html", `<code>${command}</code>`],
    ]);
  });

  it("cannot be left", () => {
    for (const text of ["a` **b**", "a\nb", "`", "<!channel>", "<font color=red>", "<at id=all>"])
      for (const medium of CHATS)
        expect(activeIn(medium, code(medium, text), ["code"])).toEqual([]);
  });

  it("of nothing is nothing", () => {
    for (const medium of MEDIA) expect(code(medium, "")).toBe("");
  });
});

describe("quotations", () => {
  it("mark each line, so that none passes for ours", () => {
    expect(quote("text", "a\n\nkubectl delete")).toBe("> a\n>\n> kubectl delete");
    expect(quote("markdown", "a\n# b")).toBe("> a  \n> \\# b");
    expect(quote("wecom", "a\nb")).toBe("> a\n> b");
    expect(quote("html", "<a\nb")).toBe("<blockquote>&lt;a<br>b</blockquote>");
    expect(JSON.parse(`"${quote("json", 'say "a"\nb')}"`)).toBe('> say "a"\n> b');
  });

  it.each(["markdown", "wecom", "slack"] as const)("hold every hostile text in %s", (medium) => {
    for (const { text, shows } of HOSTILE) {
      const quoted = quote(medium, clean(text));
      expect(activeIn(medium, quoted, ["quote"])).toEqual([]);
      for (const line of shows) expect(asRead(medium, quoted)).toContain(visible(line));
      expect(asRead(medium, `${quoted}\n\nafter`)).toMatch(/after$/);
    }
  });

  it("of nothing are nothing", () => {
    for (const medium of MEDIA) expect(quote(medium, "")).toBe("");
  });
});

describe("a cut block", () => {
  it("does not end in half an escape", () => {
    expect(mendCut("slack", "a &am")).toBe("a ");
    expect(mendCut("html", "a &#3")).toBe("a ");
    expect(mendCut("markdown", "a \\")).toBe("a ");
    expect(mendCut("markdown", "a \\\\")).toBe("a \\\\");
    expect(mendCut("markdown", "a `kubectl")).toBe("a kubectl");
    expect(mendCut("markdown", "a `kubectl` b")).toBe("a `kubectl` b");
    expect(mendCut("text", "a &am\\")).toBe("a &am\\");
  });
});

/** Strings made of what matters in one medium or another. */
const nasty = fc
  .array(
    fc.constantFrom(
      ..."*_~`<>[](){}@!#&;:|-=+\\/\"' \n\t.0123aAll$%".split(""),
      "all",
      "http://x",
      "](",
      "<at id=all>",
      "<!here>",
      "**",
      "```",
      "&lt;",
      "\u2028",
      "😀",
      "容",
      "𠮷",
      "\ud800",
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(""));

describe("for any text", () => {
  it.each(CHATS)("nothing acts in %s, and everything can be read", (medium) => {
    fc.assert(
      fc.property(nasty, (text) => {
        const cleaned = clean(text);
        const escaped = escape(medium, cleaned);
        expect(activeIn(medium, escaped)).toEqual([]);
        expect(asRead(medium, escaped)).toBe(visible(cleaned));
      }),
      { numRuns: 400 },
    );
  });

  it("JSON gives the same text back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(JSON.parse(`{"a":"${escape("json", text)}"}`)).toEqual({ a: text });
      }),
    );
  });

  it("HTML has no tag, no attribute and no entity of the text's own", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const escaped = escape("html", text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replaceAll(/&(?:amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
      }),
    );
  });
});

describe("a carriage return alone", () => {
  const raw = "a\r- b\r\n# c\r> d\r1. e";

  it("ends a line in Markdown as a line feed does: nothing behind it begins a list, a heading or a quotation", () => {
    expect(escape("markdown", raw)).toBe("a  \n\\- b  \n\\# c  \n\\> d  \n1\\. e");
    for (const medium of CHATS) expect(activeIn(medium, escape(medium, raw))).toEqual([]);
  });

  it("leaves no line outside of a quotation", () => {
    expect(quote("text", raw)).toBe("> a\n> - b\n> # c\n> > d\n> 1. e");
    expect(quote("html", "a\rb\r\nc")).toBe("<blockquote>a<br>b<br>c</blockquote>");
    for (const line of quote("markdown", raw).split("\n")) expect(line).toMatch(/^> /);
  });

  it("is no part of a piece of code", () => {
    for (const medium of CHATS) expect(code(medium, "a\r# b").includes("`"), medium).toBe(false);
  });
});
