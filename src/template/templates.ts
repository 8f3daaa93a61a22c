import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ConfigError, type ConfigIssue } from "../config/config.ts";
import { nearest } from "../config/nearest.ts";
import type { Alert } from "../event/alert.ts";
import type { Medium } from "../sink/define.ts";
import { type Loaded, loadTemplate, type Reader, type TemplateFile } from "./engine.ts";
import { WHOLE } from "./lint.ts";
import type { View } from "./view.ts";

const ENDING = ".hbs";

/** A user's templates: a directory or a ConfigMap, already read. */
export interface TemplateFolder {
  /** The directory's path, or `configmap:NAMESPACE/NAME`. */
  readonly source: string;
  /** File name or key → content. What does not end in `.hbs` is no template. */
  readonly files: Readonly<Record<string, string>>;
}

/** One template of a single sink. */
export interface TemplateText {
  /** The file's path, or `configmap:NAMESPACE/NAME/KEY`. */
  readonly source: string;
  readonly text: string;
  /** As it was read, where that was not as a Handlebars template of this program. */
  readonly loaded?: Loaded;
}

/** The template of one sink: the user's own blocks, and ours for those that are missing. */
export interface SinkTemplate {
  /**
   * A block for this kind of alert: `digest-NAME` or `gap-NAME` for a summary, from the first file that has it; NAME itself where none has.
   * @throws Error when no file has the block
   */
  render(block: string, medium: Medium, view: View, reader: Reader): string;
  /** What `render` gives for a block of this kind of alert: as the sink declares it, but for a body that says otherwise. */
  medium(block: string, declared: Medium, kind: Alert["kind"]): Medium;
  /**
   * What does not fit a sink: blocks it needs that nobody defines, blocks of the user's that nothing uses.
   * @param wanted the blocks of the sink's definition
   */
  check(wanted: readonly string[]): readonly ConfigIssue[];
}

export interface Templates {
  /** @param type the sink's type, which is the file's name */
  get(type: string): SinkTemplate;
  /**
   * The same with files of one sink alone before all others.
   * @throws ConfigError with everything wrong in them
   */
  withFiles(files: readonly TemplateText[]): Templates;
  /** Raw text in users' templates: allowed, worth knowing. */
  readonly warnings: readonly ConfigIssue[];
}

/**
 * The templates by sink type, users' before ours, the first folder first.
 * @throws ConfigError with everything wrong in all of them
 */
export function createTemplates(from: {
  readonly builtinDir: string;
  readonly overrides: readonly TemplateFolder[];
}): Templates {
  const errors: ConfigIssue[] = [];
  const builtin = new Map(
    readdirSync(from.builtinDir)
      .filter((name) => name.endsWith(ENDING))
      .map((name) => {
        const text = readFileSync(path.join(from.builtinDir, name), "utf8");
        return [typeOf(name), read({ source: `templates/${name}`, text }, errors)] as const;
      }),
  );
  const types = [...builtin.keys()];
  const own = from.overrides.map(
    (folder) =>
      new Map(
        Object.entries(folder.files)
          .filter(([name]) => name.endsWith(ENDING))
          .map(([name, text]) => {
            const source = `${folder.source}/${name}`;
            if (!builtin.has(typeOf(name))) errors.push(strangeFile(source, typeOf(name), types));
            return [typeOf(name), read({ source, text }, errors)] as const;
          }),
      ),
  );
  if (errors.length > 0) throw new ConfigError(errors);

  const layersOf = (type: string) =>
    own.map((folder) => folder.get(type)).filter((file) => file !== undefined && file !== null);
  return {
    get: (type) => layered(type, layersOf(type), builtin.get(type) ?? null),
    withFiles: (files) => before(files, layersOf, (type) => builtin.get(type) ?? null),
    warnings: own.flatMap((folder) => [...folder.values()].flatMap((file) => file?.warnings ?? [])),
  };
}

function before(
  files: readonly TemplateText[],
  layersOf: (type: string) => readonly TemplateFile[],
  builtinOf: (type: string) => TemplateFile | null,
): Templates {
  const errors: ConfigIssue[] = [];
  const first = files.map((file) => read(file, errors)).filter((file) => file !== null);
  if (errors.length > 0) throw new ConfigError(errors);
  const all = (type: string) => [...first, ...layersOf(type)];
  return {
    get: (type) => layered(type, all(type), builtinOf(type)),
    withFiles: (more) => before(more, all, builtinOf),
    warnings: first.flatMap((file) => file.warnings),
  };
}

function typeOf(name: string): string {
  return name.slice(0, -ENDING.length);
}

function read(file: TemplateText, errors: ConfigIssue[]): TemplateFile | null {
  const loaded = file.loaded ?? loadTemplate(file.text, file.source);
  if (loaded.ok) return loaded.template;
  errors.push(...loaded.errors);
  return null;
}

function strangeFile(source: string, type: string, types: readonly string[]): ConfigIssue {
  const close = nearest(type, types);
  return {
    where: source,
    message: `no sink type is called "${type}"`,
    hint:
      close === null
        ? `templates are named after sink types: ${types.map((name) => name + ENDING).join(", ")}`
        : `did you mean ${close}${ENDING}?`,
  };
}

function layered(
  type: string,
  own: readonly TemplateFile[],
  builtin: TemplateFile | null,
): SinkTemplate {
  const layers = builtin === null ? own : [...own, builtin];
  const find = (block: string) => layers.find((file) => file.blocks.includes(block));
  const taken = (block: string, kind: Alert["kind"]) => {
    const special = nameFor(block, kind);
    const name = find(special) === undefined ? block : special;
    return { name, file: find(name) };
  };

  return {
    render(block, medium, view, reader) {
      const { name, file } = taken(block, view.alertKind);
      if (file === undefined) throw new Error(`no template of ${type} has the block "${name}"`);
      return file.render(name, medium, view, reader);
    },

    medium: (block, declared, kind) => taken(block, kind).file?.medium ?? declared,

    check(wanted) {
      const known = [...new Set([...wanted, ...(builtin?.blocks ?? [])])];
      const used = new Set(known.flatMap((block) => KINDS.map((kind) => nameFor(block, kind))));
      const missing = wanted
        .filter((block) => find(block) === undefined)
        .map((block) => ({
          where: layers[0]?.file ?? `templates/${type}${ENDING}`,
          message: `the block "${block}", which ${type} needs, is missing`,
          hint: `add {{#*inline "${block}"}}…{{/inline}}`,
        }));
      const idle = own.flatMap((file) =>
        file.blocks
          .filter((block) => !used.has(block) && !file.included.includes(block))
          .map((block) => ({
            where: file.file,
            message:
              block === WHOLE
                ? `this template has no blocks, and ${type} needs to know which is which`
                : `${type} has no block "${block}"`,
            hint: hintFor(block, known),
          })),
      );
      return [...missing, ...idle];
    },
  };
}

const KINDS: readonly Alert["kind"][] = ["event", "digest", "gap"];

function nameFor(block: string, kind: Alert["kind"]): string {
  return kind === "event" ? block : `${kind}-${block}`;
}

function hintFor(block: string, known: readonly string[]): string {
  const close = nearest(block, known);
  if (close !== null) return `did you mean "${close}"?`;
  return `put the text into {{#*inline "NAME"}}…{{/inline}}, NAME one of ${known.filter((name) => !/^(digest|gap)-/.test(name)).join(", ")}`;
}
