import Handlebars from "handlebars";
import type { Medium } from "../sink/define.ts";
import type { ConfigIssue } from "../config/config.ts";
import type { Mustache, Program, Statement } from "./ast.ts";
import { escape } from "./escape.ts";
import { HELPERS, type Place, Raw, textOf } from "./helpers.ts";
import { lint, parse, split } from "./lint.ts";
import type { View } from "./view.ts";

/** For whom a block is rendered: the medium comes from the sink, the rest from the delivery. */
export type Reader = Omit<Place, "medium">;

export interface TemplateFile {
  /** As messages name it. */
  readonly file: string;
  readonly blocks: readonly string[];
  /** Those that only serve others, by `{{> name}}`. */
  readonly included: readonly string[];
  readonly warnings: readonly ConfigIssue[];
  /** What its blocks give, whatever the sink takes them for; absent: that. */
  readonly medium?: Medium;
  /**
   * @throws Error when the template has no such block: ask `blocks` first
   */
  render(block: string, medium: Medium, view: View, reader: Reader): string;
}

export type Loaded =
  | { readonly ok: true; readonly template: TemplateFile }
  | { readonly ok: false; readonly errors: readonly ConfigIssue[] };

type Render = (view: object, options: object) => string;

interface Compiled {
  readonly blocks: ReadonlyMap<string, Render>;
  /** What each of them is rendered with, besides the data. */
  readonly prepared: object;
}

/** Not names a template can write. */
const ESCAPE = "@escape";
const RAW = "@raw";
const NOTE = "__note";
const BUILT_IN = ["if", "unless", "each", "with"];

/** Reads a template: everything wrong with it, or the ready template. */
export function loadTemplate(source: string, file: string): Loaded {
  const { blocks, included, errors, warnings } = lint(source, file);
  if (errors.length > 0) return { ok: false, errors };
  const media = new Map<Medium, Compiled>();
  return {
    ok: true,
    template: {
      file,
      blocks,
      included,
      warnings,
      render(block, medium, view, reader) {
        let compiled = media.get(medium);
        if (compiled === undefined) {
          compiled = compile(source, medium);
          media.set(medium, compiled);
        }
        const render = compiled.blocks.get(block);
        if (render === undefined) throw new Error(`${file} has no block "${block}"`);
        const data = { root: view, place: { ...reader, medium } };
        const options = { ...compiled.prepared, data };
        // The line end before {{/inline}} belongs to the notation, not to the text.
        return render(view, options).trimEnd().replace(/^\n+/, "");
      },
    },
  };
}

/** One function a block, with every `{{x}}` escaped for the medium. */
function compile(source: string, medium: Medium): Compiled {
  const environment = environmentOf(medium);
  const { blocks } = split(parse(source), () => "");
  const compiled = new Map(
    [...blocks].map(([name, program]) => [
      name,
      environment.compile(escaped(program, medium), {
        knownHelpers: Object.fromEntries(
          [...Object.keys(HELPERS), ESCAPE, RAW].map((name) => [name, true]),
        ),
        knownHelpersOnly: true,
        noEscape: true,
        // Handlebars' own `strict` throws on {{event.related.kind}} where there is no related object. The lint knows every field
        // there is, so what is missing here is null and renders as nothing.
        strict: false,
      }) as Render,
    ]),
  );
  return { blocks: compiled, prepared: prepare(environment, Object.fromEntries(compiled)) };
}

/**
 * Handlebars makes helpers and guards ready anew each time it is asked to render, which takes longer than the rendering, and hands them
 * on to partials. So one partial takes down what it is handed, and every block is rendered as a partial is.
 */
function prepare(environment: typeof Handlebars, partials: object): object {
  let prepared: object = {};
  const note = (_context: unknown, options: object): string => {
    prepared = options;
    return "";
  };
  (environment.compile(`{{> ${NOTE}}}`) as Render)({}, { partials: { ...partials, [NOTE]: note } });
  return prepared;
}

const environments = new Map<Medium, typeof Handlebars>();

/** Handlebars with our helpers and none of those that reach further (lookup, log). Its guard of prototypes stays as it comes: closed. */
function environmentOf(medium: Medium): typeof Handlebars {
  const known = environments.get(medium);
  if (known !== undefined) return known;
  const environment = Handlebars.create();
  for (const name of Object.keys(environment.helpers))
    if (!BUILT_IN.includes(name)) environment.unregisterHelper(name);
  for (const [name, helper] of Object.entries(HELPERS)) {
    environment.registerHelper(name, (...args: unknown[]) => {
      const options = args.pop() as { readonly data: { readonly place: Place } };
      return helper.run(args, options.data.place);
    });
  }
  environment.registerHelper(ESCAPE, (value: unknown) =>
    value instanceof Raw ? value.text : escape(medium, textOf(value)),
  );
  environment.registerHelper(RAW, textOf);
  environments.set(medium, environment);
  return environment;
}

/**
 * Wraps each `{{x}}` in the medium's escape. `{{{x}}}` stays raw, except in JSON, where raw text could break out of its string and add
 * members of its own.
 */
function escaped(program: Program, medium: Medium): Program {
  const visit = (statement: Statement): void => {
    if (statement.type === "BlockStatement") {
      statement.program?.body.forEach(visit);
      statement.inverse?.body.forEach(visit);
    } else if (statement.type === "MustacheStatement")
      wrap(statement, statement.escaped || medium === "json" ? ESCAPE : RAW);
  };
  program.body.forEach(visit);
  return program;
}

function wrap(statement: Mustache, by: string): void {
  const { path, params, hash, loc } = statement;
  const isCall = path.type === "PathExpression" && Object.hasOwn(HELPERS, path.original);
  const inner = isCall
    ? { type: "SubExpression" as const, path, params, ...(hash === undefined ? {} : { hash }), loc }
    : path;
  statement.params = [inner];
  delete statement.hash;
  statement.path = {
    type: "PathExpression",
    data: false,
    depth: 0,
    parts: [by],
    original: by,
    loc,
  };
}
