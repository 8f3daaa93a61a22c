import type { Clock } from "../../src/clock.ts";
import { type Inbox, type Received, type Reply, startInbox } from "./inbox.ts";

/**
 * WeCom's API for apps as its documentation has it, on a loopback port: `gettoken` (document/path/91039), `message/send` (document/path/90236),
 * the global error codes (document/path/90313) and the limits (document/path/90312).
 */
export interface WecomApp {
  readonly url: string;
  readonly inbox: Inbox;
  /** What members have seen, in order. */
  readonly shown: readonly Shown[];
  /** Tokens asked for so far. */
  readonly tokens: number;
  /** Takes back every token before its time, as WeCom may. */
  revoke(): void;
  /** The next request of this path gets this instead. */
  instead(path: "gettoken" | "message/send", reply: Reply): void;
  /** The next message is taken, and its sender never hears of it. */
  loseAnswer(): void;
  close(): Promise<void>;
}

export interface Shown {
  readonly touser: string;
  readonly toparty: string;
  readonly totag: string;
  readonly msgtype: string;
  readonly content: string;
}

export const CORP = "ww0123456789abcdef";
export const SECRET = "fedcba9876543210";
export const AGENT = 1_000_002;
const MEMBERS: ReadonlySet<string> = new Set(["@all", "zhangsan", "lisi"]);

export interface WecomAppOptions {
  readonly clock: Clock;
  /** Seconds. */
  readonly expiresIn?: number;
}

export async function startWecomApp({
  clock,
  expiresIn = 7200,
}: WecomAppOptions): Promise<WecomApp> {
  const inbox = await startInbox();
  const shown: Shown[] = [];
  const good = new Map<string, number>();
  const seen = new Map<string, number>();
  const sent = new Map<string, number[]>();
  const replies: { path: string; reply: Reply }[] = [];
  let tokens = 0;
  let isLost = false;

  const ok = (body: unknown): Reply => ({ status: 200, body });
  const refuse = (errcode: number, errmsg: string) => ok({ errcode, errmsg });

  const gettoken = (query: URLSearchParams) => {
    tokens += 1;
    if (query.get("corpid") !== CORP) return refuse(40013, "invalid corpid");
    if (query.get("corpsecret") !== SECRET) return refuse(40001, "invalid credential");
    const token = `accesstoken${String(tokens).padStart(6, "0")}`;
    good.set(token, clock.now() + expiresIn * 1000);
    return ok({ errcode: 0, errmsg: "ok", access_token: token, expires_in: expiresIn });
  };

  const send = ({ method, headers, body }: Received, query: URLSearchParams) => {
    if (method !== "POST") return refuse(43002, "require POST method");
    if (headers["content-type"]?.startsWith("application/json") !== true)
      return refuse(40035, "invalid parameter");
    const until = good.get(query.get("access_token") ?? "");
    if (until === undefined) return refuse(40014, "invalid access_token");
    if (clock.now() >= until) return refuse(42001, "access_token expired");
    const json = JSON.parse(body) as Record<string, unknown>;
    const text = (name: string) => (typeof json[name] === "string" ? json[name] : "");
    if (typeof json["agentid"] !== "number") return refuse(40056, "invalid agentid");
    if (json["agentid"] !== AGENT) return refuse(301002, "not allow operate another agent");
    const msgtype = text("msgtype");
    if (msgtype !== "text" && msgtype !== "markdown") return refuse(40008, "invalid msgtype");
    const { content = "" } = (json[msgtype] ?? {}) as { readonly content?: string };
    if (content === "") return refuse(44004, "empty content");
    if (Buffer.byteLength(content) > 2048) return refuse(45002, "content size out of limit");
    const users = text("touser").split("|");
    if (users.length > 1000) return refuse(40032, "invalid user list size");
    const invalid = users.filter((user) => user !== "" && !MEMBERS.has(user));
    const known = users.filter((user) => MEMBERS.has(user));
    if (known.length === 0 && text("toparty") === "" && text("totag") === "")
      return users.join("") === ""
        ? refuse(82001, "touser & toparty & totag all empty")
        : refuse(81013, "user & party & tag all invalid");
    const answer = { errcode: 0, errmsg: "ok", invaliduser: invalid.join("|"), msgid: "m1" };
    const remember = Number(json["duplicate_check_interval"] ?? 1800) * 1000;
    const before = seen.get(body) ?? -Infinity;
    if (json["enable_duplicate_check"] === 1 && clock.now() - before < remember) return ok(answer);
    seen.set(body, clock.now());
    // Above thirty a minute to one member: dropped, and yet "ok".
    const recent = (sent.get(text("touser")) ?? []).filter((at) => clock.now() - at < 60_000);
    sent.set(text("touser"), [...recent, clock.now()]);
    if (recent.length < 30)
      shown.push({
        touser: text("touser"),
        toparty: text("toparty"),
        totag: text("totag"),
        msgtype,
        content,
      });
    return ok(answer);
  };

  inbox.reply((request) => {
    const { pathname, searchParams } = new URL(request.url, "http://app");
    const path = pathname.replace("/cgi-bin/", "");
    const planned = replies.findIndex((one) => one.path === path);
    if (planned >= 0) {
      if (path === "gettoken") tokens += 1;
      return replies.splice(planned, 1)[0]?.reply ?? "reset";
    }
    if (path === "gettoken" && request.method === "GET") return gettoken(searchParams);
    if (path === "message/send") {
      const reply = send(request, searchParams);
      if (!isLost) return reply;
      isLost = false;
      return "reset";
    }
    return { status: 404, body: "no such path" };
  });

  return {
    url: inbox.url,
    inbox,
    shown,
    get tokens() {
      return tokens;
    },
    revoke: () => good.clear(),
    instead: (path, reply) => void replies.push({ path, reply }),
    loseAnswer: () => {
      isLost = true;
    },
    close: () => inbox.close(),
  };
}
