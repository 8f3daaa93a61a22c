import { describe, expect, it } from "vitest";
import { larkSigned, last, play, post } from "./support.ts";

const text = (content: string) => ({ msg_type: "text", content: { text: content } });
const md = (content: string) => ({ tag: "markdown", content });
const card = (inner: object) => ({ msg_type: "interactive", card: inner });
const v1 = (...elements: object[]) => card({ elements });
const v2 = (...elements: object[]) => card({ schema: "2.0", body: { elements } });
const postOf = (...content: object[][]) => ({
  msg_type: "post",
  content: { post: { zh_cn: { title: "标题", content } } },
});
const OK = { code: 0, msg: "success", data: {}, StatusCode: 0, StatusMessage: "success" };

describe("what is taken", () => {
  it("a text", async () => {
    const { sim } = await play();
    const answer = await post(sim.webhook("lark", "hook-1"), text("你好\n<b>"));
    expect([answer.status, answer.json]).toEqual([200, OK]);
    expect(last(sim)).toMatchObject({
      robot: "lark/hook-1",
      state: "shown",
      type: "text",
      text: "你好\n<b>",
    });
  });

  it("a post, with what its tags mean", async () => {
    const { sim } = await play();
    const body = postOf(
      [
        { tag: "text", text: "see <at id=all> " },
        { tag: "a", text: "here", href: "https://a.example" },
        { tag: "at", user_id: "ou_1" },
      ],
      [{ tag: "code_block", language: "TEXT", text: "line 1\nline 2" }],
      [{ tag: "hr" }],
      [{ tag: "md", text: "**bold** [x](https://b.example)" }],
    );
    expect((await post(sim.webhook("lark", "h"), body)).json).toEqual(OK);
    expect(last(sim)).toMatchObject({
      type: "post",
      title: "标题",
      links: ["https://a.example", "https://b.example"],
      mentions: ["ou_1"],
      mentionsEveryone: false,
    });
    expect(last(sim).text).toContain("line 1\nline 2");
  });

  it("a card of version 1", async () => {
    const { sim } = await play();
    const body = card({
      config: { wide_screen_mode: true },
      header: { template: "red", title: { tag: "plain_text", content: "🔴 Node not ready" } },
      elements: [
        { tag: "div", text: { tag: "lark_md", content: "**prod-a**\nnode-3" } },
        {
          tag: "div",
          fields: [{ is_short: true, text: { tag: "plain_text", content: "3 ×" } }],
        },
        { tag: "hr" },
        md("`kubectl describe node node-3`"),
        {
          tag: "action",
          actions: [
            {
              tag: "button",
              text: { tag: "plain_text", content: "Open" },
              url: "https://a.example/page",
            },
          ],
        },
        { tag: "note", elements: [{ tag: "plain_text", content: "small" }] },
      ],
    });
    expect((await post(sim.webhook("lark", "h"), body)).json).toEqual(OK);
    expect(last(sim)).toMatchObject({
      type: "interactive",
      title: "🔴 Node not ready",
      text: "prod-a\nnode-3\n3 ×\nkubectl describe node node-3\nOpen\nsmall",
      links: ["https://a.example/page"],
    });
  });

  it("a card of version 2, with columns, panel and button", async () => {
    const { sim } = await play();
    const body = v2(
      {
        tag: "column_set",
        columns: [
          { tag: "column", elements: [md("left")] },
          { tag: "column", elements: [md("right")] },
        ],
      },
      { tag: "collapsible_panel", elements: [md("folded")] },
      {
        tag: "button",
        text: { tag: "plain_text", content: "Open" },
        behaviors: [{ type: "open_url", default_url: "https://a.example" }],
      },
    );
    expect((await post(sim.webhook("lark", "h"), body)).json).toEqual(OK);
    expect(last(sim).text).toBe("left\nright\nfolded\nOpen");
    expect(last(sim).links).toEqual(["https://a.example"]);
  });
});

