import { readFileSync } from "node:fs";
import { createConnection, isIP, type Socket } from "node:net";
import type { Connection as MysqlConnection } from "mysql2/promise";
import type { Dsn } from "./dsn.ts";
import type { DriverError } from "./errors.ts";

/** The one door of the driver: everything else here speaks of text, rows and `DriverError`. */

export interface ConnectOptions {
  readonly dsn: Dsn;
  /** Files, read at each connection: what renews certificates replaces them in place. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly timeoutMs: number;
  /** Whether `script` is wanted: nobody else's requests hold more than one statement. */
  readonly scripts?: boolean;
  /** Until it is made: gives it up. */
  readonly signal?: AbortSignal;
}

export type Cell = string | number | null;

export interface Connection {
  /** A prepared statement: values never become part of its text. Rejects with `DatabaseError`. */
  execute(sql: string, values: readonly string[]): Promise<readonly (readonly Cell[])[]>;
  /** Without values; answers rows as lists. */
  query(sql: string): Promise<readonly (readonly Cell[])[]>;
  /** Several statements in one request, without values; answers the rows of each. What fails ends it. Only where `scripts` was asked for. */
  script(sql: string, timeoutMs: number): Promise<readonly (readonly (readonly Cell[])[])[]>;
  /** Whether the server would run it: prepares it and throws it away. */
  prepare(sql: string): Promise<void>;
  /** How many rows the last statement changed. */
  readonly changed: number;
  readonly open: boolean;
  /** At once; what is under way is rejected. */
  destroy(): void;
  end(): Promise<void>;
}

export class DatabaseError extends Error implements DriverError {
  readonly code: string;
  readonly errno: number | null;

  constructor({ code, errno, message }: DriverError) {
    super(message);
    this.code = code;
    this.errno = errno;
  }
}

const SESSION =
  "SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'";

/** A certificate or key that cannot be read. */
export class FileError extends Error {}

/** UTC, utf8mb4, and errors in place of values bent to fit. @throws DatabaseError, FileError */
export async function connect(options: ConnectOptions): Promise<Connection> {
  try {
    return await open(options, options.dsn.tls);
  } catch (error) {
    const unencrypted = error instanceof DatabaseError && error.code === "HANDSHAKE_NO_SSL_SUPPORT";
    if (!unencrypted || options.dsn.tls !== "preferred" || options.ca !== null) throw error;
    return open(options, "false");
  }
}

async function open(options: ConnectOptions, tls: Dsn["tls"]): Promise<Connection> {
  const { dsn, timeoutMs, signal } = options;
  const ssl = sslOf(options, tls);
  // Only those who have such a sink load the driver.
  const { default: mysql } = await import("mysql2/promise");
  return translated(async () => {
    const socket = socketTo(dsn);
    const giveUp = () => socket.destroy();
    signal?.addEventListener("abort", giveUp, { once: true });
    const connecting = mysql.createConnection({
      user: dsn.user,
      password: dsn.password,
      database: dsn.database,
      host: dsn.host,
      port: dsn.port,
      stream: () => socket,
      ...(ssl === null ? {} : { ssl }),
      charset: "utf8mb4_general_ci",
      // Times are written and read as the text they are.
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      rowsAsArray: true,
      connectTimeout: timeoutMs,
      multipleStatements: options.scripts === true,
      // A server that asks for a file of ours gets none.
      flags: ["-LOCAL_FILES"],
      connectAttributes: { program_name: "kube-crier" },
    });
    const connection = await connecting.finally(() => signal?.removeEventListener("abort", giveUp));
    const wrapped = new Wrapped(connection, socket);
    try {
      await connection.query({ sql: SESSION, timeout: timeoutMs });
    } catch (error) {
      wrapped.destroy();
      throw error;
    }
    return wrapped;
  });
}

function socketTo({ socket: path, host, port }: Dsn): Socket {
  if (path !== null) return createConnection({ path });
  const socket = createConnection({ host, port });
  socket.setKeepAlive(true, 10_000);
  socket.setNoDelay(true);
  // The name a certificate is compared with, which Node remembers for names only: without it an address would be taken for "localhost" and refused.
  return isIP(host) === 0 ? socket : Object.assign(socket, { _host: host });
}

function sslOf({ ca, cert, key }: ConnectOptions, tls: Dsn["tls"]) {
  if (tls === "false" && ca === null) return null;
  const trusted = tls !== "skip-verify" && (tls !== "preferred" || ca !== null);
  return {
    ...(ca === null ? {} : { ca: file(ca, "ca") }),
    ...(cert === null ? {} : { cert: file(cert, "cert") }),
    ...(key === null ? {} : { key: file(key, "key") }),
    minVersion: "TLSv1.2",
    rejectUnauthorized: trusted,
    verifyIdentity: trusted,
  };
}

function file(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new FileError(
      `${option} ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

class Wrapped implements Connection {
  readonly #connection: MysqlConnection;
  readonly #socket: Socket;
  #open = true;
  changed = 0;

  constructor(connection: MysqlConnection, socket: Socket) {
    this.#connection = connection;
    this.#socket = socket;
    const closed = () => {
      this.#open = false;
    };
    // Without a listener an error while nothing is asked would end the process.
    connection.on("error", closed);
    connection.on("end", closed);
  }

  get open(): boolean {
    return this.#open;
  }

  execute(sql: string, values: readonly string[]) {
    return this.#rows(() => this.#connection.execute(sql, [...values]));
  }

  query(sql: string) {
    return this.#rows(() => this.#connection.query(sql));
  }

  script(sql: string, timeoutMs: number) {
    return translated(async () => {
      const [results] = await this.#connection.query({ sql, timeout: timeoutMs });
      // Of a statement that answers no rows: how many it changed.
      return (results as unknown as readonly unknown[]).map((rows) =>
        Array.isArray(rows) ? (rows as readonly (readonly Cell[])[]) : [],
      );
    });
  }

  prepare(sql: string): Promise<void> {
    return translated(async () => {
      const statement = await this.#connection.prepare(sql);
      await statement.close();
    });
  }

  /** The driver's own would close its half of the connection, and never reject what a server that hangs is asked. */
  destroy(): void {
    this.#open = false;
    this.#socket.destroy();
  }

  /** After what is under way. Says goodbye, and waits for no answer to that. */
  async end(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#connection.end().catch(() => undefined);
    this.#socket.destroySoon();
  }

  #rows(ask: () => Promise<readonly [unknown, unknown]>): Promise<readonly (readonly Cell[])[]> {
    return translated(async () => {
      const [result] = await ask();
      if (Array.isArray(result)) return result as readonly (readonly Cell[])[];
      this.changed = (result as { readonly affectedRows?: number }).affectedRows ?? 0;
      return [];
    });
  }
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    throw new DatabaseError(described(error));
  }
}

function described(error: unknown): DriverError {
  if (!(error instanceof Error)) return { code: "UNKNOWN", errno: null, message: String(error) };
  const { code, errno, sqlState } = error as {
    readonly code?: unknown;
    readonly errno?: unknown;
    readonly sqlState?: unknown;
  };
  // Errors of the system have numbers, too, below 0; only what the server said has an SQL state.
  const byServer = typeof errno === "number" && errno > 0 && sqlState !== undefined;
  // Every address of a name was tried: the first says why.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  if (first instanceof Error && error.message === "") return described(first);
  return {
    code: typeof code === "string" ? code : error.name,
    errno: byServer ? errno : null,
    message: error.message,
  };
}
