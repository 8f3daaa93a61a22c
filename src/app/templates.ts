import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../clock.ts";
import { type Config, ConfigError, type ConfigIssue, type SinkConfig } from "../config/config.ts";
import type { Observer } from "../observe/observer.ts";
import { loadBody } from "../template/body.ts";
import { createTemplates, type SinkTemplate, type Templates } from "../template/templates.ts";
import type { Clients } from "./clients.ts";
import { gather } from "./gather.ts";
import { type OwnText, readTexts, type Texts, waitingReader } from "./texts.ts";

export interface TemplatePorts {
  readonly clients: Clients;
  readonly clock: Clock;
  readonly observer: Pick<Observer, "warning">;
}

/** What became of texts. */
export interface Built {
  /** By the sink's name; without it: the sink's is among the issues. */
  readonly templates: ReadonlyMap<string, SinkTemplate>;
  readonly issues: readonly ConfigIssue[];
  /** Whether the folders could be used; where not, there are no templates at all. */
  readonly foldersFit: boolean;
}

const BUILTIN = path.resolve(import.meta.dirname, templatesFrom(import.meta.dirname));

/** The bundle lies one folder below the package, the sources two. */
function templatesFrom(here: string): string {
  return path.basename(here) === "dist" ? "../templates" : "../../templates";
}

/**
 * The template of each sink, by the sink's name: the user's own over ours. Waits for an API server that is down; what waiting cannot cure is thrown.
 * @throws ConfigError with everything wrong in all of them
 */
export async function loadTemplates(
  config: Config,
  ports: TemplatePorts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, SinkTemplate>> {
  return (await openTemplates(config, ports, signal)).templates;
}

/** The same with the texts they are made of, to see later whether those have changed. */
export async function openTemplates(
  config: Config,
  ports: TemplatePorts,
  signal: AbortSignal,
): Promise<{ readonly templates: ReadonlyMap<string, SinkTemplate>; readonly texts: Texts }> {
  const texts = await readTexts(config, waitingReader(ports, signal));
  const { templates, issues } = await buildTemplates(config, texts, ports.observer);
  if (issues.length > 0) throw new ConfigError(issues);
  return { templates, texts };
}

/** Never throws: what is wrong with one sink's is no harm to the others'. */
export async function buildTemplates(
  config: Config,
  texts: Texts,
  observer: Pick<Observer, "warning">,
): Promise<Built> {
  const issues: ConfigIssue[] = [...texts.issues];
  const base = await gather(issues, "templates", () =>
    createTemplates({ builtinDir: BUILTIN, overrides: texts.folders }),
  );
  const templates = new Map<string, SinkTemplate>();
  for (const sink of config.sinks) {
    const own = texts.own.get(sink.name);
    if (own === undefined || base === null) continue;
    const template = await gather(issues, `sink ${sink.name}`, () =>
      forSink(base, sink, own, observer),
    );
    if (template === null) continue;
    const unfit = template.check(Object.keys(sink.definition.blocks(sink.options)));
    issues.push(...unfit);
    if (unfit.length === 0) templates.set(sink.name, template);
  }
  for (const warning of base?.warnings ?? []) warn(observer, warning);
  return { templates, issues, foldersFit: base !== null };
}

/** The file that a sink's messages are made from: its own, the one of the first folder that has one, or ours; empty: it has none. */
export function templateText({ name, definition }: SinkConfig, texts: Texts | null): string {
  const file = `${definition.type}.hbs`;
  const own = texts?.own.get(name)?.findLast(({ engine }) => engine === undefined);
  const found =
    own?.text ?? texts?.folders.find(({ files }) => files[file] !== undefined)?.files[file];
  if (found !== undefined) return found;
  const builtin = path.join(BUILTIN, file);
  return existsSync(builtin) ? readFileSync(builtin, "utf8") : "";
}

/** A sink's template out of texts of its own: a body in the engine it is written in, the rest in Handlebars. */
async function forSink(
  base: Templates,
  sink: SinkConfig,
  own: readonly OwnText[],
  observer: Pick<Observer, "warning">,
): Promise<SinkTemplate> {
  if (own.length === 0) return base.get(sink.definition.type);
  const files = own.map(async (file) =>
    file.engine === undefined
      ? file
      : { ...file, loaded: await loadBody(file, file.engine, file.format ?? null) },
  );
  const templates = base.withFiles(await Promise.all(files));
  for (const warning of templates.warnings) warn(observer, warning);
  return templates.get(sink.definition.type);
}

function warn(observer: Pick<Observer, "warning">, { where, message, hint }: ConfigIssue): void {
  observer.warning(`${where}: ${message}${hint === null ? "" : ` (${hint})`}`);
}
