import type { Secret } from "../../src/sink/index.ts";
import { placeOf, type Signing } from "./aws.ts";

interface Addresses {
  readonly url?: Secret | undefined;
  readonly nodes: readonly string[];
}

export function nodesOf({ url, nodes }: Addresses): readonly string[] {
  return url === undefined ? nodes : [url.reveal()];
}

interface SigningOptions extends Addresses {
  readonly sigv4?: boolean | undefined;
  readonly accessKeyId?: Secret | undefined;
  readonly accessKeySecret?: Secret | undefined;
  readonly securityToken?: Secret | undefined;
  readonly region?: string | undefined;
  readonly service?: Signing["service"] | undefined;
  readonly esUserName?: string | undefined;
  readonly apiKey?: Secret | undefined;
}

/** An access key in the environment may be for something else: it goes to AWS' own hosts only, unless we are told. */
function isSigned({
  sigv4,
  accessKeyId,
  esUserName,
  apiKey,
  ...addresses
}: SigningOptions): boolean {
  if (sigv4 !== undefined) return sigv4;
  if (accessKeyId === undefined || esUserName !== undefined || apiKey !== undefined) return false;
  return nodesOf(addresses).every((node) => placeOf(node) !== null);
}

/** As option and message. */
export function* signingProblems(given: SigningOptions): Generator<readonly [string, string]> {
  if (!isSigned(given)) return;
  const { accessKeyId, accessKeySecret, region, esUserName, apiKey } = given;
  if (esUserName !== undefined) yield ["sigv4", "and a user are both given; expected either"];
  if (apiKey !== undefined) yield ["sigv4", "and an API key are both given; expected either"];
  if ((accessKeyId?.reveal() ?? "") === "")
    yield [
      "accessKeyId",
      "is missing; expected an access key's, here or in AWS_ACCESS_KEY_ID (a role of the pod's is not asked for one)",
    ];
  if ((accessKeySecret?.reveal() ?? "") === "")
    yield ["accessKeySecret", "is missing; expected it here or in AWS_SECRET_ACCESS_KEY"];
  if (region === undefined && nodesOf(given).some((node) => placeOf(node) === null))
    yield [
      "region",
      "is missing, and the host's name does not tell it; expected one like eu-central-1, here or in AWS_REGION",
    ];
}

/** `null`: requests are not signed. */
export function signingOf(given: SigningOptions): Signing | null {
  if (!isSigned(given)) return null;
  const { accessKeyId, accessKeySecret, securityToken, region = null, service = null } = given;
  const id = accessKeyId?.reveal() ?? "";
  const secret = accessKeySecret?.reveal() ?? "";
  return { key: { id, secret, token: securityToken?.reveal() ?? null }, region, service };
}
