import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../../src/event/alert.ts";
import type { Medium } from "../../../src/sink/define.ts";
import { loadTemplate } from "../../../src/template/engine.ts";
import { HELPERS, MEDIA } from "../../../src/template/helpers.ts";
import { fieldPaths } from "../../../src/template/view-fields.ts";
import type { View } from "../../../src/template/view.ts";
import { aDigest, aGap } from "../../support/alerts.ts";
import { anEvent } from "../../support/events.ts";
import { activeIn } from "../../support/inert.ts";
import { aTemplate, aView, READER } from "../../support/templates.ts";

const FIELDS = fieldPaths().filter(({ path }) => !path.includes("[]"));
/** In which an event says what it likes, as it is and made for people. */
const field = fc.constantFrom(
  ..."event.message event.reason event.object.name event.object.kind event.reporter.host".split(
    " ",
  ),
  ..."message reason name namespace kind title place host reasonCode".split(" "),
);

/** What formats, mentions, links, hides, ends a string or is half of a character. */
const BAD = [
  ..."*_~`[]()<>!@#|&\\:;=-+.1\"'{} \n\t\r".split(""),
  "](http://evil.example)",
  "<!channel>",
  "@all",
  "<at id=all></at>",
  "&lt;",
  "http://x.example",
  "\u0000",
  "\u001b[31m",
  "\u2028",
  "\u202e",
  "\u200b",
  "\ud83d",
  "😀",
  "内存",
  "{{title}}",
  "```",
];
const bad = fc.array(fc.constantFrom(...BAD), { maxLength: 12 }).map((parts) => parts.join(""));
const text = fc.oneof({ weight: 3, arbitrary: bad }, fc.string({ unit: "binary" }));

/** An event of which whoever wrote it chose every text. */
const events: fc.Arbitrary<Alert> = fc
  .record({ message: text, reason: text, name: text, namespace: text, kind: text, host: text })
  .map(({ message, reason, name, namespace, kind, host }) => ({
    kind: "event",
    event: anEvent({
      message,
      reason,
      object: { name, namespace, kind },
      reporter: { component: host, host, instance: host },
    }),
  }));
const alerts = fc.oneof(
  { weight: 4, arbitrary: events },
  { weight: 1, arbitrary: fc.constantFrom<Alert>(aDigest(), aGap()) },
);

/** Templates that may be wrong. */
const wild = fc.letrec<{ expr: string; call: string; node: string; list: string }>((tie) => ({
  expr: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...FIELDS.map(({ path }) => path)),
    fc.constantFrom(..."this . @root @root.title @index @first @key ../title l l.count".split(" ")),
    fc.constantFrom('"a"', "1", "true", "null", "undefined", "'full'", '"lark"', "constructor"),
    fc.constantFrom(
      "labels.length",
      "labels.0",
      "event.nope",
      "__proto__",
      "title.length",
      "name.x",
    ),
    tie("call").map((call) => `(${call})`),
  ),
  call: fc
    .tuple(
      fc.constantFrom(...Object.keys(HELPERS), "lookup", "log"),
      fc.array(tie("expr"), { maxLength: 3 }),
    )
    .map(([name, args]) => [name, ...args].join(" ")),
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("a", " ", "\n", '"', "{", "}", ": "),
    tie("expr").map((expr) => `{{${expr}}}`),
    tie("call").map((call) => `{{${call}}}`),
    tie("call").map((call) => `{{{${call}}}}`),
    fc
      .tuple(
        fc.constantFrom("if", "unless", "each", "with"),
        fc.oneof(fc.constantFrom("labels", "event", "digest.lines", "gap"), tie("expr")),
        fc.constantFrom("", " as |l|", " as |l i|"),
        tie("list"),
        fc.oneof(
          fc.constant(""),
          tie("list").map((list) => `{{else}}${list}`),
        ),
      )
      .map(
        ([word, expr, as, list, other]) => `{{#${word} ${expr}${as}}}${list}${other}{{/${word}}}`,
      ),
  ),
  list: fc.array(tie("node"), { minLength: 1, maxLength: 3 }).map((nodes) => nodes.join("")),
}));

/** Values beside each other, with or without something between, straight or through a helper. */
const values = fc
  .array(
    fc.tuple(
      fc.oneof(
        field,
        ...["upper", "lower"].map((name) => field.map((path) => `${name} ${path}`)),
        field.map((path) => `truncate ${path} 7`),
        field.map((path) => `default ${path} "-"`),
        field.map((path) => `join (lines ${path}) " "`),
      ),
      fc.constantFrom("", "", " ", ": ", "x"),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.map(([value, after]) => `{{${value}}}${after}`).join(""));

const rendered = (source: string, medium: Medium, view: View) =>
  aTemplate(source).render("body", medium, view, READER);

describe("whatever the template and the event", () => {
  it("what passes the lint renders, for every kind of alert and in every medium", () => {
    let passed = 0;
    fc.assert(
      fc.property(wild.list, alerts, fc.constantFrom(...MEDIA), (source, alert, medium) => {
        const loaded = loadTemplate(source, "own.hbs");
        const errors = loaded.ok ? [] : loaded.errors;
        for (const { where, message } of errors) {
          expect(where).toMatch(/^own\.hbs:[1-9]\d*:[1-9]\d*$/);
          expect(message).not.toMatch(/\[object|TypeError/);
        }
        const out = loaded.ok ? loaded.template.render("body", medium, aView(alert), READER) : "";
        expect(out).not.toMatch(/\[object \w+\]/);
        passed += loaded.ok ? 1 : 0;
      }),
      { numRuns: 1500 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  it("a value in a string of JSON stays in it", () => {
    fc.assert(
      fc.property(values, field, alerts, (source, path, alert) => {
        const view = aView(alert);
        const body = rendered(`{"a":"${source}","b":[{{json ${path}}}],"c":1}`, "json", view);
        const read = JSON.parse(body) as Readonly<Record<string, unknown>>;
        expect(Object.keys(read)).toEqual(["a", "b", "c"]);
        expect(read["a"]).toBeTypeOf("string");
        expect(read["b"]).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });

  it.each(["text", "markdown", "slack", "lark", "wecom"] as const)(
    "values beside each other make nothing together that none of them is: %s",
    (medium) => {
      fc.assert(
        fc.property(values, events, (source, alert) => {
          const seen = rendered(source, medium, aView(alert));
          // `@all_x` is a name of its own; a reader of Markdown sees no backslash between.
          const plain = medium === "markdown" ? seen.replaceAll("\\_", "_") : seen;
          const active = activeIn(medium, seen).filter((one) => !one.startsWith("@"));
          expect(active).toEqual([]);
          expect(plain).not.toMatch(/@(?:all|everyone|here|channel)\b|@所有人/i);
        }),
        { numRuns: 200 },
      );
    },
  );

  it("is the same however often and in whatever order it is rendered", () => {
    fc.assert(
      fc.property(values, alerts, alerts, (source, one, other) => {
        const template = aTemplate(source);
        const say = (alert: Alert, medium: Medium) =>
          template.render("body", medium, aView(alert), READER);
        const first = say(one, "slack");
        say(other, "json");
        say(other, "slack");
        expect(say(one, "slack")).toBe(first);
      }),
      { numRuns: 100 },
    );
  });
});
