import { createHash, createHmac } from "node:crypto";
import type { Received, Reply } from "./inbox.ts";

export interface Account {
  readonly keyId: string;
  readonly secret: string;
  readonly region: string;
  readonly service: string;
}

/** Whether a request has the Signature Version 4 that the service makes of what came, by AWS' own description of it. */
export function hasSignatureV4(request: Received, account: Account): boolean {
  const { method, url, headers, body } = request;
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  const [, names = ""] = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? "") ?? [];
  const own = Object.keys(headers).filter((name) => name.startsWith("x-amz-"));
  // "You must include the host header and any x-amz-* headers"; Amazon's proxies set the length anew.
  if (!["host", ...own].every((name) => names.split(";").includes(name))) return false;
  if (names.split(";").includes("content-length")) return false;
  const hash = headers["x-amz-content-sha256"];
  if (hash !== undefined && hash !== sha256(body)) return false;
  // "Double-encode": each % of what was sent is one more character.
  const path =
    url
      .split("?")[0]
      ?.replaceAll("%", "%25")
      .replaceAll(/[!'()*]/g, encode) ?? "";
  const lines = names.split(";").map((name) => `${name}:${String(headers[name])}\n`);
  const canonical = `${method}\n${path}\n\n${lines.join("")}\n${names}\n${sha256(body)}`;
  const time = String(headers["x-amz-date"]);
  const { region, service, keyId, secret } = account;
  const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`;
  const hmac = (key: string | Buffer, part: string) =>
    createHmac("sha256", key).update(part).digest();
  const dated = hmac(`AWS4${secret}`, time.slice(0, 8));
  const key = hmac(hmac(hmac(dated, region), service), "aws4_request");
  const signature = createHmac("sha256", key).update(text).digest("hex");
  return (
    headers.authorization ===
    `AWS4-HMAC-SHA256 Credential=${keyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  );
}

const encode = (letter: string) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;

/** When it was signed, as it says. */
export function signedAt({ headers }: Received): number {
  const time = String(headers["x-amz-date"]);
  return Date.parse(
    time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
}

export interface Gateway extends Account {
  /** Temporary credentials' own; `null`: the key has none. */
  readonly token: string | null;
  /** The platform's clock. */
  now: number;
  /** The session is over. */
  isOver: boolean;
}

const FIVE_MINUTES = 5 * 60_000;
const said = (message: string): Reply => ({ status: 403, body: { message } });

/**
 * What Amazon OpenSearch Service puts before a domain: `null`, the request goes on. The words are those of
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html and of users who met them.
 */
export function refusedByAws(request: Received, gateway: Gateway): Reply | null {
  const { headers, method } = request;
  const action = `es:ESHttp${method.charAt(0)}${method.slice(1).toLowerCase()}`;
  const credential = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d+\/([^/]+)\/([^/]+)\/aws4_request,/;
  const [, keyId, region, service] = credential.exec(headers.authorization ?? "") ?? [];
  if (keyId === undefined)
    return {
      status: 403,
      body: {
        Message: `User: anonymous is not authorized to perform: ${action} because no resource-based policy allows the ${action} action`,
      },
    };
  if (keyId !== gateway.keyId || (headers["x-amz-security-token"] ?? null) !== gateway.token)
    return said("The security token included in the request is invalid.");
  if (gateway.isOver) return said("The security token included in the request is expired");
  if (region !== gateway.region)
    return said(`Credential should be scoped to a valid Region, not '${region}'. `);
  if (service !== gateway.service)
    return said(`Credential should be scoped to correct service: '${gateway.service}'. `);
  const off = signedAt(request) - gateway.now;
  if (off < -FIVE_MINUTES)
    return said(
      `Signature expired: ${String(headers["x-amz-date"])} is now earlier than (- 5 min.)`,
    );
  if (off > FIVE_MINUTES)
    return said(`Signature not yet current: ${String(headers["x-amz-date"])} is still later than`);
  const isServerless = gateway.service === "aoss";
  if (isServerless && headers["x-amz-content-sha256"] === undefined)
    return { status: 403, body: { status: 403, error: FORBIDDEN } };
  return hasSignatureV4(request, gateway)
    ? null
    : said(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      );
}

const FORBIDDEN = { reason: "403 Forbidden", type: "Forbidden" };
