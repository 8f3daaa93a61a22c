import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Found, goProgram } from "./go-program.ts";
import { ServerProcess } from "./server-process.ts";

const PLACES = [...(process.env["PATH"] ?? "").split(":"), "/usr/bin", "/usr/local/bin"];
/** Of InfluxDB 1.6, as Debian's package `influxdb` has it. */
const packaged = PLACES.map((folder) => path.join(folder, "influxd")).find((file) =>
  existsSync(file),
);

export function findInfluxd(): Found {
  return packaged === undefined
    ? { missing: "there is no influxd; Debian's package is influxdb" }
    : { program: packaged };
}

/** InfluxDB 1.8, which has the API of InfluxDB 2 beside its own: a token is USER:PASSWORD, a bucket DATABASE/POLICY. */
export function findInfluxd18(): Promise<Found> {
  return goProgram({
    name: "influxdb",
    module: "github.com/influxdata/influxdb",
    command: "./cmd/influxd",
  });
}

const ADMIN = { u: "admin", p: "admin-0123" };

/** One of the test's own, which asks for a user: in a temporary directory, on a loopback port. */
export class Influxd {
  readonly dir = mkdtempSync(path.join(tmpdir(), "kube-crier-influxd-"));
  readonly #program: string;
  readonly #process = new ServerProcess("influxd");
  #port = "0";

  private constructor(program: string) {
    this.#program = program;
  }

  static async start(program: string): Promise<Influxd> {
    const influxd = new Influxd(program);
    await influxd.up();
    await influxd.query(`CREATE USER ${ADMIN.u} WITH PASSWORD '${ADMIN.p}' WITH ALL PRIVILEGES`);
    return influxd;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Resolves when it answers. On the port it had before, if it had one. */
  async up(): Promise<void> {
    const config = path.join(this.dir, "influxdb.conf");
    writeFileSync(
      config,
      `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
  dir = "${this.dir}/meta"
[data]
  dir = "${this.dir}/data"
  wal-dir = "${this.dir}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${this.#port}"
  auth-enabled = true
`,
    );
    await this.#process.up({
      command: this.#program,
      args: ["-config", config],
      ready: async (said) => {
        const port = /Listening on HTTP.*addr=127\.0\.0\.1:(\d+)/.exec(said)?.[1];
        if (port === undefined) return undefined;
        this.#port = port;
        const { ok } = await fetch(`${this.url}/ping`).catch(() => ({ ok: false }));
        return ok ? true : undefined;
      },
    });
  }

  /** As a machine that dies. */
  kill(): Promise<void> {
    return this.#process.end("SIGKILL");
  }

  async destroy(): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** As the administrator; rows of the only series, each by the names of its columns. */
  async query(q: string, db = ""): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const parameters = new URLSearchParams({ ...ADMIN, db, epoch: "ns" });
    const answer = await fetch(`${this.url}/query?${parameters.toString()}`, {
      method: "POST",
      body: new URLSearchParams({ q }),
    });
    const { results, error } = (await answer.json()) as Results;
    const [result] = results ?? [];
    const problem = error ?? result?.error;
    if (problem !== undefined) throw new Error(`${q}: ${problem}`);
    const [series] = result?.series ?? [];
    return (series?.values ?? []).map((row) =>
      Object.fromEntries(row.map((value, index) => [series?.columns[index] ?? "", value])),
    );
  }
}

interface Results {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly columns: readonly string[];
      readonly values?: readonly (readonly unknown[])[];
    }[];
  }[];
}
