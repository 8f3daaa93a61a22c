import { ConfigError } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import { asCoreEvent } from "../template/go/core-event.ts";
import { GoTemplateError } from "../template/go/error.ts";
import { type GoTemplate, parseGoTemplate } from "../template/go/template.ts";
import { goEventOf } from "../template/go-event.ts";
import { jsonProblem } from "../template/json-problem.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { readEventFile, readEventObjects, readTemplate } from "./load.ts";

interface GoOptions {
  readonly event?: string;
  readonly template?: string;
  readonly engine?: string;
  readonly raw?: true;
}

const ENGINES: readonly string[] = ["handlebars", "go"];

/** @throws ConfigError where the options do not go together */
export function checkEngine({ engine, raw, template }: GoOptions): void {
  const problem = (where: string, message: string, hint: string): never => {
    throw new ConfigError([{ where, message, hint }]);
  };
  if (engine !== undefined && !ENGINES.includes(engine))
    problem("--engine", `"${engine}" is no engine`, `expected ${ENGINES.join(" or ")}`);
  if (engine === "go" && template === undefined)
    problem("--engine", "go needs a template", "give its file with --template");
  if (raw === true && engine !== "go")
    problem("--raw", "is for Go templates", "give --engine=go too, or leave it out");
}

/** Whether it is right in Go's language, as a webhook's body would be taken for. */
export function isGo(source: string): boolean {
  try {
    parseGoTemplate(source);
    return true;
  } catch (error) {
    if (error instanceof GoTemplateError) return false;
    throw error;
  }
}

/** `kube-crier render --engine go`: what a body written for kube-eventer makes of an event. */
export async function renderGo(
  flags: FlagValues,
  file: string,
  options: GoOptions,
  io: Io,
): Promise<ExitCode> {
  const { config } = loadConfig({ flags, registry, env: io.env });
  const template = placed(file, () => parseGoTemplate(readTemplate(file)));
  const from = options.event ?? "-";
  if (options.raw === true) {
    for (const event of await readEventObjects(from, io))
      io.stdout.write(placed(file, () => template.render(timed(event), config.timezone)));
    return EXIT.ok;
  }
  let code: ExitCode = EXIT.ok;
  for (const event of (await readEventFile(from, config.cluster, io)).map(goEventOf)) {
    const problem = placed(file, () => renderSafe(template, event, config.timezone, io));
    if (problem === null) continue;
    io.stderr.write(`${file}: the result is not valid JSON and would not be sent: ${problem}\n`);
    code = EXIT.failed;
  }
  return code;
}

/** As kube-eventer hands it to a body: where there is no lastTimestamp, `eventTime` is in its place. */
function timed(object: unknown): unknown {
  const event = asCoreEvent(object) as Readonly<Record<string, unknown>>;
  return { ...event, lastTimestamp: event["lastTimestamp"] ?? event["eventTime"] };
}

function renderSafe(template: GoTemplate, event: unknown, zone: string, io: Io): string | null {
  const { text, json } = template.renderSafe(event, zone);
  io.stdout.write(`${text}\n`);
  return json ? jsonProblem(text) : null;
}

/** A template's own mistake is told with its place in the file. */
function placed<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof GoTemplateError)) throw error;
    const { line, column } = error.place;
    throw new ConfigError([
      { where: `${file}:${line}:${column}`, message: error.message, hint: error.hint },
    ]);
  }
}
