import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

const MIB = 1024 * 1024;

/** One line of the CSV. Sizes are in MiB. */
export interface Measured {
  readonly seconds: number;
  readonly rss: number;
  /** Of it, what is its own: not the pages of Node's executable, of which the kernel maps more or fewer as it likes. */
  readonly anon: number;
  /** Of V8, in use. */
  readonly heap: number;
  readonly fds: number;
  readonly ledger: number;
  readonly wal: number;
  readonly occurrences: number;
  readonly deliveries: number;
  readonly pending: number;
}

/** What can be seen of a process from outside, and what it says of itself. Linux. */
export async function measure(
  pid: number,
  url: string,
  dataDir: string,
  seconds: number,
): Promise<Measured> {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kept = (name: string) =>
    rounded(Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status)?.[1]) / 1024);
  const fds = readdirSync(`/proc/${pid}/fd`).length;
  const database = path.join(dataDir, "ledger.db");
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return {
    seconds: Math.round(seconds),
    rss: kept("VmRSS"),
    anon: kept("RssAnon"),
    heap: rounded(sumOf(metrics, "nodejs_heap_size_used_bytes") / MIB),
    fds,
    ledger: sizeOf(database),
    wal: sizeOf(`${database}-wal`),
    ...rowsOf(database),
    pending: sumOf(metrics, "kube_crier_deliveries_pending"),
  };
}

/** The samples as a CSV, written as they come: what there is so far is there even if the end is not reached. */
export class Record {
  readonly #file: string;
  #begun = false;

  constructor(file: string) {
    this.#file = file;
  }

  add(sample: Measured): void {
    if (!this.#begun) writeFileSync(this.#file, `${Object.keys(sample).join(",")}\n`);
    this.#begun = true;
    appendFileSync(this.#file, `${Object.values(sample).join(",")}\n`);
  }
}

/** The sum of all series of a metric. */
export function sumOf(metrics: string, name: string): number {
  return metrics
    .split("\n")
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

function rowsOf(database: string): { occurrences: number; deliveries: number } {
  const db = new DatabaseSync(database, { readOnly: true, timeout: 5_000 });
  try {
    const count = (table: string) =>
      Number(db.prepare(`SELECT COUNT(*) AS n FROM ${table}`).get()?.["n"]);
    return { occurrences: count("occurrence"), deliveries: count("delivery") };
  } finally {
    db.close();
  }
}

function sizeOf(file: string): number {
  return rounded((statSync(file, { throwIfNoEntry: false })?.size ?? 0) / MIB);
}

function rounded(mebibytes: number): number {
  return Math.round(mebibytes * 100) / 100;
}
