import type { Difference } from "../../explain/then.ts";
import type { Lang } from "../auth/lang.ts";

/** What the page says of how something was decided, in one language. */
export interface DecisionWords {
  /** @param rates `20 in 1 min, 5 in 1 s` */
  readonly atMost: (rates: string) => string;
  /** @param count @param span a length of time */
  readonly rate: (count: string, span: string) => string;
  readonly unlimited: string;
  readonly excess: Readonly<Record<"digest" | "waits", string>>;
  /** @param count which one it is */
  readonly series: (count: string) => string;
  readonly since: string;
  readonly differences: Readonly<Record<Difference["what"], string>>;
  readonly otherwise: string;
  readonly digest: (count: string) => string;
  readonly tooOldDigest: (count: string) => string;
  readonly gap: string;
  readonly foldedTitle: string;
  /** @param count how many it tells of */
  readonly foldedPart: (count: string) => string;
  readonly noFolded: string;
}

export const DECISION_WORDS: Readonly<Record<Lang, DecisionWords>> = {
  en: {
    atMost: (rates) => `at most ${rates}`,
    rate: (count, span) => `${count} in ${span}`,
    unlimited: "as many as there are",
    excess: { digest: "what is more is told in a digest", waits: "what is more waits" },
    series: (count) => `its occurrence number ${count}`,
    since: "first seen",
    differences: {
      owedThen: "was owed it then; the configuration of now would not tell it",
      owedNow: "was not owed it then; the configuration of now would tell it",
      gone: "was owed it then; it is no sink of the configuration any more",
    },
    otherwise: "The configuration was another one then:",
    digest: (count) => `Digest of ${count}`,
    tooOldDigest: (count) =>
      `Digest of ${count} that ${count === "1" ? "was" : "were"} too old to be told singly`,
    gap: "Notice of a gap",
    foldedTitle: "What it tells of",
    foldedPart: (count) => `The newest ${count}.`,
    noFolded: "What it tells of is not in the ledger any more, or was never owed singly.",
  },
  zh: {
    atMost: (rates) => `限额：${rates}`,
    rate: (count, span) => `每 ${span} ${count} 条`,
    unlimited: "不限数量",
    excess: { digest: "超出的合并为汇总通知", waits: "超出的排队等待" },
    series: (count) => `第 ${count} 次发生`,
    since: "首次出现",
    differences: {
      owedThen: "当时应通知；按当前配置则不会通知",
      owedNow: "当时未通知；按当前配置则会通知",
      gone: "当时应通知；当前配置中已没有此渠道",
    },
    otherwise: "当时的配置与现在不同：",
    digest: (count) => `${count} 条事件的汇总`,
    tooOldDigest: (count) => `${count} 条过旧事件的汇总`,
    gap: "观测中断的通知",
    foldedTitle: "汇总的事件",
    foldedPart: (count) => `仅列出最新的 ${count} 条。`,
    noFolded: "所汇总的事件已不在账本中，或从未单独通知。",
  },
};
