import type { ConfigIssue } from "../config/config.ts";
import type { Medium } from "../sink/define.ts";
import type { Loaded } from "./engine.ts";
import { EXAMPLES, goEvent } from "./go-event.ts";
import { GoTemplateError } from "./go/error.ts";
import { type GoTemplate, parseGoTemplate } from "./go/template.ts";
import { jsonProblem } from "./json-problem.ts";

/** The block that a body without blocks is. */
const BLOCK = "body";

/** Reads a body of Go's text/template. A name that does not exist is a mistake; what may depend on the event is a warning. */
export function loadGoBody(text: string, file: string, medium: Medium): Loaded {
  let template: GoTemplate;
  try {
    template = parseGoTemplate(text);
  } catch (error) {
    return { ok: false, errors: [issueOf(error, file)] };
  }
  const json = medium === "json" ? true : undefined;
  const problems = EXAMPLES.flatMap((event) => problemWith(template, event, json, file));
  const errors = unique(problems.filter(({ certain }) => certain));
  if (errors.length > 0) return { ok: false, errors };
  return {
    ok: true,
    template: {
      file,
      blocks: [BLOCK],
      included: [],
      warnings: unique([...problems, ...namesIn(template, file)]),
      render(_block, _medium, view, reader) {
        try {
          return template.renderSafe(goEvent(view), reader.timezone, json).text;
        } catch (error) {
          const { where, message, hint } = issueOf(error, file);
          throw new Error(`${where}: ${message}${hint === null ? "" : ` (${hint})`}`, {
            cause: error,
          });
        }
      },
    },
  };
}

interface Problem extends ConfigIssue {
  /** Whatever the event. */
  readonly certain: boolean;
}

/** Names that do not exist, where only some events come to. */
function namesIn(template: GoTemplate, file: string): readonly Problem[] {
  return EXAMPLES.flatMap((event) => template.explore(event, "UTC"))
    .filter(({ hint }) => hint !== null)
    .map((error) => ({ ...issueOf(error, file), certain: false }));
}

/** What an example shows: a template tells only when it is executed. */
function problemWith(
  template: GoTemplate,
  event: unknown,
  json: true | undefined,
  file: string,
): readonly Problem[] {
  try {
    const { text } = template.renderSafe(event, "UTC", json);
    const problem = json === true ? jsonProblem(text) : null;
    if (problem === null) return [];
    return [
      {
        where: file,
        message: `what this body gives for an example event is not valid JSON: ${problem}`,
        hint: "where it is not meant to be JSON, say what it is by contentType",
        certain: false,
      },
    ];
  } catch (error) {
    const issue = issueOf(error, file);
    return [{ ...issue, certain: issue.hint !== null }];
  }
}

function issueOf(error: unknown, file: string): ConfigIssue {
  if (!(error instanceof GoTemplateError)) throw error;
  const { line, column } = error.place;
  return { where: `${file}:${line}:${column}`, message: error.message, hint: error.hint };
}

function unique(problems: readonly Problem[]): readonly ConfigIssue[] {
  const seen = new Map<string, ConfigIssue>();
  for (const { where, message, hint } of problems) {
    const place = message.startsWith("what this body") ? where : `${where} ${message}`;
    if (!seen.has(place)) seen.set(place, { where, message, hint });
  }
  return [...seen.values()];
}
