import { isDeepStrictEqual } from "node:util";
import { s } from "../sink/schema.ts";
import { issueAt } from "./at.ts";
import type { ConfigIssue, WebConfig } from "./config.ts";
import { parseListen } from "./grammar.ts";
import { judged, judgedList, problemOf } from "./judged.ts";
import type { Tree } from "./tree.ts";
import {
  addressProblem,
  externalUrlProblem,
  CHANGE_DELIVERIES,
  headerProblem,
  isLoopback,
  parsePermission,
} from "./web-grammar.ts";

/** Where the page listens, and who is let in. Probes and metrics have a listener of their own (`listen`), without authentication. */
export const webShape = {
  webListen: judged((text) => problemOf(parseListen(text)), {
    description:
      "Serve the page and its API on ADDR:PORT, apart from probes and metrics; on 127.0.0.1 without authentication unless one is set, elsewhere never without it; without it: nothing is served",
    example: "127.0.0.1:8081",
  }).optional(),
  externalUrl: judged(externalUrlProblem, {
    description:
      "Where people find the page: each message to a chat gets a link there, to its event or to the list of a digest's",
    example: "https://events.example.com",
  }).optional(),
  webKubernetes: s
    .oneOf(["auto", "on", "off"], {
      description:
        "Let the API server say whose a token is and what its owner may see (deploy/kube-crier-web.yaml has the rights for that); auto: where webListen can be reached from elsewhere and a cluster is watched",
      example: "on",
    })
    .default("auto"),
  webAudiences: s
    .list({
      description:
        "Whom a token has to be meant for, any of them; without it: the API server itself",
      example: ["kube-crier"],
    })
    .default([]),
  webChange: judged(
    (text) =>
      parsePermission(text) === null
        ? `"${text.slice(0, 80)}" is not a permission; expected a verb and a resource, like ${CHANGE_DELIVERIES}`
        : null,
    {
      description:
        "The Kubernetes permission that one needs to retry or discard a delivery, beside that to list events",
      example: "update deliveries.kube-crier.io",
    },
  ).default(CHANGE_DELIVERIES),
  webAccessFile: s
    .text({
      description:
        "A YAML file of tokens (by their SHA-256) and of roles for groups, with the namespaces that each may see; read again when it changes",
      example: "/etc/kube-crier/access.yaml",
    })
    .optional(),
  webProxies: judgedList(addressProblem, {
    description:
      "Addresses and CIDRs of proxies whose headers say who somebody is; the headers of anybody else are ignored",
    example: ["10.0.0.7", "fd00:1::/64"],
  }).default([]),
  webUserHeader: judged(headerProblem, {
    description: "The header in which such a proxy names the user",
    example: "Remote-User",
  }).default("X-Forwarded-User"),
  webGroupsHeader: judged(headerProblem, {
    description: "The header in which such a proxy names the user's groups, with commas between",
    example: "Remote-Groups",
  }).default("X-Forwarded-Groups"),
  webEmailHeader: judged(headerProblem, {
    description: "The header in which such a proxy names the user's mail address, which is shown",
    example: "Remote-Email",
  }).default("X-Forwarded-Email"),
};

/** Options of the page as the schema read them, and what else they depend on. */
export interface RawWeb {
  readonly webListen?: string | undefined;
  readonly externalUrl?: string | undefined;
  readonly webKubernetes: "auto" | "on" | "off";
  readonly webAudiences: readonly string[];
  readonly webChange: string;
  readonly webAccessFile?: string | undefined;
  readonly webProxies: readonly string[];
  readonly webUserHeader: string;
  readonly webGroupsHeader: string;
  readonly webEmailHeader: string;
  readonly listen?: string | undefined;
  readonly sources?:
    | readonly { readonly kubernetes?: RawSource | undefined; readonly file?: unknown }[]
    | undefined;
}

interface RawSource {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly server?: string | undefined;
}

/** Each cluster that is watched, as it is found; one by default. */
function clustersOf({ sources }: RawWeb): readonly RawSource[] {
  if (sources === undefined || sources.length === 0) return [{}];
  const found: RawSource[] = [];
  for (const { kubernetes } of sources.filter(({ file }) => file === undefined)) {
    const { kubeconfig, context, server } = kubernetes ?? {};
    const cluster = { kubeconfig, context, server };
    if (!found.some((one) => isDeepStrictEqual(one, cluster))) found.push(cluster);
  }
  return found;
}

