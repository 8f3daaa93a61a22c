import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Document, MongoClient } from "mongodb";
import { type Found, goProgram } from "./go-program.ts";
import { ServerProcess } from "./server-process.ts";

/** FerretDB 1, which speaks MongoDB's wire protocol over SQLite. */
export function findFerretdb(): Promise<Found> {
  return goProgram({
    name: "ferretdb",
    module: "github.com/FerretDB/FerretDB",
    command: "./cmd/ferretdb",
    tags: "ferretdb_no_postgresql",
    versionFile: "build/version/version.txt",
  });
}

export interface FerretdbOptions {
  /** Asks for this user; without it, for none. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Speaks TLS, and with a CA asks the client for its certificate. PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

/** One of the test's own: in a temporary directory, on a loopback port. */
export class Ferretdb {
  readonly #program: string;
  readonly #options: FerretdbOptions;
  readonly #dir = mkdtempSync(path.join(tmpdir(), "kube-crier-ferretdb-"));
  readonly #process = new ServerProcess("FerretDB");
  #port = "0";

  private constructor(program: string, options: FerretdbOptions) {
    this.#program = program;
    this.#options = options;
  }

  static async start(program: string, options: FerretdbOptions = {}): Promise<Ferretdb> {
    const ferretdb = new Ferretdb(program, options);
    await ferretdb.up();
    return ferretdb;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Resolves when it listens. On the port it had before, if it had one. */
  async up(): Promise<void> {
    const { user, tls } = this.#options;
    this.#port = await this.#process.up({
      command: this.#program,
      args: [
        "--handler=sqlite",
        `--sqlite-url=file:${this.#dir}/`,
        "--state-dir=-",
        "--debug-addr=-",
        "--telemetry=disable",
        `--listen-addr=${tls === undefined ? this.host : ""}`,
        ...(tls === undefined
          ? []
          : [
              `--listen-tls=${this.host}`,
              `--listen-tls-cert-file=${tls.cert}`,
              `--listen-tls-key-file=${tls.key}`,
              ...(tls.ca === undefined ? [] : [`--listen-tls-ca-file=${tls.ca}`]),
            ]),
        ...(user === undefined
          ? []
          : [
              "--test-enable-new-auth",
              "--setup-database=admin",
              `--setup-username=${user.name}`,
              `--setup-password=${user.password}`,
            ]),
      ],
      ready: (said) => /Listening on (?:TCP|TLS) 127\.0\.0\.1:(\d+)/.exec(said)?.[1],
    });
  }

  /** As a machine that dies. */
  kill(): Promise<void> {
    return this.#process.end("SIGKILL");
  }

  async destroy(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** As somebody else who looks: what is in a collection, by the driver of MongoDB itself. */
  async documents(uri: string, collection = "event", database = "k8s"): Promise<Document[]> {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
    try {
      return await client.db(database).collection(collection).find().toArray();
    } finally {
      await client.close();
    }
  }
}
