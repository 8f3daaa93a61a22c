import { Crier, until } from "../support/crier.ts";
import type { Death, Reign } from "./books.ts";

export interface ProgramOptions {
  /** @param life which process it is */
  readonly args: (life: number) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Counts all processes there are, from 1 on. */
  readonly nextLife: () => number;
  /** It is one of several, and says when it leads. */
  readonly elects: boolean;
}

const patiently = () => ({ signal: AbortSignal.timeout(5_000) });

/** kube-crier as its kubelet keeps it: whenever it ends it is started anew, and how it ended is written down. */
export class Program {
  readonly deaths: Death[] = [];
  readonly reigns: Reign[] = [];
  /** When each process was started. */
  readonly starts = new Map<number, number>();
  /** Since when nothing can be written; `null`: all is well. */
  unwrittenSince: number | null = null;
  readonly #options: ProgramOptions;
  readonly #logs: string[] = [];
  #life = 0;
  #isWrittenNext = false;
  #crier: Crier | null = null;
  #asked: "SIGKILL" | "SIGTERM" | null = null;
  #watched: Promise<void> = Promise.resolve();
  #interrupted: Promise<void> = Promise.resolve();
  #over = false;

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  get log(): string {
    return [...this.#logs, this.#said()].join("\n");
  }

  /** In which term, where it is one of several; `null`: it does not. */
  get term(): number | null {
    if (this.#crier?.running !== true) return null;
    if (!this.#options.elects) return 0;
    return this.reigns.find(({ life }) => life === this.#life)?.term ?? null;
  }

  start(): void {
    this.#life = this.#options.nextLife();
    this.#asked = null;
    if (this.#isWrittenNext) this.unwrittenSince = null;
    this.#isWrittenNext = false;
    this.starts.set(this.#life, Date.now());
    const crier = new Crier(["run", ...this.#options.args(this.#life)], {
      env: { KUBECONFIG: "", ...this.#options.env },
    });
    this.#crier = crier;
    this.#watched = this.#watch(crier, this.#life);
    if (this.#options.elects) void this.#crown(crier, this.#life);
  }

  /** Ends it, and leaves it so for a while. */
  interrupt(signal: "SIGKILL" | "SIGTERM", forMs: number): Promise<void> {
    const after = async (before: Promise<void>) => {
      await before;
      await this.#end(signal);
      await new Promise((resolve) => setTimeout(resolve, forMs));
      this.start();
    };
    // Two may want it at the same time.
    this.#interrupted = after(this.#interrupted);
    return this.#interrupted;
  }

  /** From its next process on everything can be written again: this one may never get to it. */
  writtenNext(): void {
    this.#isWrittenNext = true;
  }

  /** It gets no time at all. */
  async freeze(forMs: number): Promise<void> {
    const crier = this.#crier;
    crier?.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, forMs));
    crier?.kill("SIGCONT");
  }

  /** `null` while there are none to be had. */
  async metrics(): Promise<string | null> {
    const address = this.#crier?.address ?? null;
    if (address === null) return null;
    return fetch(`${address}/metrics`, patiently()).then(
      (answer) => answer.text(),
      () => null,
    );
  }

  /** Whichever of its processes it is: one that led ends when it loses its Lease, and the next one begins. */
  async ready(): Promise<void> {
    await until(async () => {
      const address = this.#crier?.address ?? null;
      if (address === null) return undefined;
      // It may end between the look and the question.
      const answer = await fetch(`${address}/readyz`, patiently()).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    }, "a process that is ready");
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
    // One that has not said a word yet knows no signals.
    await until(
      () => (this.#crier?.running === true && this.#crier.stderr === "" ? undefined : true),
      "a process to begin",
    );
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

  /** Notes when it says that it leads. */
  async #crown(crier: Crier, life: number): Promise<void> {
    const term = await until<string>(
      () => /leading in term (\d+)/.exec(crier.stderr)?.[1] ?? (crier.running ? undefined : ""),
      "a process to lead or to end",
      Number.POSITIVE_INFINITY,
    );
    if (term !== "") this.reigns.push({ life, term: Number(term), from: Date.now() });
  }

  #said(): string {
    return this.#crier === null ? "" : `process ${this.#life}:\n${this.#crier.stderr}`;
  }
}
