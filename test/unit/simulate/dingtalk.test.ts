import { describe, expect, it } from "vitest";
import { dingSigned, last, play, post } from "./support.ts";

const text = (content: string, more: object = {}) => ({
  msgtype: "text",
  text: { content },
  ...more,
});
const markdown = (body: string, more: object = {}) => ({
  msgtype: "markdown",
  markdown: { title: "t", text: body },
  ...more,
});
const OK = { errcode: 0, errmsg: "ok" };

describe("what is taken", () => {
  it("answers ok and shows a text", async () => {
    const { sim } = await play();
    const answer = await post(sim.webhook("dingtalk", "ops"), text("第一行\nline two <b>"));
    expect([answer.status, answer.json]).toEqual([200, OK]);
    expect(last(sim)).toMatchObject({
      id: 1,
      at: "2026-11-20T08:00:00.000Z",
      platform: "dingtalk",
      robot: "dingtalk/ops",
      state: "shown",
      refusal: null,
      type: "text",
      title: null,
      text: "第一行\nline two <b>",
      mentionsEveryone: false,
      mentions: [],
      links: [],
    });
  });

  it("reads markdown as a person would", async () => {
    const { sim } = await play();
    await post(
      sim.webhook("dingtalk", "ops"),
      markdown(
        "#### 🟠 BackOff · web\n\n**prod-a** · shop\n\n> \\*not bold\\*\n\n`kubectl get pod`",
      ),
    );
    expect(last(sim)).toMatchObject({
      type: "markdown",
      title: "t",
      text: "🟠 BackOff · web\nprod-a · shop\n*not bold*\nkubectl get pod",
    });
  });

  it.each([
    [
      "link",
      { msgtype: "link", link: { title: "T", text: "body", messageUrl: "https://a.example/1" } },
      ["https://a.example/1"],
    ],
    [
      "actionCard",
      {
        msgtype: "actionCard",
        actionCard: {
          title: "T",
          text: "**b**",
          singleTitle: "Open",
          singleURL: "https://a.example/2",
        },
      },
      ["https://a.example/2"],
    ],
    [
      "actionCard",
      {
        msgtype: "actionCard",
        actionCard: {
          title: "T",
          text: "b",
          btnOrientation: "0",
          btns: [
            { title: "1", actionURL: "https://a.example/3" },
            { title: "2", actionURL: "https://a.example/4" },
          ],
        },
      },
      ["https://a.example/3", "https://a.example/4"],
    ],
    [
      "feedCard",
      {
        msgtype: "feedCard",
        feedCard: { links: [{ title: "T", messageURL: "https://a.example/5", picURL: "" }] },
      },
      ["https://a.example/5"],
    ],
  ])("takes %s", async (type, body, links) => {
    const { sim } = await play();
    expect((await post(sim.webhook("dingtalk", "ops"), body)).json).toEqual(OK);
    expect(last(sim)).toMatchObject({ type, links, title: "T" });
  });
});

describe("what is refused, inside HTTP 200", () => {
  it.each([
    ["no token", "/robot/send", text("x"), 40035],
    ["an empty token", "/robot/send?access_token=", text("x"), 40035],
    ["no JSON", undefined, "{", 40035],
    ["a JSON list", undefined, [], 40035],
    ["no msgtype", undefined, { text: { content: "x" } }, 400105],
    ["an unknown msgtype", undefined, { msgtype: "image", image: {} }, 400105],
    ["no body for its type", undefined, { msgtype: "text" }, 40035],
    ["an empty text", undefined, text(""), 40035],
    ["markdown without title", undefined, { msgtype: "markdown", markdown: { text: "x" } }, 40035],
    ["markdown without text", undefined, { msgtype: "markdown", markdown: { title: "x" } }, 40035],
    ["a link to nowhere", undefined, { msgtype: "link", link: { title: "x", text: "y" } }, 40035],
    [
      "a card without button",
      undefined,
      { msgtype: "actionCard", actionCard: { title: "x", text: "y" } },
      40035,
    ],
    [
      "a button without URL",
      undefined,
      { msgtype: "actionCard", actionCard: { title: "x", text: "y", singleTitle: "z" } },
      40035,
    ],
    ["a feed without links", undefined, { msgtype: "feedCard", feedCard: { links: [] } }, 40035],
  ])("%s", async (_, path, body, errcode) => {
    const { sim } = await play();
    const url = path === undefined ? sim.webhook("dingtalk", "ops") : sim.url + path;
    const answer = await post(url, body);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ errcode });
    expect(last(sim)).toMatchObject({ state: "refused", refusal: { code: String(errcode) } });
  });

  it("a content type that is not JSON", async () => {
    const { sim } = await play();
    const url = sim.webhook("dingtalk", "ops");
    expect((await post(url, text("x"), { "content-type": "text/plain" })).json).toMatchObject({
      errcode: 43004,
    });
    const utf8 = { "content-type": "application/json; charset=utf-8" };
    expect((await post(url, text("x"), utf8)).json).toEqual(OK);
  });

  it("an unknown token, where only configured robots exist", async () => {
    const robots = [{ platform: "dingtalk", token: "ops" }] as const;
    const { sim } = await play({ robots, onlyConfigured: true });
    expect((await post(sim.webhook("dingtalk", "other"), text("x"))).json).toEqual({
      errcode: 300001,
      errmsg: "token is not exist",
    });
    expect((await post(sim.webhook("dingtalk", "ops"), text("x"))).json).toEqual(OK);
  });

  it("more than 20000 bytes, counted in UTF-8", async () => {
    const { sim } = await play();
    const url = sim.webhook("dingtalk", "ops");
    const frame = Buffer.byteLength(JSON.stringify(text("")));
    const fits = text("字".repeat(Math.floor((20_000 - frame) / 3)));
    expect((await post(url, fits)).json).toEqual(OK);
    expect((await post(url, text(`${fits.text.content}字`))).json).toEqual({
      errcode: 460101,
      errmsg: "message too long, exceed 20000 bytes",
    });
  });
});

