import type { Clock } from "../clock.ts";
import type { Config, ConfigIssue, SinkConfig } from "../config/config.ts";
import { processEnv } from "../config/secrets.ts";
import { compose, type Composed } from "../delivery/compose.ts";
import type { Sender } from "../delivery/sender.ts";
import type { Delivery } from "../event/delivery.ts";
import type { Observer } from "../observe/observer.ts";
import { createHttpClient, type HttpClient, namesProxy } from "../sink/http.ts";
import type { SinkCheck } from "../sink/define.ts";
import { linkOf } from "./link.ts";
import { openSink } from "../sink/open.ts";
import type { SinkTemplate } from "../template/templates.ts";

export interface SenderPorts {
  readonly client: HttpClient;
  readonly stdout: NodeJS.WritableStream;
  readonly clock: Clock;
  readonly observer: Pick<Observer, "messageCut" | "notice" | "warning">;
}

export function httpClient(version: string): HttpClient {
  return createHttpClient({
    userAgent: `kube-crier/${version}`,
    proxy: namesProxy(processEnv()),
  });
}

/** What one delivery becomes for one sink, as `render`, `send` and every attempt see it. */
export function composeFor(
  config: Config,
  sink: SinkConfig,
  template: SinkTemplate,
  delivery: Pick<Delivery, "id" | "alert">,
  now: number,
): Composed {
  const { definition, options, lang, labels } = sink;
  const link = linkOf(config, sink, delivery.alert);
  return compose({
    ...(link === null ? {} : { link }),
    definition,
    options,
    delivery,
    template,
    lang,
    timezone: config.timezone,
    labels,
    strict: config.compat === "strict",
    cluster: config.cluster,
    now,
  });
}

/** Composes anew at each attempt: signatures stay fresh, and a corrected template repairs what waits. */
export function createSender(
  config: Config,
  sink: SinkConfig,
  template: SinkTemplate,
  ports: SenderPorts,
): Sender {
  const { client, stdout, clock, observer } = ports;
  const open = openSink(sink.definition, sink.options, {
    client,
    stdout,
    clock,
    timeoutMs: sink.timeoutMs,
    notice: (message) => observer.notice(`${sink.name}: ${message}`),
    warning: (message) => observer.warning(`${sink.name}: ${message}`),
    messageCut: () => observer.messageCut(sink.name),
  });
  return {
    async send(delivery, signal, now) {
      const composed = composeFor(config, sink, template, delivery, now);
      if (!composed.ok) return { verdict: composed.verdict, sent: "", answer: "" };
      if (composed.cut) observer.messageCut(sink.name);
      return open.tell(composed.message, now, signal, composed.request);
    },
    check: (signal) => open.check(signal),
    close: () => open.close(),
  };
}

/** @param templates by the sink's name */
export function createSenders(
  config: Config,
  templates: ReadonlyMap<string, SinkTemplate>,
  ports: SenderPorts,
): ReadonlyMap<string, Sender> {
  return new Map(
    config.sinks.flatMap((sink) => {
      const template = templates.get(sink.name);
      return template === undefined
        ? []
        : [[sink.name, createSender(config, sink, template, ports)] as const];
    }),
  );
}

/** What a look at the other side of each sink showed, by the sink's name, where one can look without delivering. */
export async function checkSenders(
  senders: ReadonlyMap<string, Sender>,
  signal: AbortSignal,
): Promise<{
  readonly found: ReadonlyMap<string, SinkCheck>;
  /** What waiting cannot cure. */
  readonly issues: readonly ConfigIssue[];
}> {
  const found = new Map<string, SinkCheck>();
  await Promise.all(
    [...senders].map(async ([name, sender]) => {
      const check = (await sender.check?.(signal)) ?? null;
      if (check !== null) found.set(name, check);
    }),
  );
  const issues = [...found].flatMap(([name, { problems }]) =>
    problems.map((problem) => ({ where: `sink ${name}`, ...problem })),
  );
  return { found, issues };
}
