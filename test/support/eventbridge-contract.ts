import { createHmac } from "node:crypto";
import { type Inbox, type Received, type Reply, startInbox } from "./inbox.ts";
import { hasSignatureV4, signedAt } from "./sigv4.ts";

/**
 * PutEvents of both clouds on a loopback port, as documented: signature, shape and limits
 * (www.alibabacloud.com/help/en/eventbridge/putevents and .../product-overview/limits, docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html).
 */
export interface EventBridge {
  readonly url: string;
  readonly inbox: Inbox;
  /** What was taken, in order. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
  /** The platform's clock, by which signatures are judged. */
  setClock(at: number): void;
  /** The next request gets this instead. */
  instead(reply: Reply): void;
  /** Entries with this text in them are refused so. */
  refuse(text: string, code: string, message: string): void;
  close(): Promise<void>;
}

export const KEY_ID = "AKID0123456789abcdef";
export const SECRET = "fedcba9876543210";
export const REGION = "eu-central-1";

type Entry = Readonly<Record<string, unknown>>;
interface Provider {
  readonly isSigned: (request: Received) => boolean;
  readonly entriesOf: (request: Received) => readonly Entry[] | string;
  readonly most: number;
  readonly list: string;
  readonly refusal: (code: string, message: string) => Entry;
  readonly unsigned: string;
}

/** What a security token belongs to: with it, these sign. */
export const ROLE_KEY = {
  id: "STS.NSrole0123456789abcdef",
  secret: "role-secret-0123456789",
  token: "CAISrole/token+0123456789==",
};

const ALIYUN: Provider = {
  isSigned: ({ method, url, headers }) => {
    const token = headers["x-acs-security-token"];
    const key = token === ROLE_KEY.token ? ROLE_KEY : { id: KEY_ID, secret: SECRET };
    if (token !== undefined && headers["x-acs-accesskey-id"] !== key.id) return false;
    const own = Object.keys(headers)
      .filter((name) => name.startsWith("x-acs-"))
      .toSorted()
      .map((name) => `${name}:${String(headers[name])}\n`);
    const text = `${method}\n\n${headers["content-type"]}\n${String(headers["date"])}\n${own.join("")}${url}`;
    const signature = createHmac("sha1", key.secret).update(text).digest("base64");
    return (
      headers["x-acs-signature-method"] === "HMAC-SHA1" &&
      headers["x-acs-signature-version"] === "1.0" &&
      headers.authorization === `acs:${key.id}:${signature}`
    );
  },
  entriesOf: ({ method, url, headers, body }) => {
    if (method !== "POST" || url !== "/openapi/putEvents") return "InvalidURL";
    if (!String(headers["content-type"]).startsWith("application/cloudevents-batch+json"))
      return "InvalidContentType";
    const list = JSON.parse(body) as Entry[];
    const fits = (one: Entry, name: string, most: number, form = /^/) =>
      typeof one[name] === "string" && one[name].length <= most && form.test(one[name]);
    const isWhole = (one: Entry) =>
      fits(one, "id", 128, /^[a-z0-9][a-z0-9-]*$/i) &&
      fits(one, "source", 128) &&
      fits(one, "subject", 512) &&
      fits(one, "type", 64) &&
      fits(one, "aliyuneventbusname", 127) &&
      one["specversion"] === "1.0";
    return list.every(isWhole) ? list : "InvalidCloudEvent";
  },
  most: 16,
  list: "EntryList",
  refusal: (code, message) => ({ code, message, requestId: "r1" }),
  unsigned: "SignatureDoesNotMatch",
};

const AWS: Provider = {
  isSigned: (request) => {
    const account = { keyId: KEY_ID, secret: SECRET, region: REGION, service: "events" };
    return request.url === "/" && hasSignatureV4(request, account);
  },
  entriesOf: ({ headers, body }) => {
    if (headers["x-amz-target"] !== "AWSEvents.PutEvents") return "UnknownOperationException";
    if (headers["content-type"] !== "application/x-amz-json-1.1") return "SerializationException";
    const { Entries = [] } = JSON.parse(body) as { readonly Entries?: readonly Entry[] };
    const isWhole = ({ Source, DetailType, Detail, Time }: Entry) =>
      typeof Source === "string" &&
      typeof DetailType === "string" &&
      typeof Time === "number" &&
      typeof JSON.parse(String(Detail)) === "object";
    return Entries.every(isWhole) ? Entries : "ValidationException";
  },
  most: 10,
  list: "Entries",
  refusal: (code, message) => ({ __type: `com.amazon.coral.service#${code}`, message }),
  unsigned: "InvalidSignatureException",
};

/** AWS allows 5 minutes, Alibaba Cloud 15. */
const SKEW_MS = { aliyun: 15 * 60_000, aws: 5 * 60_000 } as const;

function timeOf(request: Received): number {
  const { headers } = request;
  return headers["x-amz-date"] === undefined ? Date.parse(String(headers.date)) : signedAt(request);
}

export async function startEventBridge(
  provider: "aliyun" | "aws",
  time: string,
): Promise<EventBridge> {
  const clock = { now: Date.parse(time) };
  const inbox = await startInbox();
  const events: Entry[] = [];
  const replies: Reply[] = [];
  const refused: { text: string; code: string; message: string }[] = [];
  const { isSigned, entriesOf, most, list, refusal, unsigned } = provider === "aws" ? AWS : ALIYUN;

  const no = (status: number, code: string, message: string): Reply => ({
    status,
    headers: { date: new Date(clock.now).toUTCString() },
    body: refusal(code, message),
  });

  inbox.reply((request) => {
    const planned = replies.shift();
    if (planned !== undefined) return planned;
    const skew = timeOf(request) - clock.now;
    if (Math.abs(skew) > SKEW_MS[provider] && provider === "aws")
      return no(
        400,
        unsigned,
        skew < 0
          ? `Signature expired: ${String(request.headers["x-amz-date"])} is now earlier than`
          : `Signature not yet current: ${String(request.headers["x-amz-date"])} is still later than`,
      );
    if (!isSigned(request) || Math.abs(skew) > SKEW_MS[provider])
      return no(403, unsigned, "The request signature does not match");
    const entries = entriesOf(request);
    if (typeof entries === "string") return no(400, entries, "cannot be read");
    const size = Buffer.byteLength(request.body);
    if (entries.length > most || size > 256 * 1024)
      return no(400, "ValidationException", `${entries.length} entries in ${size} bytes`);
    const results = entries.map((entry, index) => {
      const text = JSON.stringify(entry);
      if (provider === "aliyun" && Buffer.byteLength(text) > 64 * 1024)
        return { ErrorCode: "EventSizeExceeded", ErrorMessage: "beyond 64 KB" };
      const bad = refused.find((one) => text.includes(one.text));
      if (bad !== undefined) return { ErrorCode: bad.code, ErrorMessage: bad.message };
      events.push(entry);
      return { EventId: `e${index}` };
    });
    const FailedEntryCount = results.filter((one) => "ErrorCode" in one).length;
    return { status: 200, body: { FailedEntryCount, [list]: results } };
  });

  return {
    url: inbox.url,
    inbox,
    events,
    instead: (reply) => void replies.push(reply),
    setClock: (at) => void (clock.now = at),
    refuse: (text, code, message) => void refused.push({ text, code, message }),
    close: () => inbox.close(),
  };
}
