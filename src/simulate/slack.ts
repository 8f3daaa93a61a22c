import { BucketLimit } from "./limit.ts";
import { joinMentions, NOBODY, slackMentions } from "./mentions.ts";
import type { Content, Part } from "./message.ts";
import { parseMrkdwn } from "./mrkdwn.ts";
import { plainPart } from "./parts.ts";
import {
  content,
  jsonAnswer,
  type Answer,
  type Arrival,
  type Judgement,
  type PlatformRules,
  tokenIn,
} from "./platform.ts";
import { charLength, isObject, listAt, parseJson, textAt, type Json } from "./read.ts";
import { same } from "./same.ts";
import { readBlocks } from "./slack-blocks.ts";

const MAX_TEXT = 40_000;
/** Undocumented: all text of all blocks. [slackapi/bolt-js#2509] */
const MAX_TOTAL = 13_200;
const MAX_BLOCKS = 50;
const BURST = 4;

/** Slack allows one a second for each channel, "short bursts" more. */
const limit = () => new BucketLimit(BURST, 1000);

/** `POST /services/T…/B…/X…`: answers in words, not JSON. */
export const slackWebhook: PlatformRules = {
  platform: "slack",
  token: (arrival) => tokenIn(/^\/services\/([^/]+\/[^/]+\/[^/]+)$/, arrival),
  limit,
  unknown: () => refuse("no_service", words(404, "no_service")),

  judge(arrival, robot) {
    const message = payload(arrival);
    if (message === null) return refuse("invalid_payload", words(400, "invalid_payload"));
    const read = readMessage(message);
    if (typeof read === "string") return refuse(read, words(400, read));
    const until = robot.limit.take(arrival.at);
    if (until !== null) {
      const answer = words(429, "rate_limited", retryAfter(until, arrival.at));
      return { ...refuse("rate_limited", answer), until };
    }
    return { kind: "shown", content: read, idempotencyKey: null, answer: words(200, "ok") };
  },
};

/** `POST /api/chat.postMessage`: a bearer token, errors as `ok: false` inside HTTP 200. */
export const slackApi: PlatformRules = {
  platform: "slack",
  token: (arrival) => (isObject(arrival.json) ? textAt(arrival.json, "channel") : null),
  limit,
  unknown: () => apiRefuse("channel_not_found"),

  judge(arrival, robot) {
    const bearer = /^Bearer (\S+)$/i.exec(arrival.headers["authorization"] ?? "")?.[1];
    if (bearer === undefined) return apiRefuse("not_authed");
    const { secret } = robot.options;
    if (secret !== undefined && !same(bearer, secret)) return apiRefuse("invalid_auth");
    if (!isObject(arrival.json)) return apiRefuse("invalid_json");
    const read = readMessage(arrival.json);
    if (typeof read === "string") return apiRefuse(read);
    const until = robot.limit.take(arrival.at);
    if (until !== null) {
      const body = { ok: false, error: "ratelimited" };
      const answer = jsonAnswer(body, 429, retryAfter(until, arrival.at));
      return { ...refuse("ratelimited", answer), until };
    }
    const ts = (arrival.now / 1000).toFixed(6);
    const answer = jsonAnswer({ ok: true, channel: robot.options.token, ts, message: { ts } });
    return { kind: "shown", content: read, idempotencyKey: null, answer };
  },
};

function words(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { "content-type": "text/plain", ...headers }, body };
}

function retryAfter(until: number, now: number) {
  return { "retry-after": String(Math.max(1, Math.ceil((until - now) / 1000))) };
}

function refuse(code: string, answer: Answer): Extract<Judgement, { kind: "refused" }> {
  return { kind: "refused", code, message: MEANINGS[code] ?? "", answer };
}

function apiRefuse(error: string): Judgement {
  return refuse(error, jsonAnswer({ ok: false, error }));
}

const MEANINGS: Readonly<Record<string, string>> = {
  no_service: "the webhook does not exist",
  channel_not_found: "no channel was named, or there is none of this name",
  invalid_payload: "the body is not a JSON object",
  invalid_json: "the body is not a JSON object",
  not_authed: "no bearer token was sent",
  invalid_auth: "the bearer token is not the robot's",
  no_text: "there is neither text nor a block",
  msg_too_long: "the text exceeds 40000 characters",
  invalid_blocks: "a block does not fit its schema or size",
  msg_blocks_too_long: "the blocks together exceed 13200 characters",
  rate_limited: "more than one message a second",
  ratelimited: "more than one message a second",
};

/** JSON, or a form whose field `payload` is JSON. */
function payload(arrival: Arrival): Json | null {
  const form = /^application\/x-www-form-urlencoded\b/i.test(arrival.headers["content-type"] ?? "");
  const json = form
    ? parseJson(new URLSearchParams(arrival.body).get("payload") ?? "")
    : arrival.json;
  return isObject(json) ? json : null;
}

/** The message, or the error's code. */
function readMessage(message: Json): Content | string {
  const text = textAt(message, "text");
  if (text !== null && charLength(text) > MAX_TEXT) return "msg_too_long";
  const attachments = listAt(message, "attachments").filter(isObject);
  const own = readBlocks(listAt(message, "blocks"));
  const attached = attachments.map((attachment) => readBlocks(listAt(attachment, "blocks")));
  if (own === null || attached.some((read) => read === null)) return "invalid_blocks";
  const reads = [own, ...attached.filter((read) => read !== null)];
  if (reads.some((read) => read.count > MAX_BLOCKS)) return "invalid_blocks";
  if (reads.reduce((sum, read) => sum + read.characters, 0) > MAX_TOTAL)
    return "msg_blocks_too_long";

  const blocks = reads.flatMap((read) => read.parts);
  const old = attachments.flatMap(attachmentParts);
  // With blocks, the text is the notification's and is not shown in the chat.
  const lead: Part[] = text === null || blocks.length > 0 ? [] : [textPart(message, text)];
  const parts = [...lead, ...blocks, ...old];
  if (parts.length === 0) return "no_text";
  const accent = attachments.map((attachment) => textAt(attachment, "color")).find(isHex) ?? null;
  const mentions = joinMentions([
    text === null ? NOBODY : slackMentions(text),
    ...reads.flatMap((read) => read.mentions),
    ...attachments.flatMap((one) =>
      ["text", "pretext"].map((key) => slackMentions(textAt(one, key) ?? "")),
    ),
  ]);
  const notification = blocks.length > 0 ? text : null;
  return content(blocks.length > 0 ? "blocks" : "text", notification, parts, mentions, accent);
}

function textPart(message: Json, text: string): Part {
  return message["mrkdwn"] === false
    ? plainPart(text)
    : { kind: "blocks", blocks: parseMrkdwn(text), fine: false };
}

/** The older form of an attachment: title and text. */
function attachmentParts(attachment: Json): Part[] {
  const title = textAt(attachment, "title");
  const text = textAt(attachment, "text");
  return [
    ...(title === null ? [] : [{ kind: "heading", text: title } as const]),
    ...(text === null ? [] : [{ kind: "blocks", blocks: parseMrkdwn(text), fine: false } as const]),
  ];
}

function isHex(color: string | null): color is string {
  return color !== null && /^#[0-9a-f]{6}$/i.test(color);
}
