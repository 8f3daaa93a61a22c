import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import wechat from "../../sinks/wechat.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import { aGap } from "../support/alerts.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, problemsWith } from "../support/messages.ts";
import { mustRender } from "../support/rendering.ts";
import { becameOf, openRoad } from "../support/road.ts";
import { bare, quietIo, sinkFrom } from "../support/sinks.ts";
import { AGENT, CORP, SECRET, startWecomApp, type WecomApp } from "../support/wecom-app.ts";

const never = new AbortController().signal;
const message = aMessage({ blocks: { text: "🟠 web\nBack-off", markdown: "#### 🟠 web" } });
const given = { corpId: CORP, corpSecret: SECRET, agentId: AGENT, toUser: ["zhangsan"] };

let clock: FakeClock;
let app: WecomApp;
let client: HttpClient;
beforeAll(() => {
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(async () => {
  clock = new FakeClock();
  app = await startWecomApp({ clock });
  onTestFinished(() => app.close());
});
afterAll(() => client.close());

function open(changes: Readonly<Record<string, unknown>> = {}, at = app, timeoutMs = 5000) {
  const warnings: string[] = [];
  const options = wechat.options.parse({ apiUrl: at.url, ...given, ...changes });
  const sink = openSink(wechat, options, {
    ...quietIo(),
    client,
    timeoutMs,
    clock,
    warning: (text) => warnings.push(text),
  });
  onTestFinished(() => sink.close());
  const tell = (about = message, signal = never) => sink.tell(about, clock.now(), signal);
  return { sink, tell, warnings };
}

const numbered = (n: number) => aMessage({ blocks: { text: `message ${n}` } });
const sends = () => app.inbox.requests.filter(({ url }) => url.includes("/message/send"));

describe("what WeCom's app is told", () => {
  it("is text with kube-eventer's fields, and WeCom's check for repetitions", async () => {
    expect((await open().tell()).verdict).toEqual({ kind: "accepted" });
    const [request] = sends();
    expect(request).toMatchObject({
      method: "POST",
      url: "/cgi-bin/message/send?access_token=accesstoken000001",
    });
    expect(JSON.parse(request?.body ?? "")).toEqual({
      touser: "zhangsan",
      toparty: "",
      totag: "",
      msgtype: "text",
      agentid: AGENT,
      text: { content: "🟠 web\nBack-off" },
      safe: 0,
      enable_duplicate_check: 1,
      duplicate_check_interval: 14400,
    });
    expect(app.shown).toHaveLength(1);
  });

  it("is markdown when asked for", async () => {
    await open({ msgType: "markdown" }).tell();
    expect(app.shown).toMatchObject([{ msgtype: "markdown", content: "#### 🟠 web" }]);
  });

  it.each([
    [{ toUser: ["zhangsan", "lisi"] }, { touser: "zhangsan|lisi" }],
    [{ toUser: ["zhangsan|lisi"] }, { touser: "zhangsan|lisi" }],
    [{ toUser: [] }, { touser: "@all" }],
    [
      { toUser: [], toParty: ["2", "3"] },
      { touser: "", toparty: "2|3", totag: "" },
    ],
    [
      { toUser: [], toTag: ["7"] },
      { touser: "", toparty: "", totag: "7" },
    ],
  ])("goes, for %j, to %j in one request", async (changes, expected) => {
    await open(changes).tell();
    expect(app.shown).toMatchObject([expected]);
    expect(sends()).toHaveLength(1);
  });

  it("is told by kube-eventer's own URI: no address, commas, an empty to_user for everyone", () => {
    const optionsOf = (uri: string) => bare(sinkFrom(uri).sink);
    const uri = `wechat:?corp_id=${CORP}&corp_secret=${SECRET}&agent_id=1000012`;
    expect(optionsOf(`${uri}&to_user=zhangshan,xiaowang&level=Normal&label=prod-a`)).toMatchObject({
      options: {
        apiUrl: "https://qyapi.weixin.qq.com",
        corpId: CORP,
        agentId: 1_000_012,
        toUser: ["zhangshan", "xiaowang"],
      },
      labels: ["prod-a"],
    });
    expect(optionsOf(`${uri}&to_user=&level=Normal`)).toMatchObject({ options: { toUser: [] } });
  });

  it("goes to the API whichever of its paths the URI names", async () => {
    const apiUrl = `${app.url}/cgi-bin/message/send`;
    expect((await open({ apiUrl }).tell()).verdict).toEqual({ kind: "accepted" });
  });

  it("links nothing and calls nobody, whatever the event says", () => {
    const text = '<a href="https://evil.example">help</a> @all <@all> @所有人';
    for (const msgType of ["text", "markdown"]) {
      const alert = { kind: "event", event: anEvent({ message: text }) } as const;
      const shown = Object.values(
        mustRender(wechat, { ...given, msgType }, alert).message.blocks,
      ).join();
      expect(shown).not.toMatch(/<a |<@|@all|@所有人/);
      expect(shown.replaceAll("\u2060", "")).toContain(text);
    }
  });

  it("fits into 2048 bytes, of events and of gaps, in both languages", () => {
    const long = { kind: "event", event: anEvent({ message: "容".repeat(5000) }) } as const;
    for (const msgType of ["text", "markdown"])
      for (const lang of ["en", "zh"] as const)
        for (const alert of [long, aGap()]) {
          const { blocks } = mustRender(wechat, { ...given, msgType }, alert, lang).message;
          const size = Buffer.byteLength(blocks[msgType] ?? "");
          expect(size).toBeGreaterThan(40);
          expect(size).toBeLessThanOrEqual(2048);
        }
  });
});

describe("the token", () => {
  it("is asked for with the credentials, once, and kept", async () => {
    const { tell } = open();
    for (let n = 0; n < 5; n += 1) await tell(numbered(n));
    expect(app.tokens).toBe(1);
    expect(app.inbox.requests[0]).toMatchObject({
      method: "GET",
      url: `/cgi-bin/gettoken?corpid=${CORP}&corpsecret=${SECRET}`,
    });
    expect(app.shown).toHaveLength(5);
  });

  it("is asked for once by all who want it at the same moment", async () => {
    const { tell, sink } = open();
    const told = [1, 2, 3, 4].map((n) => tell(numbered(n)));
    await Promise.all([sink.check(never), ...told]);
    expect(app.tokens).toBe(1);
    expect(app.shown).toHaveLength(4);
  });

  it("is asked for again by whoever stays when the first one goes", async () => {
    app.instead("gettoken", "hang");
    const { tell } = open();
    const stop = new AbortController();
    const [gone, stays] = [tell(numbered(1), stop.signal), tell(numbered(2))];
    const asked = await app.inbox.received(1);
    stop.abort();
    expect(await gone).toMatchObject({ aborted: true, verdict: { kind: "retryable" } });
    asked.answer({ status: 200, body: { errcode: -1, errmsg: "system busy" } });
    expect((await stays).verdict).toMatchObject({ kind: "retryable", reason: "server" });
    expect((await tell(numbered(2))).verdict).toEqual({ kind: "accepted" });
    expect(app.tokens).toBe(2);
  });

  it("is renewed five minutes before it expires", async () => {
    const { tell } = open();
    await tell(numbered(1));
    await clock.advance(6_899_000);
    await tell(numbered(2));
    expect(app.tokens).toBe(1);
    await clock.advance(1_000);
    await tell(numbered(3));
    expect(app.tokens).toBe(2);
    expect(app.shown).toHaveLength(3);
  });

  it("that lives a short time is used for half of it", async () => {
    const brief = await startWecomApp({ clock, expiresIn: 60 });
    onTestFinished(() => brief.close());
    const { tell } = open({}, brief);
    await tell(numbered(1));
    await clock.advance(29_000);
    await tell(numbered(2));
    expect(brief.tokens).toBe(1);
    await clock.advance(1_000);
    await tell(numbered(3));
    expect(brief.tokens).toBe(2);
  });

  it("that WeCom took back before its time is replaced within the attempt", async () => {
    const { tell } = open();
    await tell(numbered(1));
    app.revoke();
    expect((await tell(numbered(2))).verdict).toEqual({ kind: "accepted" });
    expect(app.tokens).toBe(2);
    expect(app.shown).toHaveLength(2);
  });

  it.each([40014, 42001])(
    "that is refused with %i even when fresh ends the attempt",
    async (code) => {
      const { tell } = open();
      for (let n = 0; n < 2; n += 1)
        app.instead("message/send", { status: 200, body: { errcode: code, errmsg: "no" } });
      expect((await tell()).verdict).toMatchObject({
        kind: "retryable",
        reason: "auth",
        detail: `${code} no; a fresh token was refused, too`,
      });
      expect(sends()).toHaveLength(2);
      expect((await tell()).verdict).toEqual({ kind: "accepted" });
    },
  );

  it("is in no word that is told, whatever the server echoes", async () => {
    const { tell } = open();
    await tell(numbered(1));
    for (const body of [
      { errcode: 44001, errmsg: `${"x".repeat(100)}accesstoken000001 ${SECRET}` },
      { errcode: 44001, errmsg: `${"x".repeat(150)}accesstoken000001 ${SECRET}` },
      `<html>accesstoken000001 ${SECRET}</html>`,
    ]) {
      app.instead("message/send", { status: 400, body });
      const told = JSON.stringify(await tell(numbered(2)));
      expect(told).not.toMatch(/accesstoken|fedcba/);
      expect(told).toContain("<redacted>");
    }
  });
});

describe("a message", () => {
  it("whose answer was lost is not shown twice", async () => {
    const { tell } = open();
    app.loseAnswer();
    expect((await tell()).verdict).toMatchObject({ kind: "retryable", reason: "network" });
    expect(app.shown).toHaveLength(1);
    // Hours later, too: for as long as a delivery may be tried.
    await clock.advance(3 * 3_600_000);
    expect((await tell()).verdict).toEqual({ kind: "accepted" });
    expect(app.shown).toHaveLength(1);
    await tell(numbered(2));
    expect(app.shown).toHaveLength(2);
  });

  it("that reached some is delivered, and who was missed is said once", async () => {
    const { tell, warnings } = open({ toUser: ["zhangsan", "wangwu"] });
    expect((await tell(numbered(1))).verdict).toEqual({ kind: "accepted" });
    expect((await tell(numbered(2))).verdict).toEqual({ kind: "accepted" });
    expect(warnings).toEqual([
      "WeCom did not reach everybody: invaliduser wangwu; check to_user, to_party and to_tag, the app's visible range and its licences",
    ]);
  });

  it("goes from what is owed to the members, through the lane", async () => {
    const road = openRoad(uriAt(app));
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toBe("delivered after 0");
    expect(app.shown[0]?.content).toContain("BackOff");
  });

  it("is held to thirty a minute and a thousand an hour: WeCom drops the rest and says ok", () => {
    const { rates, concurrency } = wechat.limits(wechat.options.parse(given));
    expect(rates).toEqual([
      { count: 30, perMs: 60_000 },
      { count: 1000, perMs: 3_600_000 },
    ]);
    expect(concurrency).toBe(1);
  });
});

const uriAt = ({ url }: WecomApp, more = "") =>
  `wechat:${url}?corp_id=${CORP}&corp_secret=${SECRET}&agent_id=${AGENT}&to_user=zhangsan${more}`;

describe("what WeCom answers", () => {
  it.each([
    [{ errcode: -1, errmsg: "system busy" }, "again in 0.5 s after 1, server: -1 system busy"],
    [
      { errcode: 45009, errmsg: "api freq out of limit" },
      "paused for 60 s after 0: 45009 api freq out of limit",
    ],
    [
      { errcode: 45033, errmsg: "api concurrent out of limit" },
      "paused for 5 s after 0: 45033 api concurrent out of limit",
    ],
    [
      { errcode: 60020, errmsg: "not allow to access from your ip, from ip: 203.0.113.7" },
      "dead after 1, auth: 60020 not allow to access from your ip, from ip: 203.0.113.7; add the address this machine is seen with to the app's trusted IP addresses",
    ],
    [
      { errcode: 81013, errmsg: "user & party & tag all invalid" },
      "dead after 1, config: 81013 user & party & tag all invalid; none of `to_user`, `to_party` and `to_tag` exists in the app's visible range, or none has a licence",
    ],
    [
      { errcode: 45002, errmsg: "content size out of limit" },
      "dead after 1, tooLarge: 45002 content size out of limit",
    ],
    [{ errcode: 987654, errmsg: "new" }, "again in 0.5 s after 1, unknown: 987654 new"],
    [
      "<html>Sign in to the network</html>",
      "again in 0.5 s after 1, server: HTTP 200, but not the platform's own answer: <html>Sign in to the network</html>",
    ],
  ])("to a message %j: %s", async (body, expected) => {
    app.instead("message/send", { status: 200, body });
    const road = openRoad(uriAt(app));
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toBe(expected);
  });

  it.each([
    [{ corpId: "ww1" }, "auth", "40013 invalid corpid; check `corp_id` (My Company → Company ID)"],
    [
      { corpSecret: "wrong-secret" },
      "auth",
      "40001 invalid credential; check `corp_secret`: it is the app's own, and the app must be enabled",
    ],
    [
      { agentId: 7 },
      "auth",
      "301002 not allow operate another agent; `agent_id` and `corp_secret` are of two apps; take both from one",
    ],
    [
      { toUser: ["wangwu"] },
      "config",
      "81013 user & party & tag all invalid; none of `to_user`, `to_party` and `to_tag` exists in the app's visible range, or none has a licence",
    ],
  ])("to %j is a refusal that says what to do", async (changes, reason, detail) => {
    expect((await open(changes).tell()).verdict).toEqual({ kind: "permanent", reason, detail });
    expect(app.shown).toEqual([]);
  });

  it("with Retry-After is waited for, of the token as of the message", async () => {
    const { tell } = open();
    const busy = { status: 503, headers: { "retry-after": "7" }, body: "busy" };
    for (const path of ["gettoken", "message/send"] as const) {
      app.instead(path, busy);
      expect((await tell()).verdict).toMatchObject({ kind: "throttled", retryAfterMs: 7000 });
    }
  });

  it("without a token in it is no answer of WeCom's", async () => {
    app.instead("gettoken", { status: 200, body: { errcode: 0, errmsg: "ok" } });
    expect((await open().tell()).verdict).toMatchObject({
      kind: "permanent",
      detail: "WeCom's answer has no access_token; check `api_url`",
    });
  });

  it("is not waited for beyond the timeout", async () => {
    for (const path of ["gettoken", "message/send"] as const) {
      app.instead(path, "hang");
      expect((await open({}, app, 50).tell()).verdict).toMatchObject({
        kind: "retryable",
        reason: "timeout",
      });
    }
  });
});

describe("the look before the first message", () => {
  it("finds nothing wrong where a token is given, and tells nobody anything", async () => {
    expect(await open().sink.check(never)).toEqual({ problems: [], away: null });
    expect(sends()).toEqual([]);
  });

  it("names what only a person can change, without the secret", async () => {
    expect(await open({ corpSecret: "wrong-secret" }).sink.check(never)).toEqual({
      problems: [
        {
          message: "WeCom gives no access token: 40001 invalid credential",
          hint: "check `corp_secret`: it is the app's own, and the app must be enabled",
        },
      ],
      away: null,
    });
  });

  it("waits for a WeCom that is away", async () => {
    app.instead("gettoken", "reset");
    const { problems, away } = (await open().sink.check(never)) ?? {};
    expect(problems).toEqual([]);
    expect(away).toMatch(/^WeCom gives no access token: the connection was reset/);
  });

  it("ends when it is told to", async () => {
    app.instead("gettoken", "hang");
    const stop = new AbortController();
    const check = open().sink.check(stop.signal);
    await app.inbox.received(1);
    stop.abort();
    expect(await check).toEqual({ problems: [], away: "stopped before WeCom answered" });
  });
});

describe("its options", () => {
  it.each([
    [{ apiUrl: "http://relay.example.com" }, "apiUrl: is no URL to reach WeCom at"],
    [{ apiUrl: "qyapi.weixin.qq.com" }, "apiUrl: is no URL to reach WeCom at"],
    [{ corpId: "" }, "corpId: is empty"],
    [{ corpSecret: "" }, "corpSecret: is empty"],
    [{ agentId: "app" }, "agentId: "],
    [{ agentId: 0 }, "agentId: "],
    [{ toUser: ["@all"], toParty: ["2"] }, "toUser: is @all, with which WeCom ignores toParty"],
  ])("refuse %j", (changes, problem) => {
    expect(problemsWith(wechat, { ...given, ...changes })).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it.each([
    ["toUser", 1000],
    ["toParty", 100],
    ["toTag", 100],
  ])("take as many of %s as WeCom does: %i", (name, most) => {
    const ids = Array.from({ length: most + 1 }, (_, n) => `id${n}`);
    expect(problemsWith(wechat, { ...given, toUser: [], [name]: ids.slice(1) })).toEqual([]);
    expect(problemsWith(wechat, { ...given, toUser: [], [name]: ids })).toEqual([
      `${name}: names ${most + 1}; WeCom takes at most ${most}`,
    ]);
  });

  it("take the relay of a company whose addresses WeCom trusts", () => {
    for (const apiUrl of ["https://wecom-relay.example.com:8443/wx", "http://127.0.0.1:8080"])
      expect(problemsWith(wechat, { ...given, apiUrl })).toEqual([]);
  });
});
