import { createHash, createHmac } from "node:crypto";
import type { AccessKey, Headers } from "../../src/sink/index.ts";

/** What every request to Log Service has in its head, with the signature over it. */
export function signed(
  key: AccessKey,
  request: {
    readonly method: string;
    readonly resource: string;
    readonly headers: Headers;
    readonly body: Buffer;
  },
  now: number,
): Headers {
  const { method, resource, body } = request;
  const hasBody = body.length > 0;
  const headers: Headers = {
    ...request.headers,
    date: new Date(now).toUTCString(),
    "x-log-apiversion": "0.6.0",
    "x-log-signaturemethod": "hmac-sha1",
    ...(hasBody
      ? { "content-md5": createHash("md5").update(body).digest("hex").toUpperCase() }
      : {}),
    ...(key.token === null ? {} : { "x-acs-security-token": key.token }),
  };
  return { ...headers, authorization: authorization(key, method, resource, headers) };
}

/** `LOG ID:SIGNATURE`, https://www.alibabacloud.com/help/en/sls/developer-reference/request-signatures. */
export function authorization(
  { id, secret }: AccessKey,
  method: string,
  resource: string,
  headers: Headers,
): string {
  const own = Object.entries(headers)
    .filter(([name]) => name.startsWith("x-log-") || name.startsWith("x-acs-"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}`);
  const toSign = [
    method,
    headers["content-md5"] ?? "",
    headers["content-type"] ?? "",
    headers["date"] ?? "",
    ...own,
    resource,
  ].join("\n");
  return `LOG ${id}:${createHmac("sha1", secret).update(toSign).digest("base64")}`;
}
