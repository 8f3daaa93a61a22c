import type { z } from "../../sink/schema.ts";
import { QueryError } from "../../history/parse.ts";
import { etagOf, isKnown } from "../page/etag.ts";
import type { C } from "../page/frame.ts";

const SHOWN = 80;
/** How zod begins what it says. */
const PREFIX = /^Invalid (?:input|option): expected /;

/** Answers are weighed by their text: whoever asks again for what has not changed gets no body. */
export function json(c: C, body: unknown): Response {
  const text = JSON.stringify(body);
  const etag = etagOf(text);
  c.header("etag", etag);
  c.header("cache-control", "private, no-cache");
  if (isKnown(c.req.header("if-none-match"), etag)) return c.body(null, 304);
  return c.body(text, 200, { "content-type": "application/json; charset=utf-8" });
}

/** More levels than anything has that is meant: what walks them would run out of stack. */
const DEEPEST = 100;

function isTooDeep(value: unknown, left = DEEPEST): boolean {
  if (typeof value !== "object" || value === null) return false;
  return left === 0 || Object.values(value).some((one) => isTooDeep(one, left - 1));
}

/** Of what is to be sent, or of a field of it, as it is described, as JSON; empty: it is not. */
function exampleAt(schema: z.ZodType, path: readonly PropertyKey[]): string {
  const examples: unknown = schema.meta()?.["examples"];
  let at: unknown = Array.isArray(examples) ? examples[0] : undefined;
  for (const key of path)
    at =
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? Reflect.get(at, key)
        : undefined;
  return JSON.stringify(at) ?? "";
}

/** As it was written: texts are put into quotes where they are shown. */
const shown = (value: unknown): string =>
  typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");

/**
 * What was sent, as the schema has it.
 * @throws QueryError that names each field, with the schema's example
 */
export async function bodyOf<T extends z.ZodType>(c: C, schema: T): Promise<z.output<T>> {
  const text = await c.req.text();
  const wrong = (expected: string) =>
    new QueryError([
      { field: "body", found: text.slice(0, SHOWN), expected, example: exampleAt(schema, []) },
    ]);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw wrong(`JSON (${error instanceof Error ? error.message : "unreadable"})`);
  }
  if (isTooDeep(value)) throw wrong(`at most ${DEEPEST} objects and lists within each other`);
  const read = schema.safeParse(value, { reportInput: true });
  if (read.success) return read.data;
  throw new QueryError(
    read.error.issues.map((issue) => ({
      field: issue.path.length === 0 ? "body" : issue.path.join("."),
      found: shown(issue.input).slice(0, SHOWN),
      expected:
        issue.code === "unrecognized_keys"
          ? `no field ${issue.keys.map((key) => `"${key}"`).join(" or ")}`
          : issue.message.replace(PREFIX, "").replace(/, received .*$/, ""),
      example: exampleAt(schema, issue.path),
    })),
  );
}
