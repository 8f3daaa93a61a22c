import type { Lang } from "./lang.ts";
import type { Identity } from "./identity.ts";
import type { RefusalStatus } from "./refusal.ts";

interface Words {
  readonly title: string;
  readonly token: string;
  readonly enter: string;
  readonly hint: string;
  readonly wrong: string;
  readonly away: string;
  readonly wait: (seconds: number) => string;
  readonly foreign: string;
  readonly empty: string;
  readonly other: string;
  readonly back: string;
  readonly account: string;
  readonly name: string;
  readonly groups: string;
  readonly proven: string;
  readonly ways: Readonly<Record<Identity["by"], string>>;
  readonly reads: string;
  readonly changes: string;
  readonly everywhere: string;
  readonly byNamespace: string;
  readonly leave: string;
  readonly problems: Readonly<Record<RefusalStatus, string>>;
}

export const WORDS: Readonly<Record<Lang, Words>> = {
  en: {
    title: "Sign in",
    token: "Token",
    enter: "Sign in",
    hint: "A token of your cluster, for example from",
    wrong: "This token is not valid, or not any more. Make a new one and paste all of it.",
    away: "Nobody can be let in for now, because the token cannot be checked:",
    wait: (seconds) => `Too many wrong tokens came from your address. Try again in ${seconds} s.`,
    foreign: "This form was not sent from this page. Open it anew and sign in there.",
    empty: "Paste a token.",
    other: "中文",
    back: "Back to the start",
    account: "Your account",
    name: "Name",
    groups: "Groups",
    proven: "Proven by",
    ways: {
      kubernetes: "a token of the cluster",
      proxy: "the proxy in front of this page",
      tokenFile: "a token of kube-crier's own file",
      loopback: "nothing: this page is for this machine only",
    },
    reads: "May see events",
    changes: "May retry and discard",
    everywhere: "in all namespaces",
    byNamespace: "in the namespaces where that is granted",
    leave: "Sign out",
    problems: {
      400: "This request is not understood",
      401: "Who are you?",
      403: "Not allowed",
      404: "Not found",
      405: "Not done this way",
      406: "Not in this form",
      409: "Changed meanwhile",
      413: "Too large",
      415: "Not sent in this form",
      421: "Not the name of this page",
      429: "Too many tries",
      500: "Something went wrong here",
      503: "Not now",
    },
  },
  zh: {
    title: "登录",
    token: "令牌",
    enter: "登录",
    hint: "集群的令牌，例如用下面的命令获取：",
    wrong: "令牌无效或已失效。请重新生成，并完整粘贴。",
    away: "暂时无法登录，因为无法校验令牌：",
    wait: (seconds) => `来自您地址的错误令牌过多，请在 ${seconds} 秒后重试。`,
    foreign: "此表单不是从本页面提交的。请重新打开本页面再登录。",
    empty: "请粘贴令牌。",
    other: "English",
    back: "返回首页",
    account: "您的账户",
    name: "名称",
    groups: "用户组",
    proven: "身份依据",
    ways: {
      kubernetes: "集群的令牌",
      proxy: "本页面前端的代理",
      tokenFile: "kube-crier 自有文件中的令牌",
      loopback: "无：本页面仅供本机使用",
    },
    reads: "可查看事件的范围",
    changes: "可重试与丢弃的范围",
    everywhere: "所有命名空间",
    byNamespace: "已授权的命名空间",
    leave: "退出登录",
    problems: {
      400: "无法理解该请求",
      401: "请先登录",
      403: "没有权限",
      404: "未找到",
      405: "不支持此方法",
      406: "不提供此格式",
      409: "已被更改",
      413: "请求过大",
      415: "不接受此格式",
      421: "地址不正确",
      429: "尝试次数过多",
      500: "内部错误",
      503: "暂时不可用",
    },
  },
};
