import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sinks } from "../../../sinks/index.ts";
import { compose, type Composed, type ComposeInput } from "../../../src/delivery/compose.ts";
import type { Alert } from "../../../src/event/alert.ts";
import {
  defineHttpSink,
  type HttpSinkDefinition,
  type Limits,
  type Medium,
  s,
  type SinkDefinition,
  type Size,
} from "../../../src/sink/index.ts";
import { byteLength, fits } from "../../../src/sink/text.ts";
import { HOSTILE, HUGE } from "../../fixtures/hostile.ts";
import { aDigest, aGap } from "../../support/alerts.ts";
import { cpuMs } from "../../support/cpu.ts";
import { anEvent } from "../../support/events.ts";
import { activeIn, asRead } from "../../support/inert.ts";
import { READER, theTemplates } from "../../support/templates.ts";
import { facts } from "../../support/registry.ts";

const templates = theTemplates();
const event = (message: string): Alert => ({ kind: "event", event: anEvent({ message }) });

/** A sink with the blocks and limits the test needs; its template is the test's own. */
function aSink(
  blocks: Readonly<Record<string, Medium>>,
  limits: Partial<Limits> = {},
): HttpSinkDefinition {
  const definition = defineHttpSink({
    type: "test",
    title: "Test",
    summary: "A test.",
    docs: "https://example.com",
    facts,
    options: s.object({}),
    uri: { target: null, keep: [] },
    example: { uri: "test:", yaml: {} },
    blocks: () => blocks,
    limits: () => ({
      rates: [],
      concurrency: 1,
      body: null,
      blocks: {},
      throttledMs: 1000,
      ...limits,
    }),
    request: (_, message) => ({
      method: "POST",
      url: "https://hooks.example.com/secret",
      headers: {},
      body: JSON.stringify(message.blocks),
    }),
    accept: () => ({ kind: "accepted" }),
    samples: [],
    refusesWith200: false,
  });
  if (definition.transport !== "http") throw new Error("not HTTP");
  return definition;
}

function composed(
  definition: SinkDefinition,
  template: string | null,
  alert: Alert = event("Back-off restarting failed container"),
  more: Partial<ComposeInput> = {},
): Composed {
  const own =
    template === null ? templates : templates.withFiles([{ source: "own.hbs", text: template }]);
  return compose({
    definition,
    options: definition.options.parse(template === null ? definition.example.yaml : {}),
    delivery: { id: "d1", alert },
    template: own.get(definition.type),
    ...READER,
    labels: [],
    strict: false,
    cluster: "prod-a",
    ...more,
  });
}

function sent(result: Composed) {
  if (!result.ok) throw new Error(JSON.stringify(result.verdict));
  return result;
}

const inline = (name: string, text: string) => `{{#*inline "${name}"}}${text}{{/inline}}`;

describe("an alert as a sink is to send it", () => {
  it("has its blocks, what it is about, and the request", () => {
    const { message, request, cut } = sent(
      composed(
        aSink({ a: "text", b: "json" }),
        inline("a", "{{title}}") + inline("b", '{"n":{{count}} }'),
      ),
    );
    expect(message).toMatchObject({
      id: "d1",
      severity: "warning",
      lang: "en",
      blocks: { a: "🟠 Back-off restarting container · web-7d4b9c", b: '{"n":12 }' },
      event: { reason: "BackOff" },
      alert: { kind: "event" },
    });
    expect(request?.body).toBe(JSON.stringify(message.blocks));
    expect(cut).toBe(false);
  });

  it("in the reader's language and time zone, with his labels", () => {
    const { message } = sent(
      composed(aSink({ a: "text" }), inline("a", "{{times}} {{join labels ' '}}"), undefined, {
        lang: "zh",
        timezone: "Europe/Berlin",
        labels: ["team-a", "#k8s"],
      }),
    );
    expect(message.lang).toBe("zh");
    expect(message.blocks["a"]).toBe("12 次，持续 5 分 30 秒，最近 09:05:30 team-a #k8s");
  });

  it("a summary is a notice about no event", () => {
    for (const alert of [aDigest(), aGap()]) {
      const { message } = sent(composed(aSink({ a: "text" }), inline("a", "{{title}}"), alert));
      expect(message).toMatchObject({ severity: "notice", event: null, alert });
    }
  });

  it("a sink that speaks no HTTP has no request", () => {
    const stdout = sinks.find(({ type }) => type === "stdout");
    if (stdout === undefined) throw new Error("no stdout");
    expect(sent(composed(stdout, null)).request).toBeNull();
  });
});

