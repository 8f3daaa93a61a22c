import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import type { Identity } from "./identity.ts";

export interface ProxyOptions {
  /** Addresses and CIDRs, IPv4 and IPv6. */
  readonly addresses: readonly string[];
  readonly userHeader: string;
  readonly groupsHeader: string;
  readonly emailHeader: string;
}

export const PROXY_HEADERS = {
  userHeader: "X-Forwarded-User",
  groupsHeader: "X-Forwarded-Groups",
  emailHeader: "X-Forwarded-Email",
} as const;

/** What a request says of where it came from; headers count only where a pinned proxy set them. */
export interface Origin {
  /** Who is to be counted: the client that a pinned proxy names, else the peer. */
  readonly address: string;
  readonly viaProxy: boolean;
  /** The reader's browser speaks TLS, to us or to the proxy. */
  readonly secure: boolean;
  /** The host the reader asked for, with its port; lower case. */
  readonly host: string;
}

export interface TrustedProxy {
  /** Whether the peer is one of the pinned addresses. */
  trusts(message: IncomingMessage): boolean;
  /** `null`: none is named. `problem`: what is named cannot be believed. */
  identity(message: IncomingMessage): Identity | { readonly problem: string } | null;
}

export function createTrustedProxy(options: ProxyOptions): TrustedProxy {
  const pinned = new BlockList();
  for (const text of options.addresses) {
    const [address = "", bits] = text.split("/");
    const plain = plainAddress(address);
    const family = isIP(plain) === 4 ? "ipv4" : "ipv6";
    if (bits === undefined) pinned.addAddress(plain, family);
    // A mapped IPv4 network keeps the length of its prefix within IPv6.
    else pinned.addSubnet(plain, Number(bits) - (plain === address ? 0 : 96), family);
  }

  const trusts = (message: IncomingMessage): boolean => {
    const peer = plainAddress(message.socket.remoteAddress ?? "");
    const family = isIP(peer);
    return family !== 0 && pinned.check(peer, family === 4 ? "ipv4" : "ipv6");
  };

  return {
    trusts,
    identity(message) {
      if (!trusts(message)) return null;
      const { userHeader, groupsHeader, emailHeader } = options;
      const twice = [userHeader, groupsHeader, emailHeader].find(
        (name) => valuesOf(message, name).length > 1,
      );
      // The second may be what somebody sent who is not the proxy.
      if (twice !== undefined) return { problem: `the header ${twice} stands there twice` };
      const name = (valuesOf(message, userHeader)[0] ?? "").trim();
      if (name === "") return null;
      const email = (valuesOf(message, emailHeader)[0] ?? "").trim();
      const groups = (valuesOf(message, groupsHeader)[0] ?? "")
        .split(",")
        .map((group) => group.trim())
        // The cluster's own groups are the cluster's to give.
        .filter((group) => group !== "" && !group.startsWith("system:"));
      if (name.startsWith("system:"))
        return { problem: `the header ${userHeader} names one of the cluster's own users` };
      if (name.length > 256 || groups.length > 500 || groups.some((one) => one.length > 256))
        return { problem: "the proxy's headers are too long" };
      return { name, groups, email: email === "" ? null : email.slice(0, 256), by: "proxy" };
    },
  };
}

/** Where a request came from, as far as it can be believed. */
export function originOf(message: IncomingMessage, proxy: TrustedProxy | null): Origin {
  const viaProxy = proxy?.trusts(message) ?? false;
  const peer = plainAddress(message.socket.remoteAddress ?? "");
  const forwarded = (name: string): string | null =>
    viaProxy ? (valuesOf(message, name).at(-1)?.split(",").at(-1)?.trim() ?? null) : null;
  // The last one is what the pinned proxy added; those before it are hearsay.
  const client = plainAddress(forwarded("x-forwarded-for") ?? "");
  return {
    address: isIP(client) === 0 ? peer : client,
    viaProxy,
    secure:
      "encrypted" in message.socket || forwarded("x-forwarded-proto")?.toLowerCase() === "https",
    host: (forwarded("x-forwarded-host") ?? message.headers.host ?? "").toLowerCase(),
  };
}

/** Each occurrence by itself: Node joins them, and whoever sent the second is not who sent the first. */
function valuesOf(message: IncomingMessage, name: string): readonly string[] {
  const { rawHeaders } = message;
  const wanted = name.toLowerCase();
  return rawHeaders.flatMap((text, index) =>
    index % 2 === 0 && text.toLowerCase() === wanted
      ? // Node takes each byte for a letter; names of people are UTF-8.
        [Buffer.from(rawHeaders[index + 1] ?? "", "latin1").toString("utf8")]
      : [],
  );
}

/** `::ffff:10.0.0.7` is 10.0.0.7, and a zone (`%eth0`) is no part of an address. */
export function plainAddress(address: string): string {
  const text = address.replace(/%.*$/, "").toLowerCase();
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1] ?? text;
}
