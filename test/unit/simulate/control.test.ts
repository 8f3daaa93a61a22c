import { describe, expect, it } from "vitest";
import { settle } from "../../support/clock.ts";
import { dingSigned, get, last, play, post, type Played } from "./support.ts";

const text = { msgtype: "text", text: { content: "hi" } };

function send({ sim }: Played, token = "ops"): Promise<number | string> {
  return post(sim.webhook("dingtalk", token), text).then(
    (answer) => answer.status,
    () => "cut",
  );
}

describe("faults", () => {
  it("answers with a status for so many requests, then as usual", async () => {
    const played = await play();
    played.sim.control({
      robot: "dingtalk/ops",
      fault: { kind: "status", status: 503, body: "down", requests: 2 },
    });
    const url = played.sim.webhook("dingtalk", "ops");
    const answer = await post(url, text);
    expect([answer.status, answer.text]).toEqual([503, "down"]);
    expect([await send(played), await send(played)]).toEqual([503, 200]);
    expect(played.sim.messages().map((message) => message.state)).toEqual([
      "failed",
      "failed",
      "shown",
    ]);
    expect(played.sim.state().faults).toEqual([]);
  });

  it("lasts so many seconds", async () => {
    const played = await play();
    played.sim.control({ fault: { kind: "status", status: 500, seconds: 30 } });
    expect(await send(played)).toBe(500);
    await played.clock.advance(29_999);
    expect(await send(played)).toBe(500);
    await played.clock.advance(1);
    expect(await send(played)).toBe(200);
  });

  it("lasts until it is taken back", async () => {
    const played = await play();
    played.sim.control({ fault: { kind: "status", status: 502 } });
    for (let index = 0; index < 30; index += 1) expect(await send(played)).toBe(502);
    played.sim.control({ fault: null });
    expect(await send(played)).toBe(200);
  });

  it("plays a platform's own busy code inside HTTP 200", async () => {
    const { sim } = await play();
    const body = '{"errcode":-1,"errmsg":"system busy"}';
    sim.control({ robot: "dingtalk", fault: { kind: "status", status: 200, body, requests: 1 } });
    expect((await post(sim.webhook("dingtalk", "ops"), text)).json).toEqual(JSON.parse(body));
    expect(last(sim).state).toBe("failed");
  });

  it("resets the connection without taking the message", async () => {
    const played = await play();
    played.sim.control({ fault: { kind: "reset", requests: 1 } });
    expect(await send(played)).toBe("cut");
    expect(last(played.sim)).toMatchObject({ state: "failed", refusal: { code: "reset" } });
    expect(await send(played)).toBe(200);
  });

  it("loses the answer of a message it took: the same key again is not shown twice", async () => {
    const { sim } = await play();
    sim.control({ fault: { kind: "lost", requests: 1 } });
    const url = sim.webhook("dingtalk", "ops");
    const body = { ...text, msgUuid: "u1" };
    await expect(post(url, body)).rejects.toThrow("fetch failed");
    expect((await post(url, body)).json).toEqual({ errcode: 0, errmsg: "ok" });
    expect(sim.messages().map((message) => message.state)).toEqual(["shown", "duplicate"]);
  });

  it("hangs, then cuts the connection when its time is over", async () => {
    const played = await play();
    played.sim.control({ fault: { kind: "hang", seconds: 60 } });
    const arrived = Promise.withResolvers<void>();
    played.sim.subscribe(() => arrived.resolve());
    const answer = send(played);
    await arrived.promise;
    await settle();
    expect(played.clock.sleeping).toBe(1);
    await played.clock.advance(60_000);
    expect(await answer).toBe("cut");
    expect(await send(played)).toBe(200);
  });

  it("lets go of what hangs when the client gives up, or the simulator closes", async () => {
    const played = await play();
    played.sim.control({ fault: { kind: "hang" } });
    const arrived = Promise.withResolvers<void>();
    played.sim.subscribe(() => arrived.resolve());
    const answer = send(played);
    await arrived.promise;
    await played.sim.close();
    expect(await answer).toBe("cut");
  });

  it("meets the narrowest target first: robot, platform, all", async () => {
    const played = await play();
    played.sim.control({ fault: { kind: "status", status: 500 } });
    played.sim.control({ robot: "dingtalk", fault: { kind: "status", status: 502 } });
    played.sim.control({ robot: "dingtalk/ops", fault: { kind: "status", status: 503 } });
    expect(await send(played)).toBe(503);
    expect(await send(played, "other")).toBe(502);
    expect((await post(played.sim.webhook("lark", "x"), {})).status).toBe(500);
    expect((await post(played.sim.webhook("hook", "x"), {})).status).toBe(500);
  });
});

