import type { Readable } from "node:stream";
import type { Clock } from "../clock.ts";
import { type Config, ConfigError, type SourceConfig } from "../config/config.ts";
import type { Observer } from "../observe/observer.ts";
import { createFileSource } from "../source/file/source.ts";
import { createKubernetesSource } from "../source/kubernetes/source.ts";
import type { PreflightSource } from "../source/source.ts";
import type { Clients } from "./clients.ts";

export interface SourcePorts {
  readonly clients: Clients;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: Observer;
  readonly stdin: () => Readable;
}

/** `kubernetes`, `kubernetes-2`, `file`, …: the same at each start, because checkpoints and metrics go by it. */
export function sourceNames(sources: readonly SourceConfig[]): readonly string[] {
  const seen = new Map<string, number>();
  return sources.map(({ type }) => {
    const number = (seen.get(type) ?? 0) + 1;
    seen.set(type, number);
    return number === 1 ? type : `${type}-${number}`;
  });
}

/** A kubeconfig that cannot be used is told by the source's preflight, together with all else that is wrong. */
export function createSources(config: Config, ports: SourcePorts): readonly PreflightSource[] {
  const names = sourceNames(config.sources);
  // A canary is Normal and has to come by the same watch; and what a history keeps that keeps all has to be seen.
  const onlyNotNormal =
    config.canary.everyMs === null &&
    config.historyKeeps === "owed" &&
    (config.filter.level === "Warning" ||
      config.sinks.every((sink) => sink.filter.level === "Warning"));
  return config.sources.map((source, index) => {
    const name = names[index] ?? source.type;
    const common = { name, clock: ports.clock, observer: ports.observer, cluster: config.cluster };
    switch (source.type) {
      case "file":
        return createFileSource(source, { ...common, stdin: ports.stdin });
      case "kubernetes":
        return usable(name, () =>
          createKubernetesSource(source, {
            ...common,
            client: ports.clients.get(source),
            random: ports.random,
            onlyNotNormal,
          }),
        );
    }
  });
}

function usable(name: string, create: () => PreflightSource): PreflightSource {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      name,
      preflight: () => Promise.reject(error),
      batches: () => {
        throw error;
      },
    };
  }
}
