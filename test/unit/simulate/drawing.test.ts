import { describe, expect, it } from "vitest";
import type { Block, Inline } from "../../../src/simulate/marks.ts";
import { drawParts } from "../../../src/simulate/markup.ts";
import type { Part, Platform } from "../../../src/simulate/message.ts";
import { html } from "../../../src/web/server.ts";
import { get, last, play, post } from "./support.ts";

/** As the page's HTML, without what only indents it. */
async function drawn(...parts: readonly Part[]): Promise<string> {
  const page = String(await html`${drawParts(parts)}`);
  return page
    .replaceAll(/\s*\n\s*/g, " ")
    .replaceAll(/ ?> ?< ?/g, "><")
    .trim();
}
const inline = (...children: readonly Inline[]): Part => ({
  kind: "blocks",
  blocks: [{ kind: "paragraph", children }],
  fine: false,
});
const block = (...blocks: readonly Block[]): Part => ({ kind: "blocks", blocks, fine: false });
const text = (value: string): Inline => ({ kind: "text", text: value });
const HTML = '<b onclick="x()">&';
const ESCAPED = "&lt;b onclick=&quot;x()&quot;&gt;&amp;";

describe("a piece of text on the page", () => {
  it.each<[string, Inline, string]>([
    ["text", text("a"), "a"],
    ["code", { kind: "code", text: "a" }, "<code>a</code>"],
    ["a line's end", { kind: "break" }, "<br />"],
    ["strong", { kind: "strong", children: [text("a")] }, "<strong>a</strong>"],
    ["emphasis", { kind: "emphasis", children: [text("a")] }, "<em>a</em>"],
    ["struck out", { kind: "strike", children: [text("a")] }, "<s>a</s>"],
    ["a mention", { kind: "mention", who: "all" }, '<span class="mention">@all</span>'],
    [
      "nested",
      { kind: "strong", children: [{ kind: "emphasis", children: [text("a")] }, text("b")] },
      "<strong><em>a</em>b</strong>",
    ],
  ])("%s", async (_, piece, expected) => {
    expect(await drawn(inline(piece))).toBe(`<div class="prose"><p>${expected}</p></div>`);
  });

  it.each([
    ["red", "red"],
    ["warning", "orange"],
    ["orange", "orange"],
    ["green", "green"],
    ["info", "green"],
    ["blue", "blue"],
    ["grey", "grey"],
    ["gray", "grey"],
    ["comment", "grey"],
    ["tomato", "plain"],
    ["#ff0000", "plain"],
    ["constructor", "plain"],
    ['x" onclick="y', "plain"],
  ])("in the colour %s is drawn in ink of ours: %s", async (colour, ink) => {
    const page = await drawn(inline({ kind: "coloured", colour, children: [text("a")] }));
    // White space inside a tag is the formatter's.
    expect(page.replaceAll(/\s+>/g, ">")).toBe(
      `<div class="prose"><p><span class="ink-${ink}">a</span></p></div>`,
    );
  });

  it.each(["https://example.com/a?b=c", "http://127.0.0.1:8080/", "HTTPS://EXAMPLE.COM"])(
    "a link to %s leads there, in a window that knows nothing of ours",
    async (url) => {
      const page = await drawn(inline({ kind: "link", url, children: [text("a")] }));
      expect(page).toContain(`href="${url}"`);
      expect(page).toContain('rel="noopener noreferrer nofollow"');
      expect(page).toContain('target="_blank"');
    },
  );

  it.each([
    "javascript:alert(1)",
    "data:text/html,x",
    "/etc/passwd",
    "",
    " https://example.com",
    "dingtalk://x",
  ])("a link to %j leads nowhere, and shows where it would have led", async (url) => {
    const page = await drawn(inline({ kind: "link", url, children: [text("a")] }));
    expect(page).not.toContain("<a");
    expect(page).toContain(`<span class="dead " title="${url}">a</span>`);
  });

  it("an image is not fetched: its words stand for it", async () => {
    const page = await drawn(inline({ kind: "image", url: "https://x.example/a.png", alt: "cat" }));
    expect(page).not.toContain("<img");
    expect(page).toMatch(/<a [^>]*>▣ cat<\/a/);
  });
});

