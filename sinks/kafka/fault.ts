/** An error as far as anyone looks at it: of Kafka's protocol (`type`), of the system (`code`), or in the client's own words. */
export interface Fault {
  readonly name: string;
  /** `TOPIC_AUTHORIZATION_FAILED`, … */
  readonly type: string | null;
  /** `ECONNREFUSED`, …, or what OpenSSL says. */
  readonly code: string | null;
  readonly message: string;
  /** `HOST:PORT` it came from. */
  readonly broker: string | null;
}

export class BrokerError extends Error implements Fault {
  readonly type: string | null;
  readonly code: string | null;
  readonly broker: string | null;

  constructor({ name, type, code, message, broker }: Fault) {
    super(message);
    this.name = name;
    this.type = type;
    this.code = code;
    this.broker = broker;
  }
}

/** A certificate or key that cannot be read. */
export class FileError extends Error {}

/** The first error that says more than that there were several. */
export function faultOf(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  let current = error;
  for (let depth = 0; depth < 5; depth += 1) {
    const { name, cause } = fields(current);
    if (!/Retries|NonRetriable/.test(String(name)) || cause === undefined) break;
    current = cause;
  }
  const { name, type, code, message, broker } = fields(current);
  const text = (value: unknown) => (typeof value === "string" ? value : null);
  return new BrokerError({
    name: text(name) ?? "Error",
    type: text(type),
    // OpenSSL's have slashes: ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE.
    code: text(code)?.replaceAll("/", "_") ?? null,
    message: text(message) ?? "the client failed",
    broker: text(broker),
  });
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
