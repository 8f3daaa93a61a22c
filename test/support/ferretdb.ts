import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Document, MongoClient } from "mongodb";
import { until } from "./crier.ts";

const run = promisify(execFile);
/** Names the module, and the sums by which Go knows that it got that and nothing else. */
const MODULE = path.resolve(import.meta.dirname, "ferretdb");
const PACKAGE = "github.com/FerretDB/FerretDB";
/** On two cores that others use, too. */
const BUILD_MS = 9 * 60_000;

export type Found = { readonly program: string } | { readonly missing: string };

/**
 * FerretDB 1, which speaks MongoDB's wire protocol over SQLite: built from its Go module the first time, and kept in the user's cache.
 * Where there is no Go 1.24, or the module cannot be had, the words say so.
 */
export async function findFerretdb(): Promise<Found> {
  const sums = readFileSync(path.join(MODULE, "go.sum"), "utf8");
  const name = `ferretdb-${createHash("sha256").update(sums).digest("hex").slice(0, 12)}`;
  const cache = process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache");
  const program = path.join(cache, "kube-crier", name);
  if (existsSync(program)) return { program };
  try {
    mkdirSync(path.dirname(program), { recursive: true });
    await build(program);
    return { program };
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { missing: `FerretDB cannot be built (it takes Go 1.24): ${words.slice(0, 500)}` };
  }
}

async function build(program: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-ferretdb-"));
  const options = {
    timeout: BUILD_MS,
    env: {
      ...process.env,
      GOTOOLCHAIN: "local",
      PATH: `${process.env["PATH"] ?? ""}:/usr/local/go/bin:/usr/lib/go/bin`,
    },
  };
  try {
    const { stdout } = await run("go", ["mod", "download", "-json", PACKAGE], {
      ...options,
      cwd: MODULE,
    });
    const { Dir, Version } = JSON.parse(stdout) as { Dir: string; Version: string };
    const source = path.join(folder, "source");
    cpSync(Dir, source, { recursive: true });
    await run("chmod", ["-R", "u+w", source]);
    // Its own release writes this file, and it does not start without.
    writeFileSync(path.join(source, "build/version/version.txt"), `${Version}\n`);
    const made = `${program}.${process.pid}`;
    await run(
      "go",
      ["build", "-buildvcs=false", "-tags=ferretdb_no_postgresql", "-o", made, "./cmd/ferretdb"],
      { ...options, cwd: source },
    );
    renameSync(made, program);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
  #child: ChildProcess | null = null;
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
    const child = spawn(
      this.#program,
      [
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
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#child = child;
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
    await until(() => {
      if (child.exitCode !== null) throw new Error(`FerretDB ended:\n${said}`);
      const port = /Listening on (?:TCP|TLS) 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port !== undefined) this.#port = port;
      return Promise.resolve(port);
    }, "FerretDB to listen");
  }

  /** As a machine that dies. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
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
