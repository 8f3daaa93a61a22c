import { createHash } from "node:crypto";
import { type AccessKey, type HttpRequest, signV4 } from "../../src/sink/index.ts";

export type AwsService = "es" | "aoss";

export interface Signing {
  readonly key: AccessKey;
  /** For hosts whose name tells none; `null`: each tells. */
  readonly region: string | null;
  readonly service: AwsService | null;
}

const REGION = "[a-z]{2}(?:-[a-z]+)+-\\d+";
/** `search-shop-x.eu-central-1.es.amazonaws.com`, `x.eu-central-1.aoss.amazonaws.com`. */
const CLASSIC = new RegExp(`\\.(${REGION})\\.(es|aoss)\\.amazonaws\\.com(?:\\.cn)?$`, "i");
/** `search-shop-x.aos.eu-central-1.on.aws`, for IPv4 and IPv6. */
const DUAL = new RegExp(`\\.aos\\.(${REGION})\\.on\\.aws$`, "i");

/** What the name of a host of AWS' own tells; a name of one's own tells nothing. */
export function placeOf(
  url: string,
): { readonly region: string; readonly service: AwsService } | null {
  const host = URL.parse(url)?.hostname ?? "";
  const [, classic, service] = CLASSIC.exec(host) ?? [];
  if (classic !== undefined)
    return { region: classic, service: service === "aoss" ? "aoss" : "es" };
  const region = DUAL.exec(host)?.[1];
  return region === undefined ? null : { region, service: "es" };
}

/** Signed for this moment. OpenSearch Serverless wants the body's hash in a signed header; the other one takes it. */
export function signed(request: HttpRequest, signing: Signing, now: number): HttpRequest {
  const { method, url, body } = request;
  const { host, pathname: path } = new URL(url);
  const place = placeOf(url);
  const hash = createHash("sha256").update(body).digest("hex");
  const headers = signV4(
    signing.key,
    {
      method,
      host,
      path,
      region: place?.region ?? signing.region ?? "",
      service: place?.service ?? signing.service ?? "es",
      headers: { ...request.headers, "x-amz-content-sha256": hash },
      body,
    },
    now,
  );
  return { ...request, headers };
}
