import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sinks } from "../../sinks/index.ts";
import { composeFor, createSender, httpClient } from "../../src/app/senders.ts";
import type { SinkConfig } from "../../src/config/config.ts";
import type { FlagValues } from "../../src/config/flags.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Alert } from "../../src/event/alert.ts";
import type { KubeEvent } from "../../src/event/event.ts";
import { normalize } from "../../src/event/normalize.wire.ts";
import type { HttpClient } from "../../src/sink/http.ts";
import { loadBody } from "../../src/template/body.ts";
import { HOSTILE } from "../fixtures/hostile.ts";
import { aDigest, aGap } from "../support/alerts.ts";
import { memoryFiles } from "../support/config.ts";
import { anEvent } from "../support/events.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import { quietIo } from "../support/sinks.ts";
import { theTemplates } from "../support/templates.ts";

/** What kube-eventer 0974bca really sent in `TZ=Asia/Shanghai`, and the Events that it was told of; recorded, one request a line. */
interface Recorded {
  readonly sink: string;
  readonly event: string;
  readonly method: string;
  readonly url: string;
  readonly contentType: string | null;
  readonly body: string;
}

const FIXTURES = path.resolve(import.meta.dirname, "../fixtures/kube-eventer");
const read = (name: string) => readFileSync(path.join(FIXTURES, name), "utf8");
const WIRE = read("wire.jsonl")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as Recorded);
const EVENTS = JSON.parse(read("events.json")) as Readonly<Record<string, unknown>>;
const never = new AbortController().signal;
const templates = theTemplates();

function theEvent(name: string): KubeEvent {
  const event = normalize(EVENTS[name], "", "2026-11-21T00:00:00Z");
  if (event === null) throw new Error(`no event ${name}`);
  return event;
}

function configOf(uri: string, flags: FlagValues = {}) {
  const { config } = loadConfig({
    flags: { sink: [uri], compat: "strict", timezone: "Asia/Shanghai", ...flags },
    registry: sinks,
    env: {},
    files: memoryFiles({}),
  });
  const [sink] = config.sinks;
  if (sink === undefined) throw new Error(`no sink in ${uri}`);
  return { config, sink };
}

const about = (event: KubeEvent): Alert => ({ kind: "event", event });

/** What a sink would send of an alert. */
function composed(uri: string, alert: Alert, flags: FlagValues = {}, now = 0) {
  const { config, sink } = configOf(uri, flags);
  const template = templates.get(sink.definition.type);
  const made = composeFor(config, sink, template, { id: "d1", alert }, now);
  if (!made.ok) throw new Error(JSON.stringify(made.verdict));
  return made;
}

function requested(...args: Parameters<typeof composed>) {
  const { request } = composed(...args);
  if (request === null) throw new Error("no request");
  return request;
}

describe("with compat: strict a receiver of kube-eventer's", () => {
  let inbox: Inbox;
  let client: HttpClient;
  beforeAll(() => {
    client = httpClient("test");
  });
  beforeEach(async () => {
    inbox = await startInbox();
    inbox.reply({ status: 200, body: { errcode: 0 } });
    return () => inbox.close();
  });
  afterAll(() => client.close());

  const HOST = /https?:\/\/HOST/;
  /** kube-eventer hands the receiver all options of the sink, secrets among them: the one thing that must not be as it was. */
  const leaked = (row: Recorded) =>
    row.sink.startsWith("webhook:") ? row.url.replace(/\?.*$/, "") : row.url;
  const timeOf = ({ url }: Recorded) =>
    Number(new URL(url, "http://h").searchParams.get("timestamp") ?? 0);

  /** Sent by HTTP to a real server. */
  async function arrived(uri: string, event: KubeEvent, now: number) {
    const { config, sink } = configOf(uri.replace(HOST, inbox.url));
    const own = sink.options["customBodyConfigmap"] === undefined ? [] : [await card()];
    const template = templates.withFiles(own).get(sink.definition.type);
    const sender = createSender(config, sink, template, { ...ports(), client });
    const delivery = {
      id: "d1",
      sink: sink.name,
      alert: about(event),
      attempts: 0,
      owedAt: now,
      notBefore: now,
    } as const;
    const { verdict } = await sender.send(delivery, never, now);
    expect(verdict).toEqual({ kind: "accepted" });
    const [request] = inbox.requests;
    if (request === undefined) throw new Error("nothing came");
    return request;
  }

  it.each(WIRE.map((row) => [row.sink, row.event, row] as const))(
    "%s is sent the same of %s",
    async (uri, name, row) => {
      const request = await arrived(uri, theEvent(name), timeOf(row));
      expect(request.method).toBe(row.method);
      expect(request.url).toBe(leaked(row));
      expect(request.headers["content-type"] ?? null).toBe(row.contentType);
      // In a body of one's own there is the uid that the API server of the recording gave.
      const uid = /EventId:\*\* {2}([\w-]+)/.exec(row.body)?.[1] ?? "no uid";
      expect(request.body).toBe(row.body.replace(uid, theEvent(name).uid));
    },
  );

  it("sees that it is sent no option of the sink's, which kube-eventer shows to all", () => {
    const shown = WIRE.filter((row) => leaked(row) !== row.url);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.every(({ sink }) => sink.startsWith("webhook:"))).toBe(true);
  });

  it("keeps query parameters of its own", async () => {
    const request = await arrived(
      "webhook:http://HOST/in?team=a&level=Normal&header=X-Token=t",
      theEvent("backoff"),
      0,
    );
    expect(request.url).toBe("/in?team=a");
    expect(request.headers["x-token"]).toBe("t");
  });
});

