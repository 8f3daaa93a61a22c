import type { Lang } from "../auth/lang.ts";

/** What the page of the configuration says, in one language. Options are named as in the file. */
export interface ConfigurationWords {
  readonly lead: string;
  readonly option: string;
  readonly value: string;
  readonly from: string;
  readonly nothing: string;
  readonly byDefault: string;
  /** What stands there is `${NAME}`, `{ $env }` or `{ $file }`. */
  readonly referred: string;
  readonly defaults: (count: string) => string;
  readonly allDefaults: string;
  readonly sections: Readonly<Record<"global" | "filter" | "sources" | "sinks", string>>;
  readonly tryTitle: string;
  /** Of one that is looked at. */
  readonly tryThis: string;
  readonly tryLead: string;
  readonly paste: string;
  readonly stored: string;
  readonly storedHint: string;
  readonly explain: string;
  readonly globalFilter: string;
  readonly noFilter: string;
  readonly passes: string;
  readonly dropped: string;
  readonly told: string;
  readonly notTold: string;
  readonly byGlobal: string;
  readonly nobody: string;
  readonly canary: string;
  readonly itsPage: string;
}

export const CONFIGURATION_WORDS: Readonly<Record<Lang, ConfigurationWords>> = {
  en: {
    lead: "What counts now, read at the start. Secrets are not shown.",
    option: "Option",
    value: "Value",
    from: "Where it is from",
    nothing: "nothing",
    byDefault: "default",
    referred: "from the environment or a secret file",
    defaults: (count) => `${count} more, as ${count === "1" ? "it is" : "they are"} by default`,
    allDefaults: "Nothing was given: all as by default.",
    sections: {
      global: "General",
      filter: "Filter of all sinks",
      sources: "Source",
      sinks: "Sink",
    },
    tryTitle: "Try an event",
    tryThis: "Try it in the configuration",
    tryLead: "Who would be told of it, and why. Nothing is sent.",
    paste: "An event, as kubectl get event NAME -o json prints it",
    stored: "or the id of a stored one",
    storedHint: "as its address has it",
    explain: "Explain",
    globalFilter: "Filter of all sinks",
    noFilter: "no filter",
    passes: "passes",
    dropped: "dropped for every sink",
    told: "would be told",
    notTold: "would not be told",
    byGlobal: "the filter of all sinks drops it",
    nobody: "Nobody would be told.",
    canary:
      "A canary: it goes to where its own kube-crier follows it to, whatever filters say; any other drops it.",
    itsPage: "Its page",
  },
  zh: {
    lead: "当前生效的配置，启动时读取。机密信息不显示。",
    option: "选项",
    value: "值",
    from: "来源",
    nothing: "无",
    byDefault: "默认",
    referred: "取自环境变量或机密文件",
    defaults: (count) => `另有 ${count} 项为默认值`,
    allDefaults: "未作设置，全部为默认值。",
    sections: { global: "通用", filter: "全局过滤器", sources: "事件来源", sinks: "渠道" },
    tryTitle: "试一个事件",
    tryThis: "用当前配置试此事件",
    tryLead: "会通知谁、为什么。不会发送任何消息。",
    paste: "事件，即 kubectl get event NAME -o json 的输出",
    stored: "或已存储事件的 id",
    storedHint: "即其页面地址中的 id",
    explain: "解释",
    globalFilter: "全局过滤器",
    noFilter: "无过滤条件",
    passes: "通过",
    dropped: "对所有渠道排除",
    told: "会通知",
    notTold: "不会通知",
    byGlobal: "被全局过滤器排除",
    nobody: "不会通知任何渠道。",
    canary: "探测事件：只发往其所属 kube-crier 跟踪的渠道，不受过滤器影响；其他实例会忽略它。",
    itsPage: "事件页面",
  },
};
