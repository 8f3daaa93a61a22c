import { createHash, createHmac } from "node:crypto";

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  /** Of temporary credentials. */
  readonly token: string | null;
}

/** Lower-case names. */
export type Headers = Readonly<Record<string, string>>;

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

export interface AwsRequest {
  readonly host: string;
  readonly region: string;
  readonly service: string;
  readonly headers: Headers;
  readonly body: string;
}

/** Signature Version 4 of a POST to `/`, https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html. */
export function awsHeaders(key: AccessKey, request: AwsRequest, now: number): Headers {
  const { host, region, service, body } = request;
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const headers: Headers = {
    ...request.headers,
    "x-amz-date": time,
    ...(key.token === null ? {} : { "x-amz-security-token": key.token }),
  };
  const signed = Object.entries({ ...headers, host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = ["POST", "/", "", lines, names, sha256(body)].join("\n");
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(canonical)].join("\n");
  const signing = [day, region, service, "aws4_request"].reduce<string | Buffer>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${key.secret}`,
  );
  const signature = createHmac("sha256", signing).update(text).digest("hex");
  const credential = `Credential=${key.id}/${scope}`;
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
