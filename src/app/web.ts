import type { Clock } from "../clock.ts";
import { type Config, ConfigError, type ConfigIssue } from "../config/config.ts";
import { isLoopback, parsePermission } from "../config/web-grammar.ts";
import type { Observer } from "../observe/observer.ts";
import { createReviews, delegateProblems } from "../source/kubernetes/delegate.ts";
import type { KubeClient } from "../source/kubernetes/transport.ts";
import { openAccessFile } from "../web/auth/access-files.ts";
import { mountAccount } from "../web/auth/account.ts";
import { fileAudit } from "../web/auth/audit.ts";
import { createGuardedApp } from "../web/auth/guarded.ts";
import { createKubernetesProver } from "../web/auth/kubernetes.ts";
import type { Provers } from "../web/auth/prove.ts";
import { createTrustedProxy } from "../web/auth/proxy.ts";
import { STRICT_LIMITS } from "../web/listen.ts";
import { listen, type Listening } from "../web/server.ts";
import type { Clients } from "./clients.ts";

export interface WebPorts {
  readonly clients: Clients;
  readonly clock: Clock;
  readonly observer: Pick<Observer, "notice" | "warning" | "error">;
}

/** The page, before it is served. */
export interface WebSite {
  /** What waiting cannot cure. */
  problems(signal: AbortSignal): Promise<readonly ConfigIssue[]>;
  /** @throws Error that says why the address cannot be had */
  open(): Promise<Listening>;
}

/**
 * The listener of the page, and who is let in by it; `null` without `webListen`.
 * @param signal ends questions to the API server that are under way
 */
export function createWebSite(
  config: Config,
  { clients, clock, observer }: WebPorts,
  signal: AbortSignal,
): WebSite | null {
  const { web, dataDir } = config;
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
          told: (issues) => tellChange(web.accessFile ?? "", issues, observer),
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
    async problems(within) {
      const rights = client === null ? [] : await delegateProblems(client, within);
      return [...unusable, ...(file?.issues ?? []), ...rights];
    },
    open() {
      const failed = (detail: string) => observer.error(detail);
      const log = (message: string, details: Readonly<Record<string, unknown>>) =>
        observer.notice(message, details);
      const audit = fileAudit(dataDir, { log, failed });
      const app = createGuardedApp(provers, { clock, audit, failed });
      mountAccount(app);
      return listen({ ...address, app, limits: STRICT_LIMITS });
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
  observer: WebPorts["observer"],
): void {
  if (issues.length === 0) observer.notice(`${file} has changed, and is in use`);
  for (const { where, message } of issues)
    observer.error(`${where}: ${message}; what it said before it was changed stays in use`);
}