describe("kube-eventer's webhook body", () => {
  const HOOK = "webhook:http://h/x";

  it("keeps a message whole, as JSON: kube-eventer dropped quotation marks and broke at line ends", () => {
    const event = theEvent("nasty");
    const { body } = requested(HOOK, about(event));
    // The house writes these two as escapes: not every reader of JSON takes them for text.
    const message = JSON.stringify(event.message).replaceAll("\u2028", "\\u2028");
    expect(body).toBe(
      `\n{\n\t"EventType": "Warning",\n\t"EventKind": "Job",\n\t"EventReason": "Failed",\n\t"EventTime": "2026-11-20 18:00:01 +0800 CST",\n\t"EventMessage": ${message}\n}`,
    );
  });

  it.each(HOSTILE.map(({ name, text }) => [name, text] as const))(
    "is valid JSON, whatever is in it: %s",
    (_, text) => {
      const event = anEvent({ message: text, reason: text, type: text, object: { kind: text } });
      const { body } = requested(HOOK, about(event));
      expect(JSON.parse(body)).toEqual({
        EventType: text.toWellFormed(),
        EventKind: text.toWellFormed(),
        EventReason: text.toWellFormed(),
        EventTime: "2026-11-20 16:05:30 +0800 CST",
        EventMessage: text.toWellFormed(),
      });
    },
  );

  it("has a message of two megabytes cut to what a receiver takes", () => {
    const made = composed(HOOK, about(anEvent({ message: '"容\n'.repeat(400_000) })));
    expect(made.cut).toBe(true);
    expect(Buffer.byteLength(made.request?.body ?? "")).toBeLessThanOrEqual(1_000_000);
    expect(() => JSON.parse(made.request?.body ?? "") as unknown).not.toThrow();
  });

  it.each([
    ["UTC", "2026-11-20 08:05:30 +0000 UTC"],
    ["America/New_York", "2026-11-20 03:05:30 -0500 EST"],
    ["Asia/Singapore", "2026-11-20 16:05:30 +0800 +08"],
    ["Asia/Kolkata", "2026-11-20 13:35:30 +0530 IST"],
  ])("has times as Go prints them: %s", (timezone, time) => {
    const { body } = requested(HOOK, about(anEvent()), { timezone });
    expect(JSON.parse(body)).toMatchObject({ EventTime: time });
  });

  it("goes by the method that is given, and by GET without one", () => {
    const method = (more: string) => requested(HOOK + more, about(anEvent())).method;
    expect([method(""), method("?method=POST"), method("?method=put")]).toEqual([
      "GET",
      "POST",
      "PUT",
    ]);
    expect(requested(HOOK, about(anEvent()), { compat: "off" }).method).toBe("POST");
  });

  it("is signed as any other, and gives way to a CloudEvent, which kube-eventer had not", () => {
    const signed = requested(`${HOOK}?signing_secret=0a1b2c3d4e5f6071`, about(anEvent()));
    expect(signed.headers["x-kube-crier-signature"]).toMatch(/^sha256=[0-9a-f]{64}$/);
    const event = requested(`${HOOK}?cloudevents=structured`, about(anEvent()));
    expect(JSON.parse(event.body)).toMatchObject({ specversion: "1.0", subject: "Pod/web-7d4b9c" });
  });
});

/** The ConfigMap's body in the recording: a Lark card as kube-eventer's documentation has it. */
async function card() {
  const source = "custom-body";
  const text =
    '{"msg_type":"interactive","card":{"header":{"title":{"tag":"plain_text","content":"test"},"template":"Red"},"elements":[{"tag":"div","text":{"tag":"lark_md","content":"**EventId:**  {{ .ObjectMeta.UID }}\\n**EventType:**  {{ .Type }}\\n **Object**: {{ .InvolvedObject.Kind }}/{{ .InvolvedObject.Name }}\\n**EventTime:**  {{ .LastTimestamp }}\\n**EventMessage:**  {{ .Message }}"}}]}}';
  return { source, text, loaded: await loadBody({ source, text }, null, "json") };
}