describe("settings", () => {
  it("asks a robot for a signature, and no more", async () => {
    const { sim, clock } = await play();
    const url = sim.webhook("dingtalk", "ops");
    sim.control({ robot: "dingtalk/ops", secret: "SEC" });
    expect((await post(url, text)).json).toMatchObject({ errcode: 310000 });
    expect((await post(dingSigned(url, "SEC", clock.now()), text)).json).toMatchObject({
      errcode: 0,
    });
    sim.control({ robot: "dingtalk/ops", keywords: ["k"] });
    expect((await post(url, text)).json).toMatchObject({ errmsg: "invalid timestamp" });
    sim.control({ robot: "dingtalk/ops", secret: null, keywords: [] });
    expect((await post(url, text)).json).toMatchObject({ errcode: 0 });
  });

  it("creates the robot it names", async () => {
    const { sim } = await play({ onlyConfigured: true });
    sim.control({ robot: "lark/new", name: "新群" });
    expect(sim.state().robots).toEqual([
      {
        robot: "lark/new",
        platform: "lark",
        name: "新群",
        signed: false,
        keywords: [],
        counts: { shown: 0, duplicate: 0, refused: 0, failed: 0 },
      },
    ]);
    const body = { msg_type: "text", content: { text: "x" } };
    expect((await post(sim.webhook("lark", "new"), body)).json).toMatchObject({ code: 0 });
  });

  it("forgets the messages, not the counts", async () => {
    const played = await play();
    await send(played);
    played.sim.control({ clear: true });
    expect(played.sim.messages()).toEqual([]);
    expect(played.sim.state().robots[0]?.counts.shown).toBe(1);
    await send(played);
    expect(last(played.sim).id).toBe(2);
  });

  it("throws on what it does not understand", async () => {
    const { sim } = await play();
    expect(() => sim.control({ robot: "teams/x" })).toThrow(
      'simulator: robot is "teams/x"; expected PLATFORM/TOKEN or PLATFORM of dingtalk, lark, wecom, slack, hook',
    );
  });
});

describe("POST /_control", () => {
  it("does the same, and answers with the state, without secrets", async () => {
    const { sim } = await play();
    const answer = await post(`${sim.url}/_control`, {
      robot: "dingtalk/ops",
      secret: "SECvery",
      fault: { kind: "hang", seconds: 5 },
    });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      robots: [{ robot: "dingtalk/ops", signed: true }],
      faults: [{ target: "dingtalk/ops", fault: { kind: "hang", seconds: 5 } }],
    });
    const state = await get(`${sim.url}/_control`);
    expect(state.json).toEqual(answer.json);
    expect(state.text).not.toContain("SECvery");
  });

  it.each([
    ["no object", [], ["the body is not a JSON object"]],
    ["no JSON", "{", ["the body is not a JSON object"]],
    ["an unknown key", { robots: 1 }, ['unknown key "robots"; expected robot, fault,']],
    ["a robot of no platform", { robot: "x/y" }, ['robot is "x/y"; expected PLATFORM/TOKEN']],
    ["a robot of no name", { robot: "lark/" }, ['robot is "lark/"']],
    ["a secret for all", { secret: "x" }, ["secret needs one robot"]],
    ["keywords for a platform", { robot: "lark", keywords: ["x"] }, ["keywords needs one robot"]],
    ["a keyword that is none", { robot: "lark/x", keywords: [1] }, ["keywords is [1]"]],
    ["an offset in words", { clockOffsetSeconds: "2h" }, ['clockOffsetSeconds is "2h"']],
    ["a flag in words", { clear: "yes" }, ['clear is "yes"; expected true or false']],
    ["a fault that is none", { fault: "hang" }, ["fault is not an object"]],
    ["an unknown kind", { fault: { kind: "slow" } }, ['fault.kind is "slow"']],
    ["no status", { fault: { kind: "status" } }, ["fault.status is missing; expected 200 to 599"]],
    [
      "a kind that is none, with a status",
      { fault: { kind: "sttus", status: 503 } },
      ['fault.kind is "sttus"; expected status, hang, reset or lost'],
    ],
    ["no kind", { fault: {} }, ["fault.kind is missing"]],
    [
      "a secret of a robot that asks for none",
      { robot: "wecom/ops", secret: "SEC" },
      ["secret means nothing to wecom; only dingtalk, lark, slack ask for it"],
    ],
    [
      "keywords of a robot that looks for none",
      { robot: "slack/C1", keywords: ["x"] },
      ["keywords means nothing to slack; only dingtalk, lark ask for it"],
    ],
    ["a status for a hang", { fault: { kind: "hang", status: 500 } }, ["fault.status belongs to"]],
    ["no request", { fault: { kind: "hang", requests: 0 } }, ["fault.requests is 0"]],
    ["no time", { fault: { kind: "hang", seconds: -1 } }, ["fault.seconds is -1"]],
    ["an unknown key of a fault", { fault: { kind: "hang", ms: 1 } }, ['unknown key "fault.ms"']],
    ["a body that is none", { fault: { kind: "status", status: 500, body: {} } }, ["fault.body"]],
    [
      "a body of a status without",
      { fault: { kind: "status", status: 204, body: "x" } },
      ["fault.body cannot be sent with 204, which has none"],
    ],
    ["several at once", { x: 1, name: "", clear: 1 }, ['unknown key "x"', "name", "clear", "name"]],
  ])("refuses %s and changes nothing", async (_, body, problems) => {
    const { sim } = await play();
    const answer = await post(`${sim.url}/_control`, body);
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({
      problems: problems.map((problem) => expect.stringContaining(problem) as string),
    });
    expect(sim.state()).toEqual({ robots: [], faults: [] });
  });

  it("refuses what another site's form could send", async () => {
    const { sim } = await play();
    const answer = await post(`${sim.url}/_control`, "{}", { "content-type": "text/plain" });
    expect(answer.status).toBe(415);
  });
});

