import { describe, expect, it } from "vitest";
import { last, play, post } from "./support.ts";

const plain = (text: string) => ({ type: "plain_text", text });
const mrkdwn = (text: string) => ({ type: "mrkdwn", text });
const header = (text: string) => ({ type: "header", text: plain(text) });
const section = (text: string) => ({ type: "section", text: mrkdwn(text) });
const context = (...texts: string[]) => ({ type: "context", elements: texts.map(mrkdwn) });
const preformatted = (text: string) => ({
  type: "rich_text",
  elements: [{ type: "rich_text_preformatted", elements: [{ type: "text", text }] }],
});
const button = (text: string, url: string) => ({ type: "button", text: plain(text), url });
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

describe("incoming webhook", () => {
  it("answers plain ok and shows a text", async () => {
    const { sim } = await play();
    const answer = await post(sim.webhook("slack", "T0/B0/X0"), { text: "*hi* &lt;b&gt; &amp;" });
    expect([answer.status, answer.text]).toEqual([200, "ok"]);
    expect(answer.headers.get("content-type")).toBe("text/plain");
    expect(last(sim)).toMatchObject({
      robot: "slack/T0/B0/X0",
      type: "text",
      title: null,
      text: "hi <b> &",
    });
  });

  it("takes the payload of a form", async () => {
    const { sim } = await play();
    const form = new URLSearchParams({ payload: JSON.stringify({ text: "from a form" }) });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const answer = await post(sim.webhook("slack", "T0/B0/X0"), form.toString(), headers);
    expect(answer.text).toBe("ok");
    expect(last(sim).text).toBe("from a form");
  });

  it("shows blocks instead of the text, which is the notification's", async () => {
    const { sim } = await play();
    const blocks = [
      header("🟠 Back-off · web"),
      context("prod-a · shop", "12 ×"),
      preformatted("Back-off <restarting>\nline two"),
      { type: "divider" },
      { type: "section", fields: [mrkdwn("*a*"), plain("b")] },
      { type: "actions", elements: [button("Open", "https://a.example")] },
      { type: "markdown", text: "**m**" },
    ];
    await post(sim.webhook("slack", "T0/B0/X0"), { text: "Back-off", blocks });
    expect(last(sim)).toMatchObject({
      state: "shown",
      type: "blocks",
      title: "Back-off",
      text: "🟠 Back-off · web\nprod-a · shop\n12 ×\nBack-off <restarting>\nline two\na\nb\nOpen\nm",
      links: ["https://a.example"],
    });
  });

  it("takes attachments, with their colour", async () => {
    const { sim } = await play();
    const attachments = [{ color: "#d92d20", blocks: [section("in colour")] }];
    await post(sim.webhook("slack", "T0/B0/X0"), { text: "t", attachments });
    expect(last(sim)).toMatchObject({ type: "blocks", text: "in colour", accent: "#d92d20" });
    await post(sim.webhook("slack", "T0/B0/X0"), {
      attachments: [{ title: "Old", text: "_way_", color: "danger" }],
    });
    expect(last(sim)).toMatchObject({ text: "Old\nway", accent: null });
  });

  it.each([
    ["no JSON", "{", 400, "invalid_payload"],
    ["a list", [], 400, "invalid_payload"],
    ["nothing to show", {}, 400, "no_text"],
    ["an empty text", { text: "" }, 400, "no_text"],
    ["a text too long", { text: "x".repeat(40_001) }, 400, "msg_too_long"],
    ["an unknown block", { text: "t", blocks: [{ type: "banner" }] }, 400, "invalid_blocks"],
  ])("refuses %s in words", async (_, body, status, word) => {
    const { sim } = await play();
    const answer = await post(sim.webhook("slack", "T0/B0/X0"), body);
    expect([answer.status, answer.text]).toEqual([status, word]);
    expect(last(sim)).toMatchObject({ state: "refused", refusal: { code: word } });
  });

  it("does not know a hook nobody made", async () => {
    const { sim } = await play({ onlyConfigured: true });
    const answer = await post(sim.webhook("slack", "T0/B0/X0"), { text: "x" });
    expect([answer.status, answer.text]).toEqual([404, "no_service"]);
    expect((await post(`${sim.url}/services/T0`, { text: "x" })).text).toBe("no_service");
  });
});

