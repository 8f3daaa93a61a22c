import { createHmac } from "node:crypto";
import { readCard } from "./lark-card.ts";
import { readPost } from "./lark-post.ts";
import { SlidingLimit } from "./limit.ts";
import { larkMentions } from "./mentions.ts";
import type { Content } from "./message.ts";
import { partsText, plainPart } from "./parts.ts";
import { content, jsonAnswer, type Judgement, type PlatformRules, tokenIn } from "./platform.ts";
import { isObject, objectAt, textAt, type Json } from "./read.ts";
import { same } from "./same.ts";

const MINUTE = 60_000;
const HOUR_S = 3600;
const MAX_BYTES = 20 * 1024;

export type Read = Content | { readonly problem: string };

/**
 * Lark's (Feishu's) custom bot, `POST /open-apis/bot/v2/hook/ID`. 19021, 19024, 11232, 19001 and 9499 as documented and
 * reported; 19036 for the size is what a library measured.
 */
export const lark: PlatformRules = {
  platform: "lark",
  token: (arrival) => tokenIn(/^\/open-apis\/bot\/v2\/hook\/([^/]+)$/, arrival),
  limit: () =>
    new SlidingLimit([
      { count: 5, perMs: 1000 },
      { count: 100, perMs: MINUTE },
    ]),
  unknown: () => refuse(19001, "param invalid: incoming webhook access token invalid"),

  judge(arrival, robot) {
    if (arrival.bytes > MAX_BYTES)
      return refuse(19036, `request body of ${arrival.bytes} bytes exceeds ${MAX_BYTES}`);
    if (!isObject(arrival.json)) return refuse(9499, "Bad Request: the body is not a JSON object");
    const { secret, keywords = [] } = robot.options;
    if (secret !== undefined && !signed(arrival.json, secret, arrival.now))
      return refuse(19021, "sign match fail or timestamp is not within one hour from current time");
    const read = readMessage(arrival.json);
    if ("problem" in read) return refuse(9499, `Bad Request: ${read.problem}`);
    const text = [read.title ?? "", partsText(read.parts)].join("\n");
    if (keywords.length > 0 && !keywords.some((keyword) => text.includes(keyword)))
      return refuse(19024, "Key Words Not Found");
    const until = robot.limit.take(arrival.at);
    if (until !== null)
      return refuse(11232, "frequency limited psm[lark.oapi.app_platform]", until);
    const answer = jsonAnswer({
      StatusCode: 0,
      StatusMessage: "success",
      code: 0,
      data: {},
      msg: "success",
    });
    return { kind: "shown", content: read, idempotencyKey: null, answer };
  },
};

function refuse(code: number, message: string, until?: number): Judgement {
  const answer = jsonAnswer({ code, msg: message, data: {} });
  return {
    kind: "refused",
    code: String(code),
    message,
    answer,
    ...(until === undefined ? {} : { until }),
  };
}

/** Lark's own way: the secret is part of the key, the signed message is empty, the time is in seconds. */
function signed(message: Json, secret: string, now: number): boolean {
  const { timestamp } = message;
  const text =
    typeof timestamp === "number" ? String(timestamp) : (textAt(message, "timestamp") ?? "");
  if (!/^\d{10}$/.test(text) || Math.abs(now / 1000 - Number(text)) > HOUR_S) return false;
  const expected = createHmac("sha256", `${text}\n${secret}`).update("").digest("base64");
  return same(textAt(message, "sign") ?? "", expected);
}

function readMessage(message: Json): Read {
  const type = textAt(message, "msg_type");
  switch (type) {
    case "text": {
      const text = textAt(objectAt(message, "content") ?? {}, "text");
      if (text === null) return { problem: "content.text is missing" };
      return content(type, null, [plainPart(shown(text))], larkMentions(text));
    }
    case "post":
      return readPost(message);
    case "interactive": {
      const { card } = message;
      return isObject(card) ? readCard(card) : { problem: "card is missing or is not an object" };
    }
    case null:
      return { problem: "msg_type is missing" };
    default:
      return { problem: `msg_type "${type}" is not one of text, post, interactive` };
  }
}

/** `<at user_id="all">everyone</at>` is shown as a name. */
function shown(text: string): string {
  return text.replaceAll(/<at\b[^<>]*>([^<]*)<\/at>/gi, (_, name: string) => `@${name}`);
}
