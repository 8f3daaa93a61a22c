import { onTestFinished } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import type { HistoryReader } from "../../src/history/history.ts";
import { openReaderOver } from "../../src/history/open.ts";
import type { AuditEntry } from "../../src/web/auth/audit.ts";
import { mountAccount } from "../../src/web/auth/account.ts";
import { createGuardedApp } from "../../src/web/auth/guarded.ts";
import type { Provers } from "../../src/web/auth/prove.ts";
import { mountApi } from "../../src/web/api/routes.ts";
import type { Desk } from "../../src/web/page/desk.ts";
import { refusalOf } from "../../src/web/page/refusals.ts";
import { mountPages } from "../../src/web/page/routes.ts";
import type { TailHub } from "../../src/web/page/tail.ts";
import { listen } from "../../src/web/server.ts";
import { systemClock } from "../../src/clock.ts";
import { readEvents } from "../../src/source/file/read.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { FakeClock } from "./clock.ts";
import { aLedger, type TestLedger } from "./ledger.ts";

export const SINKS = [
  "webhook:http://127.0.0.1:1/ops?name=ops&level=Warning",
  "stdout:?name=audit",
  "webhook:http://127.0.0.1:1/team?name=team&namespaces=pay",
];

export interface PageSite extends TestLedger {
  readonly clock: FakeClock;
  readonly reader: HistoryReader;
  readonly url: string;
  readonly audit: readonly AuditEntry[];
  readonly failures: readonly string[];
  /** What was asked to be retried or discarded. */
  readonly settled: readonly string[];
  readonly hub: TailHub;
  /** What the server answers at all, `GET /sinks`; what stands before it (the guard, the API's manners) is `ALL`. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** A page as its reader gets it. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, fields: Readonly<Record<string, string>>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** Its text without markup, blanks taken together. */
  readonly text: string;
}

const OPEN: Provers = { tokens: [], proxy: null, open: true };

/** The page and the API over a ledger in memory, on a server of their own. */
export async function aPageSite(
  changes: Partial<Desk> = {},
  provers: Provers = OPEN,
  start = "2026-11-20T12:00:00Z",
): Promise<PageSite> {
  const clock = new FakeClock(start);
  const ledger = aLedger({ clock });
  const reader = openReaderOver(ledger.db, systemClock);
  const audit: AuditEntry[] = [];
  const failures: string[] = [];
  const settled: string[] = [];
  const trail = { record: (entry: AuditEntry) => void audit.push(entry) };
  const { config, options } = loadConfig({
    flags: { sink: SINKS, clusterName: "prod-a", timezone: "UTC" },
    registry,
    env: {},
  });
  const end = new AbortController();
  const desk: Desk = {
    reader,
    config,
    options,
    readEvents: (text) => readEvents(text, config.cluster, new Date(clock.now()).toISOString()),
    clock,
    namespaces: () => ["shop", "pay", "default"],
    troubles: () => [],
    sinks: () => [],
    watchingSince: () => null,
    delivery: async () => null,
    settleDead: async (id, act) => void settled.push(`${act} ${id}`),
    preview: async () => ({ issues: [], warnings: [], looks: [] }),
    drawSent: () => null,
    chatStyle: ".chat { color: inherit; }",
    templateText: () => "",
    audit: trail,
    signal: end.signal,
    ...changes,
  };
  const app = createGuardedApp(provers, {
    clock,
    audit: trail,
    failed: (detail) => void failures.push(detail),
    refusalOf,
  });
  mountAccount(app);
  const hub = mountPages(app, desk);
  mountApi(app, desk, {
    version: "0.0.0",
    hub,
  });
  const server = await listen({ host: "127.0.0.1", port: 0, app });
  onTestFinished(async () => {
    end.abort();
    await server.close();
    await reader.close();
  });
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(server.url + path, { redirect: "manual", ...init });
    const body = await response.text();
    return { status: response.status, headers: response.headers, body, text: textOf(body) };
  };
  return {
    ...ledger,
    clock,
    reader: desk.reader,
    url: server.url,
    audit,
    failures,
    settled,
    hub,
    routes: app.routes.map(({ method, path }) => ({ method, path })),
    get: (path, headers = {}) =>
      ask(path, { headers: { accept: "text/html,*/*;q=0.8", ...headers } }),
    post: (path, fields) =>
      ask(path, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: {
          accept: "text/html,*/*;q=0.8",
          "sec-fetch-site": "same-origin",
          origin: server.url,
        },
      }),
  };
}

/** What a reader sees of a document, as far as markup tells. */
function textOf(body: string): string {
  return body
    .replaceAll(/<(head|script|style|template)\b[\s\S]*?<\/\1>/g, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
}