describe("what is too large", () => {
  const long = `${"word ".repeat(2000)}the cause`;
  const limited = (size: Size, medium: Medium = "markdown") =>
    aSink({ text: medium }, { blocks: { text: size } });

  it("loses the middle of the event's message, as little as must be, and says so", () => {
    const size: Size = { max: 1000, unit: "bytes" };
    const { message, cut } = sent(
      composed(
        limited(size),
        inline("text", "{{title}}\n\n{{quote message}}\n\n{{code command}}"),
        event(long),
      ),
    );
    const text = message.blocks["text"] ?? "";
    expect(cut).toBe(true);
    expect(byteLength(text)).toBeLessThanOrEqual(1000);
    expect(byteLength(text)).toBeGreaterThan(990);
    expect(text).toMatch(/word.*… \(\d{3} of 10,009 characters\) ….*word/);
    expect(text).toContain("the cause\n\n`kubectl -n shop describe pod web-7d4b9c`");
  });

  it("is not cut when it fits exactly", () => {
    const template = inline("text", "{{message}}");
    const whole = byteLength(
      sent(composed(limited({ max: 1e6, unit: "bytes" }), template, event(long))).message.blocks[
        "text"
      ] ?? "",
    );
    expect(sent(composed(limited({ max: whole, unit: "bytes" }), template, event(long))).cut).toBe(
      false,
    );
    expect(
      sent(composed(limited({ max: whole - 1, unit: "bytes" }), template, event(long))).cut,
    ).toBe(true);
  });

  it("counts what escaping adds", () => {
    const size: Size = { max: 500, unit: "characters" };
    const { message } = sent(
      composed(limited(size, "slack"), inline("text", "{{message}}"), event("<&>".repeat(1000))),
    );
    const text = message.blocks["text"] ?? "";
    expect(fits(text, size)).toBe(true);
    expect(text.replaceAll(/&(?:amp|lt|gt);/g, "")).not.toContain("&");
  });

  it("is the whole request, where that is what the platform limits", () => {
    const definition = aSink({ a: "text", b: "text" }, { body: { max: 600, unit: "bytes" } });
    const { request, cut } = sent(
      composed(
        definition,
        inline("a", "{{message}}") + inline("b", "{{message}}"),
        event('"'.repeat(5000)),
      ),
    );
    expect(cut).toBe(true);
    expect(byteLength(request?.body ?? "")).toBeLessThanOrEqual(600);
    expect(byteLength(request?.body ?? "")).toBeGreaterThan(580);
  });

  it("in a digest loses lines", () => {
    const size: Size = { max: 75, unit: "characters" };
    const { message, cut } = sent(
      composed(limited(size, "text"), inline("text", "{{message}}"), aDigest()),
    );
    expect(cut).toBe(true);
    expect(message.blocks["text"]).toBe("🔴 2 × NodeNotReady · node-3 (1 node)\nand 16 more kinds");
  });

  it("for another reason than the message is cut itself, and the message stays", () => {
    const definition = aSink(
      { head: "text", text: "text" },
      { blocks: { head: { max: 20, unit: "characters" }, text: { max: 500, unit: "characters" } } },
    );
    const { message, cut } = sent(
      composed(definition, inline("head", "{{place}} {{place}}") + inline("text", "{{message}}")),
    );
    expect(cut).toBe(true);
    expect(message.blocks).toEqual({
      head: "prod-a · shop · Pod…",
      text: "Back-off restarting failed container",
    });
  });

  it("is cut on a character, and not in an escape", () => {
    for (const max of [10, 11, 12, 13, 14, 15]) {
      const definition = aSink({ text: "slack" }, { blocks: { text: { max, unit: "bytes" } } });
      const { message } = sent(composed(definition, inline("text", "容器 &amp; &lt; 😀😀😀")));
      const text = message.blocks["text"] ?? "";
      expect(byteLength(text)).toBeLessThanOrEqual(max);
      expect(text.isWellFormed()).toBe(true);
      expect(text).not.toMatch(/&[a-z]*…$/);
    }
  });

  it("with nothing left to cut is refused for good", () => {
    const body = composed(
      aSink({ a: "text" }, { body: { max: 50, unit: "bytes" } }),
      inline("a", "x".repeat(100)),
    );
    expect(body).toEqual({
      ok: false,
      verdict: {
        kind: "permanent",
        reason: "tooLarge",
        detail:
          "the request body of 108 is beyond the platform's limit of 50 bytes even without the message's text; shorten the template",
      },
    });
    const json = composed(
      aSink({ body: "json" }, { blocks: { body: { max: 50, unit: "bytes" } } }),
      inline("body", `"${"x".repeat(100)}"`),
    );
    expect(json).toMatchObject({
      ok: false,
      verdict: {
        kind: "permanent",
        reason: "tooLarge",
        detail: expect.stringContaining('"body"') as string,
      },
    });
  });

  it("a JSON body stays JSON when the message in it is cut", () => {
    const definition = aSink({ body: "json" }, { blocks: { body: { max: 300, unit: "bytes" } } });
    for (const { text } of HUGE) {
      const { message, cut } = sent(composed(definition, '{"text": "{{message}}"}', event(text)));
      expect(cut).toBe(true);
      expect(JSON.parse(message.blocks["body"] ?? "")).toEqual({
        text: expect.stringMatching(/ of [\d,]+ characters\) …/) as string,
      });
    }
  });
});

