import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "./crier.ts";

export interface Starting<T> {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** What is asked again until there is an answer, of what it has said so far: does it serve? */
  readonly ready: (said: string) => T | undefined | Promise<T | undefined>;
}

/** Somebody else's server, as a process of the test's own. */
export class ServerProcess {
  readonly #name: string;
  #child: ChildProcess | null = null;

  /** @param name for the errors */
  constructor(name: string) {
    this.#name = name;
  }

  /** Resolves when it serves; fails with the last it said where it ends instead. */
  async up<T>({ command, args, cwd, ready }: Starting<T>): Promise<T> {
    const child = spawn(command, args, {
      stdio: ["pipe", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child = child;
    let said = "";
    // It need not read what nobody writes.
    child.stdin.on("error", () => undefined);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    return until(() => {
      if (child.exitCode !== null) throw new Error(`${this.#name} ended:\n${said.slice(-3_000)}`);
      return ready(said);
    }, `${this.#name} to answer`);
  }

  /** SIGKILL: as a machine that dies. SIGTERM: as an administrator would. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  /** Holds its breath: connections stay open and nothing is answered. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }
}
