import { storedKey } from "../../src/ledger/key.ts";
import { MINUTE, NOON, seen, take } from "./history.ts";
import { accessFile, bearer, fileProver, sha256 } from "./guarded.ts";
import { FakeClock } from "./clock.ts";
import { aPageSite, type PageSite } from "./page.ts";
import type { Provers } from "../../src/web/auth/prove.ts";

/** Who asks, beside nobody: what each may is in its name, `none` may read a namespace in which nothing happens. */
export const CALLERS = ["none", "pay", "shop", "shopOps", "all", "root"] as const;
export type Asker = (typeof CALLERS)[number];

const ACCESS = `tokens:
  - { name: none, sha256: ${sha256("none")}, namespaces: [nowhere], may: [read] }
  - { name: pay, sha256: ${sha256("pay")}, namespaces: [pay], may: [read] }
  - { name: shop, sha256: ${sha256("shop")}, namespaces: [shop], may: [read] }
  - { name: shopOps, sha256: ${sha256("shopOps")}, namespaces: [shop], may: [read, change] }
  - { name: all, sha256: ${sha256("all")}, namespaces: ["*"], may: [read] }
  - { name: root, sha256: ${sha256("root")}, namespaces: ["*"], may: [read, change] }
`;

/** What only who may see the namespace shop is to read. */
export const HIDDEN = "s3cret-of-shop";

/** How a route is asked about what is in the namespace shop, and what each caller gets: the status codes of `CALLERS`, in their order. */
export interface Asked {
  readonly path: string;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly gets: readonly [number, number, number, number, number, number];
}

const SHOP = seen(1, NOON - MINUTE, { message: HIDDEN });
const ID = encodeURIComponent(storedKey(SHOP));
const EVENT = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.1", namespace: "shop", uid: "u" },
  involvedObject: { kind: "Pod", name: "web", namespace: "shop" },
  reason: "BackOff",
  message: HIDDEN,
};
const range = { from: "2026-11-20T11:00:00.000Z", to: "2026-11-20T12:00:00.000Z" };

/** By an id: hidden is as if it were not there. */
const byId = (status: number): Asked["gets"] => [404, 404, status, status, status, status];
/** By the namespace's name: who may not is told what is missing. */
const byName = (status = 200): Asked["gets"] => [403, 403, status, status, status, status];
/** Of all that the caller may see: for who may see anything. */
const ANYTHING: Asked["gets"] = [403, 200, 200, 200, 200, 200];
/** How it is set up. */
const SETUP: Asked["gets"] = [403, 403, 403, 200, 200, 200];
/** Nothing of it is about anybody's events. */
const PROVEN: Asked["gets"] = [200, 200, 200, 200, 200, 200];
const change = (status: number): Asked["gets"] => [404, 404, 403, status, 403, status];

const template = { sink: "ops", text: "x" };

