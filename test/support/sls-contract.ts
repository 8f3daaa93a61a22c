import { createHash, createHmac } from "node:crypto";
import { inflateSync } from "node:zlib";
import type { Clock } from "../../src/clock.ts";
import { type Inbox, type Received, type Reply, startInbox } from "./inbox.ts";

/**
 * Log Service as its documentation has it, on a loopback port: GetLogStore and PutLogs with their signature, encoding and limits
 * (help.aliyun.com/document_detail/29012.html, 29026.html and 29013.html).
 */
export interface SlsServer {
  readonly url: string;
  readonly inbox: Inbox;
  /** The groups that were stored, in order. */
  readonly groups: readonly Group[];
  /** The next request gets this instead. */
  instead(reply: Reply): void;
  /** From now on these temporary credentials are the ones that are good. */
  takes(key: { readonly id: string; readonly secret: string; readonly token: string }): void;
  close(): Promise<void>;
}

export interface Group {
  readonly logs: readonly StoredLog[];
  readonly topic: string;
}

export interface StoredLog {
  readonly time: number;
  readonly nanoseconds: number;
  readonly fields: Readonly<Record<string, string>>;
}

export const KEY_ID = "LTAI0123456789abcdef";
export const KEY_SECRET = "fedcba9876543210";
export const PROJECT = "k8s-audit";
export const STORE = "events";
const DAY_S = 86_400;

export async function startSls(clock: Clock): Promise<SlsServer> {
  const inbox = await startInbox();
  const groups: Group[] = [];
  const replies: Reply[] = [];
  const host = new URL(inbox.url).host;
  let good: { id: string; secret: string; token?: string } = { id: KEY_ID, secret: KEY_SECRET };

  inbox.reply((request, index) => {
    const planned = replies.shift();
    if (planned !== undefined) return planned;
    const id = { "x-log-requestid": index.toString(16).padStart(24, "0") };
    const refusal = refuse(request);
    if (refusal === null) return { status: 200, headers: id };
    const [status, errorCode, errorMessage] = refusal;
    return { status, headers: id, body: { errorCode, errorMessage } };
  });

  const refuse = (request: Received): readonly [number, string, string] | null => {
    const { headers, method, url, bytes } = request;
    const head = (name: string) => String(headers[name] ?? "");
    if (head("x-log-apiversion") !== "0.6.0") return [400, "InvalidAPIVersion", "unsupported"];
    if (!head("date").endsWith("GMT")) return [400, "InvalidDateFormat", "must follow RFC822"];
    if (Math.abs(Date.parse(head("date")) - clock.now()) > 15 * 60_000)
      return [400, "RequestTimeExpired", "Request time has been expired"];
    if (bytes.length > 0) {
      const md5 = createHash("md5").update(bytes).digest("hex").toUpperCase();
      if (head("content-md5") !== md5) return [400, "InvalidContentMD5", "not the body's"];
    }
    const [, keyId, signature] = /^LOG ([^:]+):(.+)$/.exec(head("authorization")) ?? [];
    if (good.token !== undefined && head("x-acs-security-token") !== good.token)
      return [401, "Unauthorized", "The security token you provided has expired"];
    if (keyId !== good.id) return [401, "Unauthorized", `AccessKeyId not found: ${keyId}`];
    if (signature !== signatureOf(request, good.secret))
      return [401, "SignatureNotMatch", `Signature ${signature} not matched.`];
    if (head("host") !== `${PROJECT}.${host}`)
      return [404, "ProjectNotExist", `The Project does not exist : ${head("host")}`];
    if (method === "GET" && url === `/logstores/${STORE}`) return null;
    if (url !== `/logstores/${STORE}/shards/lb`)
      return [404, "LogStoreNotExist", `logstore ${url} dose not exist`];
    return method === "POST" ? store(request) : [405, "InvalidMethod", "unsupported"];
  };

  const store = ({ headers, bytes }: Received): readonly [number, string, string] | null => {
    if (headers["content-type"] !== "application/x-protobuf")
      return [415, "InvalidContentType", "unsupported"];
    const packed = headers["x-log-compresstype"];
    if (packed !== undefined && packed !== "deflate")
      return [400, "InvalidCompressType", `x-log-compresstype ${String(packed)} is unsupported.`];
    const raw = packed === undefined ? bytes : inflateSync(bytes);
    if (headers["x-log-bodyrawsize"] !== String(raw.length))
      return [400, "InvalidBodyRawSize", "x-log-bodyrawsize is invalid."];
    const group = groupOf(raw);
    if (raw.length > 3 * 1024 * 1024 || group.logs.length > 4096)
      return [400, "PostBodyTooLarge", "Logs must be less than 3M and 4096 lines."];
    const now = clock.now() / 1000;
    if (group.logs.some(({ time }) => time < now - 7 * DAY_S || time > now + 900))
      return [400, "InvalidTimestamp", "Invalid timestamps are in logs."];
    groups.push(group);
    return null;
  };

  return {
    url: inbox.url,
    inbox,
    groups,
    instead: (reply) => void replies.push(reply),
    takes: (key) => void (good = key),
    close: () => inbox.close(),
  };
}

function signatureOf({ method, url, headers }: Received, secret: string): string {
  const own = Object.keys(headers)
    .filter((name) => /^x-(log|acs)-/.test(name))
    .toSorted()
    .map((name) => `${name}:${String(headers[name])}\n`)
    .join("");
  const fields = ["content-md5", "content-type", "date"].map((name) => headers[name] ?? "");
  const text = `${method}\n${fields.join("\n")}\n${own}${url}`;
  return createHmac("sha1", secret).update(text).digest("base64");
}

type Field = readonly [number: number, value: number | Buffer];

/** https://protobuf.dev/programming-guides/encoding, read without a line of ours. */
function fieldsOf(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const type = key % 8;
    if (type === 0) fields.push([Math.floor(key / 8), varint()]);
    else if (type === 5) {
      fields.push([Math.floor(key / 8), bytes.readUInt32LE(at)]);
      at += 4;
    } else if (type === 2) {
      const length = varint();
      fields.push([Math.floor(key / 8), bytes.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`wire type ${type}`);
  }
  return fields;
}

function groupOf(bytes: Buffer): Group {
  const fields = fieldsOf(bytes);
  const of = (number: number) => fields.filter(([n]) => n === number).map(([, value]) => value);
  return {
    logs: of(1).map((log) => logOf(log as Buffer)),
    topic: String(of(3)[0] ?? ""),
  };
}

function logOf(bytes: Buffer): StoredLog {
  const fields = fieldsOf(bytes);
  const of = (number: number) => fields.filter(([n]) => n === number).map(([, value]) => value);
  const contents = of(2).map((content) =>
    fieldsOf(content as Buffer).map(([, value]) => String(value)),
  );
  return {
    time: Number(of(1)[0]),
    nanoseconds: Number(of(4)[0]),
    fields: Object.fromEntries(contents) as Record<string, string>,
  };
}