describe("what is refused, inside HTTP 200", () => {
  const title = { tag: "plain_text", content: "x" };

  it.each([
    ["no JSON", "{", "the body is not a JSON object"],
    ["no msg_type", {}, "msg_type is missing"],
    ["an unknown msg_type", { msg_type: "markdown" }, '"markdown" is not one of'],
    ["an empty text", text(""), "content.text is missing"],
    ["a text that is not one", { msg_type: "text", content: { text: 1 } }, "content.text"],
    ["no post", { msg_type: "post", content: {} }, "content.post is missing"],
    ["a post in no language", { msg_type: "post", content: { post: {} } }, "no language"],
    ["a post without lines", postOf({} as never), "not a list of lists"],
    ["an unknown tag of a post", postOf([{ tag: "b", text: "x" }]), 'tag "b"'],
    ["no card", { msg_type: "interactive" }, "card is missing"],
    ["a card as text", { msg_type: "interactive", card: "{}" }, "card is missing"],
    ["a card without elements", card({}), "elements is not a list"],
    ["an unknown schema", card({ schema: "3.0", body: { elements: [] } }), 'schema "3.0"'],
    ["version 2 with elements at its top", card({ schema: "2.0", elements: [] }), "body.elements"],
    ["an unknown tag", v1({ tag: "table2" }), 'tag "table2" is not known'],
    ["a note in version 2", v2({ tag: "note", elements: [title] }), 'tag "note" is not known to'],
    ["a bare button in version 1", v1({ tag: "button", text: title }), 'tag "button" is not known'],
    ["markdown without content", v1({ tag: "markdown" }), "markdown has no content"],
    ["an empty div", v1({ tag: "div" }), "neither text nor fields"],
    ["a text of no kind", v1({ tag: "div", text: { tag: "md", content: "x" } }), "lark_md"],
    ["a text without content", v1({ tag: "div", text: { tag: "lark_md" } }), "no content"],
    ["an action that is no button", v1({ tag: "action", actions: [{ tag: "x" }] }), "not a button"],
    ["no action", v1({ tag: "action", actions: [] }), "no actions"],
    ["a column that is none", v2({ tag: "column_set", columns: [{}] }), "is not a column"],
    ["an element that is none", card({ elements: ["x"] }), "not an object"],
    ["a header of no colour", card({ header: { template: "pink", title }, elements: [] }), "pink"],
    ["a header without title", card({ header: {}, elements: [] }), "header.title"],
    ["201 elements", v1(...Array.from({ length: 201 }, () => md("x"))), "more than 200"],
  ])("%s", async (_, body, problem) => {
    const { sim } = await play();
    const answer = await post(sim.webhook("lark", "h"), body);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ code: 9499, msg: expect.stringContaining(problem) });
    expect(last(sim)).toMatchObject({ state: "refused", refusal: { code: "9499" } });
  });

  it("more than 20 KB", async () => {
    const { sim } = await play();
    const url = sim.webhook("lark", "h");
    const frame = JSON.stringify(text("")).length;
    expect((await post(url, text("x".repeat(20_480 - frame)))).json).toEqual(OK);
    expect((await post(url, text("x".repeat(20_481 - frame)))).json).toMatchObject({ code: 19036 });
  });

  it("a hook nobody made, where only configured robots exist", async () => {
    const { sim } = await play({ onlyConfigured: true });
    expect((await post(sim.webhook("lark", "h"), text("x"))).json).toMatchObject({ code: 19001 });
  });

  it("a path that names no hook", async () => {
    const { sim } = await play();
    const answer = await post(`${sim.url}/open-apis/bot/v2/hook/`, text("x"));
    expect(answer.json).toMatchObject({ code: 19001 });
    expect(sim.state().robots).toEqual([]);
  });
});