describe("a block on the page", () => {
  it.each<[string, Block, string]>([
    ["a heading", { kind: "heading", level: 2, children: [text("a")] }, '<p class="h2">a</p>'],
    [
      "a heading of no level HTML knows",
      { kind: "heading", level: 9, children: [text("a")] },
      '<p class="h6">a</p>',
    ],
    [
      "a quotation",
      { kind: "quote", blocks: [{ kind: "paragraph", children: [text("a")] }] },
      "<blockquote><p>a</p></blockquote>",
    ],
    ["code", { kind: "code", text: "a\nb" }, "<pre><code>a b</code></pre>"],
    [
      "a list",
      { kind: "list", ordered: false, items: [[text("a")], [text("b")]] },
      '<ul class="bullets"><li>a</li><li>b</li></ul>',
    ],
    [
      "a list with numbers",
      { kind: "list", ordered: true, items: [[text("a")]] },
      '<ul class="ordered"><li>a</li></ul>',
    ],
    ["a rule", { kind: "rule" }, "<hr />"],
  ])("%s", async (_, one, expected) => {
    expect(await drawn(block(one))).toBe(`<div class="prose">${expected}</div>`);
  });
});

describe("a part of a message on the page", () => {
  it("a heading, a divider, small print", async () => {
    expect(await drawn({ kind: "heading", text: "a" })).toBe('<p class="lead">a</p>');
    expect(await drawn({ kind: "divider" })).toBe("<hr />");
    expect(await drawn({ kind: "blocks", blocks: [], fine: true })).toBe(
      '<div class="fine"></div>',
    );
  });

  it("buttons lead where they say, and nowhere without a URL", async () => {
    const page = await drawn({
      kind: "buttons",
      buttons: [
        { label: "Open", url: "https://x.example/" },
        { label: "Nowhere", url: null },
      ],
    });
    expect(page).toMatch(/<a class="button" href="https:\/\/x\.example\/"[^>]*>Open<\/a/);
    expect(page).toContain('<span class="dead button" title="">Nowhere</span>');
  });

  it("columns stand side by side, each with its parts", async () => {
    const columns = [[inline(text("a"))], [{ kind: "divider" } as const]];
    expect(await drawn({ kind: "columns", columns })).toBe(
      '<div class="columns"><div><div class="prose"><p>a</p></div></div><div><hr /></div></div>',
    );
  });
});

describe("HTML in a message stays text", () => {
  it.each<[string, Part]>([
    ["in a heading", { kind: "heading", text: HTML }],
    ["in text", inline(text(HTML))],
    ["in code", inline({ kind: "code", text: HTML })],
    ["in a block of code", block({ kind: "code", text: HTML })],
    ["in a mention", inline({ kind: "mention", who: HTML })],
    ["in a link's words", inline({ kind: "link", url: "https://x/", children: [text(HTML)] })],
    ["in a link's address", inline({ kind: "link", url: `https://x/${HTML}`, children: [] })],
    ["in an address that leads nowhere", inline({ kind: "link", url: HTML, children: [] })],
    ["in an image's words", inline({ kind: "image", url: "https://x/", alt: HTML })],
    ["on a button", { kind: "buttons", buttons: [{ label: HTML, url: HTML }] }],
  ])("%s", async (_, part) => {
    const page = await drawn(part);
    expect(page).not.toContain("<b");
    expect(page).toContain(ESCAPED);
  });
});