function listenOf(text: string | undefined): WebConfig["listen"] {
  const parsed = text === undefined ? null : parseListen(text);
  return parsed?.ok === true ? parsed.value : null;
}

export function resolvedWeb(raw: RawWeb): WebConfig {
  const listen = listenOf(raw.webListen);
  const { webKubernetes } = raw;
  const byDefault = listen !== null && !isLoopback(listen.host) && clustersOf(raw).length > 0;
  return {
    listen,
    asksCluster: webKubernetes === "on" || (webKubernetes === "auto" && byDefault),
    // Without a page there is nothing to link to.
    externalUrl: listen === null ? null : (raw.externalUrl?.replace(/\/+$/, "") ?? null),
    audiences: raw.webAudiences,
    change: raw.webChange,
    accessFile: raw.webAccessFile ?? null,
    proxies: raw.webProxies,
    userHeader: raw.webUserHeader,
    groupsHeader: raw.webGroupsHeader,
    emailHeader: raw.webEmailHeader,
  };
}

const NEEDS_PROXIES = ["webUserHeader", "webGroupsHeader", "webEmailHeader"] as const;
const NEEDS_CLUSTER = ["webAudiences", "webChange"] as const;

/** What the options of the page say together: mistakes, and what works but should be known. */
export function judgeWeb(
  raw: RawWeb | null,
  tree: Tree,
): { readonly issues: readonly ConfigIssue[]; readonly notes: readonly ConfigIssue[] } {
  const issues: ConfigIssue[] = [];
  const notes: ConfigIssue[] = [];
  if (raw === null) return { issues, notes };
  const at = (option: keyof RawWeb, message: string, hint: string) =>
    issueAt(tree, option, message, hint);
  const given = (option: keyof RawWeb) => tree.value[option] !== undefined;
  const { listen, asksCluster, accessFile, proxies } = resolvedWeb(raw);
  if (listen === null) {
    if (!given("webListen"))
      for (const option of Object.keys(webShape) as (keyof typeof webShape)[])
        if (given(option))
          notes.push(
            at(option, "does nothing without webListen", "give webListen, or leave it out"),
          );
    return { issues, notes };
  }
  const clusters = clustersOf(raw);
  const who = "set webKubernetes: on where a cluster is watched, or webAccessFile";
  if (!isLoopback(listen.host) && !asksCluster && accessFile === null)
    issues.push(
      at(
        "webListen",
        "can be reached from elsewhere, and nothing says who may look",
        `${who}; or listen on 127.0.0.1:${listen.port}`,
      ),
    );
  else if (proxies.length > 0 && !asksCluster && accessFile === null)
    issues.push(at("webProxies", "nothing says what their users may see", who));
  if (asksCluster && clusters.length === 0)
    issues.push(
      at(
        "webKubernetes",
        "there is no cluster to ask",
        "it needs a kubernetes source; leave it out",
      ),
    );
  if (asksCluster && clusters.length > 1)
    issues.push(
      at(
        given("webKubernetes") ? "webKubernetes" : "webListen",
        `one API server can say what somebody may see, and ${clusters.length} clusters are watched`,
        "run one kube-crier for each, or set webKubernetes: off and webAccessFile",
      ),
    );
  const probes = listenOf(raw.listen);
  if (probes !== null && listen.port !== 0 && isDeepStrictEqual(probes, listen))
    issues.push(
      at(
        "webListen",
        "is where probes and metrics are served, which everybody may read",
        `give it a port of its own, like ${listen.port + 1}`,
      ),
    );
  for (const option of NEEDS_PROXIES)
    if (given(option) && proxies.length === 0)
      notes.push(at(option, "does nothing without webProxies", "give webProxies, or leave it out"));
  for (const option of NEEDS_CLUSTER)
    if (given(option) && !asksCluster)
      notes.push(
        at(option, "does nothing, for the API server is not asked", "set webKubernetes: on"),
      );
  return { issues, notes };
}
