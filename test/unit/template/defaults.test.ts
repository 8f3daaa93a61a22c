import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sinks } from "../../../sinks/index.ts";
import type { Alert } from "../../../src/event/alert.ts";
import { normalize } from "../../../src/event/normalize.wire.ts";
import type { Medium } from "../../../src/sink/index.ts";
import { HOSTILE } from "../../fixtures/hostile.ts";
import { aDigest, aGap } from "../../support/alerts.ts";
import { anEvent } from "../../support/events.ts";
import { activeIn, asRead, visible } from "../../support/inert.ts";
import { aView, READER, theTemplates } from "../../support/templates.ts";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures");
const templates = theTemplates();

/** Every block a sink may ask for, over all of its options. */
const BLOCKS: Readonly<Record<string, Readonly<Record<string, Medium>>>> = {
  dingtalk: { title: "text", text: "text", markdown: "markdown" },
  lark: {
    title: "text",
    place: "text",
    times: "text",
    message: "text",
    command: "text",
    link: "text",
    "link-text": "text",
    labels: "text",
    text: "lark",
  },
  wechat: { text: "wecom", markdown: "wecom" },
  wecom: { text: "text", markdown: "wecom" },
  slack: {
    title: "text",
    fallback: "slack",
    context: "slack",
    message: "text",
    command: "text",
    link: "slack",
    labels: "slack",
  },
  webhook: { title: "text", text: "text" },
  stdout: { line: "text", title: "text", text: "text" },
};

function captured(): readonly (readonly [string, Alert])[] {
  const file = JSON.parse(
    readFileSync(path.join(FIXTURES, "events/kube-eventer.json"), "utf8"),
  ) as Record<string, unknown>;
  return Object.entries(file).flatMap(([name, raw]) => {
    const event = normalize(raw, "prod-a", "2026-11-20T08:00:00Z");
    return event === null ? [] : [[name, { kind: "event", event }] as const];
  });
}

const ALERTS: readonly (readonly [string, Alert])[] = [
  ...captured(),
  ["digest", aDigest()],
  ["gap", aGap()],
];

it("knows all blocks the sinks ask for", () => {
  for (const sink of sinks) {
    const wanted = sink.blocks(sink.options.parse(sink.example.yaml));
    expect(BLOCKS[sink.type], sink.type).toMatchObject(wanted);
  }
});

describe.each(Object.entries(BLOCKS))("the default template of %s", (type, blocks) => {
  const render = (name: string, alert: Alert, lang: "en" | "zh", medium: Medium) =>
    templates.get(type).render(name, medium, aView(alert, { lang }), { ...READER, lang });

  it.each(["en", "zh"] as const)("reads well in %s", async (lang) => {
    const pages = ALERTS.map(([name, alert]) => {
      const shown = Object.entries(blocks).map(
        ([block, medium]) => `--- ${block}\n${render(block, alert, lang, medium)}`,
      );
      return [`===== ${name}`, ...shown].join("\n");
    });
    await expect(`${pages.join("\n")}\n`).toMatchFileSnapshot(
      path.join(FIXTURES, `golden/templates/${type}.${lang}.txt`),
    );
  });

  it("has every fact, in every language", () => {
    const alert: Alert = { kind: "event", event: anEvent() };
    for (const lang of ["en", "zh"] as const) {
      const text = Object.entries(blocks)
        .map(([name, medium]) => asRead(medium, render(name, alert, lang, medium)))
        .join("\n");
      for (const fact of [
        "🟠",
        "prod-a",
        "shop",
        "Pod",
        "web-7d4b9c",
        "BackOff",
        "12",
        "16:05:30",
        "Back-off restarting failed container web in pod web-7d4b9c",
        "kubectl -n shop describe pod web-7d4b9c",
        "team-a",
        "#oncall",
      ])
        expect(text).toContain(fact);
    }
  });

  it("leaves no empty line, field or mark where there is nothing to say", () => {
    const event = anEvent({
      cluster: "",
      message: "",
      object: { kind: "", namespace: null, name: "" },
    });
    const view = { ...aView({ kind: "event", event }), labels: [] };
    for (const [name, medium] of Object.entries(blocks)) {
      const text = templates.get(type).render(name, medium, view, READER);
      expect(text).not.toMatch(/\n\n\n|\*\*\*\*|``|· ·|\| \||^ · | · $|null|undefined|\[object/m);
    }
  });

  it.each(HOSTILE.map((hostile) => [hostile.name, hostile] as const))(
    "holds %s",
    (_, { text, shows }) => {
      const event = anEvent({
        message: text,
        reason: text,
        object: { name: text, namespace: text },
      });
      const rendered = Object.entries(blocks).map(([name, medium]) => {
        const block = render(name, { kind: "event", event }, "en", medium);
        // Ours: the heading, the place in bold, the quotation, the command as code.
        const ours = name === "markdown" ? ["heading", "strong", "quote", "code"] : ["quote"];
        expect(activeIn(medium, block, ours), name).toEqual([]);
        return asRead(medium, block);
      });
      for (const line of shows)
        expect(rendered.join("\n")).toContain(visible(line).replaceAll(/\s*\n\s*/g, " "));
    },
  );
});
