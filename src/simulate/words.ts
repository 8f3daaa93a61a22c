import type { Platform } from "./message.ts";

export type Lang = "en" | "zh";

export interface Words {
  readonly title: string;
  readonly tagline: string;
  readonly all: string;
  readonly otherLanguage: string;
  readonly platforms: Readonly<Record<Platform, string>>;
  readonly robot: string;
  readonly emptyTitle: string;
  readonly emptyText: string;
  readonly emptyChat: string;
  readonly everyone: string;
  readonly notifies: (names: string) => string;
  readonly duplicate: string;
  readonly until: (time: string) => string;
  readonly muted: (time: string) => string;
  readonly failed: Readonly<Record<string, string>>;
  readonly older: (count: number) => string;
  readonly tally: (shown: number, refused: number) => string;
  readonly raw: string;
  readonly live: string;
  readonly lost: string;
}

export const WORDS: Readonly<Record<Lang, Words>> = {
  en: {
    title: "Chat simulator",
    tagline: "what a person would see in the chat",
    all: "All chats",
    otherLanguage: "中文",
    platforms: {
      dingtalk: "DingTalk",
      lark: "Lark",
      wecom: "WeCom",
      slack: "Slack",
      hook: "Webhook",
    },
    robot: "robot",
    emptyTitle: "No message yet",
    emptyText:
      "Send to one of these addresses; TOKEN is any word and becomes a robot with its first message.",
    emptyChat: "Nothing was sent to this robot yet.",
    everyone: "notifies everyone",
    notifies: (names) => `notifies ${names}`,
    duplicate: "the same message again: answered ok, not shown twice",
    until: (time) => `again at ${time}`,
    muted: (time) => `muted until ${time}`,
    failed: {
      hang: "no answer (injected)",
      reset: "connection reset (injected)",
      status: "outage (injected)",
    },
    older: (count) => `${count} older`,
    tally: (shown, refused) =>
      refused === 0 ? `${shown} shown` : `${shown} shown, ${refused} refused`,
    raw: "request",
    live: "live",
    lost: "not reachable",
  },
  zh: {
    title: "聊天模拟器",
    tagline: "群里的人会看到的样子",
    all: "全部群聊",
    otherLanguage: "EN",
    platforms: {
      dingtalk: "钉钉",
      lark: "飞书",
      wecom: "企业微信",
      slack: "Slack",
      hook: "Webhook",
    },
    robot: "机器人",
    emptyTitle: "还没有消息",
    emptyText: "向下列任一地址发送即可；TOKEN 可以是任意字词，首条消息到达时自动成为一个机器人。",
    emptyChat: "还没有消息发给这个机器人。",
    everyone: "提醒所有人",
    notifies: (names) => `提醒 ${names}`,
    duplicate: "重复消息：已应答成功，不再显示",
    until: (time) => `${time} 后再试`,
    muted: (time) => `已被限流至 ${time}`,
    failed: {
      hang: "无应答（注入的故障）",
      reset: "连接被重置（注入的故障）",
      status: "服务中断（注入的故障）",
    },
    older: (count) => `更早 ${count} 条`,
    tally: (shown, refused) =>
      refused === 0 ? `显示 ${shown} 条` : `显示 ${shown} 条，拒绝 ${refused} 条`,
    raw: "请求",
    live: "实时",
    lost: "无法连接",
  },
};
