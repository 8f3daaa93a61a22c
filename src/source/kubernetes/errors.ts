/** The API server answered, and refused. */
export class ApiError extends Error {
  readonly status: number;
  /** The Status object's machine-readable reason (`Expired`, `Forbidden`), empty where there was none. */
  readonly reason: string;
  readonly retryAfterMs: number | null;
  /** A list token offered together with a 410, for the rest of the list as it is now. */
  readonly continueToken: string | null;

  constructor(
    status: number,
    answer: {
      readonly reason?: string;
      readonly message?: string;
      readonly retryAfterMs?: number | null;
      readonly continueToken?: string | null;
    } = {},
  ) {
    const reason = answer.reason ?? "";
    super(
      `the API server answered ${status}${reason === "" ? "" : ` ${reason}`}${answer.message === undefined || answer.message === "" ? "" : `: ${clip(answer.message)}`}`,
    );
    this.name = "ApiError";
    this.status = status;
    this.reason = reason;
    this.retryAfterMs = answer.retryAfterMs ?? null;
    this.continueToken = answer.continueToken ?? null;
  }

  /** 410: the version is compacted away. */
  get gone(): boolean {
    return this.status === 410 || this.reason === "Expired" || this.reason === "Gone";
  }

  /** The version is no number to this server: it comes from elsewhere. */
  get malformed(): boolean {
    return /resourceVersion: Invalid value/.test(this.message);
  }
}

/** No complete answer: refused, reset, cut short, too slow. */
export class ConnectionError extends Error {
  /** Retrying cannot help before somebody changes something: an untrusted certificate, a name that is no URL. */
  readonly permanent: boolean;
  readonly tooLarge: boolean;

  constructor(
    message: string,
    options: { readonly permanent?: boolean; readonly tooLarge?: boolean } = {},
  ) {
    super(clip(message));
    this.name = "ConnectionError";
    this.permanent = options.permanent ?? false;
    this.tooLarge = options.tooLarge ?? false;
  }
}

/** The credentials could not be made: an exec plugin failed, a token or certificate file is missing. */
export class CredentialsError extends Error {
  /** The plugin or file does not exist at all. */
  readonly permanent: boolean;

  constructor(message: string, permanent: boolean) {
    super(clip(message));
    this.name = "CredentialsError";
    this.permanent = permanent;
  }
}

/** Neither group lets us in: RBAC has to change, waiting cannot help. */
export class ForbiddenError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = "ForbiddenError";
    this.hint = hint;
  }
}

/** Down, busy, or not to be asked: nobody can say now, and what is asked for shows it later. */
export function isNoAnswer(error: unknown, signal: AbortSignal): boolean {
  return (
    error instanceof ApiError ||
    error instanceof ConnectionError ||
    error instanceof CredentialsError ||
    signal.aborted
  );
}

/** Reads a Status object, of an error's body or of an ERROR line. Total: garbage gives an error with the status alone. */
export function statusError(status: number, body: unknown, retryAfter: string | null): ApiError {
  const answer = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const details = (answer["details"] ?? {}) as Record<string, unknown>;
  const meta = (answer["metadata"] ?? {}) as Record<string, unknown>;
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const told = details["retryAfterSeconds"];
  const code = answer["code"];
  return new ApiError(status === 200 && typeof code === "number" ? code : status, {
    reason: text(answer["reason"]),
    message: typeof body === "string" ? body : text(answer["message"]),
    retryAfterMs: retryAfterMs(retryAfter) ?? (typeof told === "number" ? told * 1000 : null),
    continueToken: text(meta["continue"]) || null,
  });
}

/** Seconds, as the API server writes it. The HTTP-date form is not used by it. */
function retryAfterMs(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1000 : null;
}

const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)/;

/** What Node says about a failed connection, in one line that names the server. */
export function connectionError(error: unknown, server: string): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = (first as { code?: unknown } | null)?.code;
  const message = first instanceof Error ? first.message : String(first);
  if (typeof code === "string" && UNTRUSTED.test(code))
    return new ConnectionError(
      `the certificate of ${server} is not trusted (${message}); check certificate-authority in the kubeconfig`,
      { permanent: true },
    );
  return new ConnectionError(`no connection to ${server}: ${message}`);
}

/** Short and in one line: a terminal must not obey what a plugin or a gateway says, nor show a line that nobody wrote. */
function clip(text: string): string {
  const line = text
    // What is far beyond the end is not worth cleaning.
    .slice(0, 5000)
    .replaceAll(/\s*[\p{Cc}\u2028\u2029]+\s*/gu, " ")
    .replaceAll(/\p{Cf}/gu, "")
    .trim();
  return line.length <= 500 ? line : `${line.slice(0, 499).replace(/[\ud800-\udbff]$/, "")}…`;
}