const ROBOT = "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=t";
interface Ding {
  readonly msgtype: string;
  readonly text: { readonly content: string };
  readonly markdown: { readonly title: string; readonly text: string };
  readonly at?: unknown;
}
const ding = (...args: Parameters<typeof composed>) => JSON.parse(requested(...args).body) as Ding;

describe("kube-eventer's DingTalk message", () => {
  it("keeps a percent sign in a label, which broke kube-eventer's text", () => {
    const { text } = ding(`${ROBOT}&label=100%25s&label=b`, about(theEvent("nasty")));
    expect(text.content).toBe(
      `b\n100%s\nLevel:Warning \nKind:Job \nNamespace:data \nName:job-1.17a3 \nReason:Failed \nTimestamp:2026-11-20 18:00:01 \nMessage:${theEvent("nasty").message}`,
    );
  });

  it("has Go's escapes in its JSON", () => {
    const { body } = requested(ROBOT, about(anEvent({ message: "a <b> & \u2028" })));
    expect(body).toContain(String.raw`Message:a \u003cb\u003e \u0026 \u2028"`);
  });

  it("mentions nobody, unless an option says so", () => {
    const event = about(anEvent({ message: "@all look", reason: "@所有人" }));
    const quiet = ding(ROBOT, event);
    expect(quiet.text.content).not.toMatch(/@all\b|@所有人/);
    expect(quiet).not.toHaveProperty("at");
    const loud = ding(`${ROBOT}&at_mobiles=13800000000&at_user_ids=manager123`, event);
    expect(loud.text.content).toMatch(/ look\n@13800000000 @manager123$/);
    expect(loud.at).toEqual({
      atMobiles: ["13800000000"],
      atUserIds: ["manager123"],
      isAtAll: false,
    });
    expect(ding(`${ROBOT}&at_all=true&msg_type=markdown`, event)).toMatchObject({
      at: { isAtAll: true },
      text: { content: "" },
    });
  });

  it("is a text without msg_type, as it was, and markdown otherwise", () => {
    expect(ding(ROBOT, about(anEvent())).msgtype).toBe("text");
    expect(ding(ROBOT, about(anEvent()), { compat: "off" }).msgtype).toBe("markdown");
    expect(ding(`${ROBOT}&msg_type=markdown`, about(anEvent())).msgtype).toBe("markdown");
  });

  it("is fitted to DingTalk's limit, which kube-eventer did not know", () => {
    for (const kind of ["text", "markdown"]) {
      const made = composed(
        `${ROBOT}&msg_type=${kind}`,
        about(anEvent({ message: "<容>".repeat(9000) })),
      );
      expect(made.cut, kind).toBe(true);
      expect(Buffer.byteLength(made.request?.body ?? ""), kind).toBeLessThanOrEqual(20_000);
      expect(made.request?.body, kind).toContain("Reason:");
    }
  });
});

/** After kube-eventer's sinks/dingtalk/markdownMsgBuilder.go, which has no test of its own for these. */
describe("kube-eventer's DingTalk markdown", () => {
  const shown = (changes: Parameters<typeof anEvent>[0], more = "") =>
    ding(
      `${ROBOT}&msg_type=markdown&cluster_id=c1&region=cn-beijing${more}`,
      about(anEvent(changes)),
    ).markdown;
  const console = "https://cs.console.aliyun.com/#/k8s";

  it.each([
    ["Pod", `[web.17a1](${console}/pod/c1/shop/web/container)`],
    ["Deployment", `[web.17a1](${console}/deployment/detail/cn-beijing/c1/shop/web/pods)`],
    ["StatefulSet", `[web.17a1](${console}/statefulset/detail/cn-beijing/c1/shop/web/pods)`],
    ["DaemonSet", `[web.17a1](${console}/daemonset/detail/cn-beijing/c1/shop/web/pods)`],
    ["CronJob", `[web.17a1](${console}/cronjob/detail/cn-beijing/c1/shop/web/jobs)`],
    ["Service", `[web.17a1](${console}/service/detail/cn-beijing/c1/shop/web)`],
    ["Node", "web.17a1"],
  ])("leads to the page of a %s", (kind, link) => {
    expect(shown({ eventName: "web.17a1", object: { kind } }).text).toContain(
      `\n\nName: ${link} \n\n`,
    );
  });

  it("leads to a server whose name has a region in it", () => {
    const { text } = shown({ reporter: { host: "i-bp1x.cn-hangzhou" } });
    expect(text).toContain(
      "Node: [i-bp1x.cn-hangzhou](https://ecs.console.aliyun.com/#/server/cn-hangzhou/detail?regionId=i-bp1x) \n\nLevel:",
    );
    expect(shown({ reporter: { host: null } }).text).toMatch(/^Level: /);
  });

  it("numbers its labels", () => {
    const { text } = shown({}, "&label=a&label=c");
    expect(text).toMatch(/^label\[0\]: \*\*a\*\*\n\nlabel\[1\]: \*\*c\*\*\n\nNode: /);
  });

  it("has no link but its own, whatever the Event says", () => {
    const evil = "](https://evil.example) [x](https://evil.example) **";
    const { text } = shown({ message: evil, eventName: evil, eventNamespace: evil });
    expect(text).not.toMatch(/\]\(https:\/\/evil/);
    expect(text).toContain("[x]");
  });
});

