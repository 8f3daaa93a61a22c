import type { Context, NodeEnv } from "../web/server.ts";
import { BODILESS } from "./fault.ts";
import type { Platform, ReceivedMessage } from "./message.ts";
import { partsLinks, partsText } from "./parts.ts";
import type { Arrival, Judgement } from "./platform.ts";
import { parseJson } from "./read.ts";

/** @param now milliseconds since the epoch */
export async function readArrival(c: Context<NodeEnv>, now: number): Promise<Arrival> {
  const bytes = Buffer.from(await c.req.arrayBuffer());
  const body = bytes.toString("utf8");
  const url = new URL(c.req.url);
  return {
    method: c.req.method,
    path: url.pathname,
    query: url.searchParams,
    headers: c.req.header(),
    body,
    bytes: bytes.length,
    json: parseJson(body),
    at: now,
    now,
  };
}

export function respond({ answer }: Judgement): Response {
  const body = BODILESS.has(answer.status) ? null : answer.body;
  return new Response(body, { status: answer.status, headers: answer.headers ?? {} });
}

interface Judged {
  readonly arrival: Arrival;
  readonly platform: Platform;
  /** Its key. */
  readonly robot: string;
  readonly judgement: Judgement;
  readonly state: ReceivedMessage["state"];
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What is kept of a request. */
export function messageOf(judged: Judged): Omit<ReceivedMessage, "id"> {
  const { arrival, platform, robot, judgement, state, at } = judged;
  const refused = judgement.kind === "refused" ? judgement : null;
  const taken = judgement.kind === "refused" ? null : judgement;
  const parts = taken?.content.parts ?? [];
  return {
    at: iso(at),
    platform,
    robot,
    state,
    refusal:
      refused === null
        ? null
        : {
            code: refused.code,
            message: refused.message,
            until: refused.until === undefined ? null : iso(refused.until),
          },
    type: taken?.content.type ?? "",
    title: taken?.content.title ?? null,
    text: partsText(parts),
    mentionsEveryone: taken?.content.mentionsEveryone ?? false,
    mentions: taken?.content.mentions ?? [],
    links: partsLinks(parts),
    idempotencyKey: taken?.idempotencyKey ?? null,
    request: {
      method: arrival.method,
      path: pathOf(arrival),
      headers: arrival.headers,
      body: arrival.body,
      bytes: arrival.bytes,
    },
    answer: { status: judgement.answer.status, body: judgement.answer.body },
    parts,
    accent: taken?.content.accent ?? null,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function pathOf({ path, query }: Arrival): string {
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}