describe("signature", () => {
  const robots = [{ platform: "dingtalk", token: "ops", secret: "SECabc" }] as const;

  it("passes the right one, in its query escape", async () => {
    const { sim, clock } = await play({ robots });
    const url = sim.webhook("dingtalk", "ops");
    expect((await post(dingSigned(url, "SECabc", clock.now()), text("x"))).json).toEqual(OK);
  });

  it.each([
    ["59 minutes behind", -59, 0],
    ["59 minutes ahead", 59, 0],
    ["61 minutes behind", -61, 310000],
    ["61 minutes ahead", 61, 310000],
  ])("a clock %s", async (_, minutes, errcode) => {
    const { sim, clock } = await play({ robots });
    const at = clock.now() + minutes * 60_000;
    const url = dingSigned(sim.webhook("dingtalk", "ops"), "SECabc", at);
    expect((await post(url, text("x"))).json).toMatchObject({ errcode });
  });

  it.each([
    ["another secret's", (url: string, now: number) => dingSigned(url, "SECother", now)],
    ["none", (url: string) => url],
    ["one without its time", (url: string) => `${url}&sign=abc`],
    [
      "time in seconds",
      (url: string, now: number) => dingSigned(url, "SECabc", Math.floor(now / 1000)),
    ],
    [
      "one whose plus signs were not escaped",
      (url: string, now: number) =>
        dingSigned(url, "SECabc", now).replace(/sign=.*$/, "sign=a+b/c=="),
    ],
  ])("refuses %s", async (_, sign) => {
    const { sim, clock } = await play({ robots });
    const url = sign(sim.webhook("dingtalk", "ops"), clock.now());
    expect((await post(url, text("x"))).json).toMatchObject({ errcode: 310000 });
  });

  it("is not looked at where no secret is set", async () => {
    const { sim } = await play();
    const url = `${sim.webhook("dingtalk", "open")}&timestamp=1&sign=wrong`;
    expect((await post(url, text("x"))).json).toEqual(OK);
  });

  it("follows the platform's own clock", async () => {
    const { sim, clock } = await play({ robots });
    sim.control({ robot: "dingtalk", clockOffsetSeconds: 2 * 3600 });
    const url = dingSigned(sim.webhook("dingtalk", "ops"), "SECabc", clock.now());
    expect((await post(url, text("x"))).json).toMatchObject({ errmsg: "invalid timestamp" });
  });
});

describe("keywords", () => {
  const robots = [{ platform: "dingtalk", token: "ops", keywords: ["告警", "alert"] }] as const;

  it.each([
    [text("有告警"), 0],
    [text("an alert"), 0],
    [text("nothing"), 310000],
    [{ msgtype: "markdown", markdown: { title: "告警", text: "x" } }, 0],
    [markdown("x **告警** y"), 0],
    [markdown("x"), 310000],
  ])("%j gives %i", async (body, errcode) => {
    const { sim } = await play({ robots });
    const answer = await post(sim.webhook("dingtalk", "ops"), body);
    expect(answer.json).toMatchObject({ errcode });
  });
});

