import path from "node:path";
import { compose, type Composed, type ComposeInput } from "../../src/delivery/compose.ts";
import type { Alert } from "../../src/event/alert.ts";
import type { HttpRequest, SinkDefinition } from "../../src/sink/index.ts";
import { optionsOf } from "../../src/sink/schema.ts";
import { createTemplates } from "../../src/template/templates.ts";

const templates = createTemplates({
  builtinDir: path.resolve(import.meta.dirname, "../../templates"),
  overrides: [],
});

export const RENDERED_AT = Date.parse("2026-11-20T08:05:31Z");
export const DELIVERY_ID = "0d9f6f0e-5a5f-4f0c-9a43-3a1c2f7b9d10";

/** An alert as a sink would send it with the built-in template, in Shanghai at 16:05:31. */
export function rendered(
  definition: SinkDefinition,
  given: Readonly<Record<string, unknown>>,
  alert: Alert,
  lang: "en" | "zh" = "en",
  changes: Partial<ComposeInput> = {},
): Composed {
  return compose({
    definition,
    options: definition.options.parse(given),
    delivery: { id: DELIVERY_ID, alert },
    template: templates.get(definition.type),
    lang,
    timezone: "Asia/Shanghai",
    labels: ["team-shop"],
    strict: false,
    cluster: "prod-a",
    now: RENDERED_AT,
    ...changes,
  });
}

/** The request (or, without HTTP, the blocks), or an error saying why there is none. */
export function mustRender(...args: Parameters<typeof rendered>) {
  const composed = rendered(...args);
  if (!composed.ok) throw new Error(JSON.stringify(composed.verdict));
  return composed;
}

/** The sink with nothing but its address and what must be given, and once more for each value of each option that is a choice, as far as it stands alone. */
export function variantsOf(
  sink: SinkDefinition,
  address: string | null,
): readonly { readonly name: string; readonly given: Readonly<Record<string, unknown>> }[] {
  const needed = optionsOf(sink.options)
    .filter(({ required }) => required)
    .map(({ name }) => [name, sink.example.yaml[name]] as const);
  const plain = {
    ...Object.fromEntries(needed),
    ...(sink.uri.target === null ? {} : { [sink.uri.target]: address }),
  };
  const choices = optionsOf(sink.options).flatMap(({ name, form, fallback }) =>
    typeof form === "string" || name === "method"
      ? []
      : form
          .filter((value) => value !== fallback)
          .map((value) => ({ name: value, given: { ...plain, [name]: value } })),
  );
  return [{ name: "default", given: plain }, ...choices].filter(
    ({ given }) => sink.options.safeParse(given).success,
  );
}

/** What is wrong with a request's body, by what it says it is; `null`: nothing. */
export function malformed({ headers, body }: HttpRequest): string | null {
  const type = headers["content-type"] ?? "";
  const problem = (text: string) => {
    try {
      JSON.parse(text);
      return null;
    } catch (error) {
      return String(error);
    }
  };
  if (/ndjson/.test(type)) {
    if (!body.endsWith("\n")) return "the last line has no end";
    return (
      body
        .slice(0, -1)
        .split("\n")
        .map(problem)
        .find((found) => found !== null) ?? null
    );
  }
  // Line protocol has a parser of its own in its sink's test.
  return type.startsWith("text/plain") ? null : problem(body);
}
