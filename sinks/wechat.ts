import { defineSink, type OptionsOf, s, strictText } from "../src/sink/index.ts";
import { type App, Sender } from "./wechat/sender.ts";

const DOCS = "https://developer.work.weixin.qq.com/document/path/90236";
const API = "https://qyapi.weixin.qq.com";
const EVERYONE = "@all";
/** What one request takes. */
const MOST = { toUser: 1000, toParty: 100, toTag: 100 } as const;

const options = s
  .object({
    apiUrl: s
      .text({
        description:
          "Where WeCom's API is: another for a private deployment, or for a relay with a trusted IP address.",
      })
      .regex(
        /^(https:\/\/|http:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])([:/]|$))[^\s?#]*$/i,
        "is no URL to reach WeCom at; expected https://HOST",
      )
      .default(API),
    corpId: s.text({
      description: "The company's ID.",
      example: "ww0123456789abcdef",
    }),
    corpSecret: s.secret({ description: "The app's secret.", example: "fedcba9876543210" }),
    agentId: s.integer({ description: "The app's AgentId.", example: 1_000_002 }, 1, 2 ** 53 - 1),
    toUser: s
      .list({
        description:
          "User IDs of the members to tell. Without any of `toUser`, `toParty` and `toTag` it is `@all`: every member who sees the app.",
        example: ["zhangsan"],
      })
      .prefault([]),
    toParty: s
      .list({ description: "IDs of the departments to tell.", example: ["2"] })
      .prefault([]),
    toTag: s
      .list({ description: "IDs of the tags whose members to tell.", example: ["7"] })
      .prefault([]),
    msgType: s
      .oneOf(["text", "markdown"], {
        description: "The kind of message. WeChat shows text only, the WeCom app both.",
      })
      .default("text"),
  })
  .superRefine((given, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    const { corpId, corpSecret } = given;
    if (corpId === "") problem("corpId", "is empty; expected the company's ID, like ww0123…");
    if (corpSecret.reveal() === "") problem("corpSecret", "is empty; expected the app's secret");
    for (const [name, most] of Object.entries(MOST) as [keyof typeof MOST, number][]) {
      const count = idsOf(given[name]).length;
      if (count > most) problem(name, `names ${count}; WeCom takes at most ${most}`);
    }
    const others = idsOf(given.toParty).length + idsOf(given.toTag).length;
    if (others > 0 && idsOf(given.toUser).includes(EVERYONE))
      problem("toUser", "is @all, with which WeCom ignores toParty and toTag; expected either");
  });

export default defineSink({
  type: "wechat",
  title: "WeCom app",
  summary:
    "Messages of an app in WeCom (企业微信), to members in WeCom and WeChat: text or markdown; with a cached token.",
  docs: DOCS,
  facts: {
    kind: "chat",
    auth: "`corpSecret` for a token, which is kept until it ends or is refused",
    idempotency:
      "WeCom's own duplicate check, over 4 hours: of messages with the same text to the same members one is shown, so a template of your own should say when",
    batch: "one message a request, for up to 1,000 members",
    testedAgainst:
      "a server that goes by the documentation: token, rate, size, members it did not reach",
  },
  options,
  uri: {
    target: "apiUrl",
    keep: [],
    ignored: { access_token: "a token is asked for with `corp_id` and `corp_secret`, and kept" },
  },
  example: {
    uri: "wechat:https://qyapi.weixin.qq.com?corp_id=ww0123456789abcdef&corp_secret=fedcba9876543210&agent_id=1000002&to_user=zhangsan,lisi",
    yaml: {
      apiUrl: API,
      corpId: "ww0123456789abcdef",
      corpSecret: "fedcba9876543210",
      agentId: 1_000_002,
      toUser: ["zhangsan", "lisi"],
    },
  },
  // Its text knows links (`<a href>`) as its markdown does: both are escaped alike.
  blocks: ({ msgType }) => ({ [msgType]: "wecom" }),
  // By each member; who is told by several sinks in different company is not known here.
  robot: ({ corpId, agentId, toUser, toParty, toTag }) =>
    JSON.stringify([corpId, agentId, ...[toUser, toParty, toTag].map((ids) => ids.toSorted())]),
  limits: () => ({
    // To one member (document/path/90312); WeCom drops what is more and says ok.
    rates: [
      { count: 30, perMs: 60_000 },
      { count: 1000, perMs: 3_600_000 },
    ],
    concurrency: 1,
    body: null,
    blocks: {
      text: { max: 2048, unit: "bytes" },
      markdown: { max: 2048, unit: "bytes" },
    },
    throttledMs: 60_000,
  }),
  strict: {
    about:
      "the text of kube-eventer (with `msgType: text`), with the Event's own name in it. Mended: all members are told by one message, with one token for many, and WeCom shows none twice.",
    blocks: ({ msgType }) =>
      msgType === "text"
        ? { text: { medium: "wecom", write: (event) => strictText(event, event.time) } }
        : {},
  },
  create: (given, io) => new Sender(appOf(given), io),
});

function appOf(given: OptionsOf<typeof options>): App {
  const [toUser, toParty, toTag] = [given.toUser, given.toParty, given.toTag].map(idsOf) as [
    string[],
    string[],
    string[],
  ];
  const nobody = toUser.length + toParty.length + toTag.length === 0;
  return {
    // kube-eventer's users may name the API by one of its paths.
    apiUrl: given.apiUrl.replace(/\/cgi-bin(\/.*)?$/i, "").replace(/\/+$/, ""),
    corpId: given.corpId,
    corpSecret: given.corpSecret.reveal(),
    agentId: given.agentId,
    toUser: nobody ? [EVERYONE] : toUser,
    toParty,
    toTag,
    msgType: given.msgType,
  };
}

/** With commas as kube-eventer writes them, or with WeCom's own bars. */
function idsOf(given: readonly string[]): string[] {
  return given
    .flatMap((part) => part.split("|"))
    .map((id) => id.trim())
    .filter((id) => id !== "");
}
