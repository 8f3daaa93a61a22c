import { hostname } from "node:os";
import { type Clock, monotonicOf } from "../clock.ts";
import { type Config, ConfigError, type ConfigIssue } from "../config/config.ts";
import type { Env } from "../config/secrets.ts";
import type { Sender } from "../delivery/sender.ts";
import { Elector } from "../election/elector.ts";
import type { Leadership } from "../election/leadership.ts";
import type { Observer } from "../observe/observer.ts";
import { createLease, type KubernetesLease } from "../source/kubernetes/lease.ts";
import type { Clients } from "./clients.ts";

/** Several replicas, of which one watches and sends. */
export interface Election {
  /** What waiting cannot cure. */
  problems(signal: AbortSignal): Promise<readonly ConfigIssue[]>;
  /** Waits until the Lease is ours; `null` once `signal` aborts before. */
  lead(signal: AbortSignal): Promise<Leadership | null>;
  /** Who leads, as far as a standby knows. */
  leader(): string | null;
}

export interface ElectionPorts {
  readonly clients: Clients;
  readonly env: Env;
  readonly clock: Clock;
  readonly random: () => number;
  readonly makeId: () => string;
  readonly observer: Observer;
}

/** `null` without `--leader-elect`, or where its source will say that the kubeconfig cannot be used. */
export function createElection(config: Config, ports: ElectionPorts): Election | null {
  const { election } = config;
  const lease = leaseOf(config, ports);
  if (lease === null) return null;
  const { env, clock, random, makeId, observer } = ports;
  const { namespace, name } = lease.place;
  // As client-go's: the Pod, and which of its processes.
  const identity = `${env["POD_NAME"] ?? hostname()}_${makeId()}`;
  const monotonic = monotonicOf(clock);
  const elector = new Elector(identity, election.times, {
    store: lease,
    clock,
    monotonic,
    random,
    observer,
  });
  observer.electionStarted(`${namespace}/${name}`, identity);
  return {
    problems: (signal) => lease.problems(signal),
    lead: (signal) => elector.lead(signal),
    leader: () => elector.holder,
  };
}

/** In the cluster of the first source, in the Pod's own namespace where that is the Pod's cluster. */
export function leaseOf(
  { election, sources }: Config,
  { clients, env }: Pick<ElectionPorts, "clients" | "env">,
): KubernetesLease | null {
  if (!election.enabled) return null;
  try {
    const client = clients.first();
    const first = sources.find((source) => source.type === "kubernetes");
    const isHome = first === undefined || (first.kubeconfig === null && first.context === null);
    const own = isHome ? env["POD_NAMESPACE"] : undefined;
    const namespace = election.namespace ?? own ?? client.namespace ?? "default";
    return createLease(client, { namespace, name: election.name });
  } catch (error) {
    if (error instanceof ConfigError) return null;
    throw error;
  }
}

/** A sender of the leader's: asked once more before each message leaves, for a process may have slept since it was told to send. */
export function whileLeading(sender: Sender, leadership: Leadership | null): Sender {
  if (leadership === null) return sender;
  return {
    close: () => sender.close(),
    send: (...args) =>
      // The lane has been stopped by then, and an attempt without an end counts for nothing.
      leadership.holds() ? sender.send(...args) : new Promise(() => undefined),
  };
}
