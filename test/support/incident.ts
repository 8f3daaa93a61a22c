import { readFileSync } from "node:fs";
import path from "node:path";
import type { KubeEvent } from "../../src/event/event.ts";
import { previewTemplate } from "../../src/app/preview.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { DeliveryRow } from "../../src/ledger/ledger.ts";
import { storedKey } from "../../src/ledger/key.ts";
import { CHAT_STYLE } from "../../src/simulate/bubble.ts";
import { drawSent } from "../../src/simulate/preview.ts";
import type { Provers } from "../../src/web/auth/prove.ts";
import type { SinkStatus } from "../../src/web/page/sinks-page.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { anEvent } from "./events.ts";
import { HOUR, MINUTE, NOON, seen, take } from "./history.ts";
import { aPageSite, type PageSite } from "./page.ts";
import { BUILTIN } from "./templates.ts";

/**
 * A small incident as it is looked at at noon: a release of `web` in shop runs out of memory, its node gets under pressure, images
 * cannot be pulled, and one of the chats does not take everything. Deterministic: pictures of it stay the same.
 */
const SINKS = [
  "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=a&name=ding-oncall&level=Warning",
  "lark:https://open.feishu.cn/open-apis/bot/v2/hook/a?name=lark-shop&namespaces=shop",
  "slack:https://hooks.slack.com/services/T0/B0/a?name=slack-sre&level=Warning",
  "wecom:https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a&name=wecom-pay&namespaces=pay",
];

const NEWER = "web-7d4b9c6f5-x2x9k";
export const MESSAGE = "Back-off restarting failed container web in pod web-7d4b9c6f5-x2x9k_shop";

export interface Incident extends PageSite {
  /** Its story has every state there is. */
  readonly id: string;
  /** Of the delivery that was given up. */
  readonly deadId: string;
}

const pod = (namespace: string, name: string) => ({ kind: "Pod", namespace, name });

/** What happened, oldest first: minutes before noon, and how it differs from a BackOff of web. */
function* happened(): Generator<KubeEvent> {
  let n = 0;
  const at = (minutes: number, changes: Parameters<typeof seen>[2]) => {
    n += 1;
    const own = { eventNamespace: changes?.object?.namespace ?? "default", ...changes };
    return seen(n, NOON - minutes * MINUTE, own);
  };
  const normal = { type: "Normal" };
  for (const [index, minutes] of [58, 51, 47, 44, 39, 33, 27, 22, 17, 11, 6].entries()) {
    const name = `report-hourly-${29_389_900 + index}`;
    yield at(minutes, {
      ...normal,
      reason: index % 2 === 0 ? "SuccessfulCreate" : "Completed",
      message: index % 2 === 0 ? `Created pod: ${name}-k7x2p` : "Job completed",
      object: { kind: "Job", apiVersion: "batch/v1", namespace: "batch", name, fieldPath: null },
      reporter: { component: "job-controller", host: null },
    });
  }
  yield at(24, {
    ...normal,
    reason: "ScalingReplicaSet",
    message: "Scaled up replica set web-7d4b9c6f5 from 0 to 3",
    object: { kind: "Deployment", apiVersion: "apps/v1", name: "web", fieldPath: null },
    reporter: { component: "deployment-controller", host: null },
  });
  for (const suffix of ["x2x9k", "p4q7m", "zr8vd"])
    yield at(23.6, {
      ...normal,
      reason: "Scheduled",
      message: `Successfully assigned shop/web-7d4b9c6f5-${suffix} to node-3`,
      object: { ...pod("shop", `web-7d4b9c6f5-${suffix}`), fieldPath: null },
      reporter: { component: "default-scheduler", host: null },
    });
  for (const minutes of [20, 16.5, 12.2, 9.3, 5.8, 3.1])
    yield at(minutes, {
      reason: "OOMKilling",
      message: `Memory cgroup out of memory: Killed process ${Math.round(21_000 + minutes * 97)} (node) total-vm:1482236kB, anon-rss:524012kB, file-rss:0kB`,
      object: { kind: "Node", namespace: null, name: "node-3", fieldPath: null },
      reporter: { component: "kernel-monitor", host: "node-3" },
      eventNamespace: "default",
    });
  for (const [index, minutes] of [18.9, 17.1, 15, 12.8, 10.1, 7.7, 4.4, 2.2].entries())
    yield at(minutes, {
      reason: "Unhealthy",
      message:
        index % 3 === 0
          ? "Readiness probe failed: HTTP probe failed with statuscode: 503"
          : 'Liveness probe failed: Get "http://10.42.3.17:8080/healthz": dial tcp 10.42.3.17:8080: connect: connection refused',
      object: pod("shop", index % 2 === 0 ? NEWER : "web-7d4b9c6f5-p4q7m"),
    });
  for (const minutes of [14.4, 13.9, 8.8])
    yield at(minutes, {
      reason: "Failed",
      message:
        'Failed to pull image "registry.example.com/pay/ledger:2.14.1": rpc error: code = Unknown desc = toomanyrequests: 拉取镜像过于频繁，请稍后重试',
      object: { ...pod("pay", "ledger-6c8d7f-h5n2w"), fieldPath: "spec.containers{ledger}" },
    });
  yield at(9.1, {
    reason: "NodeHasDiskPressure",
    message: "Node node-3 status is now: NodeHasDiskPressure",
    object: { kind: "Node", namespace: null, name: "node-3", fieldPath: null },
    eventNamespace: "default",
  });
  yield at(6.6, {
    reason: "Evicted",
    message:
      "The node was low on resource: ephemeral-storage. Threshold quantity: 2139512454, available: 1997236Ki.",
    object: { ...pod("data", "search-2"), fieldPath: null },
  });
  // One Event that the API server counts up: its occurrences.
  for (const [index, minutes] of [19, 16, 11.5, 7, 4, 1].entries())
    yield anEvent({
      count: (index + 1) * 3,
      message: MESSAGE,
      firstSeen: new Date(NOON - 19 * MINUTE).toISOString(),
      lastSeen: new Date(NOON - minutes * MINUTE).toISOString(),
      object: { name: NEWER },
    });
}

