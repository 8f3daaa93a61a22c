import { ConfigError, type ConfigIssue } from "../config/config.ts";
import { UnreadableError } from "../history/history.ts";

/** One end of what joins two threads: a Worker, or the port of whoever runs in one. */
export interface Wire {
  postMessage(message: unknown, handedOver: []): void;
  on(event: "message", take: (message: Packet) => void): unknown;
}

/** What one side answers, by name. What goes in and comes out is copied: plain data. */
export type Answers = Readonly<Record<string, (...given: never[]) => unknown>>;

type Packet =
  | {
      readonly kind: "ask";
      readonly id: number;
      readonly name: string;
      readonly given: readonly unknown[];
    }
  | { readonly kind: "answer"; readonly id: number; readonly answer: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly failure: Failure };

interface Failure {
  readonly name: string;
  readonly message: string;
  /** Of a ConfigError. */
  readonly issues: readonly ConfigIssue[] | null;
}

/** Whoever was asked is not there any more. */
export class LostError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LostError";
  }
}

/** Questions and answers between two threads, both ways; an error crosses as what it is. */
export class Calls<Theirs extends Answers> {
  readonly #wire: Wire;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;
  #lost: LostError | null = null;

  constructor(wire: Wire, own: Answers) {
    this.#wire = wire;
    wire.on("message", (packet) => {
      if (packet.kind === "ask") void this.#answer(packet, own[packet.name]);
      else this.#settle(packet);
    });
  }

  async ask<Name extends keyof Theirs & string>(
    name: Name,
    ...given: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    if (this.#lost !== null) throw this.#lost;
    this.#last += 1;
    const id = this.#last;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    try {
      this.#send({ kind: "ask", id, name, given });
      return (await asked.promise) as Awaited<ReturnType<Theirs[Name]>>;
    } finally {
      this.#asked.delete(id);
    }
  }

  /** Nobody answers any more. */
  lose(why: string): void {
    this.#lost ??= new LostError(why);
    for (const asked of this.#asked.values()) asked.reject(this.#lost);
  }

  async #answer(
    { id, name, given }: Packet & { kind: "ask" },
    own: Answers[string] | undefined,
  ): Promise<void> {
    try {
      if (own === undefined) throw new Error(`nobody answers "${name}"`);
      this.#send({ kind: "answer", id, answer: await own(...(given as never[])) });
    } catch (error) {
      this.#send({ kind: "failed", id, failure: failureOf(error) });
    }
  }

  #settle(packet: Exclude<Packet, { kind: "ask" }>): void {
    const asked = this.#asked.get(packet.id);
    if (packet.kind === "answer") asked?.resolve(packet.answer);
    else asked?.reject(errorOf(packet.failure));
  }

  #send(packet: Packet): void {
    // The list of what is handed over, not copied: nothing.
    this.#wire.postMessage(packet, []);
  }
}

function failureOf(error: unknown): Failure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message, issues: error instanceof ConfigError ? error.issues : null };
}

function errorOf({ name, message, issues }: Failure): Error {
  if (issues !== null) return new ConfigError(issues);
  if (name === "UnreadableError") return new UnreadableError(message);
  return Object.assign(new Error(message), { name });
}
