import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");

export interface CrierOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** A file in place of the pipe by which its standard output is read. */
  readonly stdout?: number;
}

/** The sources; CI names the bundle, so that the end-to-end tests run what the image runs. */
export const PROGRAM = path.resolve(ROOT, process.env["KUBE_CRIER_BIN"] ?? "src/bin.js");

/** kube-crier as a process of its own, as a user starts it. */
export class Crier {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], options: CrierOptions = {}) {
    this.#child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["pipe", options.stdout ?? "pipe", "pipe"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.#child.stdin?.on("error", () => undefined).end(options.stdin ?? "");
    this.#ended = once(this.#child, "close").then(() => this.#child.exitCode);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The signal that ended it; `null`: none has. */
  get exitedBy(): NodeJS.Signals | null {
    return this.#child.signalCode;
  }

  /** The log lines so far, as objects. */
  get log(): Record<string, unknown>[] {
    return this.stderr.split("\n").flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
  }

  /** Where it listens; `null`: it has not said so yet. */
  get address(): string | null {
    return /http:\/\/127\.0\.0\.1:\d+/.exec(this.stderr)?.[0] ?? null;
  }

  /** The exit code; `null` after a signal. */
  ended(): Promise<number | null> {
    return this.#ended;
  }

  /** Whoever read its output goes away, as `head` does. */
  closeOutput(which: "stdout" | "stderr"): void {
    this.#child[which]?.destroy();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it at once if it still runs; for clean-up. */
  async destroy(): Promise<void> {
    if (this.running) this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Waits until it has said on which port it listens. */
  url(): Promise<string> {
    return until(() => {
      if (!this.running) throw new Error(`ended before it listened:\n${this.stderr}`);
      return this.address ?? undefined;
    }, "a line that says where it listens");
  }

  /** Waits until it has said where its page is. */
  page(): Promise<string> {
    return until(() => {
      if (!this.running) throw new Error(`ended before it served the page:\n${this.stderr}`);
      return /the page is at (http:\/\/[\d.]+:\d+)/.exec(this.stderr)?.[1];
    }, "a line that says where the page is");
  }

  /** Waits until these words are in its log. */
  async says(words: string): Promise<void> {
    await until(() => {
      if (!this.running) throw new Error(`ended before it said "${words}":\n${this.stderr}`);
      return this.stderr.includes(words) ? true : undefined;
    }, `"${words}" in the log`);
  }

  async ready(): Promise<string> {
    const url = await this.url();
    await until(async () => {
      if (!this.running) throw new Error(`ended before it was ready:\n${this.stderr}`);
      // It may end between the look and the question; then the next look says why.
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    }, "/readyz to answer 200");
    return url;
  }
}

/** Runs it to its end and answers everything it said. */
export async function crier(
  args: readonly string[],
  options: CrierOptions = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const process = new Crier(args, options);
  const code = await process.ended();
  return { code, stdout: process.stdout, stderr: process.stderr };
}

/** Asks again until there is an answer. For another process's work, which no clock of ours can move. */
export async function until<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  what: string,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > end) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