describe("kube-eventer's WeCom message", () => {
  const APP = "wechat:https://qyapi.weixin.qq.com?corp_id=c&corp_secret=s3cret12&agent_id=1";
  const text = (more = "", alert = about(theEvent("series"))) =>
    composed(APP + more, alert).message.blocks["text"];

  it("has its lines, its labels before them, and the whole time", () => {
    expect(text("&label=a&label=b")).toBe(
      "b\na\nLevel:Warning \nKind:Pod \nNamespace:shop \nName:web-0.17a4 \nReason:FailedScheduling \nTimestamp:2026-11-20 19:00:00.123456 +0800 CST \nMessage:0/3 nodes are available: 3 Insufficient cpu.",
    );
  });

  it("is fitted to WeCom's limit, and links to nothing of an Event's", () => {
    const long = text("", about(anEvent({ message: "容".repeat(3000) }))) ?? "";
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(2048);
    const evil = text("", about(anEvent({ message: '<a href="https://evil.example">x</a>' })));
    expect(evil).not.toContain("<a");
  });

  it("leaves markdown as it is: kube-eventer had none", () => {
    const both = (["strict", "off"] as const).map(
      (compat) => composed(`${APP}&msg_type=markdown`, about(anEvent()), { compat }).message.blocks,
    );
    expect(both[0]).toEqual(both[1]);
  });
});

describe("with compat: strict", () => {
  it.each([
    ["a digest", aDigest()],
    ["a gap", aGap()],
  ])("%s, which kube-eventer had not, is told as ever", (_, alert) => {
    for (const uri of [
      `${ROBOT}&msg_type=text`,
      `${ROBOT}&msg_type=markdown`,
      "webhook:http://h/x?method=POST",
      "wechat:https://qyapi.weixin.qq.com?corp_id=c&corp_secret=s3cret12&agent_id=1",
    ]) {
      const [strict, off] = (["strict", "off"] as const).map((compat) => {
        const { message, request } = composed(uri, alert, { compat });
        return { ...request, blocks: message.blocks };
      });
      expect(strict, uri).toEqual(off);
    }
  });

  const others = sinks.filter(({ strict }) => strict === undefined);
  it.each(others.map((sink) => [sink.type, sink] as const))(
    "%s tells an event as ever: its fields are kube-eventer's in either mode, or it had no such sink",
    (_, definition) => {
      const [strict, off] = (["strict", "off"] as const).map((compat) => {
        const { config } = configOf("stdout:", { compat });
        const sink = {
          name: "one",
          definition,
          options: definition.options.parse(definition.example.yaml),
          lang: "en",
          labels: [],
        } as unknown as SinkConfig;
        return composeFor(
          config,
          sink,
          templates.get(definition.type),
          { id: "d1", alert: about(anEvent()) },
          0,
        );
      });
      expect(strict).toEqual(off);
    },
  );

  it("a template of the user's own has no say in an event, and has in a digest", () => {
    const { config, sink } = configOf(ROBOT);
    const own = templates
      .withFiles([
        {
          source: "own.hbs",
          text: '{{#*inline "text"}}mine{{/inline}}{{#*inline "digest-text"}}mine{{/inline}}',
        },
      ])
      .get("dingtalk");
    const said = [about(anEvent()), aDigest()].map((alert) => {
      const made = composeFor(config, sink, own, { id: "d1", alert }, 0);
      return made.ok ? made.message.blocks["text"] : made.verdict;
    });
    expect(said).toEqual([expect.stringMatching(/^Level:Warning/), "mine"]);
  });
});

function ports() {
  const { stdout, clock } = quietIo();
  const nothing = () => undefined;
  return { stdout, clock, observer: { messageCut: nothing, notice: nothing, warning: nothing } };
}
