import { describe, expect, it } from "vitest";
import { DINGTALK, LARK, WECOM, WECOM_V2 } from "../../../src/simulate/dialect.ts";
import { parseMarkdown } from "../../../src/simulate/markdown.ts";
import { blockText, linksIn, plain } from "../../../src/simulate/marks.ts";
import { parseMrkdwn } from "../../../src/simulate/mrkdwn.ts";

const text = (value: string) => ({ kind: "text", text: value });
const paragraph = (...children: object[]) => ({ kind: "paragraph", children });

describe("Markdown blocks", () => {
  it.each([
    ["# One", [{ kind: "heading", level: 1, children: [text("One")] }]],
    ["#### Four ##", [{ kind: "heading", level: 4, children: [text("Four")] }]],
    ["#No", [paragraph(text("#No"))]],
    ["> a\n> b", [{ kind: "quote", blocks: [paragraph(text("a b"))] }]],
    ["> a\nb", [{ kind: "quote", blocks: [paragraph(text("a"))] }, paragraph(text("b"))]],
    [
      "- a\n* b\n+ c",
      [{ kind: "list", ordered: false, items: [[text("a")], [text("b")], [text("c")]] }],
    ],
    ["1. a\n2) b", [{ kind: "list", ordered: true, items: [[text("a")], [text("b")]] }]],
    ["---", [{ kind: "rule" }]],
    ["```\n**a**\n\nb\n```\nc", [{ kind: "code", text: "**a**\n\nb" }, paragraph(text("c"))]],
    ["```go\nunclosed", [{ kind: "code", text: "unclosed" }]],
    ["````\n```\n````", [{ kind: "code", text: "```" }]],
    ["a\n\nb", [paragraph(text("a")), paragraph(text("b"))]],
    ["a\r\nb", [paragraph(text("a b"))]],
    ["", []],
  ])("%j", (source, blocks) => {
    expect(parseMarkdown(source, DINGTALK)).toEqual(blocks);
  });

  it("joins or keeps lines as the platform does", () => {
    expect(parseMarkdown("a\nb", DINGTALK).map(blockText)).toEqual(["a b"]);
    expect(parseMarkdown("a  \nb", DINGTALK).map(blockText)).toEqual(["a\nb"]);
    expect(parseMarkdown("a\nb", LARK).map(blockText)).toEqual(["a\nb"]);
    expect(parseMarkdown("a\nb", WECOM).map(blockText)).toEqual(["a\nb"]);
  });

  it("knows no lists and fences in WeCom's first kind", () => {
    expect(parseMarkdown("- a\n---", WECOM).map(blockText)).toEqual(["- a\n---"]);
    expect(parseMarkdown("- a\n---", WECOM_V2).map((block) => block.kind)).toEqual([
      "list",
      "rule",
    ]);
  });

  it("stops nesting quotes where nobody could read them", () => {
    expect(parseMarkdown(">".repeat(5000), DINGTALK)).toHaveLength(1);
  });
});

