import { createHmac } from "node:crypto";
import { DINGTALK } from "./dialect.ts";
import { SlidingLimit } from "./limit.ts";
import { fromIds, joinMentions, NOBODY, type Mentions } from "./mentions.ts";
import type { Button, Content, Part } from "./message.ts";
import { markdownPart, partsText, plainPart } from "./parts.ts";
import {
  content,
  jsonAnswer,
  type Arrival,
  type Judgement,
  type PlatformRules,
} from "./platform.ts";
import { isObject, listAt, objectAt, textAt, textsAt, type Json } from "./read.ts";
import { same } from "./same.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MAX_BYTES = 20_000;

/**
 * DingTalk's custom robot, `POST /robot/send?access_token=…`. Limits, mute, msgUuid and 460101 as its documentation and
 * users report them; the wording of the rarer errors is ours.
 */
export const dingtalk: PlatformRules = {
  platform: "dingtalk",
  token: (arrival) => arrival.query.get("access_token") || null,
  limit: () => new SlidingLimit([{ count: 20, perMs: MINUTE }], 10 * MINUTE),
  unknown: (token) =>
    token === null
      ? refuse(40035, "missing parameter access_token")
      : refuse(300001, "token is not exist"),

  judge(arrival, robot) {
    if (!/^application\/json\b/i.test(arrival.headers["content-type"] ?? ""))
      return refuse(43004, "invalid HTTP header Content-Type, expected application/json");
    if (arrival.bytes > MAX_BYTES)
      return refuse(460101, `message too long, exceed ${MAX_BYTES} bytes`);
    if (!isObject(arrival.json)) return refuse(40035, "missing parameter json");
    const { secret, keywords = [] } = robot.options;
    if (secret !== undefined) {
      const problem = signProblem(arrival, secret);
      if (problem !== null) return refuse(310000, problem);
    }
    const read = readMessage(arrival.json);
    if ("problem" in read) return refuse(read.code, read.problem);
    const text = [read.title ?? "", partsText(read.parts)].join("\n");
    if (keywords.length > 0 && !keywords.some((keyword) => text.includes(keyword)))
      return refuse(310000, "keywords not in content");
    const until = robot.limit.take(arrival.at);
    if (until !== null) return refuse(130101, "send too fast, exceed 20 times per minute", until);
    const idempotencyKey = textAt(arrival.json, "msgUuid");
    const again = idempotencyKey !== null && robot.seen.has(idempotencyKey);
    return {
      kind: again ? "duplicate" : "shown",
      content: read,
      idempotencyKey,
      answer: jsonAnswer({ errcode: 0, errmsg: "ok" }),
    };
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

function signProblem(arrival: Arrival, secret: string): string | null {
  const timestamp = arrival.query.get("timestamp") ?? "";
  if (!/^\d{13}$/.test(timestamp) || Math.abs(arrival.now - Number(timestamp)) > HOUR)
    return "invalid timestamp";
  const expected = createHmac("sha256", secret).update(`${timestamp}\n${secret}`).digest("base64");
  return same(arrival.query.get("sign") ?? "", expected) ? null : "sign not match";
}

type Read = Content | { readonly code: number; readonly problem: string };

function readMessage(message: Json): Read {
  const type = textAt(message, "msgtype") ?? "";
  const body = objectAt(message, type);
  if (!["text", "markdown", "link", "actionCard", "feedCard"].includes(type))
    return { code: 400105, problem: `unsupported msgtype "${type}"` };
  if (body === null) return missing(type);
  switch (type) {
    case "text": {
      const text = textAt(body, "content");
      if (text === null) return missing("text.content");
      return content(type, null, [plainPart(text)], mentionsOf(message, null));
    }
    case "markdown": {
      const [title, text] = [textAt(body, "title"), textAt(body, "text")];
      if (title === null) return missing("markdown.title");
      if (text === null) return missing("markdown.text");
      return content(type, title, [markdownPart(text, DINGTALK)], mentionsOf(message, text));
    }
    case "link": {
      const [title, text, url] = ["title", "text", "messageUrl"].map((key) => textAt(body, key));
      if (title == null || text == null || url == null)
        return missing("link.title, text, messageUrl");
      const parts: Part[] = [
        { kind: "heading", text: title },
        plainPart(text),
        buttons([[title, url]]),
      ];
      return content(type, title, parts, NOBODY);
    }
    case "actionCard":
      return actionCard(body);
    case "feedCard":
    default:
      return feedCard(body);
  }
}

function actionCard(body: Json): Read {
  const [title, text] = [textAt(body, "title"), textAt(body, "text")];
  if (title === null) return missing("actionCard.title");
  if (text === null) return missing("actionCard.text");
  const single = textAt(body, "singleTitle");
  const many = listAt(body, "btns").filter(isObject);
  const pairs: [string | null, string | null][] =
    single !== null
      ? [[single, textAt(body, "singleURL")]]
      : many.map((button) => [textAt(button, "title"), textAt(button, "actionURL")]);
  if (pairs.length === 0) return missing("actionCard.singleTitle or btns");
  if (pairs.some(([label, url]) => label === null || url === null))
    return missing(single !== null ? "actionCard.singleURL" : "btns[].title, actionURL");
  const parts = [markdownPart(text, DINGTALK), buttons(pairs)];
  return content("actionCard", title, parts, NOBODY);
}

function feedCard(body: Json): Read {
  const links = listAt(body, "links").filter(isObject);
  if (links.length === 0) return missing("feedCard.links");
  const pairs = links.map((link) => [textAt(link, "title"), textAt(link, "messageURL")] as const);
  if (pairs.some(([label, url]) => label === null || url === null))
    return missing("feedCard.links[].title, messageURL");
  return content("feedCard", pairs[0]?.[0] ?? null, [buttons(pairs)], NOBODY);
}

function buttons(pairs: readonly (readonly [string | null, string | null])[]): Part {
  const list: Button[] = pairs.map(([label, url]) => ({ label: label ?? "", url }));
  return { kind: "buttons", buttons: list };
}

function missing(what: string): Read {
  return { code: 40035, problem: `missing parameter ${what}` };
}

/**
 * Only `at` mentions; whatever the text says is text. In Markdown a mobile or user id counts only if it is written there
 * with its @.
 * @param markdown the text in which they must be written; `null` where they need not
 */
function mentionsOf(message: Json, markdown: string | null): Mentions {
  const at = objectAt(message, "at");
  if (at === null) return NOBODY;
  const ids = [...textsAt(at, "atMobiles"), ...textsAt(at, "atUserIds")].filter(
    (id) => markdown === null || markdown.includes(`@${id}`),
  );
  const everyone = at["isAtAll"] === true || at["isAtAll"] === "true";
  return joinMentions([fromIds(ids, () => false), { everyone, who: [] }]);
}
