import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../clock.ts";
import { type Config, ConfigError, type ConfigIssue, type SinkConfig } from "../config/config.ts";
import type { Observer } from "../observe/observer.ts";
import { readConfigMap } from "../source/kubernetes/configmap.ts";
import { ApiError, ConnectionError, CredentialsError } from "../source/kubernetes/errors.ts";
import {
  createTemplates,
  type SinkTemplate,
  type TemplateFolder,
  type Templates,
  type TemplateText,
} from "../template/templates.ts";
import type { Clients } from "./clients.ts";
import { gather } from "./gather.ts";

export interface TemplatePorts {
  readonly clients: Clients;
  readonly clock: Clock;
  readonly observer: Pick<Observer, "warning">;
}

const BUILTIN = path.resolve(import.meta.dirname, templatesFrom(import.meta.dirname));
const RETRY_MS = 2_000;

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
  const issues: ConfigIssue[] = [];
  const overrides: TemplateFolder[] = [];
  for (const place of config.templates) {
    const files = await gather(issues, `templates ${place}`, () =>
      readFolder(place, ports, signal),
    );
    if (files !== null) overrides.push({ source: place, files });
  }
  const base = await gather(issues, "templates", () =>
    createTemplates({ builtinDir: BUILTIN, overrides }),
  );
  const result = new Map<string, SinkTemplate>();
  for (const sink of config.sinks) {
    const own = await gather(issues, `sink ${sink.name}`, () => readOwn(sink, ports, signal));
    if (own === null || base === null) continue;
    const template = await gather(issues, `sink ${sink.name}`, () =>
      forSink(base, sink, own, ports.observer),
    );
    if (template === null) continue;
    issues.push(...template.check(Object.keys(sink.definition.blocks(sink.options))));
    result.set(sink.name, template);
  }
  for (const warning of base?.warnings ?? []) warn(ports.observer, warning);
  if (issues.length > 0) throw new ConfigError(issues);
  return result;
}

function forSink(
  base: Templates,
  sink: SinkConfig,
  own: readonly TemplateText[],
  observer: Pick<Observer, "warning">,
): SinkTemplate {
  if (own.length === 0) return base.get(sink.definition.type);
  const templates = base.withFiles(own);
  for (const warning of templates.warnings) warn(observer, warning);
  return templates.get(sink.definition.type);
}

function warn(observer: Pick<Observer, "warning">, { where, message, hint }: ConfigIssue): void {
  observer.warning(`${where}: ${message}${hint === null ? "" : ` (${hint})`}`);
}

async function readFolder(
  place: string,
  ports: TemplatePorts,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const reference = /^configmap:([^/]+)\/([^/]+)$/.exec(place);
  if (reference !== null)
    return Object.fromEntries(
      await configMap(reference[1] ?? "", reference[2] ?? "", ports, signal),
    );
  if (place.startsWith("configmap:"))
    throw new Error(`"${place}" does not name a ConfigMap; expected configmap:NAMESPACE/NAME`);
  if (!statSync(place, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`there is no directory ${place}; mount the templates there, or mend the path`);
  const names = readdirSync(place).filter((name) => name.endsWith(".hbs"));
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(path.join(place, name), "utf8")]),
  );
}

/** Files of this sink alone: its template, and a body of the user's own. */
async function readOwn(
  sink: SinkConfig,
  ports: TemplatePorts,
  signal: AbortSignal,
): Promise<readonly TemplateText[]> {
  const files: TemplateText[] = [];
  const body = sink.definition.bodyTemplate?.(sink.options) ?? null;
  if (body !== null && "file" in body) files.push(readText(body.file));
  else if (body !== null) {
    const { namespace, configMap: name, key } = body;
    const text = (await configMap(namespace, name, ports, signal)).get(key);
    if (text === undefined)
      throw new Error(`ConfigMap ${namespace}/${name} has no key "${key}"; put the body there`);
    files.push({ source: `configmap:${namespace}/${name}/${key}`, text });
  }
  if (sink.template !== null) files.push(readText(sink.template));
  return files;
}

function readText(file: string): TemplateText {
  try {
    return { source: file, text: readFileSync(file, "utf8") };
  } catch (error) {
    throw new Error(
      `the template ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** Asks until the API server answers; only its refusal is a mistake of the configuration. */
async function configMap(
  namespace: string,
  name: string,
  ports: TemplatePorts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const client = ports.clients.first();
  let said = false;
  for (;;) {
    try {
      return await readConfigMap(client, namespace, name, signal);
    } catch (error) {
      const passing =
        error instanceof ApiError ||
        ((error instanceof ConnectionError || error instanceof CredentialsError) &&
          !error.permanent);
      if (!passing || signal.aborted) throw error;
      if (!said)
        ports.observer.warning(`waiting for ConfigMap ${namespace}/${name}: ${error.message}`);
      said = true;
      await ports.clock.sleep(RETRY_MS, signal);
    }
  }
}
