import type { Config, ConfigIssue } from "../config/config.ts";
import { mountApi } from "../web/api/routes.ts";
import { mountAccount } from "../web/auth/account.ts";
import { fileAudit } from "../web/auth/audit.ts";
import { createGuardedApp } from "../web/auth/guarded.ts";
import { STRICT_LIMITS } from "../web/listen.ts";
import { refusalOf } from "../web/page/refusals.ts";
import { mountPages } from "../web/page/routes.ts";
import { listen, type Listening } from "../web/server.ts";
import { type DeskPorts, type Live, openDesk } from "./desk.ts";
import { type AccessPorts, createWebAccess } from "./web-access.ts";

export interface WebPorts
  extends AccessPorts, Pick<DeskPorts, "recall" | "texts" | "options" | "fresh"> {
  readonly version: string;
}

/** The page, before it is served. */
export interface WebSite {
  /** What waiting cannot cure. */
  problems(signal: AbortSignal): Promise<readonly ConfigIssue[]>;
  /**
   * Serves it, whatever of the rest has begun by then.
   * @param stop ends it: whoever follows what arrives is let go at once
   * @throws Error that says why the address cannot be had
   */
  open(live: Live, stop: AbortSignal): Promise<Listening>;
}

/**
 * The listener of the page, and who is let in by it; `null` without `webListen`.
 * @param signal ends questions to the API server that are under way
 */
export function createWebSite(
  config: Config,
  ports: WebPorts,
  signal: AbortSignal,
): WebSite | null {
  const { clock, observer, version, fresh } = ports;
  const { listen: address } = config.web;
  const access = createWebAccess(config, ports, signal);
  if (address === null || access === null) return null;
  return {
    problems: (within) => access.problems(within),
    async open(live, stop) {
      const failed = (detail: string) => observer.error(detail);
      const log = (message: string, details: Readonly<Record<string, unknown>>) =>
        observer.notice(message, details);
      const audit = fileAudit(config.dataDir, { log, failed });
      const app = createGuardedApp(access.provers, { clock, audit, failed, refusalOf });
      mountAccount(app);
      const { desk, close } = openDesk(config, { ...ports, audit, live }, stop);
      const hub = mountPages(app, desk);
      mountApi(app, desk, {
        version,
        hub,
      });
      try {
        const answering: typeof app.fetch =
          fresh === undefined ? app.fetch : (...asked) => fresh().then(() => app.fetch(...asked));
        const listening = await listen({
          ...address,
          app: { fetch: answering },
          limits: STRICT_LIMITS,
        });
        const end = async () => {
          await listening.close();
          await close();
        };
        // The ledger goes last: nobody reads it any more then.
        let ended: Promise<void> | null = null;
        const closed = () => (ended ??= end());
        // What becomes of it is told to whoever closes it.
        stop.addEventListener("abort", () => void closed().catch(() => undefined), { once: true });
        return { ...listening, close: closed };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}
