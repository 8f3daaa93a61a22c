import type { Alert, GapCause } from "../event/alert.ts";
import { GAP_CAUSES } from "../event/alert.ts";
import type { Lang } from "../config/config.ts";
import { spanText } from "./times.ts";

/** Every sentence we say ourselves, in one language. */
export interface Phrases {
  /** `12 × in 5 min 30 s · last 16:05:30`; @param last the last moment, told */
  times(count: number, spanMs: number, last: string): string;
  /** Where the middle of a message was taken out. */
  readonly cutNote: (kept: number, total: number) => string;
  /** `21 × BackOff` of `shop`, for a digest's title. */
  digestItem(count: number, reason: string, namespace: string | null): string;
  digestTitle(total: number, items: string, more: boolean): string;
  digestWords(total: number): string;
  /** The same where it tells what came too late to be told singly, and the line that says so. */
  oldTitle(total: number, items: string, more: boolean): string;
  oldWords(total: number): string;
  readonly oldNote: string;
  /** `shop/web (3 pods)` */
  objects(where: string, count: number, kind: string): string;
  moreKinds(count: number): string;
  /** @param range `10:02–10:09` */
  gapTitle(range: string): string;
  readonly gapWords: string;
  gapTimes(spanMs: number, until: string): string;
  gapCause(cause: GapCause): string;
  /** What a list brought afterwards, and how much of it is too old to be told singly. */
  gapRecovered(recovered: number, tooOld: number): string;
  /** What a link to the page says. */
  linkText(kind: Alert["kind"]): string;
}

const NUMBER = new Intl.NumberFormat("en-US");

/** `1,204` */
export function numberText(value: number): string {
  return NUMBER.format(value);
}

const english: Phrases = {
  times(count, spanMs, last) {
    if (count === 1) return `once · ${last}`;
    const span = spanText(spanMs, "en");
    return `${numberText(count)} ×${span === "" ? "" : ` in ${span}`} · last ${last}`;
  },
  cutNote: (kept, total) => `… (${numberText(kept)} of ${numberText(total)} characters) …`,
  digestItem: (count, reason, namespace) =>
    `${numberText(count)} × ${reason}${namespace === null ? "" : ` in ${namespace}`}`,
  digestTitle: (total, items, more) => `${numberText(total)} more: ${items}${more ? ", …" : ""}`,
  digestWords: (total) => `${numberText(total)} more`,
  oldTitle: (total, items, more) => `${numberText(total)} older: ${items}${more ? ", …" : ""}`,
  oldWords: (total) => `${numberText(total)} older`,
  oldNote: "Recovered from a time that was not watched; too old to be told one by one:",
  objects: (where, count, kind) => {
    const noun = kind === "" ? "object" : kind.toLowerCase();
    return `${where} (${numberText(count)} ${count === 1 ? noun : plural(noun)})`;
  },
  moreKinds: (count) =>
    count === 0 ? "" : `and ${numberText(count)} more kind${count === 1 ? "" : "s"}`,
  gapTitle: (range) => `Blind ${range}`,
  gapWords: "Blind",
  gapTimes(spanMs, until) {
    const span = spanText(spanMs, "en");
    return `${span === "" ? "" : `${span} · `}until ${until}`;
  },
  gapCause: (cause) => `Events of this time may be missing: ${GAP_CAUSES[cause]}.`,
  gapRecovered: (recovered, tooOld) =>
    `${recovered === 0 ? "Nothing" : numberText(recovered)} recovered by a relist, older ones unknown.${
      tooOld === 0
        ? ""
        : ` ${numberText(tooOld)} of them ${tooOld === 1 ? "comes" : "come"} as one digest.`
    }`,
  linkText: (kind) =>
    ({
      event: "Open in kube-crier",
      digest: "All of them in kube-crier",
      gap: "What is known of this time",
    })[kind],
};

function plural(noun: string): string {
  // `endpoints` and their like are plurals as Kubernetes writes them.
  if (noun.endsWith("endpoints")) return noun;
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(?:s|x|z|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
}

const GAP_CAUSES_ZH: Readonly<Record<GapCause, string>> = {
  downtime: "本程序停止或断连的时间超过了集群保留事件的时长",
  expired: "resourceVersion 已过期，集群也已不再保留此前的事件",
  firstStart: "没有此前运行的记录：首次启动，或账本已丢失",
  otherCluster: "保存的进度属于另一个集群",
  futureVersion: "保存的进度晚于集群当前状态（etcd 曾被恢复）",
  lostLedger: "本地账本损坏，已重新建立；其中尚未发送的内容已丢失",
};

const chinese: Phrases = {
  times(count, spanMs, last) {
    if (count === 1) return `1 次，${last}`;
    const span = spanText(spanMs, "zh");
    return `${numberText(count)} 次${span === "" ? "" : `，持续 ${span}`}，最近 ${last}`;
  },
  cutNote: (kept, total) => `…（共 ${numberText(total)} 字，显示 ${numberText(kept)} 字）…`,
  digestItem: (count, reason, namespace) =>
    `${namespace === null ? "" : `${namespace} `}${reason} ${numberText(count)} 次`,
  digestTitle: (total, items, more) => `另有 ${numberText(total)} 条：${items}${more ? "，…" : ""}`,
  digestWords: (total) => `另有 ${numberText(total)} 条`,
  oldTitle: (total, items, more) => `较早 ${numberText(total)} 条：${items}${more ? "，…" : ""}`,
  oldWords: (total) => `较早 ${numberText(total)} 条`,
  oldNote: "找回的未监视期间事件，时间较早，不再逐条发送：",
  objects: (where, count, kind) =>
    `${where}（${numberText(count)} 个 ${kind === "" ? "对象" : kind}）`,
  moreKinds: (count) => (count === 0 ? "" : `以及另外 ${numberText(count)} 类`),
  gapTitle: (range) => `事件缺失 ${range}`,
  gapWords: "事件缺失",
  gapTimes(spanMs, until) {
    const span = spanText(spanMs, "zh");
    return `${span === "" ? "" : `持续 ${span}，`}至 ${until}`;
  },
  gapCause: (cause) => `这段时间的事件可能缺失：${GAP_CAUSES_ZH[cause]}。`,
  gapRecovered: (recovered, tooOld) =>
    `重新列出后${recovered === 0 ? "未找回事件" : `找回 ${numberText(recovered)} 条`}，更早的未知。${
      tooOld === 0 ? "" : `其中 ${numberText(tooOld)} 条合并为一条汇总。`
    }`,
  linkText: (kind) =>
    ({
      event: "在 kube-crier 中查看",
      digest: "在 kube-crier 中查看全部",
      gap: "查看这段时间的已知事件",
    })[kind],
};

export const PHRASES: Readonly<Record<Lang, Phrases>> = { en: english, zh: chinese };
