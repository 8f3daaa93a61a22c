import { sinks } from "../../sinks/index.ts";
import type { ConfigIssue, SinkConfig } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Env } from "../../src/config/secrets.ts";
import type { HttpClient } from "../../src/sink/http.ts";
import { systemClock } from "../../src/clock.ts";
import type { HttpSinkDefinition, Message, SinkDefinition, SinkIo } from "../../src/sink/index.ts";
import { openSink } from "../../src/sink/open.ts";
import { Secret } from "../../src/sink/secret.ts";
import { cut } from "../../src/sink/text.ts";
import { memoryFiles } from "./config.ts";
import { aMessage } from "./messages.ts";

/** Options as data that can be compared: a secret is shown as what it hides. */
export function bare(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, bare(item)]));
}

/** The sink that `--sink=URI` makes. */
export function sinkFrom(
  uri: string,
  env: Env = {},
): { readonly sink: SinkConfig; readonly warnings: readonly ConfigIssue[] } {
  const { config, warnings } = loadConfig({
    flags: { sink: [uri] },
    registry: sinks,
    env,
    files: memoryFiles({}),
  });
  const [sink] = config.sinks;
  if (sink === undefined) throw new Error("no sink");
  return { sink, warnings };
}

/** What a sink may touch, with nobody listening. */
export function quietIo(): SinkIo {
  return {
    stdout: process.stdout,
    clock: systemClock,
    exchange: () => Promise.reject(new Error("nobody listens")),
    notice: () => undefined,
    warning: () => undefined,
    messageCut: () => undefined,
  };
}

/** The example of an HTTP sink, pointed at a server of the test's own; path, token and secrets stay. */
function exampleAt(sink: SinkDefinition, origin: string): Record<string, unknown> {
  const { target } = sink.uri;
  if (target === null) return { ...sink.example.yaml };
  const address = new URL(sink.example.yaml[target] as string);
  return { ...sink.example.yaml, [target]: `${origin}${address.pathname}${address.search}` };
}

/** Opens the example of an HTTP sink against a server. */
export function openAt(
  sink: HttpSinkDefinition,
  origin: string,
  client: HttpClient,
  timeoutMs = 5000,
) {
  const options = sink.options.parse(exampleAt(sink, origin));
  const parts = { client, timeoutMs, ...quietIo() };
  return { options, open: openSink(sink, options, parts) };
}

/** A message whose every block is `text`, cut to the sink's limits as rendering would. */
export function filled(sink: SinkDefinition, options: never, text: string): Message {
  const limits = sink.limits(options);
  const blocks = Object.fromEntries(
    Object.keys(sink.blocks(options)).map((name) => {
      const size = limits.blocks[name];
      return [name, size === undefined ? text : cut(text, size)];
    }),
  );
  return aMessage({ blocks });
}
