import type { Clock } from "../clock.ts";
import { type Config, ConfigError, type ConfigIssue } from "../config/config.ts";
import { isLoopback, parsePermission } from "../config/web-grammar.ts";
import type { Observer } from "../observe/observer.ts";
import { createReviews, delegateProblems } from "../source/kubernetes/delegate.ts";
import type { KubeClient } from "../source/kubernetes/transport.ts";
import { openAccessFile } from "../web/auth/access-files.ts";
import { createKubernetesProver } from "../web/auth/kubernetes.ts";
import type { Provers } from "../web/auth/prove.ts";
import { createTrustedProxy } from "../web/auth/proxy.ts";
import type { Clients } from "./clients.ts";

export interface AccessPorts {
  readonly clients: Clients;
  readonly clock: Clock;
  readonly observer: Pick<Observer, "notice" | "warning" | "error">;
}

/** Who is let in by the page, and what each may see. */
export interface WebAccess {
  readonly provers: Provers;
  /** What waiting cannot cure. */
  problems(signal: AbortSignal): Promise<readonly ConfigIssue[]>;
}

/**
 * As the configuration has it; `null` without `webListen`.
 * @param signal ends questions to the API server that are under way
 */
export function createWebAccess(
  { web }: Pick<Config, "web">,
  { clients, clock, observer }: AccessPorts,
  signal: AbortSignal,
): WebAccess | null {
  const { listen: address } = web;
  if (address === null) return null;

  const { client, unusable } = web.asksCluster ? clientOf(clients) : NO_CLIENT;
  const change = parsePermission(web.change);
  const cluster =
    client === null || change === null
      ? null
      : createKubernetesProver(
          { audiences: web.audiences, change },
          { reviews: createReviews(client), clock, signal },
        );
  const file =
    web.accessFile === null
      ? null
      : openAccessFile(web.accessFile, {
          clock,
          told: (issues, gone) => tellChange(web.accessFile ?? "", issues, gone, observer),
        });
  const trusted =
    web.proxies.length === 0 ? null : createTrustedProxy({ ...web, addresses: web.proxies });
  const provers: Provers = {
    tokens: [file, cluster].filter((one) => one !== null),
    proxy:
      trusted === null
        ? null
        : {
            trusted,
            vouchedFor: (identity) => {
              // Roles of the file are there for nobody else.
              const by = file?.hasRoles === true ? file : (cluster ?? file);
              if (by === null) throw new Error("a proxy without anybody to say what is allowed");
              return by.vouchedFor(identity);
            },
          },
    // Nobody is asked where nobody else can come.
    open: isLoopback(address.host) && !web.asksCluster && file === null && trusted === null,
  };

  return {
    provers,
    async problems(within) {
      const rights = client === null ? [] : await delegateProblems(client, within);
      return [...unusable, ...(file?.issues ?? []), ...rights];
    },
  };
}

interface Found {
  readonly client: KubeClient | null;
  /** Why its kubeconfig cannot be used; the source says so as well. */
  readonly unusable: readonly ConfigIssue[];
}

const NO_CLIENT: Found = { client: null, unusable: [] };

function clientOf(clients: Clients): Found {
  try {
    return { client: clients.first(), unusable: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { client: null, unusable: error.issues };
  }
}

function tellChange(
  file: string,
  issues: readonly ConfigIssue[],
  gone: boolean,
  observer: AccessPorts["observer"],
): void {
  const now = gone
    ? "it lets nobody in until it can be read"
    : "what it said before it was changed stays in use";
  if (issues.length === 0) observer.notice(`${file} has changed, and is in use`);
  for (const { where, message } of issues) observer.error(`${where}: ${message}; ${now}`);
}
