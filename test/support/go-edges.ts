import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { GoTemplateError } from "../../src/template/go/error.ts";
import { parseGoTemplate } from "../../src/template/go/template.ts";

/** What stands between braces, or a whole template, and what Go 1.26 makes of it; `! ` begins what it says is wrong. */
export type Edge = readonly [action: string, gives: string];

/** The Event with every field, of the reference's cases. */
const FILE = path.resolve(import.meta.dirname, "../fixtures/go-template/events.json");
const { rich } = JSON.parse(readFileSync(FILE, "utf8")) as { readonly rich: unknown };

function outcome(action: string): string {
  const template = action.includes("{{") ? action : `{{ ${action} }}`;
  try {
    return parseGoTemplate(template).render(rich, "UTC").toString("utf8");
  } catch (error) {
    if (!(error instanceof GoTemplateError)) throw error;
    const place = /^template: body:1(?::\d+: executing "body" at <.*?>)?: /s;
    return `! ${error.message.replace(place, "")}`;
  }
}

export function describeEdges(edges: Readonly<Record<string, readonly Edge[]>>): void {
  describe.each(Object.entries(edges))("%s", (_, cases) => {
    it.each(cases)("%s", (action, gives) => {
      expect(outcome(action)).toBe(gives);
    });
  });
}
