import type { IncomingMessage } from "node:http";
import { sessionIdOf } from "./cookie.ts";
import { unavailable, type Caller } from "./caller.ts";
import type { Answer, Identity, Proven, TokenProver } from "./identity.ts";
import { isToken } from "./identity.ts";
import type { Limiter } from "./limiter.ts";
import { originOf, type Origin, type TrustedProxy } from "./proxy.ts";
import { Refusal } from "./refusal.ts";
import type { Session, Sessions } from "./sessions.ts";

/** How callers prove who they are. */
export interface Provers {
  /** Who knows tokens: asked one after the other. */
  readonly tokens: readonly TokenProver[];
  readonly proxy: {
    readonly trusted: TrustedProxy;
    readonly vouchedFor: (identity: Identity) => Proven;
  } | null;
  /** Nobody has to: for a listener on loopback, and nowhere else. */
  readonly open: boolean;
}

/** What came with a request. `ambient`: a browser adds the proof by itself, so that another page could make it act. */
export interface Found {
  readonly caller: Caller;
  readonly ambient: string | null;
  readonly session: Session | null;
}

export interface Proving {
  readonly sessions: Sessions;
  readonly limiter: Limiter;
}

/**
 * The proxy's word first, for who stands behind it cannot choose; then the token of an `Authorization` header, the session, and last
 * nobody at all where that is allowed. `null`: not proven.
 * @throws Refusal for what is no proof, and where nobody can say
 */
export async function proveRequest(
  message: IncomingMessage,
  { tokens, proxy, open }: Provers,
  { sessions, limiter }: Proving,
): Promise<Found | null> {
  const origin = originOf(message, proxy?.trusted ?? null);
  const found = (proven: Proven, ambient: string | null, session: Session | null = null): Found => {
    const csrf = ambient === null ? null : sessions.csrfToken(ambient);
    return { caller: { ...proven, origin, csrf, session: session !== null }, ambient, session };
  };

  const vouched = proxy?.trusted.identity(message) ?? null;
  if (vouched !== null && "problem" in vouched) throw new Refusal(400, vouched.problem);
  if (vouched !== null && proxy !== null)
    return found(proxy.vouchedFor(vouched), `proxy ${vouched.name}`);

  const { authorization } = message.headers;
  const [, bearer] = /^bearer +(\S.*)$/i.exec(authorization ?? "") ?? [];
  if (bearer !== undefined && !open) {
    const proven = await proveToken(bearer.trim(), origin, tokens, limiter);
    if (proven !== null) return found(proven, null);
    throw new Refusal(401, "the bearer token is not valid, or not any more", {
      "WWW-Authenticate": 'Bearer realm="kube-crier", error="invalid_token"',
    });
  }

  const id = sessionIdOf(message.headers.cookie, origin.secure);
  const session = id === null ? null : sessions.find(id);
  if (session !== null) {
    // It was proven once, so whoever holds it makes no guesses: the limiter has nothing to do with it.
    const answer = await firstOf(tokens, session.token.reveal());
    if (!answer.ok) throw unavailable(answer.detail);
    if (answer.value !== null) return found(answer.value, `session ${session.key}`, session);
    sessions.end(session);
  }
  if (!open) return null;
  mustBeLocal(message, origin);
  return found(EVERYBODY, "open");
}

/** Tokens that are wrong are counted by where they come from. @throws Refusal 429 and 503 */
export async function proveToken(
  token: string,
  origin: Origin,
  tokens: readonly TokenProver[],
  limiter: Limiter,
): Promise<Proven | null> {
  const { address } = origin;
  const isKnown = () => tokens.some((one) => one.knows(token));
  const wait = isKnown() ? null : await limiter.begin(address);
  // It may have been asked about meanwhile, by another request with it.
  if (wait === "late" && !isKnown())
    throw unavailable("other tokens from your address have no answer yet");
  if (typeof wait === "number" && wait > 0 && !isKnown()) {
    const seconds = Math.ceil(wait / 1000);
    throw new Refusal(429, `too many wrong tokens from your address; try again in ${seconds} s`, {
      "Retry-After": String(seconds),
    });
  }
  let isWrong = false;
  try {
    const answer = isToken(token) ? await firstOf(tokens, token) : NOBODY;
    if (!answer.ok) throw unavailable(answer.detail);
    isWrong = answer.value === null;
    return answer.value;
  } finally {
    if (wait === 0) limiter.end(address, isWrong);
    else if (isWrong) limiter.failed(address);
  }
}

const NOBODY: Answer<Proven | null> = { ok: true, value: null };

/** A prover that is away is no reason to refuse what another one knows. */
async function firstOf(
  tokens: readonly TokenProver[],
  token: string,
): Promise<Answer<Proven | null>> {
  let last = NOBODY;
  for (const one of tokens) {
    const answer = await one.prove(token);
    if (!answer.ok) last = answer;
    else if (answer.value !== null) return answer;
  }
  return last;
}

const EVERYBODY: Proven = {
  identity: { name: "local", groups: [], email: null, by: "loopback" },
  access: () => Promise.resolve({ ok: true, value: { namespaces: "all", complete: true } }),
  lacks: () => "",
};

/** A page of another name that points to 127.0.0.1 (DNS rebinding), or a proxy on this machine, would make everybody local. */
function mustBeLocal(message: IncomingMessage, { host }: Origin): void {
  const name = host.replace(/:\d+$/, "");
  const forwarded = ["x-forwarded-for", "forwarded", "x-real-ip"].find(
    (header) => message.headers[header] !== undefined,
  );
  if (!/^(localhost|127(\.\d+){3}|\[::1\])$/.test(name))
    throw new Refusal(
      421,
      "without authentication this answers to localhost and 127.0.0.1 only; to reach it by another name set webAccessFile or webProxies, or webKubernetes: on",
    );
  if (forwarded !== undefined)
    throw new Refusal(
      421,
      `without authentication this answers to this machine only, and the header ${forwarded} shows a proxy; name that in webProxies`,
    );
}
