import { composeFor } from "../app/senders.ts";
import { type Config, ConfigError, type SinkConfig } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import type { Composed } from "../delivery/compose.ts";
import type { KubeEvent } from "../event/event.ts";
import { severityOf } from "../event/severity.ts";
import { buildView } from "../template/build-view.ts";
import { loadTemplate } from "../template/engine.ts";
import type { SinkTemplate } from "../template/templates.ts";
import { jsonProblem } from "../template/json-problem.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { prepare, readEventFile, readTemplate, tellWarnings } from "./load.ts";
import { maskOptions, readable } from "./mask.ts";
import { tellProblems } from "./problems.ts";
import { checkEngine, isGo, renderGo } from "./render-go.ts";

export interface RenderOptions {
  readonly event?: string;
  readonly template?: string;
  readonly reveal?: true;
  readonly engine?: string;
  readonly raw?: true;
}

/** An object or a list; `{{reason}}`, `[{{cluster}}] …` and `[prod] …` begin a text. */
const JSON_LIKE = /^\s*(?:\{(?!\{)|\[\s*(?:[\]["\d]|\{(?!\{)))/;

/** Stands for the idempotency key, which is made when a delivery is owed. */
const NO_ID = "00000000-0000-4000-8000-000000000000";

/** `kube-crier render`: what would be sent, to the byte; nothing is sent. */
export async function renderCommand(
  flags: FlagValues,
  options: RenderOptions,
  io: Io,
): Promise<ExitCode> {
  try {
    checkEngine(options);
    if (options.template === undefined) return await renderRequests(flags, options, io);
    return await (options.engine === "go"
      ? renderGo(flags, options.template, options, io)
      : renderText(flags, options.template, options, io));
  } catch (error) {
    return tellProblems(error, io);
  }
}

async function renderRequests(
  flags: FlagValues,
  options: RenderOptions,
  io: Io,
): Promise<ExitCode> {
  const { config, templates, warnings } = await prepare(flags, io);
  tellWarnings(warnings, io);
  const events = await readEventFile(options.event ?? "-", config.cluster, io);
  const { shown, refused } = composeAll(config, templates, events, options.reveal === true, io);
  io.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  for (const text of refused) io.stderr.write(`${text}\n`);
  return refused.length === 0 ? EXIT.ok : EXIT.failed;
}

/** Every event for every sink, in order; filters are not asked: one renders to see the words. */
export function composeAll(
  config: Config,
  templates: ReadonlyMap<string, SinkTemplate>,
  events: readonly KubeEvent[],
  reveal: boolean,
  io: Io,
): { shown: readonly unknown[]; refused: readonly string[] } {
  const shown: unknown[] = [];
  const refused: string[] = [];
  for (const event of events) {
    for (const sink of config.sinks) {
      const template = templates.get(sink.name);
      if (template === undefined) continue;
      const visible: SinkConfig = reveal ? sink : { ...sink, options: maskOptions(sink.options) };
      const composed = composeFor(
        config,
        visible,
        template,
        { id: NO_ID, alert: { kind: "event", event } },
        io.clock.now(),
      );
      if (composed.ok) shown.push(requestOf(sink, composed));
      else if (composed.verdict.kind !== "accepted")
        refused.push(`${sink.name}: cannot be sent: ${composed.verdict.detail}`);
    }
  }
  return { shown, refused };
}

function requestOf(
  sink: SinkConfig,
  { request, message }: Extract<Composed, { ok: true }>,
): unknown {
  if (request === null) return { sink: sink.name, ...message.blocks };
  const { method, url, headers, body } = request;
  return {
    method,
    url: readable(url),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, readable(value)]),
    ),
    body,
  };
}

async function renderText(
  flags: FlagValues,
  file: string,
  options: RenderOptions,
  io: Io,
): Promise<ExitCode> {
  const { config } = loadConfig({ flags, registry, env: io.env });
  const source = readTemplate(file);
  const loaded = loadTemplate(source, file);
  if (!loaded.ok) {
    const hint = "in Go's template language it has no mistake: give --engine=go";
    const { errors } = loaded;
    const [first] = errors;
    throw new ConfigError(
      first !== undefined && options.engine === undefined && isGo(source)
        ? [{ ...first, hint }]
        : errors,
    );
  }
  const { template } = loaded;
  // A body that begins like JSON is a webhook's: its values are escaped and the whole is parsed, as they would be.
  const medium = JSON_LIKE.test(source) ? "json" : "text";
  const blocks = template.blocks.filter((name) => !/^(digest|gap)-/.test(name));
  const reader = { lang: config.lang, timezone: config.timezone, now: io.clock.now() };
  let code: ExitCode = EXIT.ok;
  for (const event of await readEventFile(options.event ?? "-", config.cluster, io)) {
    const view = buildView(
      { kind: "event", event },
      { ...reader, id: NO_ID, labels: [], cluster: config.cluster },
    );
    for (const name of blocks) {
      const text = template.render(name, medium, view, reader);
      if (blocks.length > 1) io.stdout.write(`--- ${name}\n`);
      io.stdout.write(`${text}\n`);
      const problem = medium === "json" ? jsonProblem(text) : null;
      if (problem === null) continue;
      io.stderr.write(
        `${file}: the result is not valid JSON and would not be sent: ${problem} (${severityOf(event)} ${event.reason})\n`,
      );
      code = EXIT.failed;
    }
  }
  return code;
}