/** Every route behind the guard. One that is not in here is a mistake: `routes.test.ts` says so. */
export const ROUTES: Readonly<Record<string, Asked>> = {
  "GET /": { path: "/?ns=shop", gets: byName() },
  "GET /account": { path: "/account", gets: PROVEN },
  "GET /assets/:name": { path: "/assets/page.css", gets: PROVEN },
  "GET /configuration": { path: "/configuration", gets: SETUP },
  "POST /configuration": {
    path: "/configuration",
    form: { event: JSON.stringify(EVENT) },
    gets: SETUP,
  },
  "GET /deliveries/:id": { path: "/deliveries/d1", gets: byId(303) },
  "POST /deliveries/:id": { path: "/deliveries/d1", form: { act: "retry" }, gets: change(303) },
  "GET /events.csv": { path: "/events.csv?ns=shop", gets: byName() },
  "GET /events/:id": { path: `/events/${ID}`, gets: byId(200) },
  "GET /objects": { path: "/objects?ns=shop&kind=Pod&name=web-1", gets: byName() },
  "GET /report": { path: "/report?ns=shop", gets: byName() },
  "GET /sinks": { path: "/sinks", gets: ANYTHING },
  "GET /tail": { path: "/tail?ns=shop", gets: byName() },
  "GET /templates": { path: "/templates", gets: SETUP },
  "POST /templates": { path: "/templates", form: template, gets: SETUP },
  "POST /templates/configmap": { path: "/templates/configmap", form: template, gets: SETUP },
  "POST /templates/preview": { path: "/templates/preview", form: template, gets: SETUP },
  "GET /api/v1/config": { path: "/api/v1/config", gets: SETUP },
  "GET /api/v1/deliveries": { path: "/api/v1/deliveries", gets: ANYTHING },
  "POST /api/v1/deliveries/:id/discard": {
    path: "/api/v1/deliveries/d1/discard",
    gets: change(204),
  },
  "POST /api/v1/deliveries/:id/retry": { path: "/api/v1/deliveries/d1/retry", gets: change(204) },
  "GET /api/v1/events": { path: "/api/v1/events?ns=shop", gets: byName() },
  "GET /api/v1/events/:id": { path: `/api/v1/events/${ID}`, gets: byId(200) },
  "POST /api/v1/explain": { path: "/api/v1/explain", json: EVENT, gets: byName() },
  "GET /api/v1/explain/:id": { path: `/api/v1/explain/${ID}`, gets: byId(200) },
  "GET /api/v1/grafana": { path: "/api/v1/grafana", gets: PROVEN },
  "POST /api/v1/grafana/metric-payload-options": {
    path: "/api/v1/grafana/metric-payload-options",
    json: { name: "ns" },
    gets: ANYTHING,
  },
  "POST /api/v1/grafana/metrics": { path: "/api/v1/grafana/metrics", json: {}, gets: PROVEN },
  "POST /api/v1/grafana/query": {
    path: "/api/v1/grafana/query",
    json: { range, targets: [{ target: "events", payload: { ns: "shop" } }] },
    gets: byName(),
  },
  "POST /api/v1/grafana/tag-keys": { path: "/api/v1/grafana/tag-keys", json: {}, gets: PROVEN },
  "POST /api/v1/grafana/tag-values": {
    path: "/api/v1/grafana/tag-values",
    json: { key: "reason" },
    gets: ANYTHING,
  },
  "POST /api/v1/grafana/variable": {
    path: "/api/v1/grafana/variable",
    json: { payload: { target: "ns" } },
    gets: ANYTHING,
  },
  "GET /api/v1/openapi.json": { path: "/api/v1/openapi.json", gets: PROVEN },
  "GET /api/v1/sinks": { path: "/api/v1/sinks", gets: ANYTHING },
  "GET /api/v1/tail": { path: "/api/v1/tail?ns=shop", gets: byName() },
  "POST /api/v1/templates/preview": {
    path: "/api/v1/templates/preview",
    json: template,
    gets: SETUP,
  },
  "GET /api/v1/timeline": { path: "/api/v1/timeline?ns=shop", gets: byName() },
  "GET /api/v1/whoami": { path: "/api/v1/whoami", gets: PROVEN },
};

/** Those that nobody has to prove anything for. */
export const PUBLIC = ["GET /login", "GET /login/style.css", "POST /login"];

export type Named = readonly [route: string, asked: Asked];
export const NAMED: readonly Named[] = Object.entries(ROUTES);

export interface RoutesSite extends PageSite {
  /** Asks as a program; a stream is left once its head is there, and its text is empty. */
  ask(
    named: Named,
    headers: Readonly<Record<string, string>>,
    method?: string,
  ): Promise<{ status: number; body: string; headers: Headers }>;
}

export const tokenOf = (who: Asker) => bearer(who);

/** The page over one event of shop, which was given up. @param provers without it the tokens of a file, one for each of `CALLERS` */
export async function aRoutesSite(provers?: Provers): Promise<RoutesSite> {
  const tokens = [fileProver(accessFile(ACCESS), new FakeClock())];
  let site: PageSite | null = null;
  site = await aPageSite(
    {
      delivery: async (id) =>
        site?.history.deliveries({ state: "dead" }).find((one) => one.id === id) ?? null,
    },
    provers ?? { tokens, proxy: null, open: false },
  );
  await take(site, [SHOP]);
  site.outbox.settle("d1", {
    kind: "dead",
    at: NOON,
    counted: true,
    reason: "auth",
    detail: HIDDEN,
  });
  site.outbox.written();
  const { url } = site;
  return {
    ...site,
    async ask([route, { path, json, form }], headers, method = route.split(" ")[0] ?? "") {
      const gone = new AbortController();
      const body =
        method !== "POST"
          ? undefined
          : json === undefined
            ? new URLSearchParams(form)
            : JSON.stringify(json);
      const answer = await fetch(url + path, {
        method,
        redirect: "manual",
        signal: gone.signal,
        headers: {
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      const isStream = answer.headers.get("content-type") === "text/event-stream";
      if (isStream) gone.abort();
      return {
        status: answer.status,
        body: isStream ? "" : await answer.text(),
        headers: answer.headers,
      };
    },
  };
}
