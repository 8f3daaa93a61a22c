import { Crier, until } from "../support/crier.ts";
import type { Death } from "./books.ts";

export interface ProgramOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** kube-crier as its kubelet keeps it: whenever it ends it is started anew, and how it ended is written down. */
export class Program {
  readonly deaths: Death[] = [];
  /** Since when nothing can be written; `null`: all is well. */
  unwrittenSince: number | null = null;
  readonly #options: ProgramOptions;
  readonly #logs: string[] = [];
  #life = 0;
  #crier: Crier | null = null;
  #asked: "SIGKILL" | "SIGTERM" | null = null;
  #watched: Promise<void> = Promise.resolve();
  #over = false;

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  /** The process that runs, or ran last. */
  get life(): number {
    return this.#life;
  }

  get log(): string {
    return [...this.#logs, this.#said()].join("\n");
  }

  start(): void {
    this.#life += 1;
    this.#asked = null;
    const crier = new Crier(["run", ...this.#options.args], {
      env: { KUBECONFIG: "", ...this.#options.env },
    });
    this.#crier = crier;
    this.#watched = this.#watch(crier, this.#life);
  }

  /** Ends it, and leaves it so for a while. */
  async interrupt(signal: "SIGKILL" | "SIGTERM", forMs: number): Promise<void> {
    await this.#end(signal);
    await new Promise((resolve) => setTimeout(resolve, forMs));
    this.start();
  }

  /** Once it says so itself, of whichever process runs then. */
  async metric(line: RegExp, timeoutMs = 60_000): Promise<void> {
    await until(
      async () => {
        const text = await this.metrics();
        return text !== null && line.test(text) ? true : undefined;
      },
      `${line} in the metrics`,
      timeoutMs,
    );
  }

  /** `null` while there are none to be had. */
  async metrics(): Promise<string | null> {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(this.#crier?.stderr ?? "")?.[0];
    if (url === undefined) return null;
    return fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5_000) }).then(
      (answer) => answer.text(),
      () => null,
    );
  }

  async ready(): Promise<void> {
    await this.#crier?.ready();
  }

  /** Told to end, for good. */
  async finish(): Promise<void> {
    this.#over = true;
    await this.#end("SIGTERM");
  }

  async destroy(): Promise<void> {
    this.#over = true;
    await this.#crier?.destroy();
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    // One that could not begin may be between two starts.
    await until(() => (this.#crier?.running === true ? true : undefined), "a process to end");
    this.#asked = signal;
    this.#crier?.kill(signal);
    await this.#watched;
  }

  async #watch(crier: Crier, life: number): Promise<void> {
    const code = await crier.ended();
    const asked = this.#asked;
    this.#logs.push(this.#said());
    this.#crier = null;
    const { dead, lost } = { dead: 0, lost: 0, ...crier.log.findLast((line) => "lost" in line) };
    const { unwrittenSince } = this;
    this.deaths.push({ life, at: Date.now(), code, asked, unwrittenSince, dead, lost });
    if (asked !== null || this.#over) return;
    setTimeout(() => {
      if (!this.#over && this.#crier === null) this.start();
    }, 500);
  }

  #said(): string {
    return this.#crier === null ? "" : `process ${this.#life}:\n${this.#crier.stderr}`;
  }
}
