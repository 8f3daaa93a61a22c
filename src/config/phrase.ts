import type { z } from "../sink/schema.ts";
import { isMap } from "./tree.ts";

type Problem = z.core.$ZodIssue;

/** What was expected and what was found, in the user's terms. Of a secret only its kind is said. */
export function phrase(problem: Problem, value: unknown, secret: boolean): string {
  const found = secret ? kindOf(value) : show(value);
  switch (problem.code) {
    case "custom":
      return secret ? withoutValue(problem.message, String(value)) : problem.message;
    case "invalid_value":
      return `expected one of ${problem.values.map(String).join(", ")}; found ${found}`;
    case "too_small":
      return `expected at least ${problem.minimum}; found ${found}`;
    case "too_big":
      return `expected at most ${problem.maximum}; found ${found}`;
    case "invalid_type":
    case "invalid_union":
      return `expected ${expected(problem)}; found ${found}`;
    case "invalid_format":
    case "invalid_key":
    case "invalid_element":
    case "not_multiple_of":
    case "unrecognized_keys":
      return `${problem.message}; found ${found}`;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  stringbool: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

/** What a problem of the type wants instead: `text or a list`; empty where it is another problem. */
export function expected(problem: Problem): string {
  const names =
    problem.code === "invalid_union"
      ? problem.errors.flat().map((error) => ("expected" in error ? String(error.expected) : ""))
      : ["expected" in problem ? String(problem.expected) : ""];
  const words = names.flatMap((name) => TYPES[name] ?? []);
  const unlikely = words.includes("true or false") ? ["text"] : [];
  return [...new Set(words)].filter((word) => !unlikely.includes(word)).join(" or ");
}

/** A value as it may be repeated in a message: short, on one line. */
function show(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (isMap(value)) return "a map";
  const text = JSON.stringify(value);
  // A cut leaves no half of a character.
  return text.length > 60 ? `${text.slice(0, 60).replace(/[\ud800-\udbff]$/, "")}…` : text;
}

/** Less what it quotes of the value: all of it, its beginning, or a part of a pattern. */
function withoutValue(message: string, value: string): string {
  const whole = message.replaceAll(`"${value}"`, "this value");
  const cut = whole.replaceAll(/"([^"]{8,})"/g, (quoted, part: string) =>
    value.startsWith(part) ? "this value" : quoted,
  );
  return cut.replaceAll(/: `[^`]+`/g, "");
}

/** What may be said about the value of a secret. */
function kindOf(value: unknown): string {
  if (typeof value === "string") return "other text";
  return typeof value === "number" || typeof value === "boolean"
    ? `a ${typeof value}`
    : show(value);
}
