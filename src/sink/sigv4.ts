import { createHash, createHmac } from "node:crypto";

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
  /** Of temporary credentials. */
  readonly token: string | null;
}

/** Lower-case names. */
export type Headers = Readonly<Record<string, string>>;

export interface Signable {
  readonly method: string;
  /** With its port, where the request names one. */
  readonly host: string;
  /** As it is sent; there is no query. */
  readonly path: string;
  readonly region: string;
  readonly service: string;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * The headers of a request with its Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html:
 * all of them are signed. Good for minutes, so made anew at each attempt.
 */
export function signV4(key: AccessKey, request: Signable, now: number): Headers {
  const { method, host, path, region, service, body } = request;
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const headers: Headers = {
    ...request.headers,
    "x-amz-date": time,
    ...(key.token === null ? {} : { "x-amz-security-token": key.token }),
  };
  const signed = Object.entries({ ...headers, host }).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const lines = signed.map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = [method, encodedPath(path), "", lines, names, sha256(body)].join("\n");
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

/** What is sent is encoded already: for the signature it is once more. */
function encodedPath(path: string): string {
  const escape = (letter: string) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;
  return path
    .split("/")
    .map((part) => encodeURIComponent(part).replaceAll(/[!'()*]/g, escape))
    .join("/");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
