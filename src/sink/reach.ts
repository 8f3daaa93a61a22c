import net from "node:net";
import tls from "node:tls";
import type { Clock } from "../clock.ts";
import { Secret } from "./secret.ts";
import { TransportError } from "./transport.ts";

const WITHIN_MS = 5_000;

export type Reach =
  | { readonly kind: "answers"; readonly host: string }
  | { readonly kind: "away"; readonly host: string; readonly problem: string }
  /** There is no address to knock at. */
  | { readonly kind: "none" };

/** The address among a sink's options, as far as one may be told: host and port. */
export function hostOf(
  options: Readonly<Record<string, unknown>>,
  target: string | null,
): URL | null {
  const value = target === null ? undefined : options[target];
  const url = value instanceof Secret ? URL.parse(value.reveal()) : null;
  return url !== null && /^https?:$/.test(url.protocol) ? url : null;
}

/** Knocks: connects, does the TLS handshake with certificate check, says nothing, and hangs up. Nobody is told anything by it. */
export async function reach(url: URL | null, clock: Clock, signal: AbortSignal): Promise<Reach> {
  if (url === null) return { kind: "none" };
  const secure = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port === "" ? (secure ? 443 : 80) : url.port);
  const shown = `${url.hostname}:${port}`;
  const ended = new AbortController();
  const socket = secure
    ? tls.connect({ host, port, servername: net.isIP(host) === 0 ? host : "" })
    : net.connect({ host, port });
  try {
    await Promise.race([
      new Promise<void>((resolve, reject) => {
        socket.once(secure ? "secureConnect" : "connect", () => resolve());
        socket.once("error", reject);
      }),
      clock.sleep(WITHIN_MS, AbortSignal.any([ended.signal, signal])).then(() => {
        throw TransportError.timeout(WITHIN_MS);
      }),
    ]);
    return { kind: "answers", host: shown };
  } catch (error) {
    const { verdict } = error instanceof TransportError ? error : TransportError.from(error);
    return {
      kind: "away",
      host: shown,
      problem: verdict.kind === "accepted" ? "" : verdict.detail,
    };
  } finally {
    ended.abort();
    socket.on("error", () => undefined);
    socket.destroy();
  }
}
