import { GAP_CAUSES, type GapCause } from "../../event/alert.ts";
import type { Trouble as Remembered } from "../../observe/troubles.ts";
import { timeTeller } from "../../template/times.ts";
import type { Lang } from "../auth/lang.ts";

/** Everything that stands at the top of a page, when it does. Times are milliseconds since the epoch. */
export type Trouble =
  | Remembered
  /** Another replica watches and sends; `null`: nobody is known to. */
  | { readonly kind: "standby"; readonly leader: string | null }
  | { readonly kind: "behind"; readonly sources: readonly string[] }
  | { readonly kind: "canary"; readonly detail: string }
  | { readonly kind: "unread"; readonly since: number; readonly detail: string }
  | {
      readonly kind: "sink";
      readonly sink: string;
      readonly since: number | null;
      readonly until: number | null;
      readonly detail: string | null;
    };

const CAUSES: Readonly<Record<Lang, Readonly<Record<GapCause, string>>>> = {
  en: GAP_CAUSES,
  zh: {
    downtime: "停机或断连的时间超过了集群保留事件的时间",
    expired: "resourceVersion 已过期，集群已不再保留此前的事件",
    firstStart: "没有更早运行的记录：首次启动，或账本丢失",
    otherCluster: "检查点属于另一个集群",
    futureVersion: "检查点来自集群的“未来”（etcd 被恢复过）",
    lostLedger: "账本损坏并重新建立；其中尚未发出的通知已丢失",
  },
};

/** One line: what does not work, since when, and what still does. Details are those of systems, and not translated. */
export function troubleText(trouble: Trouble, lang: Lang, timezone: string, now: number): string {
  const teller = timeTeller(lang, timezone, now);
  const at = (ms: number) => teller.moment(new Date(ms).toISOString());
  return lang === "zh" ? zh(trouble, at) : en(trouble, at);
}

type Tell = (ms: number) => string;

function en(trouble: Trouble, at: Tell): string {
  switch (trouble.kind) {
    case "standby":
      return trouble.leader === null
        ? "This replica stands by, and nobody is known to lead: nothing is watched or sent until one does."
        : `This replica stands by: ${trouble.leader} watches and sends. Retry and discard there.`;
    case "behind":
      return `Not caught up yet with ${trouble.sources.join(", ")}: the newest events may be missing.`;
    case "source":
      return `${trouble.source} cannot be watched since ${at(trouble.since)}: ${trouble.detail}. What came before is here; what comes meanwhile follows when it answers again.`;
    case "ledger":
      return `The ledger cannot be written since ${at(trouble.since)}: ${trouble.detail}. What arrives meanwhile is shown from memory.`;
    case "templates":
      return `Changed templates are not in use since ${at(trouble.since)}, the last good ones are: ${trouble.problems.join("; ")}`;
    case "gap":
      return `${trouble.source}: what happened between ${at(Date.parse(trouble.gap.since))} and ${at(Date.parse(trouble.gap.until))} may be incomplete: ${CAUSES.en[trouble.gap.cause]}.`;
    case "replaced":
      return `The ledger was damaged and begun anew at ${at(trouble.at)}; ${trouble.owed === null ? "what it owed is lost" : `${trouble.owed} ${trouble.owed === 1 ? "delivery it still owed is" : "deliveries it still owed are"} lost`}. The old one lies at ${trouble.aside}.`;
    case "page":
      return `This page ended by itself at ${at(trouble.at)}, and was begun again: ${trouble.detail}. What is owed was delivered meanwhile.`;
    case "unread":
      return `The ledger cannot be read since ${at(trouble.since)}: ${trouble.detail}. Shown is what memory has of the time since the start.`;
    case "canary":
      return `${trouble.detail}.`;
    case "sink":
      return `${trouble.sink} takes nothing${trouble.since === null ? "" : ` since ${at(trouble.since)}`}${trouble.until === null ? "" : `, next try ${at(trouble.until)}`}${trouble.detail === null ? "" : `: ${trouble.detail}`}. What is owed to it waits in the ledger.`;
  }
}

function zh(trouble: Trouble, at: Tell): string {
  switch (trouble.kind) {
    case "standby":
      return trouble.leader === null
        ? "本副本处于待命状态，且目前没有已知的主副本：在选出之前不监听也不发送。"
        : `本副本处于待命状态：由 ${trouble.leader} 负责监听和发送，重试和丢弃请到那里操作。`;
    case "behind":
      return `尚未追上 ${trouble.sources.join("、")}：最新的事件可能还未显示。`;
    case "source":
      return `自 ${at(trouble.since)} 起无法监听 ${trouble.source}：${trouble.detail}。此前的事件仍可查看，期间的事件将在恢复后补上。`;
    case "ledger":
      return `自 ${at(trouble.since)} 起账本无法写入：${trouble.detail}。期间到达的事件仅从内存显示。`;
    case "templates":
      return `自 ${at(trouble.since)} 起新模板有误未启用，仍使用上一份正确的模板：${trouble.problems.join("；")}`;
    case "gap":
      return `${trouble.source}：${at(Date.parse(trouble.gap.since))} 至 ${at(Date.parse(trouble.gap.until))} 之间的记录可能不完整：${CAUSES.zh[trouble.gap.cause]}。`;
    case "replaced":
      return `账本损坏，已于 ${at(trouble.at)} 重新建立；${trouble.owed === null ? "其中尚未发出的通知已丢失" : `其中 ${trouble.owed} 条尚未发出的通知已丢失`}。旧账本位于 ${trouble.aside}。`;
    case "page":
      return `本页面曾于 ${at(trouble.at)} 意外中断，现已重新启动：${trouble.detail}。期间的投递未受影响。`;
    case "unread":
      return `自 ${at(trouble.since)} 起账本无法读取：${trouble.detail}。仅显示启动以来内存中的事件。`;
    case "canary":
      return `探测事件未按时到达：${trouble.detail}`;
    case "sink":
      return `${trouble.since === null ? `${trouble.sink} 目前无法送达` : `自 ${at(trouble.since)} 起 ${trouble.sink} 无法送达`}${trouble.until === null ? "" : `，下次尝试 ${at(trouble.until)}`}${trouble.detail === null ? "" : `：${trouble.detail}`}。待发通知保存在账本中。`;
  }
}