describe("messages", () => {
  it("come by robot, state and number as JSON", async () => {
    const played = await play();
    await send(played, "a");
    await send(played, "b");
    await post(played.sim.webhook("dingtalk", "a"), {});
    const list = async (query: string) => {
      const { json } = await get(`${played.sim.url}/messages.json${query}`);
      return (json as { messages: { id: number }[] }).messages.map((message) => message.id);
    };
    expect(await list("")).toEqual([1, 2, 3]);
    expect(await list("?robot=dingtalk/a")).toEqual([1, 3]);
    expect(await list("?robot=dingtalk/a&state=shown")).toEqual([1]);
    expect(await list("?after=2")).toEqual([3]);
    expect(await list("?robot=dingtalk/none")).toEqual([]);
  });

  it("hold the request as it came and the answer as it went", async () => {
    const played = await play();
    await post(played.sim.webhook("hook", "a/b"), '{"x":1}', { "x-test": "yes" });
    const { json, headers } = await get(`${played.sim.url}/messages/1`);
    expect(headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(json).toMatchObject({
      robot: "hook/a/b",
      request: {
        method: "POST",
        path: "/hook/a/b",
        headers: { "x-test": "yes" },
        body: '{"x":1}',
        bytes: 7,
      },
      answer: { status: 200, body: '{"ok":true}' },
    });
    expect(json).not.toHaveProperty("parts");
    expect((await get(`${played.sim.url}/messages/9`)).status).toBe(404);
  });

  it("are kept up to the bound, oldest dropped first", async () => {
    const played = await play({ keep: 3 });
    for (let index = 0; index < 5; index += 1) await send(played);
    expect(played.sim.messages().map((message) => message.id)).toEqual([3, 4, 5]);
    expect(played.sim.state().robots[0]?.counts.shown).toBe(5);
  });

  it("can be waited for", async () => {
    const played = await play();
    const two = played.sim.shown(2, "dingtalk/ops");
    await send(played);
    await send(played, "other");
    await send(played);
    expect((await two).map((message) => message.id)).toEqual([1, 3]);
    expect(await played.sim.shown(3)).toHaveLength(3);
  });

  it("can be subscribed to until one has enough", async () => {
    const played = await play();
    const seen: number[] = [];
    const stop = played.sim.subscribe((message) => seen.push(message.id));
    await send(played);
    stop();
    await send(played);
    expect(seen).toEqual([1]);
  });
});

describe("the generic hook", () => {
  it.each(["GET", "POST", "PUT", "PATCH", "DELETE"])("takes %s and any body", async (method) => {
    const { sim } = await play();
    const body = method === "GET" ? {} : { body: "not JSON <b>" };
    const answer = await fetch(`${sim.url}/hook/x?q=1`, { method, ...body });
    expect(answer.status).toBe(200);
    expect(last(sim)).toMatchObject({
      robot: "hook/x",
      type: method,
      request: { method, path: "/hook/x?q=1" },
    });
    expect(last(sim).text).toContain(method === "GET" ? "GET /hook/x" : "not JSON <b>");
  });

  it("notes an Idempotency-Key, and shows what comes again: it is no platform that would know", async () => {
    const { sim } = await play();
    for (let index = 0; index < 2; index += 1)
      await post(sim.webhook("hook", "x"), { a: 1 }, { "idempotency-key": "k1" });
    expect(sim.messages().map((one) => [one.state, one.idempotencyKey])).toEqual([
      ["shown", "k1"],
      ["shown", "k1"],
    ]);
  });

  it("refuses more than 8 MB", async () => {
    const { sim } = await play();
    const answer = await post(sim.webhook("hook", "x"), "x".repeat(8 * 1024 * 1024 + 1));
    expect(answer.status).toBe(413);
    expect(sim.messages()).toEqual([]);
  });

  it("invents no more than 500 robots", async () => {
    const { sim } = await play();
    for (let index = 0; index < 501; index += 1)
      await fetch(`${sim.url}/hook/${index}`).then((answer) => answer.arrayBuffer());
    expect(sim.state().robots).toHaveLength(500);
    expect(last(sim)).toMatchObject({ robot: "hook/unknown", state: "refused" });
  });
});
