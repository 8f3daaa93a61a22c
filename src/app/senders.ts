import type { Config, SinkConfig } from "../config/config.ts";
import { compose, type Composed } from "../delivery/compose.ts";
import type { Sender } from "../delivery/sender.ts";
import type { Delivery } from "../event/delivery.ts";
import type { Observer } from "../observe/observer.ts";
import { createHttpClient, type HttpClient } from "../sink/http.ts";
import { openSink } from "../sink/open.ts";
import type { SinkTemplate } from "../template/templates.ts";

export interface SenderPorts {
  readonly client: HttpClient;
  readonly stdout: NodeJS.WritableStream;
  readonly observer: Pick<Observer, "messageCut">;
}

export function httpClient(version: string): HttpClient {
  return createHttpClient({ userAgent: `kube-crier/${version}` });
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
  return compose({
    definition,
    options,
    delivery,
    template,
    lang,
    timezone: config.timezone,
    labels,
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
  const open = openSink(sink.definition, sink.options, { ...ports, timeoutMs: sink.timeoutMs });
  return {
    async send(delivery, signal, now) {
      const composed = composeFor(config, sink, template, delivery, now);
      if (!composed.ok) return { verdict: composed.verdict, sent: "", answer: "" };
      if (composed.cut) ports.observer.messageCut(sink.name);
      return open.tell(composed.message, now, signal);
    },
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
