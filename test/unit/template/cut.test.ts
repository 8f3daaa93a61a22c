import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../../src/event/alert.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import type { Medium } from "../../../src/sink/define.ts";
import { characterLength, cut } from "../../../src/sink/text.ts";
import { buildView } from "../../../src/template/build-view.ts";
import { escape, mendCut } from "../../../src/template/escape.ts";
import type { View } from "../../../src/template/view.ts";
import { aDigest } from "../../support/alerts.ts";
import { anEvent } from "../../support/events.ts";
import { aTemplate, aView, READER } from "../../support/templates.ts";

/** What chats that take plain text act on; of `@alligator` they make nothing. */
const CALLS = /<[!@]|<\/?at(?![a-z0-9_])|@(?:all|everyone|here|channel)(?![a-z0-9_])|@所有人/i;
/** Words that call nobody until their ends are cut off. */
const NEARLY = ["@alligator", "@everyone_else", "@hereafter", "@channels", "<attribute", "</attic"];
const MEDIA: readonly Medium[] = ["text", "markdown", "slack", "lark", "wecom", "json", "html"];

const event = (changes: Partial<KubeEvent>): Alert => ({ kind: "event", event: anEvent(changes) });

function viewOf(alert: Alert, limit?: number): View {
  return buildView(alert, {
    ...READER,
    id: "0d9f6f0e-5a5f-4f0c-9a43-3a1c2f7b9d10",
    labels: [],
    cluster: "",
    ...(limit === undefined ? {} : { limit }),
  });
}

/** What a template may show of it, but what is there exactly as the cluster said it. */
function textsOf(view: View): readonly string[] {
  return Object.entries(view).flatMap(([key, value]) =>
    key === "event" || key === "object" ? [] : [JSON.stringify(value)],
  );
}

/** Those that call somebody. */
const loud = (texts: readonly string[]) => texts.filter((text) => CALLS.test(text));
/** A reader of Markdown sees no backslashes. */
const asSeen = (medium: Medium, text: string) =>
  medium === "markdown" ? text.replaceAll("\\", "") : text;

describe("a cut makes nobody of a word that calls nobody", () => {
  it.each(NEARLY)("in the message: %s", (word) => {
    const message = `${"x".repeat(40)}${word} and more ${"y".repeat(80)}`;
    for (let limit = 0; limit <= message.length; limit++)
      expect(loud(textsOf(viewOf(event({ message }), limit)))).toEqual([]);
  });

  it.each(NEARLY)("in a name, a reason, a namespace or a kind: %s", (word) => {
    for (let before = 0; before < 130; before++) {
      const long = `${"x".repeat(before)}${word}${"y".repeat(300 - before)}`;
      const object = { ...anEvent().object, kind: long, namespace: long, name: long };
      expect(loud(textsOf(viewOf(event({ object, reason: long }))))).toEqual([]);
      expect(loud(textsOf(viewOf(event({ reason: long.slice(0, 60) }))))).toEqual([]);
    }
  });

  it.each(NEARLY)("in a digest: %s", (word) => {
    const [line] = aDigest().lines;
    if (line === undefined) throw new Error("no line");
    for (let before = 0; before < 60; before++) {
      const long = `${"x".repeat(before)}${word}${"y".repeat(100)}`;
      const lines = [{ ...line, reason: long, namespace: long, workload: long, kind: long }];
      const digest = { ...aDigest(), lines, moreKinds: 0, cluster: long };
      expect(loud(textsOf(viewOf(digest)))).toEqual([]);
    }
  });

  it.each(NEARLY)("by truncate, in whatever medium: %s", (word) => {
    const view = aView(event({ message: `${word} and more` }));
    for (const medium of MEDIA)
      for (let max = 0; max < 16; max++) {
        const template = aTemplate(`{{truncate message ${max}}}!`);
        const text = template.render("body", medium, view, READER);
        expect(loud([asSeen(medium, text)])).toEqual([]);
      }
  });

  it.each(NEARLY)("at the end of a block that is cut itself: %s", (word) => {
    for (const medium of MEDIA) {
      const block = escape(medium, `ends with ${word} and more`);
      for (let max = 0; max < block.length; max++) {
        const mended = mendCut(medium, cut(block, { max, unit: "characters" }, ""));
        expect(loud([`${asSeen(medium, mended)}…`])).toEqual([]);
        // A block is cut because it was too large: mending takes away, and adds nothing.
        expect(characterLength(mended)).toBeLessThanOrEqual(max);
      }
    }
  });

  it("whatever stands in it, and wherever it is cut", () => {
    const piece = fc.constantFrom("@", "<", "!", "/", "at", "all", "here", "所有人", " ", "x", "é");
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, text, text, fc.nat(60), (message, name, reason, limit) => {
        const object = { ...anEvent().object, name: name.repeat(3) };
        const alert = event({ message: message.repeat(2), object, reason: reason.repeat(2) });
        expect(loud(textsOf(viewOf(alert, limit)))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