describe("blocks", () => {
  it.each([
    ["50 blocks", many(50, section("x")), "ok"],
    ["51 blocks", many(51, section("x")), "invalid_blocks"],
    ["a header of 150", [header("x".repeat(150))], "ok"],
    ["a header of 150 emoji", [header("🟠".repeat(150))], "ok"],
    ["a header of 151", [header("x".repeat(151))], "invalid_blocks"],
    ["a header in mrkdwn", [{ type: "header", text: mrkdwn("x") }], "invalid_blocks"],
    ["a section of 3000", [section("x".repeat(3000))], "ok"],
    ["a section of 3001", [section("x".repeat(3001))], "invalid_blocks"],
    ["a section without text", [{ type: "section" }], "invalid_blocks"],
    ["an empty section", [section("")], "invalid_blocks"],
    ["11 fields", [{ type: "section", fields: many(11, plain("x")) }], "invalid_blocks"],
    ["a field of 2001", [{ type: "section", fields: [plain("x".repeat(2001))] }], "invalid_blocks"],
    ["a text of no type", [{ type: "section", text: { type: "md", text: "x" } }], "invalid_blocks"],
    ["an empty context", [context()], "invalid_blocks"],
    ["11 in a context", [context(...many(11, "x"))], "invalid_blocks"],
    ["13200 in all", many(5, section("x".repeat(2640))), "ok"],
    ["13201 in all", [...many(5, section("x".repeat(2640))), section("x")], "msg_blocks_too_long"],
    ["markdown of 12001", [{ type: "markdown", text: "x".repeat(12_001) }], "invalid_blocks"],
    ["no rich text", [{ type: "rich_text", elements: [] }], "invalid_blocks"],
    ["an empty rich text", [preformatted("")], "invalid_blocks"],
    ["an unknown rich text", [{ type: "rich_text", elements: [{ type: "x" }] }], "invalid_blocks"],
    ["no actions", [{ type: "actions", elements: [] }], "invalid_blocks"],
    [
      "a button of 76",
      [{ type: "actions", elements: [button("x".repeat(76), "https://a.example")] }],
      "invalid_blocks",
    ],
    [
      "an action that is no button",
      [{ type: "actions", elements: [{ type: "x" }] }],
      "invalid_blocks",
    ],
    ["a block that is none", ["x"], "invalid_blocks"],
    ["a block_id of 256", [{ ...section("x"), block_id: "x".repeat(256) }], "invalid_blocks"],
  ])("%s", async (_, blocks, word) => {
    const { sim } = await play();
    expect((await post(sim.webhook("slack", "T0/B0/X0"), { text: "t", blocks })).text).toBe(word);
  });

  it("counts the blocks of attachments too", async () => {
    const { sim } = await play();
    const blocks = many(4, section("x".repeat(3000)));
    const attachments = [{ blocks: [section("x".repeat(1201))] }];
    const answer = await post(sim.webhook("slack", "T0/B0/X0"), { text: "t", blocks, attachments });
    expect(answer.text).toBe("msg_blocks_too_long");
  });
});

describe("chat.postMessage", () => {
  const auth = { authorization: "Bearer xoxb-1" };

  it("answers with channel and ts", async () => {
    const { sim } = await play();
    const url = `${sim.url}/api/chat.postMessage`;
    const answer = await post(url, { channel: "C1", text: "hi" }, auth);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ ok: true, channel: "C1", ts: "1795161600.000000" });
    expect(last(sim)).toMatchObject({ robot: "slack/C1", state: "shown", text: "hi" });
  });

  it.each([
    ["no token", { channel: "C1", text: "x" }, {}, "not_authed"],
    ["another token", { channel: "C1", text: "x" }, { authorization: "Bearer no" }, "invalid_auth"],
    ["no channel", { text: "x" }, auth, "channel_not_found"],
    ["another channel", { channel: "C2", text: "x" }, auth, "channel_not_found"],
    ["nothing to show", { channel: "C1" }, auth, "no_text"],
    ["a bad block", { channel: "C1", blocks: [{}] }, auth, "invalid_blocks"],
  ])("refuses %s inside HTTP 200", async (_, body, headers, error) => {
    const robots = [{ platform: "slack", token: "C1", secret: "xoxb-1" }] as const;
    const { sim } = await play({ robots, onlyConfigured: true });
    const answer = await post(`${sim.url}/api/chat.postMessage`, body, headers);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ ok: false, error });
  });
});