describe("Markdown within a paragraph", () => {
  const strong = (value: string) => ({ kind: "strong", children: [text(value)] });
  const link = (url: string, label: string) => ({ kind: "link", url, children: [text(label)] });

  it.each([
    ["**a** b", [strong("a"), text(" b")]],
    ["__a__", [strong("a")]],
    [
      "*a* _b_",
      [
        { kind: "emphasis", children: [text("a")] },
        text(" "),
        { kind: "emphasis", children: [text("b")] },
      ],
    ],
    ["~~a~~ ~b", [{ kind: "strike", children: [text("a")] }, text(" ~b")]],
    ["** a **", [text("** a **")]],
    ["**a", [text("**a")]],
    ["restart_count_total", [text("restart_count_total")]],
    ["2 * 3 * 4", [text("2 * 3 * 4")]],
    ["`**a**`", [{ kind: "code", text: "**a**" }]],
    ["`` a`b ``", [{ kind: "code", text: "a`b" }]],
    ["`a", [text("`a")]],
    ["``a`", [text("``a`")]],
    ["[a](https://b.example)", [link("https://b.example", "a")]],
    ['[a](https://b.example "t")', [link("https://b.example", "a")]],
    ["![a](https://b.example)", [{ kind: "image", url: "https://b.example", alt: "a" }]],
    ["![a", [text("![a")]],
    ["[a] (https://b.example)", [text("[a] (https://b.example)")]],
    ["[a](b", [text("[a](b")]],
    ["\\[a](https://b.example)", [text("[a](https://b.example)")]],
    ["[a\\](https://b.example)", [link("https://b.example", "a\\")]],
    ["<https://b.example>", [link("https://b.example", "https://b.example")]],
    ["<script>x</script>", [text("<script>x</script>")]],
    ["a<br>b<br/>c", [text("a"), { kind: "break" }, text("b"), { kind: "break" }, text("c")]],
    ["&lt;b&gt; &amp; &#42; &#x2A; &nope;", [text("<b> & * * &nope;")]],
    ["&#0;&#99999999;", [text("\ufffd&#99999999;")]],
    ["&#1114112;", [text("\ufffd")]],
    // Half a character is none, as CommonMark has it.
    ["&#xD800;a&#57343;", [text("\ufffda\ufffd")]],
    ["&#x1F4A5;&#128165;", [text("💥💥")]],
    ["&LT;&Quot;&apos;&nbsp;", [text("<\"'\u00a0")]],
    // A run of ticks ends at one of the same length.
    ["``a`b``", [{ kind: "code", text: "a`b" }]],
    ["`` `a` ``", [{ kind: "code", text: "`a`" }]],
    ["`a``b`", [{ kind: "code", text: "a``b" }]],
    ["`a``", [text("`a``")]],
    ["```a`", [text("```a`")]],
    ["`a\nb`", [{ kind: "code", text: "a b" }]],
    // Within a word, and beside a space, a mark is a character.
    ["restart_count_max", [text("restart_count_max")]],
    ["2 * 3 * 4", [text("2 * 3 * 4")]],
    ["~a~ ~~b~~", [text("~a~ "), { kind: "strike", children: [text("b")] }]],
    ['<font color="red">a</font>', [{ kind: "coloured", colour: "red", children: [text("a")] }]],
    ["<font color=red>a", [text("<font color=red>a")]],
  ])("%j", (source, children) => {
    expect(parseMarkdown(source, DINGTALK)).toEqual([paragraph(...children)]);
  });

  it("stops nesting where nobody could read it, and shows the rest as it was written", () => {
    expect(parseMarkdown("**_x_ [~~y~~](https://a.example)**", DINGTALK).map(blockText)).toEqual([
      "x y",
    ]);
    const font = '<font color="red">';
    const coloured = `${font.repeat(40)}x${"</font>".repeat(40)}`;
    const [read = ""] = parseMarkdown(coloured, DINGTALK).map(blockText);
    expect(read).toContain("x");
    expect(read).toContain(font);
  });

  it.each([
    ["<at id=ou_1></at>", "ou_1", ""],
    ["<at email=a@b.example></at> x", "a@b.example", " x"],
    ["<at user_id='ou_2'/> x", "ou_2", " x"],
    // Without its end the tag is one all the same, and what follows is text.
    ["<at id=ou_3> x", "ou_3", " x"],
    ["<at id=ou_4>Name</at> x", "ou_4", " x"],
  ])("Lark calls by %j", (source, who, rest) => {
    const after = rest === "" ? [] : [text(rest)];
    expect(parseMarkdown(source, LARK)).toEqual([paragraph({ kind: "mention", who }, ...after)]);
  });

  it("an image is its text, beside its address", () => {
    const image = { kind: "image", url: "https://a.example/p.png", alt: "p" };
    expect(parseMarkdown("![p](https://a.example/p.png)!", DINGTALK)).toEqual([
      paragraph(image, text("!")),
    ]);
    expect(parseMarkdown("![p] (x)", DINGTALK)).toEqual([paragraph(text("![p] (x)"))]);
  });

  it("draws the mentions and anchors each platform has", () => {
    expect(parseMarkdown("<at id=all></at>!", LARK)).toEqual([
      paragraph({ kind: "mention", who: "all" }, text("!")),
    ]);
    expect(parseMarkdown("<@u1>", WECOM)).toEqual([paragraph({ kind: "mention", who: "u1" })]);
    expect(parseMarkdown("<a href='https://a.example'>x</a>", LARK)).toEqual([
      paragraph(link("https://a.example", "x")),
    ]);
    for (const source of ["<at id=all></at>", "<@u1>", "<a href='https://a.example'>x</a>"])
      expect(parseMarkdown(source, DINGTALK).map(blockText)).toEqual([source]);
  });

  it.each([
    "**",
    "_a",
    "[",
    "![a](",
    "`",
    "``` `",
    "<font color=red>",
    "<at id=",
    "> ",
    "- ",
    "&#",
    "*a*",
  ])("takes a flood of %j in its stride", (piece) => {
    const flood = piece.repeat(20_000 / piece.length);
    for (const dialect of [DINGTALK, LARK, WECOM])
      expect(parseMarkdown(flood, dialect).map(blockText).join("").length).toBeLessThan(21_000);
  });
});

describe("Slack's mrkdwn", () => {
  it.each([
    ["*b* _i_ ~s~ `c`", "b i s c", []],
    ["a*b*c 2*3*4", "a*b*c 2*3*4", []],
    [
      "<https://a.example|label> <https://b.example>",
      "label https://b.example",
      ["https://a.example", "https://b.example"],
    ],
    ["&lt;https://a.example|x&gt;", "<https://a.example|x>", []],
    ["&amp;lt;", "&lt;", []],
    ["https://a.example", "https://a.example", []],
    ["```\n*a*\n<b\n```", "*a*\n<b", []],
    ["x ```y``` z", "x \ny\n z", []],
    ["<#C1|general> <@U1> <!here>", "#general @U1 @here", []],
    ["<!date^1^{date}|then>", "then", []],
    ["one\ntwo\n\nthree", "one\ntwo\n\nthree", []],
  ])("%j", (source, read, links) => {
    const blocks = parseMrkdwn(source);
    expect(blocks.map(blockText).join("\n")).toBe(read);
    expect(linksIn(blocks)).toEqual(links);
  });

  it("draws quotes", () => {
    expect(parseMrkdwn("> a\n&gt; b\nc").map((block) => [block.kind, blockText(block)])).toEqual([
      ["quote", "a\nb"],
      ["paragraph", "c"],
    ]);
  });

  it.each(["*a", "<", "`", "```", "_ *"])("takes a flood of %j in its stride", (piece) => {
    const flood = piece.repeat(40_000 / piece.length);
    expect(parseMrkdwn(flood).map(blockText).join("").length).toBeLessThan(50_000);
  });
});

describe("plain text", () => {
  it("keeps every character and line end", () => {
    const source = "**a** <b>\n\n`c` [d](e) &amp; \u2028 \u202e";
    expect(blockText(plain(source))).toBe(source);
    expect(linksIn([plain(source)])).toEqual([]);
  });
});
