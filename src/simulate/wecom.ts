import { WECOM, WECOM_V2 } from "./dialect.ts";
import { SlidingLimit } from "./limit.ts";
import { fromIds, joinMentions, NOBODY, wecomMentions } from "./mentions.ts";
import type { Content } from "./message.ts";
import { markdownPart, plainPart } from "./parts.ts";
import { content, jsonAnswer, type Judgement, type PlatformRules } from "./platform.ts";
import { byteLength, isObject, listAt, objectAt, textAt, textsAt, type Json } from "./read.ts";

const MINUTE = 60_000;
/** Bytes of `content`. */
const MAX = { text: 2048, markdown: 4096, markdown_v2: 4096 } as const;

/** WeCom's group robot, `POST /cgi-bin/webhook/send?key=…`: 40058 over the size, 45009 over 20 a minute. */
export const wecom: PlatformRules = {
  platform: "wecom",
  token: (arrival) => arrival.query.get("key") || null,
  limit: () => new SlidingLimit([{ count: 20, perMs: MINUTE }]),
  unknown: () => refuse(93000, "invalid webhook url"),

  judge(arrival, robot) {
    if (!isObject(arrival.json)) return refuse(47001, "data format error");
    const read = readMessage(arrival.json);
    if ("problem" in read) return refuse(read.code, read.problem);
    const until = robot.limit.take(arrival.at);
    if (until !== null) return refuse(45009, "api freq out of limit", until);
    const answer = jsonAnswer({ errcode: 0, errmsg: "ok" });
    return { kind: "shown", content: read, idempotencyKey: null, answer };
  },
};

function refuse(code: number, message: string, until?: number): Judgement {
  const answer = jsonAnswer({ errcode: code, errmsg: message });
  return {
    kind: "refused",
    code: String(code),
    message,
    answer,
    ...(until === undefined ? {} : { until }),
  };
}

function readMessage(message: Json): Content | { readonly code: number; readonly problem: string } {
  const type = textAt(message, "msgtype") ?? "";
  const body = objectAt(message, type);
  switch (type) {
    case "text":
    case "markdown":
    case "markdown_v2": {
      const text = body === null ? null : textAt(body, "content");
      if (body === null || text === null)
        return { code: 44004, problem: `empty content: ${type}.content is missing` };
      if (byteLength(text) > MAX[type])
        return { code: 40058, problem: `${type}.content exceed max length ${MAX[type]}` };
      if (type === "markdown_v2")
        return content(type, null, [markdownPart(text, WECOM_V2)], NOBODY);
      if (type === "markdown")
        return content(type, null, [markdownPart(text, WECOM)], wecomMentions(text));
      const listed = fromIds(
        [...textsAt(body, "mentioned_list"), ...textsAt(body, "mentioned_mobile_list")],
        (id) => id === "@all",
      );
      return content(type, null, [plainPart(text)], joinMentions([listed, wecomMentions(text)]));
    }
    case "news": {
      const articles = listAt(body ?? {}, "articles").filter(isObject);
      const buttons = articles.map((article) => ({
        label: textAt(article, "title") ?? "",
        url: textAt(article, "url"),
      }));
      if (buttons.length < 1 || buttons.length > 8)
        return { code: 40058, problem: "news.articles must be 1 to 8" };
      if (buttons.some(({ label, url }) => label === "" || url === null))
        return { code: 40058, problem: "news.articles[] needs title and url" };
      return content(type, buttons[0]?.label ?? null, [{ kind: "buttons", buttons }], NOBODY);
    }
    default:
      return { code: 40008, problem: `invalid message type "${type}"` };
  }
}
