import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../clock.ts";
import type { Config, ConfigIssue, SinkConfig } from "../config/config.ts";
import type { Observer } from "../observe/observer.ts";
import type { BodyEngine, BodyTemplate } from "../sink/define.ts";
import { readConfigMap } from "../source/kubernetes/configmap.ts";
import { ApiError, ConnectionError, CredentialsError } from "../source/kubernetes/errors.ts";
import type { TemplateFolder, TemplateText } from "../template/templates.ts";
import type { Clients } from "./clients.ts";
import { gather } from "./gather.ts";

/** The user's own templates as they are written, before anybody has parsed them. */
export interface Texts {
  readonly folders: readonly TemplateFolder[];
  /** By the sink's name; without it: what a sink has of its own could not be read. */
  readonly own: ReadonlyMap<string, readonly OwnText[]>;
  /** What could not be read. */
  readonly issues: readonly ConfigIssue[];
}

/** `engine` is there for a body, which may be written in another; `null`: it tells itself. */
export interface OwnText extends TemplateText {
  readonly engine?: BodyEngine | null;
  readonly format?: BodyTemplate["format"];
}

/** The `data` of a ConfigMap. */
export type ReadMap = (namespace: string, name: string) => Promise<ReadonlyMap<string, string>>;

const RETRY_MS = 2_000;

/** Reads what the configuration names. @param readMap what it rejects with is an issue */
export async function readTexts(config: Config, readMap: ReadMap): Promise<Texts> {
  const issues: ConfigIssue[] = [];
  const folders: TemplateFolder[] = [];
  for (const place of config.templates) {
    const files = await gather(issues, `templates ${place}`, () => readFolder(place, readMap));
    if (files !== null) folders.push({ source: place, files });
  }
  const own = new Map<string, readonly OwnText[]>();
  for (const sink of config.sinks) {
    const texts = await gather(issues, `sink ${sink.name}`, () => readOwn(sink, readMap));
    if (texts !== null) own.set(sink.name, texts);
  }
  return { folders, own, issues };
}

/** Whether any text is the user's own, so that it may change. */
export function hasTexts({ templates, sinks }: Config): boolean {
  return (
    templates.length > 0 ||
    sinks.some(
      ({ template, definition, options }) =>
        template !== null || (definition.bodyTemplate?.(options) ?? null) !== null,
    )
  );
}

async function readFolder(place: string, readMap: ReadMap): Promise<Record<string, string>> {
  const reference = /^configmap:([^/]+)\/([^/]+)$/.exec(place);
  if (reference !== null)
    return Object.fromEntries(await readMap(reference[1] ?? "", reference[2] ?? ""));
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
async function readOwn(sink: SinkConfig, readMap: ReadMap): Promise<readonly OwnText[]> {
  const files: OwnText[] = [];
  const body = sink.definition.bodyTemplate?.(sink.options) ?? null;
  if (body !== null && "file" in body) {
    const { engine, format } = body;
    files.push({ ...readText(body.file), engine, format });
  } else if (body !== null) {
    const { namespace, configMap: name, key, engine, format } = body;
    const text = (await readMap(namespace, name)).get(key);
    if (text === undefined)
      throw new Error(`ConfigMap ${namespace}/${name} has no key "${key}"; put the body there`);
    files.push({ source: `configmap:${namespace}/${name}/${key}`, text, engine, format });
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

/** The API server cannot say now; that says nothing about the ConfigMap. */
export function isPassing(error: unknown): error is Error {
  return (
    error instanceof ApiError ||
    ((error instanceof ConnectionError || error instanceof CredentialsError) && !error.permanent)
  );
}

/** Asks until the API server answers; only its refusal is a mistake of the configuration. */
export function waitingReader(
  ports: {
    readonly clients: Clients;
    readonly clock: Clock;
    readonly observer: Pick<Observer, "warning">;
  },
  signal: AbortSignal,
): ReadMap {
  return async (namespace, name) => {
    const client = ports.clients.first();
    let said = false;
    for (;;) {
      try {
        return await readConfigMap(client, namespace, name, signal);
      } catch (error) {
        if (!isPassing(error) || signal.aborted) throw error;
        if (!said)
          ports.observer.warning(`waiting for ConfigMap ${namespace}/${name}: ${error.message}`);
        said = true;
        await ports.clock.sleep(RETRY_MS, signal);
      }
    }
  };
}
