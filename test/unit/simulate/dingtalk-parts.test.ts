import { describe, expect, it } from "vitest";
import { last, play, post } from "./support.ts";

const OK = { errcode: 0, errmsg: "ok" };
const URL = "https://a.example/1";
const XY = { title: "x", text: "y" };
const BUTTON = { title: "z", actionURL: URL };
const LINK = { title: "z", messageURL: URL };

const text = (content: string, at?: unknown) => ({ msgtype: "text", text: { content }, at });
const markdown = (body: string, at: unknown) => ({
  msgtype: "markdown",
  markdown: { title: "t", text: body },
  at,
});
const card = (actionCard: object, at?: unknown) => ({ msgtype: "actionCard", actionCard, at });
const feed = (...links: readonly unknown[]) => ({ msgtype: "feedCard", feedCard: { links } });

describe("a card or a feed that lacks something", () => {
  it.each([
    ["a title", card({ text: "y" }), "actionCard.title"],
    ["a text", card({ title: "x" }), "actionCard.text"],
    ["a button", card(XY), "actionCard.singleTitle or btns"],
    ["its only button's address", card({ ...XY, singleTitle: "z" }), "actionCard.singleURL"],
    ["a button's label", card({ ...XY, btns: [{ actionURL: URL }] }), "btns[].title, actionURL"],
    ["one button's address", card({ ...XY, btns: [BUTTON, { title: "z" }] }), "btns[].title"],
    ["buttons that are objects", card({ ...XY, btns: ["z", 1, null] }), "singleTitle or btns"],
    ["links", feed(), "feedCard.links"],
    ["links that are objects", feed("z", null), "feedCard.links"],
    ["a link's address", feed({ title: "z" }), "feedCard.links[].title, messageURL"],
    ["a link's title", feed({ messageURL: URL }), "feedCard.links[].title, messageURL"],
    ["all of one link", feed(LINK, {}), "feedCard.links[].title, messageURL"],
  ])("is refused for %s, which is named", async (_, body, missing) => {
    const { sim } = await play();
    const { status, json } = await post(sim.webhook("dingtalk", "ops"), body);
    expect(status).toBe(200);
    expect(json).toMatchObject({ errcode: 40035 });
    expect((json as { errmsg: string }).errmsg).toContain(missing);
    expect(last(sim)).toMatchObject({ state: "refused" });
  });
});

describe("who is called", () => {
  it.each([
    ["everybody", text("x", { isAtAll: true }), true, []],
    ["everybody, said as a text", text("x", { isAtAll: "true" }), true, []],
    ["nobody by another word", text("x", { isAtAll: "yes" }), false, []],
    ["nobody by what the text says", text("@all @13800000000 @所有人"), false, []],
    [
      "each of the lists",
      text("x", { atMobiles: ["1", "2"], atUserIds: ["3"] }),
      false,
      ["1", "2", "3"],
    ],
    [
      "once who is named twice",
      text("x", { atMobiles: ["1", "1"], atUserIds: ["1"] }),
      false,
      ["1"],
    ],
    ["in Markdown whom it names", markdown("@1 x", { atMobiles: ["1", "2"] }), false, ["1"]],
    ["nobody of what is no list", text("x", { atMobiles: "1", atUserIds: 3 }), false, []],
    ["nobody where `at` is a text", text("x", "all"), false, []],
    ["nobody beside a card", card({ ...XY, btns: [BUTTON] }, { isAtAll: true }), false, []],
  ])("is %s", async (_, body, mentionsEveryone, mentions) => {
    const { sim } = await play();
    expect((await post(sim.webhook("dingtalk", "ops"), body)).json).toEqual(OK);
    expect(last(sim)).toMatchObject({ mentionsEveryone, mentions });
  });
});