function statuses(): readonly SinkStatus[] {
  const open = { state: "open", until: null, inFlight: 0, lastError: null } as const;
  const budget = { left: 17, count: 20, perMs: MINUTE };
  return [
    {
      name: "ding-oncall",
      type: "dingtalk",
      state: "paused",
      until: NOON + 24_000,
      inFlight: 0,
      budget: { ...budget, left: 0 },
      latency: { p50: 182, p99: 940 },
      lastError: {
        at: NOON - 36_000,
        reason: "throttled",
        detail: "errcode 130101: send too fast, exceed 20 times per minute",
      },
    },
    { name: "lark-shop", type: "lark", ...open, budget: null, latency: { p50: 121, p99: 304 } },
    { name: "slack-sre", type: "slack", ...open, budget, latency: { p50: 88, p99: 211 } },
    {
      name: "wecom-pay",
      type: "wecom",
      state: "broken",
      until: NOON + 61_000,
      inFlight: 1,
      budget,
      latency: null,
      lastError: {
        at: NOON - 9_000,
        reason: "network",
        detail: "connect ECONNREFUSED 10.0.0.9:443",
      },
    },
  ];
}

/** The page over the incident, on a server of its own. */
export async function anIncident(provers?: Provers): Promise<Incident> {
  const { config } = loadConfig({
    flags: { sink: SINKS, clusterName: "prod-a", timezone: "UTC" },
    registry,
    env: {},
  });
  const dead = new Map<string, DeliveryRow>();
  const site: PageSite = await aPageSite(
    {
      config,
      chatStyle: CHAT_STYLE,
      namespaces: () => ["batch", "data", "default", "pay", "shop"],
      sinks: statuses,
      templateText: (name) => {
        const type = config.sinks.find((one) => one.name === name)?.definition.type ?? "";
        return readFileSync(path.join(BUILTIN, `${type}.hbs`), "utf8");
      },
      delivery: async (id) => dead.get(id) ?? null,
      settleDead: async (id, act) => {
        dead.delete(id);
        if (act === "retry") site.history.retry([id], null, site.clock.now());
        else site.history.discard([id], null);
      },
      drawSent: ({ sink, sent }) => {
        const type = config.sinks.find(({ name }) => name === sink)?.definition.type ?? "";
        return drawSent(type, sent ?? "", NOON);
      },
      preview: async (name, text, alert) => {
        const sink = config.sinks.find((one) => one.name === name);
        if (sink === undefined) return { issues: [], warnings: [], looks: [] };
        const shown = alert ?? { kind: "event", event: anEvent({ message: MESSAGE }) };
        const made = await previewTemplate(config, sink, text, shown, NOON);
        return {
          ...made,
          looks: made.looks.map(({ preview, problem, ...look }) => ({
            ...look,
            drawn: preview?.kind === "shown" ? preview.drawn : null,
            problem: preview?.kind === "refused" ? preview.message : problem,
          })),
        };
      },
    },
    provers,
    // Events are taken as they happen.
    new Date(NOON - HOUR).toISOString(),
  );
  const events = [...happened()].toSorted((a, b) => a.lastSeen.localeCompare(b.lastSeen));
  for (const event of events) {
    await site.clock.advance(Date.parse(event.lastSeen) + 40 - site.clock.now());
    await take(site, [event], sinksOf(event));
  }
  await site.clock.advance(NOON - site.clock.now());
  const last = events.findLast(({ reason }) => reason === "BackOff") ?? anEvent();
  settle(site, await sentOf(config, last));
  for (const row of site.history.deliveries({ state: "dead" })) dead.set(row.id, row);
  const [given] = dead.values();
  return { ...site, id: storedKey(last), deadId: given?.id ?? "" };
}

