import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { GoTemplateError } from "../../../../src/template/go/error.ts";
import { parseGoTemplate } from "../../../../src/template/go/template.ts";

interface Case {
  readonly name: string;
  readonly template: string;
  readonly event: unknown;
  readonly zone?: string;
  readonly output?: string;
  readonly outputBase64?: string;
  readonly error?: string;
}

const FOLDER = path.resolve(import.meta.dirname, "../../../fixtures/go-template");
const read = (name: string): string => readFileSync(path.join(FOLDER, name), "utf8");
const events = JSON.parse(read("events.json")) as Readonly<Record<string, unknown>>;

const casesOf = (name: string): readonly Case[] =>
  read(name)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Case);

/** What a template gives, as the reference writes it down. */
function outcome({ template, event, zone }: Case, fallback: string): string {
  try {
    const object = typeof event === "string" ? events[event] : event;
    return `output ${parseGoTemplate(template)
      .render(object, zone ?? fallback)
      .toString("latin1")}`;
  } catch (error) {
    if (error instanceof GoTemplateError) return `error ${error.message}`;
    throw error;
  }
}

function expected({ output, outputBase64, error }: Case): string {
  if (error !== undefined) return `error ${error}`;
  const bytes =
    outputBase64 === undefined
      ? Buffer.from(output ?? "", "utf8")
      : Buffer.from(outputBase64, "base64");
  return `output ${bytes.toString("latin1")}`;
}

describe("Go templates give what Go gives, to the byte", () => {
  it.each([
    ["compat-utc.jsonl", "UTC", 35],
    ["compat-asia-shanghai.jsonl", "Asia/Shanghai", 35],
    ["cases-utc.jsonl", "UTC", 2500],
    ["cases-asia-shanghai.jsonl", "Asia/Shanghai", 100],
    ["random-utc.jsonl", "UTC", 1600],
    ["random-asia-shanghai.jsonl", "Asia/Shanghai", 1600],
    ["broken-utc.jsonl", "UTC", 1000],
    ["review-utc.jsonl", "UTC", 500],
    ["review-asia-shanghai.jsonl", "Asia/Shanghai", 40],
    ["zones.jsonl", "UTC", 160],
  ])("%s", (file, zone, least) => {
    const cases = casesOf(file);
    expect(cases.length).toBeGreaterThanOrEqual(least);
    const wrong = cases.flatMap((one) => {
      const [found, wanted] = [outcome(one, zone), expected(one)];
      return found === wanted ? [] : [{ name: one.name, template: one.template, found, wanted }];
    });
    expect(wrong).toEqual([]);
  });

  it("the cases reach every construct, function, verb and family of errors", () => {
    const text = casesOf("cases-utc.jsonl")
      .map(({ template, error }) => `${template} ${error ?? ""}`)
      .join("\n");
    const words =
      "if else range break continue with define template block and or not call html index slice js len print printf println urlquery eq ne lt le gt ge nil true";
    for (const word of words.split(" ")) expect(text, word).toContain(`{{ ${word}`.slice(3));
    for (const verb of "vTtbcdoOqxXUeEfFgGsp") expect(text, `%${verb}`).toContain(`%${verb}`);
    for (const words of [
      "unclosed action",
      "unexpected EOF",
      "undefined variable",
      "not defined",
      "can't evaluate field",
      "nil pointer evaluating",
      "wrong number of args",
      "wrong type for value",
      "error calling",
      "incompatible types for comparison",
      "index out of range",
      "bad number syntax",
      "unterminated",
      "multiple definition",
    ])
      expect(text, words).toContain(words);
  });
});