describe("a template that cannot be rendered", () => {
  it("is refused for good: JSON that is none, with its place", () => {
    const result = composed(aSink({ body: "json" }), '{\n  "text": {{title}}\n}');
    expect(result).toEqual({
      ok: false,
      verdict: {
        kind: "permanent",
        reason: "template",
        detail: `the block "body" did not give valid JSON: line 2, column 11 (position 12): unexpected "🟠 Back-off "`,
      },
    });
  });

  it("a block nobody defines", () => {
    expect(composed(aSink({ nosuch: "text" }), inline("a", "x"))).toMatchObject({
      ok: false,
      verdict: { reason: "template", detail: 'no template of test has the block "nosuch"' },
    });
  });

  it("a request that cannot be built, without the secret in it", () => {
    const definition: HttpSinkDefinition = {
      ...aSink({ a: "text" }),
      request: () => {
        throw new Error("https://hooks.example.com/secret");
      },
    };
    expect(composed(definition, inline("a", "x"))).toEqual({
      ok: false,
      verdict: {
        kind: "permanent",
        reason: "template",
        detail: "the request could not be built from the message",
      },
    });
  });
});

const blocksOf = (sink: SinkDefinition) => sink.blocks(sink.options.parse(sink.example.yaml));

describe("a sink without text of its own", () => {
  const records = sinks.filter((sink) => Object.keys(blocksOf(sink)).length === 0);

  it.each(records.map((sink) => [sink.type, sink] as const))(
    "%s is given the event as it is, nothing rendered and nothing cut",
    (_, sink) => {
      for (const { text } of [...HOSTILE, ...HUGE]) {
        const { message } = sent(composed(sink, null, event(text)));
        expect(message.blocks).toEqual({});
        expect(message.alert).toEqual(event(text));
      }
    },
  );
});

const speaking = sinks.filter((sink) => Object.keys(blocksOf(sink)).length > 0);

describe.each(speaking.map((sink) => [sink.type, sink] as const))("through %s", (_, sink) => {
  const limits = sink.limits(sink.options.parse(sink.example.yaml));
  const blocks = blocksOf(sink);
  const expectSound = (result: Composed) => {
    const { message, request } = sent(result);
    for (const [name, size] of Object.entries(limits.blocks))
      expect(fits(message.blocks[name] ?? "", size), name).toBe(true);
    if (request !== null && limits.body !== null)
      expect(fits(request.body, limits.body)).toBe(true);
    for (const [name, text] of Object.entries(message.blocks)) {
      const ours = name === "markdown" ? ["heading", "strong", "quote", "code"] : ["quote"];
      expect(activeIn(blocks[name] ?? "text", text, ours), name).toEqual([]);
    }
    return message;
  };

  it.each(HOSTILE.map(({ name, text }) => [name, text] as const))("%s", (_, text) => {
    for (const lang of ["en", "zh"] as const)
      expect(expectSound(composed(sink, null, event(text), { lang })).blocks).not.toEqual({});
  });

  it.each(HUGE.map(({ name, text }) => [name, text] as const))("%s, in good time", (_, text) => {
    const compose = () => composed(sink, null, event(text));
    expect(cpuMs(compose)).toBeLessThan(5000);
    const message = expectSound(compose());
    const all = Object.entries(message.blocks).map(([name, block]) =>
      asRead(blocks[name] ?? "text", block),
    );
    expect(all.join("\n")).toContain("web-7d4b9c");
  });

  it("names of any length", () => {
    const huge = "n".repeat(50_000);
    const odd = anEvent({
      reason: huge,
      object: { name: huge, namespace: huge, kind: huge },
      cluster: "prod-a",
    });
    expect(expectSound(composed(sink, null, { kind: "event", event: odd })).id).toBe("d1");
  });

  it("summaries", () => {
    for (const alert of [aDigest(), aGap()])
      expect(expectSound(composed(sink, null, alert, { lang: "zh" })).alert).toEqual(alert);
  });

  it("any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.integer({ min: 1, max: 200 }),
        (text, times) => {
          expect(expectSound(composed(sink, null, event(text.repeat(times)))).id).toBe("d1");
        },
      ),
      { numRuns: 30 },
    );
  });
});