describe("signature", () => {
  const robots = [{ platform: "lark", token: "h", secret: "s3cret" }] as const;

  it("passes the documented one", async () => {
    const { sim, clock } = await play({ robots });
    const body = larkSigned(text("x"), "s3cret", clock.now());
    expect((await post(sim.webhook("lark", "h"), body)).json).toEqual(OK);
  });

  it("takes the time as a number too", async () => {
    const { sim, clock } = await play({ robots });
    const body = larkSigned(text("x"), "s3cret", clock.now()) as { timestamp: string };
    const numeric = { ...body, timestamp: Number(body.timestamp) };
    expect((await post(sim.webhook("lark", "h"), numeric)).json).toEqual(OK);
  });

  it.each([
    ["an hour behind", (now: number) => larkSigned(text("x"), "s3cret", now - 3_601_000)],
    ["an hour ahead", (now: number) => larkSigned(text("x"), "s3cret", now + 3_601_000)],
    ["with another secret", (now: number) => larkSigned(text("x"), "other", now)],
    ["without", () => text("x")],
    [
      "in milliseconds",
      (now: number) => ({ ...larkSigned(text("x"), "s3cret", now), timestamp: String(now) }),
    ],
  ])("refuses one %s", async (_, make) => {
    const { sim, clock } = await play({ robots });
    const answer = await post(sim.webhook("lark", "h"), make(clock.now()));
    expect(answer.json).toMatchObject({
      code: 19021,
      msg: "sign match fail or timestamp is not within one hour from current time",
    });
  });
});

describe("keywords", () => {
  it.each([
    [text("有告警"), 0],
    [text("none"), 19024],
    [card({ header: { title: { tag: "plain_text", content: "告警" } }, elements: [] }), 0],
    [v2(md("**告警**")), 0],
    [v2(md("none")), 19024],
  ])("%j gives %i", async (body, code) => {
    const robots = [{ platform: "lark", token: "h", keywords: ["告警"] }] as const;
    const { sim } = await play({ robots });
    expect((await post(sim.webhook("lark", "h"), body)).json).toMatchObject({ code });
  });
});

describe("rate", () => {
  it("takes five a second, then waits for the window without muting", async () => {
    const { sim, clock } = await play();
    const url = sim.webhook("lark", "h");
    for (let index = 0; index < 5; index += 1)
      expect((await post(url, text("x"))).json).toEqual(OK);
    await clock.advance(400);
    expect((await post(url, text("x"))).json).toMatchObject({ code: 11232 });
    expect(last(sim).refusal?.until).toBe("2026-11-20T08:00:01.000Z");
    await clock.advance(600);
    expect((await post(url, text("x"))).json).toEqual(OK);
  });

  it("takes a hundred a minute", async () => {
    const { sim, clock } = await play();
    const url = sim.webhook("lark", "h");
    for (let index = 0; index < 100; index += 1) {
      expect((await post(url, text("x"))).json).toEqual(OK);
      await clock.advance(250);
    }
    expect((await post(url, text("x"))).json).toMatchObject({ code: 11232 });
    expect(last(sim).refusal?.until).toBe("2026-11-20T08:01:00.000Z");
    await clock.advance(35_000);
    expect((await post(url, text("x"))).json).toEqual(OK);
  });
});

describe("who is notified", () => {
  it.each([
    ["everyone by text", text('<at user_id="all">everyone</at>'), true, []],
    ["one by text", text('<at user_id="ou_1">Li</at> hi'), false, ["ou_1"]],
    ["nobody by other platforms' marks", text("@all @所有人 <!channel> <@all>"), false, []],
    [
      "everyone by lark_md",
      v1({ tag: "div", text: { tag: "lark_md", content: "<at id=all></at>" } }),
      true,
      [],
    ],
    ["everyone by markdown", v2(md("x <at id='all'></at>")), true, []],
    ["several by ids", v2(md("<at ids=ou_1,ou_2></at>")), false, ["ou_1", "ou_2"]],
    ["one by mail", v2(md("<at email=a@b.example></at>")), false, ["a@b.example"]],
    [
      "nobody by plain_text",
      v1({ tag: "div", text: { tag: "plain_text", content: "<at id=all></at>" } }),
      false,
      [],
    ],
    ["nobody by entities", v2(md("&lt;at id=all&gt;&lt;/at&gt; &#60;at id=all&#62;")), false, []],
    ["whoever stands in code, to be safe", v2(md("`<at id=all></at>`")), true, []],
    ["everyone by a post", postOf([{ tag: "at", user_id: "all" }]), true, []],
    ["nobody by a post's text", postOf([{ tag: "text", text: "<at id=all></at>" }]), false, []],
  ])("%s", async (_, body, mentionsEveryone, mentions) => {
    const { sim } = await play();
    await post(sim.webhook("lark", "h"), body);
    expect(last(sim)).toMatchObject({ state: "shown", mentionsEveryone, mentions });
  });
});