describe("rate", () => {
  async function flood(url: string, count: number): Promise<number[]> {
    const codes: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const { json } = await post(url, text(String(index)));
      codes.push((json as { errcode: number }).errcode);
    }
    return codes;
  }

  it("takes 20 in a minute, and 20 more when they have left the window", async () => {
    const { sim, clock } = await play();
    const url = sim.webhook("dingtalk", "ops");
    expect(new Set(await flood(url, 20))).toEqual(new Set([0]));
    await clock.advance(60_000);
    expect(new Set(await flood(url, 20))).toEqual(new Set([0]));
  });

  it("mutes for ten minutes whoever sends a 21st, and says until when", async () => {
    const { sim, clock } = await play();
    const url = sim.webhook("dingtalk", "ops");
    expect((await flood(url, 21)).at(-1)).toBe(130101);
    expect(last(sim).refusal).toEqual({
      code: "130101",
      message: "send too fast, exceed 20 times per minute",
      until: "2026-11-20T08:10:00.000Z",
    });
    await clock.advance(9 * 60_000 + 59_999);
    expect(await flood(url, 1)).toEqual([130101]);
    await clock.advance(1);
    expect(await flood(url, 1)).toEqual([0]);
  });

  it("is each robot's own", async () => {
    const { sim } = await play();
    await flood(sim.webhook("dingtalk", "a"), 21);
    expect(await flood(sim.webhook("dingtalk", "b"), 1)).toEqual([0]);
  });

  it("does not count what was refused for another reason", async () => {
    const { sim } = await play();
    const url = sim.webhook("dingtalk", "ops");
    for (let index = 0; index < 30; index += 1) await post(url, { msgtype: "text" });
    expect(await flood(url, 1)).toEqual([0]);
  });

  it("is forgotten on request", async () => {
    const { sim } = await play();
    const url = sim.webhook("dingtalk", "ops");
    await flood(url, 21);
    sim.control({ robot: "dingtalk/ops", resetLimits: true });
    expect(await flood(url, 1)).toEqual([0]);
  });
});

describe("msgUuid", () => {
  it("answers ok to the same again, without showing it twice", async () => {
    const { sim } = await play();
    const url = sim.webhook("dingtalk", "ops");
    const body = text("once", { msgUuid: "4c2f" });
    expect((await post(url, body)).json).toEqual(OK);
    expect((await post(url, body)).json).toEqual(OK);
    expect(sim.messages().map((message) => message.state)).toEqual(["shown", "duplicate"]);
    expect(sim.messages().map((message) => message.idempotencyKey)).toEqual(["4c2f", "4c2f"]);
  });

  it("tells messages apart that only look the same", async () => {
    const { sim } = await play();
    const url = sim.webhook("dingtalk", "ops");
    for (const msgUuid of ["1", "2"]) await post(url, text("same", { msgUuid }));
    await post(url, text("same"));
    await post(url, text("same"));
    expect(sim.messages().map((message) => message.state)).toEqual(Array(4).fill("shown"));
  });

  it("is not used up by a refused attempt", async () => {
    const { sim } = await play({
      robots: [{ platform: "dingtalk", token: "ops", keywords: ["k"] }],
    });
    const url = sim.webhook("dingtalk", "ops");
    await post(url, text("no", { msgUuid: "1" }));
    await post(url, text("k", { msgUuid: "1" }));
    expect(sim.messages().map((message) => message.state)).toEqual(["refused", "shown"]);
  });
});

describe("who is notified", () => {
  const hostile = '@all @所有人 <!channel> <at user_id="all">x</at> <@all>';

  it.each([
    ["hostile text", text(hostile), false, []],
    ["hostile markdown", markdown(hostile), false, []],
    ["isAtAll", text("x", { at: { isAtAll: true } }), true, []],
    ["isAtAll in markdown", markdown("x", { at: { isAtAll: true } }), true, []],
    ["isAtAll: false", text("x", { at: { isAtAll: false } }), false, []],
    ["mobiles in a text", text("x", { at: { atMobiles: ["138"] } }), false, ["138"]],
    [
      "mobiles written in markdown",
      markdown("@138", { at: { atMobiles: ["138"] } }),
      false,
      ["138"],
    ],
    ["mobiles not written in markdown", markdown("x", { at: { atMobiles: ["138"] } }), false, []],
    ["user ids", markdown("@u1", { at: { atUserIds: ["u1", "u2"] } }), false, ["u1"]],
    [
      "an action card",
      {
        msgtype: "actionCard",
        actionCard: { title: "t", text: "x", singleTitle: "s", singleURL: "https://a.example" },
        at: { isAtAll: true },
      },
      false,
      [],
    ],
  ])("%s", async (_, body, mentionsEveryone, mentions) => {
    const { sim } = await play();
    await post(sim.webhook("dingtalk", "ops"), body);
    expect(last(sim)).toMatchObject({ state: "shown", mentionsEveryone, mentions });
  });
});
