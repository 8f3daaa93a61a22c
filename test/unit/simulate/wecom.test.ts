import { describe, expect, it } from "vitest";
import { last, play, post } from "./support.ts";

const text = (content: string, more: object = {}) => ({
  msgtype: "text",
  text: { content, ...more },
});
const markdown = (content: string) => ({ msgtype: "markdown", markdown: { content } });
const OK = { errcode: 0, errmsg: "ok" };

describe("what is taken", () => {
  it("a text", async () => {
    const { sim } = await play();
    const answer = await post(sim.webhook("wecom", "k1"), text("第一行\n<b>"));
    expect([answer.status, answer.json]).toEqual([200, OK]);
    expect(last(sim)).toMatchObject({ robot: "wecom/k1", type: "text", text: "第一行\n<b>" });
  });

  it("markdown of its small kind: headings, bold, quotes, code, links, colours", async () => {
    const { sim } = await play();
    const body =
      '#### Title\n**bold** and *not*\n> quoted\n<font color="warning">warm</font> `code` [l](https://a.example)';
    await post(sim.webhook("wecom", "k"), markdown(body));
    expect(last(sim)).toMatchObject({
      text: "Title\nbold and *not*\nquoted\nwarm code l",
      links: ["https://a.example"],
    });
  });

  it("keeps the lines of markdown apart, and knows neither escapes nor entities", async () => {
    const { sim } = await play();
    await post(sim.webhook("wecom", "k"), markdown("one\ntwo \\* &lt;"));
    expect(last(sim).text).toBe("one\ntwo \\* &lt;");
  });

  it("markdown_v2 and news", async () => {
    const { sim } = await play();
    const url = sim.webhook("wecom", "k");
    const v2 = { msgtype: "markdown_v2", markdown_v2: { content: "- a\n- *b*" } };
    expect((await post(url, v2)).json).toEqual(OK);
    expect(last(sim).text).toBe("a\nb");
    const news = {
      msgtype: "news",
      news: { articles: [{ title: "T", url: "https://a.example" }] },
    };
    expect((await post(url, news)).json).toEqual(OK);
    expect(last(sim)).toMatchObject({ title: "T", links: ["https://a.example"] });
  });
});

describe("what is refused, inside HTTP 200", () => {
  it.each([
    ["no key", "/cgi-bin/webhook/send", text("x"), 93000],
    ["no JSON", undefined, "nonsense", 47001],
    ["an unknown type", undefined, { msgtype: "card" }, 40008],
    ["no type", undefined, { text: { content: "x" } }, 40008],
    ["an empty text", undefined, text(""), 44004],
    ["no content", undefined, { msgtype: "markdown" }, 44004],
    ["no article", undefined, { msgtype: "news", news: { articles: [] } }, 40058],
    [
      "an article without url",
      undefined,
      { msgtype: "news", news: { articles: [{ title: "x" }] } },
      40058,
    ],
    ["a text of 2049 bytes", undefined, text("x".repeat(2049)), 40058],
    ["a text of 683 Chinese characters", undefined, text("字".repeat(683)), 40058],
    ["markdown of 4097 bytes", undefined, markdown("x".repeat(4097)), 40058],
  ])("%s", async (_, path, body, errcode) => {
    const { sim } = await play();
    const answer = await post(
      path === undefined ? sim.webhook("wecom", "k") : sim.url + path,
      body,
    );
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ errcode });
    expect(last(sim)).toMatchObject({ state: "refused", refusal: { code: String(errcode) } });
  });

  it("says by how much a message is too long", async () => {
    const { sim } = await play();
    const answer = await post(sim.webhook("wecom", "k"), markdown("字".repeat(1366)));
    expect(answer.json).toEqual({
      errcode: 40058,
      errmsg: "markdown.content exceed max length 4096",
    });
  });

  it.each([text("x".repeat(2048)), text("字".repeat(682)), markdown("x".repeat(4096))])(
    "but not what just fits",
    async (body) => {
      const { sim } = await play();
      expect((await post(sim.webhook("wecom", "k"), body)).json).toEqual(OK);
    },
  );

  it("an unknown key, where only configured robots exist", async () => {
    const { sim } = await play({ onlyConfigured: true });
    const answer = await post(sim.webhook("wecom", "k"), text("x"));
    expect(answer.json).toEqual({ errcode: 93000, errmsg: "invalid webhook url" });
  });
});

describe("rate", () => {
  it("takes 20 a minute and the 21st when the first has left the window", async () => {
    const { sim, clock } = await play();
    const url = sim.webhook("wecom", "k");
    await post(url, text("x"));
    await clock.advance(30_000);
    for (let index = 0; index < 19; index += 1) await post(url, text("x"));
    expect((await post(url, text("x"))).json).toEqual({
      errcode: 45009,
      errmsg: "api freq out of limit",
    });
    expect(last(sim).refusal?.until).toBe("2026-11-20T08:01:00.000Z");
    await clock.advance(30_000);
    expect((await post(url, text("x"))).json).toEqual(OK);
  });
});

describe("who is notified", () => {
  it.each([
    ["by list", text("x", { mentioned_list: ["u1", "@all"] }), true, ["u1"]],
    ["by mobile", text("x", { mentioned_mobile_list: ["138"] }), false, ["138"]],
    ["everyone by mobile", text("x", { mentioned_mobile_list: ["@all"] }), true, []],
    ["nobody by @all in a text", text("@all @所有人 <!channel>"), false, []],
    ["everyone by <@all> in a text", text("<@all>"), true, []],
    ["one by markdown", markdown("<@u1> look"), false, ["u1"]],
    ["everyone by markdown", markdown("<@all>"), true, []],
    ["whoever stands in code, to be safe", markdown("`<@all>`"), true, []],
    [
      "nobody by markdown_v2",
      { msgtype: "markdown_v2", markdown_v2: { content: "<@all>" } },
      false,
      [],
    ],
    ["nobody by Lark's mark", markdown('<at user_id="all">x</at>'), false, []],
  ])("%s", async (_, body, mentionsEveryone, mentions) => {
    const { sim } = await play();
    await post(sim.webhook("wecom", "k"), body);
    expect(last(sim)).toMatchObject({ state: "shown", mentionsEveryone, mentions });
  });
});
