import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import mysql, { type Connection } from "mysql2/promise";
import { freePort } from "./ports.ts";
import { ServerProcess } from "./server-process.ts";

const run = promisify(execFile);
const PLACES = ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];

function program(...names: readonly string[]): string | null {
  for (const folder of [...(process.env["PATH"] ?? "").split(":"), ...PLACES])
    for (const name of names)
      if (existsSync(path.join(folder, name))) return path.join(folder, name);
  return null;
}

const server = program("mariadbd");
const installer = program("mariadb-install-db");
export const haveMariadb = server !== null && installer !== null;

export interface MariadbOptions {
  /** Further options of mariadbd. */
  readonly args?: readonly string[];
}

/** A MariaDB of the test's own: in a temporary directory, on a loopback port and a socket. */
export class Mariadb {
  readonly dir: string;
  readonly port: number;
  readonly #args: readonly string[];
  readonly #process = new ServerProcess("mariadbd");

  private constructor(dir: string, port: number, args: readonly string[]) {
    this.dir = dir;
    this.port = port;
    this.#args = args;
  }

  /** Installed and started; `root` has no password. */
  static async start({ args = [] }: MariadbOptions = {}): Promise<Mariadb> {
    const dir = mkdtempSync(path.join(tmpdir(), "kube-crier-mariadb-"));
    await run(installer ?? "", [
      "--no-defaults",
      `--datadir=${dir}/data`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      ...asUser(),
    ]);
    const mariadb = new Mariadb(dir, await freePort(), args);
    await mariadb.up();
    return mariadb;
  }

  get socket(): string {
    return path.join(this.dir, "mysqld.sock");
  }

  /** Resolves when it answers on its own port. */
  async up(): Promise<void> {
    await this.#process.up({
      command: server ?? "",
      args: [
        "--no-defaults",
        `--datadir=${this.dir}/data`,
        `--socket=${this.socket}`,
        `--pid-file=${this.dir}/pid`,
        "--bind-address=127.0.0.1",
        `--port=${this.port}`,
        "--skip-name-resolve",
        "--innodb-buffer-pool-size=128M",
        ...asUser(),
        ...this.#args,
      ],
      ready: async () => {
        try {
          const connection = await this.root();
          // Somebody else's server could have the port.
          const [[row]] = await connection.query<mysql.RowDataPacket[]>("SELECT @@datadir AS dir");
          await connection.end();
          return String(row?.["dir"]).startsWith(this.dir) ? true : undefined;
        } catch {
          return undefined;
        }
      },
    });
  }

  /** As a machine that dies. */
  kill(): Promise<void> {
    return this.#process.end("SIGKILL");
  }

  /** As an administrator would. */
  down(): Promise<void> {
    return this.#process.end("SIGTERM");
  }

  /** It is there, and says nothing. */
  pause(): void {
    this.#process.freeze();
  }

  goOn(): void {
    this.#process.thaw();
  }

  async destroy(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  root(database?: string): Promise<Connection> {
    return mysql.createConnection({
      host: "127.0.0.1",
      port: this.port,
      user: "root",
      multipleStatements: true,
      dateStrings: true,
      ...(database === undefined ? {} : { database }),
    });
  }

  /** Statements as root; the rows of the last one. */
  async sql(text: string, database?: string): Promise<mysql.RowDataPacket[]> {
    const connection = await this.root(database);
    try {
      const [result] = await connection.query<mysql.RowDataPacket[]>(text);
      return result;
    } finally {
      await connection.end();
    }
  }
}

/** mariadbd refuses to run as root unless told so. */
function asUser(): readonly string[] {
  return userInfo().uid === 0 ? ["--user=root"] : [];
}

/** A test database's name, new each time. */
export function databaseNames(): () => string {
  let made = 0;
  return () => `t${(made += 1)}`;
}
