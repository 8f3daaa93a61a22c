import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sinkOf } from "../../sinks/index.ts";
import type { ComposeInput } from "../../src/delivery/compose.ts";
import type { Alert } from "../../src/event/alert.ts";
import { startSimulator, type RunningSimulator } from "../../src/simulate/index.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import { HOSTILE, HUGE } from "../fixtures/hostile.ts";
import { aDigest, aGap } from "../support/alerts.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/events.ts";
import { mustRender } from "../support/rendering.ts";
import { quietIo } from "../support/sinks.ts";

/** Each kind of message of each chat, by the rules of its platform: signature, size, form, and who is called. */
const SECRET = "SECfedcba9876543210";
const BOT = "xoxb-0123456789";
const crew = Array.from({ length: 30 }, (_, index) => `138${String(index).padStart(8, "0")}`);

interface Form {
  readonly name: string;
  readonly sink: "dingtalk" | "lark" | "wecom" | "slack";
  readonly given: Readonly<Record<string, unknown>>;
  readonly mentions: readonly string[];
  readonly everyone: boolean;
  readonly links: readonly string[];
}

const form = (
  sink: Form["sink"],
  given: Form["given"],
  called: Partial<Pick<Form, "mentions" | "everyone" | "links">> = {},
): Form => ({
  name: `${sink}, ${typeof given["msgType"] === "string" ? given["msgType"] : Object.keys(given).join(", ")}`,
  sink,
  given,
  mentions: [],
  everyone: false,
  links: [],
  ...called,
});

const lark = { secret: SECRET, atUserIds: ["ou_1", "ou_2"] };
const larkCalled = { mentions: ["ou_1", "ou_2"] };
const FORMS: readonly Form[] = [
  form("dingtalk", { secret: SECRET, atMobiles: crew }, { mentions: crew }),
  form("dingtalk", { secret: SECRET, msgType: "text", atAll: true }, { everyone: true }),
  form(
    "dingtalk",
    { secret: SECRET, msgType: "actionCard", actionUrl: "https://grafana.example/d/k8s" },
    { links: ["https://grafana.example/d/k8s"] },
  ),
  form("lark", { ...lark, msgType: "card" }, larkCalled),
  form("lark", { ...lark, msgType: "card_v2", atAll: true }, { ...larkCalled, everyone: true }),
  form("lark", { ...lark, msgType: "post" }, larkCalled),
  form("lark", { ...lark, msgType: "text" }, larkCalled),
  form("wecom", { atUserIds: crew }, { mentions: crew }),
  form(
    "wecom",
    { msgType: "text", atUserIds: ["zhangsan"], atMobiles: crew, atAll: true },
    { mentions: ["zhangsan", ...crew], everyone: true },
  ),
  form(
    "slack",
    { mention: ["U0123456789", "here"] },
    { mentions: ["U0123456789"], everyone: true },
  ),
  form("slack", { token: BOT, channel: "C0123456789" }),
];

let sim: RunningSimulator;
let client: HttpClient;
const clock = new FakeClock();

beforeAll(async () => {
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
  sim = await startSimulator({
    clock,
    timeZone: "UTC",
    onlyConfigured: true,
    robots: [
      { platform: "dingtalk", token: "ops", secret: SECRET },
      { platform: "lark", token: "ops", secret: SECRET },
      { platform: "wecom", token: "ops" },
      { platform: "slack", token: "T0/B0/ops" },
      { platform: "slack", token: "C0123456789", secret: BOT },
    ],
  });
});
afterAll(async () => {
  client.close();
  await sim.close();
});

/** What the platform made of an alert that is sent as the program sends it. */
async function told(
  { sink: type, given }: Form,
  alert: Alert,
  lang: "en" | "zh",
  changes: Partial<ComposeInput>,
) {
  const sink = sinkOf(type);
  if (sink === undefined) throw new Error(`no sink ${type}`);
  const webhook =
    given["token"] === undefined
      ? sim.webhook(type, type === "slack" ? "T0/B0/ops" : "ops")
      : `${sim.url}/api/chat.postMessage`;
  const whole = { webhook, ...given };
  const { message } = mustRender(sink, whole, alert, lang, changes);
  const opened = openSink(sink, sink.options.parse(whole), {
    ...quietIo(),
    client,
    timeoutMs: 5000,
  });
  sim.control({ resetLimits: true, clear: true });
  const { verdict } = await opened.tell(message, clock.now(), new AbortController().signal);
  await opened.close();
  return { verdict, received: sim.messages().at(-1) };
}

describe.each(FORMS)("$name", (form) => {
  const { mentions, everyone, links } = form;
  const shownTo = async (
    alert: Alert,
    lang: "en" | "zh",
    name: string,
    changes: Partial<ComposeInput> = {},
  ) => {
    const { verdict, received } = await told(form, alert, lang, changes);
    expect(verdict, name).toEqual({ kind: "accepted" });
    expect(received, name).toMatchObject({ state: "shown", mentionsEveryone: everyone });
    expect([...(received?.mentions ?? [])].toSorted(), name).toEqual([...mentions].toSorted());
    expect(received?.links, name).toEqual(links);
    return `${received?.title ?? ""}\n${received?.text ?? ""}`;
  };

  it("is taken, calls those it is told to and leads where it is told to, whatever an event says", async () => {
    for (const [index, { name, text }] of HOSTILE.entries()) {
      const lang = index % 2 === 0 ? "en" : "zh";
      const event = anEvent({ message: text, reason: text });
      expect(await shownTo({ kind: "event", event }, lang, name)).toContain("web-7d4b9c");
    }
  });

  it("is taken at the platform's size, beside as many mentions as there are", async () => {
    const wanted = ["1 MB of quotes", "1 MB of Chinese", "1 MB of emoji"];
    for (const { name, text } of HUGE.filter((one) => wanted.includes(one.name))) {
      const alert = { kind: "event", event: anEvent({ message: text }) } as const;
      const seen = await shownTo(alert, "zh", name);
      expect(seen, name).toContain("web-7d4b9c");
      // How much is missing.
      expect(seen, name).toMatch(/共 [\d,]+ 字，显示 [\d,]+ 字/);
    }
  });

  it("ends with its labels, whole: a robot may take nothing without the last of them", async () => {
    // As many as a configuration may have.
    const labels = [...Array.from({ length: 100 }, () => "team-shop"), '"keyword"'.padEnd(24, "!")];
    expect(Buffer.byteLength(labels.join(" "))).toBe(1024);
    const event = anEvent({ message: '"'.repeat(1_000_000) });
    for (const alert of [{ kind: "event", event } as const, aDigest(), aGap()]) {
      const seen = await shownTo(alert, "en", alert.kind, { labels });
      expect(seen.indexOf('"keyword"!!!!'), alert.kind).toBeGreaterThan(seen.indexOf("kubectl"));
      expect(seen.match(/team-shop/g), alert.kind).toHaveLength(100);
    }
  });

  it("tells of a digest and of a gap", async () => {
    const lines = aDigest().lines.map((line) => ({ ...line, namespace: "<!channel>@all" }));
    expect(await shownTo({ ...aDigest(), lines }, "en", "digest")).toContain("FailedScheduling");
    expect(await shownTo(aGap(), "zh", "gap")).toContain("事件缺失");
  });
});
