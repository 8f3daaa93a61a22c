import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Result } from "../harness/table.ts";
import { imageSettings } from "../image.ts";
import { fileEvents } from "./events.ts";
import { usageOf } from "./usage.ts";

const SAMPLE_MS = 250;
const LIMIT_MS = 600_000;

/** Makes the file that is read, the same for the same count and seed. */
export async function makeFile(file: string, count: number, seed = 1): Promise<void> {
  const from = new Date("2026-01-01T00:00:00Z");
  await pipeline(fileEvents({ count, seed, from }), createWriteStream(file));
}

interface Run {
  /** Begins with the program; the next argument is a file. */
  readonly command: readonly string[];
  /** A line of its output with which the work is begun; `null`: it begins with the process. */
  readonly begins: string | null;
  /** The same for the end; `null`: it ends with the process. */
  readonly ends: string | null;
}

/** Runs a program until it says that it has read everything. */
async function measured(run: Run, count: number): Promise<Result> {
  const [program = "", ...args] = run.command;
  let began = Date.now();
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const done = new Promise<number>((resolve, reject) => {
    let said = "";
    const hear = (chunk: Buffer) => {
      said = `${said}${String(chunk)}`.slice(-4000);
      if (run.begins !== null && String(chunk).includes(run.begins)) began = Date.now();
      if (run.ends !== null && String(chunk).includes(run.ends)) resolve(Date.now());
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", (code) => {
      if (run.ends === null && code === 0) resolve(Date.now());
      else reject(new Error(`it ended with ${code}: ${said}`));
    });
  });
  const own = usageOf(child.pid ?? 0);
  let usage = own;
  let rss = 0;
  const sample = () => {
    usage = usageOf(child.pid ?? 0) ?? usage;
    rss = Math.max(rss, usage?.rssKiB ?? 0);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  try {
    const ms = (await done) - began;
    sample();
    return {
      events: count,
      ms,
      perSecond: Math.round((count / Math.max(1, ms)) * 1000),
      cpuMicroseconds: Math.round(((usage?.cpuSeconds ?? 0) / count) * 1e6),
      process: {
        rssPeakMiB: Math.round(rss / 1024),
        rssEndMiB: Math.round((usage?.rssKiB ?? 0) / 1024),
      },
    };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  } finally {
    clearInterval(timer);
    clearTimeout(limit);
    child.kill("SIGKILL");
    await exited;
  }
}

/** Cuts the file into lines and parses each: the floor. */
export function readLines(file: string, count: number): Promise<Result> {
  const command = [process.execPath, path.join(import.meta.dirname, "lines.ts"), file];
  return measured({ command, begins: null, ends: null }, count);
}

/** @param wanted whether a sink wants them: then all of them are owed, for it takes requests and never answers */
export async function readByCrier(
  bundle: string,
  file: string,
  count: number,
  work: string,
  wanted: boolean,
): Promise<Result> {
  const dataDir = path.join(work, "state-file");
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(dataDir, { recursive: true });
  const deaf = http.createServer((request) => request.resume());
  await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
  const { port } = deaf.address() as AddressInfo;
  const which = wanted ? "level=Normal" : "namespaces=none-of-them";
  // As the image starts it.
  const command = [
    "env",
    ...imageSettings(),
    process.execPath,
    bundle,
    "run",
    `--source=file:${file}`,
    "--stay",
    `--sink=webhook:http://127.0.0.1:${port}/?${which}`,
    `--data-dir=${dataDir}`,
    "--ledger-max=8GiB",
    "--listen=127.0.0.1:0",
  ];
  try {
    const begins = "file: connecting";
    const result = await measured({ command, begins, ends: "read to its end" }, count);
    const files = readdirSync(dataDir).map((name) => statSync(path.join(dataDir, name)).size);
    const bytes = files.reduce((sum, size) => sum + size, 0);
    return { ...result, stateMiB: Math.round(bytes / 1_048_576) };
  } finally {
    deaf.closeAllConnections();
    deaf.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
