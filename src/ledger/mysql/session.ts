import {
  connect,
  type Cell,
  type Connection,
  DatabaseError,
  FileError,
} from "../../../sinks/mysql/driver.ts";
import { failureOf, whereOf } from "../../../sinks/mysql/errors.ts";
import { StorageError } from "../store.ts";
import type { LedgerTarget } from "./target.ts";

export type Rows = readonly (readonly Cell[])[];

const CONNECT_MS = 5_000;
/** A server that says nothing for so long is away. */
const ANSWER_MS = 8_000;
/** Where a person, or a lock, is waited for. */
export const PATIENT_MS = 60_000;
/** Who waits for a lock for longer has met a person's own transaction. MySQL 8 tells a table's size as of the day before, unless it is asked. */
const SETTINGS =
  "SET SESSION innodb_lock_wait_timeout = 5 /*!80000 , information_schema_stats_expiry = 0 */";

/** The database cannot be used now. */
export class AwayError extends StorageError {
  /** What only a person changes; `null`: it may pass by itself. */
  readonly problem: { readonly message: string; readonly hint: string | null } | null;
  /** The server itself says that the same will do when it is said again. */
  readonly isPassing: boolean;

  constructor(message: string, problem: AwayError["problem"], cause: unknown, isPassing = false) {
    super(message, cause);
    this.problem = problem;
    this.isPassing = isPassing;
  }
}

/** Another process has the ledger now. Nothing was written. */
export class FencedError extends Error {
  constructor() {
    super("another kube-crier with a higher term has taken over the ledger");
    this.name = "FencedError";
  }
}

/** One connection, made when it is needed and again after every error: what was not committed is then undone. */
export class Session {
  readonly target: LedgerTarget;
  readonly #connected: (connection: Connection) => Promise<unknown>;
  #connection: Connection | null = null;
  /** Who comes while it is made waits for the same one. */
  #opening: Promise<Connection> | null = null;
  readonly #answerMs: number;
  #ended = false;
  readonly #destroyed = new AbortController();

  /** @param connected what to do first with each new connection */
  constructor(
    target: LedgerTarget,
    answerMs = ANSWER_MS,
    connected: (connection: Connection) => Promise<unknown> = () => Promise.resolve(),
  ) {
    this.#answerMs = answerMs;
    this.target = target;
    this.#connected = connected;
  }

  /**
   * Requests of several statements each, all on one connection; answers the rows of the last statement.
   * @throws AwayError, FencedError
   */
  transaction(requests: readonly (readonly string[])[]): Promise<Rows> {
    return this.#use(async (connection) => {
      let last: Rows = [];
      for (const statements of requests) {
        // The answer to one statement alone would look like that to several.
        const script = ["DO 0", ...statements].join(";\n");
        const rows = await connection.script(script, this.#answerMs);
        last = rows.at(-1) ?? [];
      }
      return last;
    });
  }

  /** One prepared statement. @throws AwayError */
  rows(sql: string, values: readonly (string | number)[] = []): Promise<Rows> {
    return this.#use((connection) => connection.execute(sql, values.map(String)));
  }

  /** How many rows the last prepared statement changed. */
  get changed(): number {
    return this.#connection?.changed ?? 0;
  }

  /** Without a connection: the way there is part of it. */
  query(sql: string): Promise<Rows> {
    return this.#use((connection) => connection.query(sql));
  }

  /** Whether the server would run it. */
  prepare(sql: string): Promise<void> {
    return this.#use((connection) => connection.prepare(sql));
  }

  /** For good: what is asked fails at once, also where the connection is still being made. */
  destroy(): void {
    this.#ended = true;
    this.#drop();
    this.#destroyed.abort();
  }

  async end(): Promise<void> {
    this.#ended = true;
    const connection = this.#connection;
    this.#connection = null;
    await connection?.end();
  }

  async #use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const said = `${whereOf(this.target.dsn)} gives no answer in ${this.#answerMs} ms`;
      timer = setTimeout(() => reject(new AwayError(said, null, null)), this.#answerMs);
    });
    try {
      return await Promise.race([this.#open().then(work), late]);
    } catch (error) {
      this.#drop();
      throw translated(error, this.target);
    } finally {
      clearTimeout(timer);
    }
  }

  #drop(): void {
    this.#connection?.destroy();
    this.#connection = null;
  }

  #open(): Promise<Connection> {
    if (this.#connection?.open === true) return Promise.resolve(this.#connection);
    this.#opening ??= this.#made().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #made(): Promise<Connection> {
    const { signal } = this.#destroyed;
    const options = { ...this.target, timeoutMs: CONNECT_MS, scripts: true, signal };
    const connection = await connect(options);
    try {
      await connection.query(SETTINGS);
      await this.#connected(connection);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    if (this.#ended) connection.destroy();
    this.#connection = connection;
    return connection;
  }
}

/** An error of the driver in the ledger's words; any other stays what it is. */
function translated(error: unknown, target: LedgerTarget): unknown {
  if (error instanceof FileError)
    return new AwayError(
      error.message,
      { message: error.message, hint: "mount the file, or mend its path" },
      error,
    );
  if (!(error instanceof DatabaseError)) return error;
  // The fence: a number that must not be NULL becomes it where another holds the ledger.
  if (error.errno === 1048 && error.message.includes("'beat'")) return new FencedError();
  const table =
    /table '?(?:\S*[.`])?(kube_crier_\w+)/i.exec(error.message)?.[1] ?? "kube_crier_ledger";
  const { verdict, problem, about } = failureOf(error, { dsn: target.dsn, table });
  const detail = verdict.kind === "accepted" ? error.message : verdict.detail;
  return new AwayError(detail, problem, error, about === "again");
}
