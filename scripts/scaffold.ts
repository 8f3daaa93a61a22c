/** A file of a new sink: path from the repository's root, and its text. */
export interface ScaffoldFile {
  readonly path: string;
  readonly text: string;
}

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

/** What JavaScript, and the registry, have another meaning for. */
const RESERVED: ReadonlySet<string> = new Set(
  "break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with yield let static await implements interface package private protected public sinks".split(
    " ",
  ),
);
/** What the test of a new sink calls something else. */
const OF_THE_TEST: ReadonlySet<string> = new Set(
  "describe expect it message webhook request".split(" "),
);

/** What a sink is called in code: `acme-chat` is `acmeChat`. */
export function variableFor(name: string): string {
  const variable = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return RESERVED.has(variable) ? `${variable}Sink` : variable;
}

/**
 * The three files of a new sink, which pass the conformance suite as they are: a robot that takes `{"title","text"}`.
 * @throws Error when the name cannot be one
 */
export function scaffold(name: string): readonly ScaffoldFile[] {
  if (!NAME.test(name)) {
    throw new Error(
      `"${name}" cannot be a sink's name; expected small letters, digits and dashes, like acme-chat`,
    );
  }
  const variable = OF_THE_TEST.has(name) ? `${name}Sink` : variableFor(name);
  return [
    { path: `sinks/${name}.ts`, text: sink(name) },
    { path: `templates/${name}.hbs`, text: TEMPLATE },
    { path: `test/sinks/${name}.test.ts`, text: test(name, variable) },
  ];
}

const sink = (name: string) => `import {
  bodyVerdict,
  type CodeTable,
  defineHttpSink,
  errcodeOf,
  s,
  said,
} from "../src/sink/index.ts";

const DOCS = "https://${name}.example.com/docs";

/** What the platform's codes mean; what is not here is tried again a few times. */
const CODES: CodeTable = {
  "401": { kind: "permanent", reason: "auth", next: "check the token of the webhook URL" },
  "429": { kind: "throttled", retryAfterMs: null, next: "" },
  "500": { kind: "retryable", reason: "server", next: "" },
};

export default defineHttpSink({
  type: "${name}",
  title: "${name}",
  summary: "A robot in a ${name} group.",
  docs: DOCS,
  facts: {
    kind: "chat",
    auth: "the URL's token",
    idempotency: "header idempotency-key",
    batch: "one message a request",
    testedAgainst: "a server that goes by the documentation",
  },
  options: s.object({
    webhook: s.secretUrl({
      description: "The robot's webhook URL, token included.",
      example: "https://${name}.example.com/hook/…",
    }),
  }),
  uri: { target: "webhook", keep: [] },
  example: {
    uri: "${name}:https://${name}.example.com/hook/0123456789abcdef",
    yaml: { webhook: "https://${name}.example.com/hook/0123456789abcdef" },
  },
  blocks: () => ({ title: "text", text: "text" }),
  limits: () => ({
    rates: [{ count: 20, perMs: 60_000 }],
    concurrency: 1,
    body: { max: 20_000, unit: "bytes" },
    // JSON may double a text of quotes.
    blocks: { title: { max: 300, unit: "bytes" }, text: { max: 8500, unit: "bytes" } },
    throttledMs: 60_000,
  }),
  request: ({ webhook }, message) => ({
    method: "POST",
    url: webhook.reveal(),
    headers: { "content-type": "application/json", "idempotency-key": message.id },
    body: JSON.stringify({ title: message.blocks["title"], text: message.blocks["text"] }),
  }),
  accept: (answer) => bodyVerdict(answer, errcodeOf(answer), CODES),
  refusesWith200: true,
  samples: [
    said("accepted", { errcode: 0, errmsg: "ok" }, "accepted", DOCS),
    said("token", { errcode: 401, errmsg: "no such token" }, "permanent", DOCS),
    said("too fast", { errcode: 429, errmsg: "too fast" }, "throttled", DOCS),
    said("internal", { errcode: 500, errmsg: "internal" }, "retryable", DOCS),
  ],
});
`;

const TEMPLATE = `{{#*inline "title"}}
{{title}}
{{/inline}}
{{#*inline "text"}}
{{place}} · {{times}}
{{message}}
{{command}}
{{/inline}}
{{#*inline "digest-title"}}
{{title}}
{{/inline}}
{{#*inline "digest-text"}}
{{#with digest}}
{{#each lines}}
{{mark}} {{count}} × {{reasonText}} · {{where}}
{{/each}}
{{more}}
{{/with}}
{{/inline}}
{{#*inline "gap-title"}}
{{title}}
{{/inline}}
{{#*inline "gap-text"}}
{{#with gap}}
{{sinceText}} – {{untilText}}: {{causeText}}
{{/with}}
{{/inline}}
`;

const test = (name: string, variable: string) => `import { describe, expect, it } from "vitest";
import ${variable} from "../../sinks/${name}.ts";
import { aMessage, problemsWith, requestOf } from "../support/messages.ts";

const webhook = "https://${name}.example.com/hook/0123456789abcdef";
const message = aMessage({ blocks: { title: "🟠 Back-off · web", text: "prod-a · shop" } });

describe("what ${name} is sent", () => {
  it("is the title and the text", () => {
    const request = requestOf(${variable}, { webhook }, message);
    expect(request).toMatchObject({ method: "POST", url: webhook });
    expect(request.json()).toEqual({ title: "🟠 Back-off · web", text: "prod-a · shop" });
  });
});

describe("${name}'s options", () => {
  it("refuse an address that is none", () => {
    expect(problemsWith(${variable}, { webhook: "nowhere" })).toEqual([
      expect.stringContaining("webhook: is not a URL"),
    ]);
  });
});
`;
