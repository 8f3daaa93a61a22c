import {
  accepted,
  defineHttpSink,
  defineSink,
  s,
  type SinkDefinition,
  type SinkFacts,
  statusVerdict,
} from "../../src/sink/index.ts";

const limits = {
  rates: [{ count: 20, perMs: 60_000 }],
  concurrency: 1,
  body: null,
  blocks: {},
  throttledMs: 60_000,
};

/** Of a sink that exists in tests only. */
export const facts: SinkFacts = {
  kind: "chat",
  auth: "the URL's token",
  idempotency: "none",
  batch: "one message a request",
  testedAgainst: "nothing",
};

/** A chat robot with every form of option: a secret URL with its token, a secret, a number, a choice, lists, a map. */
export const chat = defineHttpSink({
  type: "chat",
  title: "Chat",
  summary: "A robot in a chat that exists in tests only.",
  docs: "https://chat.example.com/docs",
  facts,
  options: s.object({
    url: s.secretUrl({
      description: "The robot's URL, token included",
      example: "https://chat.example.com/send?access_token=made-up-token",
    }),
    secret: s
      .secret({ description: "The signing secret", example: "SECmadeup", aliases: ["sign"] })
      .optional(),
    msgType: s
      .oneOf(["text", "markdown"], { description: "The kind of message", example: "text" })
      .default("markdown"),
    retries: s.integer({ description: "A number", example: 3 }, 1, 5).default(2),
    mention: s.list({ description: "Whom to mention", example: ["u1"] }).default([]),
    headers: s.map({ description: "Headers to add", aliases: ["header"] }).default({}),
    everyone: s.bool({ description: "Mention everyone" }).default(false),
    delay: s.duration({ description: "A pause", example: "5s" }).optional(),
  }),
  uri: { target: "url", keep: ["access_token"] },
  example: {
    uri: "chat:https://chat.example.com/send?access_token=made-up-token&sign=SECmadeup",
    yaml: {
      url: "https://chat.example.com/send?access_token=made-up-token",
      secret: "SECmadeup",
      mention: ["u1"],
    },
  },
  blocks: () => ({ text: "text" }),
  limits: () => limits,
  request: (options, message) => ({
    method: "POST",
    url: options.url.reveal(),
    headers: {},
    body: JSON.stringify({ text: message.blocks["text"] }),
  }),
  accept: statusVerdict,
  samples: [],
  refusesWith200: false,
});

/** A receiver of everything, with all query parameters its own. */
export const hook = defineHttpSink({
  type: "hook",
  title: "Hook",
  summary: "A webhook that exists in tests only.",
  docs: "https://hook.example.com/docs",
  facts,
  defaultLevel: "Normal",
  options: s.object({
    url: s.secretUrl({ description: "The receiver", example: "https://hook.example.com/in" }, true),
    headers: s.map({ description: "Headers to add", aliases: ["header"] }).default({}),
  }),
  uri: { target: "url", keep: "*" },
  example: {
    uri: "hook:https://hook.example.com/in",
    yaml: { url: "https://hook.example.com/in" },
  },
  blocks: () => ({}),
  limits: () => ({ ...limits, rates: [], concurrency: 8 }),
  request: (options) => ({ method: "POST", url: options.url.reveal(), headers: {}, body: "" }),
  accept: statusVerdict,
  samples: [],
  refusesWith200: false,
});

export const stdout = defineSink({
  type: "stdout",
  title: "Standard output",
  summary: "Prints.",
  docs: "https://example.com/docs",
  facts,
  defaultLevel: "Normal",
  options: s.object({
    format: s
      .oneOf(["text", "json"], { description: "One line of text, or JSON", example: "json" })
      .default("text"),
  }),
  uri: { target: null, keep: [] },
  example: { uri: "stdout:", yaml: { format: "text" } },
  blocks: () => ({ text: "text" }),
  limits: () => ({ ...limits, rates: [] }),
  create: () => ({ deliver: () => Promise.resolve(accepted), close: () => Promise.resolve() }),
});

export const registry: readonly SinkDefinition[] = [chat, hook, stdout];