describe("rate", () => {
  it("lets a short burst pass, then one a second, and says how long to wait", async () => {
    const { sim, clock } = await play();
    const url = sim.webhook("slack", "T0/B0/X0");
    for (let index = 0; index < 4; index += 1)
      expect((await post(url, { text: "x" })).text).toBe("ok");
    const answer = await post(url, { text: "x" });
    expect([answer.status, answer.text, answer.headers.get("retry-after")]).toEqual([
      429,
      "rate_limited",
      "1",
    ]);
    expect(last(sim).refusal?.until).toBe("2026-11-20T08:00:01.000Z");
    await clock.advance(1000);
    expect((await post(url, { text: "x" })).text).toBe("ok");
    expect((await post(url, { text: "x" })).status).toBe(429);
  });

  it("never stops one a second", async () => {
    const { sim, clock } = await play();
    for (let index = 0; index < 30; index += 1) {
      expect((await post(sim.webhook("slack", "T0/B0/X0"), { text: "x" })).text).toBe("ok");
      await clock.advance(1000);
    }
  });

  it("is each channel's own, and 429 with ratelimited in the API", async () => {
    const { sim } = await play();
    const auth = { authorization: "Bearer x" };
    const send = (channel: string) =>
      post(`${sim.url}/api/chat.postMessage`, { channel, text: "x" }, auth);
    for (let index = 0; index < 4; index += 1) await send("C1");
    const answer = await send("C1");
    expect(answer.status).toBe(429);
    expect(answer.json).toEqual({ ok: false, error: "ratelimited" });
    expect(answer.headers.get("retry-after")).toBe("1");
    expect((await send("C2")).status).toBe(200);
  });
});

describe("who is notified", () => {
  const rich = (piece: object) => [
    { type: "rich_text", elements: [{ type: "rich_text_section", elements: [piece] }] },
  ];

  it.each([
    ["<!channel>", { text: "<!channel> x" }, true, []],
    ["<!here|here>", { text: "<!here|here>" }, true, []],
    ["<!everyone> in a section", { text: "t", blocks: [section("<!everyone>")] }, true, []],
    [
      "<!channel> in the notification's text",
      { text: "<!channel>", blocks: [section("x")] },
      true,
      [],
    ],
    ["<!channel> in an attachment", { attachments: [{ text: "<!channel>" }] }, true, []],
    ["a user and a group", { text: "<@U1> <!subteam^S1|@ops>" }, false, ["U1", "subteam^S1"]],
    ["escaped", { text: "&lt;!channel&gt;" }, false, []],
    ["plain_text", { text: "t", blocks: [header("<!channel>")] }, false, []],
    ["rich text", { text: "t", blocks: [preformatted("<!channel> <@U1>")] }, false, []],
    [
      "a broadcast in rich text",
      { text: "t", blocks: rich({ type: "broadcast", range: "here" }) },
      true,
      [],
    ],
    [
      "a user in rich text",
      { text: "t", blocks: rich({ type: "user", user_id: "U9" }) },
      false,
      ["U9"],
    ],
    ["other platforms' marks", { text: "@all @channel <at id=all>" }, false, []],
    ["a date", { text: "<!date^1795161600^{date}|today>" }, false, []],
  ])("%s", async (_, body, mentionsEveryone, mentions) => {
    const { sim } = await play();
    await post(sim.webhook("slack", "T0/B0/X0"), body);
    expect(last(sim)).toMatchObject({ state: "shown", mentionsEveryone, mentions });
  });
});

describe("rich text", () => {
  it("draws sections, quotes, lists and pieces", async () => {
    const { sim } = await play();
    const blocks = [
      {
        type: "rich_text",
        elements: [
          {
            type: "rich_text_section",
            elements: [
              { type: "text", text: "a", style: { bold: true } },
              { type: "text", text: "b", style: { code: true } },
              { type: "emoji", name: "fire" },
            ],
          },
          { type: "rich_text_quote", elements: [{ type: "text", text: "q\nr" }] },
          {
            type: "rich_text_list",
            style: "ordered",
            elements: [
              {
                type: "rich_text_section",
                elements: [{ type: "link", url: "https://a.example", text: "l" }],
              },
            ],
          },
        ],
      },
    ];
    await post(sim.webhook("slack", "T0/B0/X0"), { text: "t", blocks });
    expect(last(sim)).toMatchObject({ text: "ab:fire:\nq\nr\nl", links: ["https://a.example"] });
  });
});