function sinksOf({ type, object: { namespace } }: KubeEvent): readonly string[] {
  const warning = type === "Warning";
  return [
    ...(warning ? ["ding-oncall"] : []),
    ...(namespace === "shop" ? ["lark-shop"] : []),
    ...(warning ? ["slack-sre"] : []),
    ...(namespace === "pay" ? ["wecom-pay"] : []),
  ];
}

/** What the platforms said: all of it accepted, but for what the incident is told with. */
function settle({ outbox, clock }: PageSite, sent: ReadonlyMap<string, string>): void {
  for (const sink of ["ding-oncall", "lark-shop", "slack-sre", "wecom-pay"]) {
    const due = outbox.due(sink, clock.now(), 1_000, new Set());
    for (const [index, { id, alert }] of due.entries()) {
      if (alert.kind !== "event") continue;
      const at = Date.parse(alert.event.lastSeen) + 120 + ((index * 53) % 400);
      const isLast = alert.event.reason === "BackOff" && alert.event.count === 18;
      if (sink === "wecom-pay") {
        const reason = index === 0 ? "auth" : "network";
        const detail =
          index === 0 ? "errcode 93000: invalid webhook url" : "connect ECONNREFUSED 10.0.0.9:443";
        outbox.settle(
          id,
          index < 2
            ? { kind: "dead", at, reason, detail, counted: true, tookMs: 41 }
            : { kind: "retry", at, notBefore: NOON + 61_000, reason, detail, counted: true },
        );
        continue;
      }
      if (sink === "ding-oncall" && isLast) {
        const detail = "errcode 130101: send too fast, exceed 20 times per minute";
        const refused = { reason: "throttled", detail, counted: true } as const;
        outbox.settle(id, { kind: "retry", at, notBefore: at + 30_000, tookMs: 87, ...refused });
        outbox.settle(id, { kind: "retry", at: at + 23_000, notBefore: NOON + 24_000, ...refused });
        continue;
      }
      outbox.settle(id, {
        kind: "delivered",
        at,
        tookMs: 80 + ((index * 37) % 140),
        sent:
          (isLast ? sent.get(sink) : undefined) ?? JSON.stringify({ text: alert.event.message }),
        answer: sink === "slack-sre" ? "ok" : '{"errcode":0,"errmsg":"ok"}',
      });
    }
  }
  // Whoever counts sees what was settled.
  outbox.pending("ding-oncall", clock.now());
}

/** What each sink sends of it, as it is. */
async function sentOf(config: Config, event: KubeEvent): Promise<ReadonlyMap<string, string>> {
  const sent = new Map<string, string>();
  for (const sink of config.sinks) {
    const made = await previewTemplate(config, sink, null, { kind: "event", event }, NOON);
    sent.set(sink.name, made.looks[0]?.text ?? "");
  }
  return sent;
}