describe("the rarer pieces of a message", () => {
  const URLS: Readonly<Partial<Record<Platform, string>>> = {
    lark: "/open-apis/bot/v2/hook/abc",
    slack: "/services/T1/B1/X1",
  };
  const shown = async (platform: Platform, body: unknown) => {
    const { sim } = await play();
    await post(`${sim.url}${URLS[platform] ?? ""}`, body);
    return last(sim);
  };
  const larkPost = (...pieces: readonly unknown[]) => ({
    msg_type: "post",
    content: { post: { zh_cn: { content: [pieces] } } },
  });
  const larkCard = (...elements: readonly unknown[]) => ({
    msg_type: "interactive",
    card: { elements },
  });
  const slackRich = (...elements: readonly unknown[]) => ({
    blocks: [{ type: "rich_text", elements: [{ type: "rich_text_section", elements }] }],
  });

  it.each<[string, Platform, unknown, string]>([
    ["a picture in a post", "lark", larkPost({ tag: "img", image_key: "i" }), "▣"],
    ["a film in a post", "lark", larkPost({ tag: "media", file_key: "f" }), "▣"],
    ["an emotion in a post", "lark", larkPost({ tag: "emotion", emoji_type: "SMILE" }), "▣"],
    ["a rule in a post", "lark", larkPost({ tag: "hr" }, { tag: "text", text: "a" }), "a"],
    ["code in a post", "lark", larkPost({ tag: "code_block", text: "x = 1" }), "x = 1"],
    ["a picture in a card", "lark", larkCard({ tag: "img", img_key: "i" }), "▣"],
    ["an emoji in rich text", "slack", slackRich({ type: "emoji", name: "fire" }), ":fire:"],
    [
      "a link without words in rich text",
      "slack",
      slackRich({ type: "link", url: "https://x.example/" }),
      "https://x.example/",
    ],
  ])("%s", async (_, platform, body, read) => {
    const { state, text: said } = await shown(platform, body);
    expect(state).toBe("shown");
    expect(said).toContain(read);
  });

  it.each<[string, Platform, unknown, string]>([
    ["a piece of a post that is no object", "lark", larkPost("a"), "9499"],
    ["a piece of a post that nobody knows", "lark", larkPost({ tag: "blink" }), "9499"],
    ["a link of a post without an address", "lark", larkPost({ tag: "a", text: "a" }), "9499"],
    ["a mention of a post without a name", "lark", larkPost({ tag: "at" }), "9499"],
    ["an element of a card that nobody knows", "lark", larkCard({ tag: "blink" }), "9499"],
    [
      "a piece of rich text that nobody knows",
      "slack",
      slackRich({ type: "blink" }),
      "invalid_blocks",
    ],
    ["a piece of rich text that is no object", "slack", slackRich("a"), "invalid_blocks"],
    [
      "an empty piece of rich text",
      "slack",
      slackRich({ type: "text", text: "" }),
      "invalid_blocks",
    ],
    ["a link without an address", "slack", slackRich({ type: "link" }), "invalid_blocks"],
    ["a user without a name", "slack", slackRich({ type: "user" }), "invalid_blocks"],
    ["a call to nobody", "slack", slackRich({ type: "broadcast" }), "invalid_blocks"],
  ])("%s is refused", async (_, platform, body, code) => {
    const { state, refusal } = await shown(platform, body);
    expect(state).toBe("refused");
    expect(refusal?.code).toBe(code);
  });

  it("stands on the page as a person sees it in the chat", async () => {
    const { sim } = await play();
    const card = larkCard(
      {
        tag: "div",
        text: { tag: "lark_md", content: "**bold** ~~gone~~ <font color='red'>hot</font>" },
      },
      { tag: "hr" },
      {
        tag: "column_set",
        columns: [
          { tag: "column", elements: [{ tag: "markdown", content: "left" }] },
          { tag: "column", elements: [{ tag: "markdown", content: "<at id=all></at>" }] },
        ],
      },
      {
        tag: "action",
        actions: [
          {
            tag: "button",
            text: { tag: "plain_text", content: "Runbook" },
            url: "https://r.example/",
          },
        ],
      },
    );
    await post(`${sim.url}${URLS.lark ?? ""}`, card);
    const { text: page } = await get(`${sim.url}/`);
    for (const piece of [
      "<strong>bold</strong>",
      "<s>gone</s>",
      'class="ink-red"',
      "<hr />",
      'class="columns"',
      '<span class="mention">@all</span>',
      ">Runbook</a",
    ])
      expect(page).toContain(piece);
  });
});
