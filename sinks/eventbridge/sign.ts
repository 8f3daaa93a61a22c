import { createHash, createHmac } from "node:crypto";
import type { AccessKey, Headers } from "../../src/sink/index.ts";

/** Of Alibaba Cloud EventBridge, as its own SDK makes it: HMAC-SHA1 over the `x-acs-` headers. */
export function acsHeaders(key: AccessKey, path: string, body: string, now: number): Headers {
  const headers: Headers = {
    accept: "application/json",
    "content-type": "application/cloudevents-batch+json; charset=utf-8",
    date: new Date(now).toUTCString(),
    "x-acs-signature-method": "HMAC-SHA1",
    // New with every request; the same request at the same moment may be refused as a replay.
    "x-acs-signature-nonce": createHash("sha256").update(`${now}\n${body}`).digest("hex"),
    "x-acs-signature-version": "1.0",
    "x-eventbridge-version": "2015-06-06",
    ...(key.token === null
      ? {}
      : { "x-acs-accesskey-id": key.id, "x-acs-security-token": key.token }),
  };
  const signature = acsSignature(acsStringToSign("POST", path, headers), key.secret);
  return { ...headers, authorization: `acs:${key.id}:${signature}` };
}

export function acsStringToSign(method: string, path: string, headers: Headers): string {
  const own = Object.entries(headers)
    .filter(([name]) => name.startsWith("x-acs-"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}`);
  const named = ["content-md5", "content-type", "date"].map((name) => headers[name] ?? "");
  return [method, ...named, ...own, path].join("\n");
}

export function acsSignature(text: string, secret: string): string {
  return createHmac("sha1", secret).update(text).digest("base64");
}
