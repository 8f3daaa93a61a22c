import { ApiError } from "./errors.ts";
import { metadataOf } from "./frames.ts";
import type { KubeClient } from "./transport.ts";

/**
 * Which cluster this is, as far as one may know: the uid of kube-system where it may be read, and always a hash of address and CA.
 * Throws where the server cannot be asked at all.
 */
export async function readIdentity(client: KubeClient, signal: AbortSignal): Promise<string> {
  let uid = "";
  try {
    const namespace = await client.get("/api/v1/namespaces/kube-system", {}, signal);
    const found = metadataOf(namespace)["uid"];
    if (typeof found === "string") uid = found;
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 404)) throw error;
  }
  return `uid=${uid};address=${client.fingerprint}`;
}

/** By uid where both have one, so that a new address or CA changes nothing; else by address. */
export function sameCluster(a: string, b: string): boolean {
  const [left, right] = [parse(a), parse(b)];
  if (left.uid !== "" && right.uid !== "") return left.uid === right.uid;
  return left.address === right.address;
}

function parse(identity: string): { uid: string; address: string } {
  const match = /^uid=([^;]*);address=(.*)$/.exec(identity);
  return { uid: match?.[1] ?? "", address: match?.[2] ?? identity };
}
