import { describe, expect, it } from "vitest";
import { get, last, play, post } from "./support.ts";

const text = { msgtype: "text", text: { content: "hi" } };
const larkText = { msg_type: "text", content: { text: "hi" } };

describe("a fault", () => {
  it.each([200, 204, 205, 304, 400, 429, 500, 599])("answers with %i as asked", async (status) => {
    const { sim } = await play();
    sim.control({ fault: { kind: "status", status } });
    const answer = await post(sim.webhook("hook", "x"), {});
    expect([answer.status, answer.text]).toEqual([status, ""]);
    expect(last(sim)).toMatchObject({ state: "failed", answer: { status, body: "" } });
  });

  it("lasts for its seconds and its requests, whichever ends first", async () => {
    const { sim, clock } = await play();
    const status = async () => (await post(sim.webhook("dingtalk", "ops"), text)).status;
    sim.control({ fault: { kind: "status", status: 500, requests: 2, seconds: 30 } });
    expect([await status(), await status(), await status()]).toEqual([500, 500, 200]);
    sim.control({ fault: { kind: "status", status: 500, requests: 2, seconds: 30 } });
    expect(await status()).toBe(500);
    await clock.advance(30_000);
    expect(await status()).toBe(200);
  });
});

describe("the platform's clock", () => {
  it("changes what is signed, and not how many were sent in a minute", async () => {
    const { sim, clock } = await play();
    const url = sim.webhook("dingtalk", "ops");
    sim.control({ clockOffsetSeconds: 7200 });
    for (let n = 0; n < 20; n += 1) await post(url, text);
    sim.control({ clockOffsetSeconds: 0 });
    await clock.advance(60_000);
    expect((await post(url, text)).json).toMatchObject({ errcode: 0 });
  });

  it("set back does not empty Slack's bucket", async () => {
    const { sim } = await play();
    const url = sim.webhook("slack", "T0/B0/x");
    await post(url, { text: "one" });
    sim.control({ clockOffsetSeconds: -7200 });
    expect((await post(url, { text: "two" })).text).toBe("ok");
  });

  it("says until when a robot is muted in the time of the page, wherever the platform's stands", async () => {
    const { sim, clock } = await play();
    const start = clock.now();
    sim.control({ clockOffsetSeconds: -3600 });
    for (let n = 0; n < 21; n += 1) await post(sim.webhook("dingtalk", "ops"), text);
    expect(last(sim).refusal?.until).toBe(new Date(start + 600_000).toISOString());
  });

  it.each([1e300, -1e300, 1e13])("cannot be %f s ahead: there is no such time", async (seconds) => {
    const { sim } = await play();
    const answer = await post(`${sim.url}/_control`, { clockOffsetSeconds: seconds });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("clockOffsetSeconds is");
    expect((await post(sim.webhook("slack", "T0/B0/x"), { text: "x" })).status).toBe(200);
  });
});

describe("a token of unusual characters", () => {
  it.each([
    ["dingtalk", text],
    ["wecom", text],
    ["lark", larkText],
    ["hook", {}],
  ] as const)("%s: is the configured robot's own", async (platform, body) => {
    const token = "a b+ü%41/..&?#";
    const { sim } = await play({
      onlyConfigured: true,
      robots: [{ platform, token, name: "ops" }],
    });
    const answer = await post(sim.webhook(platform, token), body);
    expect(answer.status).toBe(200);
    expect(last(sim)).toMatchObject({ robot: `${platform}/${token}`, state: "shown" });
  });

  it("that no escape makes is none", async () => {
    const { sim } = await play();
    const answer = await post(`${sim.url}/open-apis/bot/v2/hook/%E0%A4%A`, larkText);
    expect(answer.json).toMatchObject({ code: 19001 });
    expect((await post(`${sim.url}/hook/%E0%A4%A`, {})).status).toBe(200);
  });
});

describe("GET /messages.json", () => {
  it.each([
    ["?after=soon", 'after is "soon"; expected the id of a message'],
    ["?after=-1", 'after is "-1"; expected the id of a message'],
    ["?state=show", 'state is "show"; expected shown, duplicate, refused or failed'],
    ["?robots=dingtalk/ops", 'unknown parameter "robots"; expected robot, state, after'],
  ])("refuses %s: an empty list would be taken for an answer", async (query, problem) => {
    const { sim } = await play();
    await post(sim.webhook("dingtalk", "ops"), text);
    const answer = await get(`${sim.url}/messages.json${query}`);
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ problems: [problem] });
  });
});

describe("the generic hook", () => {
  it("takes JSON that nests deeper than it can be drawn", async () => {
    const { sim } = await play();
    const body = "[".repeat(200_000) + "]".repeat(200_000);
    expect((await post(sim.webhook("hook", "x"), body)).status).toBe(200);
    expect(last(sim).request.bytes).toBe(400_000);
    expect((await get(sim.url)).status).toBe(200);
  });

  it("takes bytes that are no text, and shows them", async () => {
    const { sim } = await play();
    const answer = await fetch(sim.webhook("hook", "x"), {
      method: "POST",
      body: new Uint8Array([0xff, 0x00, 0xfe, 0x41]),
    });
    expect(answer.status).toBe(200);
    expect(last(sim).request.bytes).toBe(4);
    expect((await get(sim.url)).text).toContain("A");
  });
});
