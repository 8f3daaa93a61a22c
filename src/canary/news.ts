import type { Lang } from "../config/config.ts";
import { CANARY_BACK, CANARY_COMPONENT, CANARY_MISSING } from "../event/canary.ts";
import type { KubeEvent } from "../event/event.ts";
import type { News } from "./canary.ts";

export interface Teller {
  /** Unique for ever. */
  readonly id: string;
  readonly source: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly object: { readonly kind: string; readonly name: string };
  /** Of the sink that is told. */
  readonly lang: Lang;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a sink is told, as an Event of our own: every template can show one. It is in the ledger, and in no cluster. */
export function newsEvent(news: News, teller: Teller): KubeEvent {
  const { id, cluster, namespace, object, at } = teller;
  const seen = new Date(at).toISOString();
  return Object.freeze({
    key: `${id}@1`,
    uid: id,
    resourceVersion: "",
    eventName: `kube-crier-canary.${id}`,
    eventNamespace: namespace,
    cluster,
    type: news.kind === "missing" ? "Warning" : "Normal",
    reason: news.kind === "missing" ? CANARY_MISSING : CANARY_BACK,
    message: wordsOf(news, teller),
    action: null,
    object: Object.freeze({
      kind: object.kind,
      apiVersion: "v1",
      namespace,
      name: object.name,
      uid: null,
      fieldPath: null,
    }),
    related: null,
    reporter: Object.freeze({ component: CANARY_COMPONENT, host: null, instance: null }),
    count: 1,
    firstSeen: seen,
    lastSeen: seen,
  });
}

function wordsOf(news: News, { source, lang }: Teller): string {
  if (news.kind === "missing")
    return lang === "zh"
      ? `kube-crier 写入集群的探测事件没有按时到达（${source}）：${news.why.zh}。在它恢复之前，集群里的告警可能迟到或丢失。`
      : `The Event that kube-crier writes to see whether alerts arrive did not arrive in time (${source}): ${news.why.en}. Until it is back, alerts may be late or missing.`;
  const minutes = Math.max(1, Math.round(news.forMs / 60_000));
  return lang === "zh"
    ? `kube-crier 的探测事件又能按时到达了（${source}），此前中断约 ${minutes} 分钟。`
    : `The canary of kube-crier arrives in time again (${source}), after about ${minutes} min.`;
}
