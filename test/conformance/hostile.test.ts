import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sinks } from "../../sinks/index.ts";
import type { Alert } from "../../src/event/alert.ts";
import { type RunningSimulator, startSimulator } from "../../src/simulate/index.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import type { SinkDefinition } from "../../src/sink/index.ts";
import { fits } from "../../src/sink/text.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/events.ts";
import { HOSTILE, HUGE } from "../fixtures/hostile.ts";
import { visible } from "../support/inert.ts";
import { malformed, mustRender, variantsOf } from "../support/rendering.ts";

/** What a stranger writes into an Event, through every sink in every form: valid, inert, and otherwise as it was. */
const clock = new FakeClock();
const never = new AbortController().signal;
const CHATS = { dingtalk: "d1", lark: "l1", wecom: "w1", slack: "T1/B1/X1" } as const;
const isChat = (type: string): type is keyof typeof CHATS => Object.hasOwn(CHATS, type);
const about = (message: string): Alert => ({ kind: "event", event: anEvent({ message }) });

let chats: RunningSimulator;
let client: HttpClient;

beforeAll(async () => {
  chats = await startSimulator({ clock });
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(() => chats.control({ clear: true, resetLimits: true }));
afterAll(async () => {
  client.close();
  await chats.close();
});

/** Controls but tab and newline, direction marks, line separators. */
const UNSEEN = /(?![\n\t])\p{Cc}|[\u202a-\u202e\u2066-\u2069\u2028\u2029]/u;
const TEXTS = HOSTILE.map((hostile) => [hostile.name, hostile] as const);

/** As a person would see it in the chat. */
async function seen(type: keyof typeof CHATS, variant: string, sink: SinkDefinition, alert: Alert) {
  const address = chats.webhook(type, CHATS[type]);
  const given = variantsOf(sink, address).find(({ name }) => name === variant)?.given ?? {};
  const { request } = mustRender(sink, given, alert);
  if (request === null) throw new Error("no request");
  await client.exchange(request, { timeoutMs: 5000, signal: never });
  const message = chats.messages().at(-1);
  if (message === undefined) throw new Error("nothing arrived");
  return message;
}

const all = sinks.flatMap((sink) => {
  const address = sink.uri.target === null ? null : String(sink.example.yaml[sink.uri.target]);
  return variantsOf(sink, address).map(({ name, given }) => ({ sink, name, given }));
});

const named = all.map((one) => [`${one.sink.type} (${one.name})`, one] as const);

describe.each(named)("%s", (_, { sink, name, given }) => {
  const limits = sink.limits(sink.options.parse(given));
  // Fitting a megabyte takes its time: all of them for the form most people use, two for each other.
  const huge = HUGE.filter((_, index) => name === "default" || index % 6 === 1).map(
    ({ name, text }) => [name, text] as const,
  );

  it.each(TEXTS)("is valid and legible: %s", (_, { text }) => {
    const { request, message } = mustRender(sink, given, about(text));
    expect(request === null ? null : malformed(request)).toBeNull();
    for (const [block, shown] of Object.entries(message.blocks)) {
      expect(shown, block).not.toMatch(UNSEEN);
      expect(shown.isWellFormed(), block).toBe(true);
    }
  });

  it.each(huge)("cuts %s to what is taken", (_, text) => {
    const { request, message, cut } = mustRender(sink, given, about(text));
    const body = request?.body ?? "";
    expect(limits.body === null || fits(body, limits.body)).toBe(true);
    for (const [block, size] of Object.entries(limits.blocks)) {
      expect(fits(message.blocks[block] ?? "", size), block).toBe(true);
    }
    expect(cut).toBe(limits.body !== null || Object.keys(limits.blocks).length > 0);
  });
});

const chat = named.flatMap(([title, { sink, name }]) =>
  isChat(sink.type) ? [[title, { type: sink.type, sink, variant: name }] as const] : [],
);

describe.each(chat)("in the chat, %s", (_, { type, sink, variant }) => {
  const harmless = { state: "shown", mentionsEveryone: false, mentions: [], links: [] };

  it.each(TEXTS)("wakes nobody, links nowhere and arrives: %s", async (_, { text, shows }) => {
    const message = await seen(type, variant, sink, about(text));
    expect(message).toMatchObject(harmless);
    for (const part of shows) expect(visible(message.text)).toContain(visible(part));
  });

  it.each(["reason", "cluster", "kind", "namespace", "name"] as const)(
    "is as safe with a hostile %s",
    async (field) => {
      for (const { text } of HOSTILE) {
        chats.control({ resetLimits: true });
        const changes =
          field === "reason" || field === "cluster"
            ? { [field]: text }
            : { object: { [field]: text } };
        const alert: Alert = { kind: "event", event: anEvent(changes) };
        expect(await seen(type, variant, sink, alert), text).toMatchObject(harmless);
      }
    },
  );
});
