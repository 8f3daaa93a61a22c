import type { Clock } from "../../clock.ts";
import { ConfigError, type KubernetesSourceConfig } from "../../config/config.ts";
import type { Observer } from "../../observe/observer.ts";
import { Channel } from "../channel.ts";
import type { Checkpoint, PreflightSource, SourceItem } from "../source.ts";
import { probe, scopesOf } from "./access.ts";
import { linkAbort } from "./deadline.ts";
import { readIdentity } from "./identity.ts";
import { Reunion } from "./reunion.ts";
import { EventStream } from "./stream.ts";
import type { KubeClient } from "./transport.ts";

export interface KubernetesSourcePorts {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: Observer;
  /** The configured name of the cluster, told with each event. */
  readonly cluster: string;
  /** Unique among the sources, and the same at each start: checkpoints go by it. */
  readonly name: string;
  /** No sink wants Normal events: leave them on the server. */
  readonly onlyNotNormal: boolean;
}

const CAPACITY = 1_000;
const BATCH = 100;

/** The Events of a cluster, of all namespaces by one watch or of some by one each, so that namespaced RBAC suffices. */
export function createKubernetesSource(
  config: KubernetesSourceConfig,
  ports: KubernetesSourcePorts,
): PreflightSource {
  const { client, observer, name } = ports;
  return {
    name,

    async preflight(signal) {
      const issues = await probe(client, config, signal);
      if (issues.length > 0) throw new ConfigError(issues);
    },

    async *batches(resume, signal) {
      const channel = new Channel<SourceItem>(CAPACITY, mergeCheckpoints);
      const stop = new AbortController();
      const unlink = linkAbort(signal, () => {
        stop.abort();
        channel.close();
      });
      const namespaces = scopesOf(config);
      let behind = namespaces.length;
      observer.sourceConnecting(name, what(client, config));
      const identity = onceItSucceeds((inner) => readIdentity(client, inner));
      const scopes = namespaces.map((namespace) => scopeName(name, namespace));
      // Rare and small; it may not be refused, for its stream waits for it.
      const reunion = new Reunion(scopes, ports.clock, (gap) =>
        channel.insist({ kind: "relisted", gap }),
      );
      const streams = namespaces.map((namespace) =>
        new EventStream(
          {
            api: config.api,
            namespace,
            replayMs: config.replayMs,
            maxAgeMs: config.maxAgeMs,
            onlyNotNormal: ports.onlyNotNormal,
            scope: scopeName(name, namespace),
            resume: checkpointOf(resume, name, namespace, ports.onlyNotNormal),
          },
          {
            ...ports,
            channel,
            identity,
            reunion,
            synced: () => {
              behind -= 1;
              if (behind === 0) channel.insist({ kind: "synced" });
            },
          },
        ).run(stop.signal),
      );
      const ended = Promise.all(streams).then(
        () => channel.close(),
        (error: unknown) => {
          // The others as well: whoever waits for room in a channel that is closed would ask for it without end.
          stop.abort();
          channel.close(error as Error);
        },
      );
      try {
        for (;;) {
          const batch = await channel.take(BATCH);
          // What is left in the channel comes again from the checkpoint.
          if (batch.length === 0 || signal.aborted) return;
          yield batch;
        }
      } finally {
        stop.abort();
        channel.close();
        unlink();
        await ended;
      }
    },
  };
}

const ALL = "*";

function scopeName(name: string, namespace: string | null): string {
  return `${name}:${namespace ?? ALL}`;
}

/**
 * Versions count for the whole cluster: who watched everything before goes on from there in each namespace. A witness counts only
 * where its like are asked for still.
 */
function checkpointOf(
  resume: ReadonlyMap<string, Checkpoint>,
  name: string,
  namespace: string | null,
  onlyNotNormal: boolean,
): Checkpoint | null {
  const own = resume.get(scopeName(name, namespace));
  const checkpoint = own ?? resume.get(scopeName(name, null)) ?? null;
  if (checkpoint?.witness === undefined) return checkpoint;
  const isAsked = !(onlyNotNormal && checkpoint.witness.type === "Normal");
  if (own !== undefined && isAsked) return checkpoint;
  const { witness: _, ...rest } = checkpoint;
  return rest;
}

function mergeCheckpoints(newest: SourceItem, next: SourceItem): SourceItem | null {
  return newest.kind === "checkpoint" &&
    next.kind === "checkpoint" &&
    newest.checkpoint.scope === next.checkpoint.scope
    ? next
    : null;
}

function what(client: KubeClient, config: KubernetesSourceConfig): string {
  const where =
    config.namespaces.length === 0
      ? "all namespaces"
      : `namespaces ${config.namespaces.join(", ")}`;
  return `${client.server} (${client.origin}, ${where})`;
}

/** One answer for all who ask; a failure is not kept. */
function onceItSucceeds<T>(
  ask: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal) => Promise<T> {
  let answer: Promise<T> | null = null;
  return (signal) => {
    answer ??= ask(signal).catch((error: unknown) => {
      answer = null;
      throw error;
    });
    return answer;
  };
}
