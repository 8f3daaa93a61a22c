import { permanent, retryable, type Verdict } from "./verdict.ts";

/**
 * No answer arrived. Carries a code and our own words, nothing of what was sent: the library's error holds the URL, which is a password.
 */
export class TransportError extends Error {
  readonly code: string;
  readonly verdict: Verdict;
  /** The caller's own signal ended it: not the platform's fault, not an attempt to count. */
  readonly wasAborted: boolean;

  private constructor(code: string, verdict: Verdict, wasAborted = false) {
    super(verdict.kind === "accepted" ? code : verdict.detail);
    this.name = "TransportError";
    this.code = code;
    this.verdict = verdict;
    this.wasAborted = wasAborted;
  }

  static from(error: unknown): TransportError {
    const code = codeOf(error);
    return new TransportError(code, verdictOf(code));
  }

  static timeout(timeoutMs: number): TransportError {
    return new TransportError(
      "ETIMEDOUT",
      retryable(
        "timeout",
        `no complete answer within ${timeoutMs} ms (raise \`timeout\` if the receiver is slow)`,
      ),
    );
  }

  static aborted(): TransportError {
    return new TransportError(
      "ABORT_ERR",
      retryable("network", "ended before an answer came: shutting down"),
      true,
    );
  }
}

/** What any thrown thing means for the delivery; total, and free of secrets. */
export function transportVerdict(error: unknown): Verdict {
  return (error instanceof TransportError ? error : TransportError.from(error)).verdict;
}

/** Codes of Node's network, DNS and HTTP layers → words for a person. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused: nothing listens there",
  ECONNRESET: "the connection was reset before the answer was complete",
  ECONNABORTED: "the connection was broken off",
  EPIPE: "the connection was closed while the request was being sent",
  ENOTFOUND: "the host name is unknown: check the URL and the cluster's DNS",
  EAI_AGAIN: "the name server did not answer",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
  EADDRNOTAVAIL: "no local port is free",
  EMFILE: "too many files are open in this process",
};

const MISCONFIGURED: Readonly<Record<string, string>> = {
  ERR_INVALID_URL: "the URL cannot be read",
  ERR_INVALID_CHAR: "a header holds a character HTTP does not allow",
  ERR_INVALID_HTTP_TOKEN: "a header or the method has a name HTTP does not allow",
  ERR_UNESCAPED_CHARACTERS: "the URL's path holds characters that must be percent-encoded",
  ERR_BAD_OPTION_VALUE: "the request's options do not fit together",
};

const TLS =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH_|EPROTO$)/;

function verdictOf(code: string): Verdict {
  const network = NETWORK[code];
  if (network !== undefined) return retryable("network", `${network} (${code})`);
  const config = MISCONFIGURED[code];
  if (config !== undefined) return permanent("config", `${config} (${code})`);
  if (code === "ETIMEDOUT")
    return retryable("timeout", "the connection could not be made in time (ETIMEDOUT)");
  if (TLS.test(code)) {
    return retryable(
      "tls",
      `the server's certificate or TLS was not accepted (${code}); for a private authority set NODE_EXTRA_CA_CERTS`,
    );
  }
  if (code.startsWith("HPE_")) return retryable("server", `the answer is not HTTP (${code})`);
  return retryable("unknown", `the request failed (${code})`);
}

/** Only a code in Node's own form; anything else could be text from outside. */
function codeOf(error: unknown): string {
  let current = error;
  for (let depth = 0; depth < 4 && typeof current === "object" && current !== null; depth += 1) {
    const { code, cause } = current as { readonly code?: unknown; readonly cause?: unknown };
    // axios calls what it cannot name ERR_NETWORK or ERR_BAD_RESPONSE; the cause knows more.
    const vague =
      code === "ERR_NETWORK" || code === "ERR_BAD_RESPONSE" || code === "ERR_BAD_REQUEST";
    if (typeof code === "string" && !vague && /^[A-Z][A-Z0-9_]{1,60}$/.test(code)) return code;
    current = cause;
  }
  return "no code";
}
