import type { HttpRequest } from "../sink/define.ts";
import type { Html } from "../web/server.ts";
import { drawBubble } from "./chat.ts";
import { dingtalk } from "./dingtalk.ts";
import { messageOf } from "./intake.ts";
import { lark } from "./lark.ts";
import { unlimited } from "./limit.ts";
import type { Arrival, PlatformRules } from "./platform.ts";
import { parseJson } from "./read.ts";
import { slackApi, slackWebhook } from "./slack.ts";
import { wecom } from "./wecom.ts";

/** A request as the chat would show it, or what the platform would say against it. */
export type Preview =
  | { readonly kind: "shown"; readonly drawn: Html; readonly title: string | null }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

const RULES: readonly PlatformRules[] = [dingtalk, lark, wecom, slackWebhook, slackApi];

/**
 * Nothing is sent, and no limit counts.
 * @param platform the sink's type
 * @returns `null` for what is no chat
 */
export function previewOf(platform: string, request: HttpRequest, now: number): Preview | null {
  const arrival = arrivalOf(request, now);
  const rules = RULES.find((one) => one.platform === platform && one.token(arrival) !== null);
  if (rules === undefined) return null;
  const options = { platform: rules.platform, token: "preview" };
  const judgement = rules.judge(arrival, { options, limit: unlimited, seen: new Set() });
  if (judgement.kind === "refused") {
    const { code, message } = judgement;
    return { kind: "refused", code, message };
  }
  const message = messageOf({
    arrival,
    platform: rules.platform,
    robot: "preview",
    judgement,
    state: "shown",
    at: now,
  });
  return {
    kind: "shown",
    drawn: drawBubble({ ...message, id: 0 }),
    title: message.title,
  };
}

/** Where each platform takes messages. The token of a message that was sent is not kept, nor needed. */
const ADDRESSES: Readonly<Record<string, string>> = {
  dingtalk: "https://chat.invalid/robot/send?access_token=kept",
  lark: "https://chat.invalid/open-apis/bot/v2/hook/kept",
  wecom: "https://chat.invalid/cgi-bin/webhook/send?key=kept",
  slack: "https://chat.invalid/services/T0/B0/kept",
};

/**
 * A message that was sent, of which the body is known.
 * @returns `null` for what is no chat, and for what cannot be shown: of a long one only the beginning is kept
 */
export function drawSent(platform: string, body: string, now: number): Html | null {
  const url = ADDRESSES[platform];
  if (url === undefined) return null;
  const headers = { "content-type": "application/json" };
  const preview = previewOf(platform, { method: "POST", url, headers, body }, now);
  return preview?.kind === "shown" ? preview.drawn : null;
}

function arrivalOf({ method, url, headers, body }: HttpRequest, now: number): Arrival {
  const { pathname, searchParams } = new URL(url);
  return {
    method,
    path: pathname,
    query: searchParams,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    body,
    bytes: Buffer.byteLength(body),
    json: parseJson(body),
    at: now,
    now,
  };
}
