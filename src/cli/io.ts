import type { Readable } from "node:stream";
import type { Clock } from "../clock.ts";
import type { Env } from "../config/secrets.ts";

/** What a command may touch of the process it runs in. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Env;
  readonly clock: Clock;
  /** Aborts when the process is told to end, or, with `READER_GONE`, when nobody reads standard output any more. */
  readonly signal: AbortSignal;
  /** Aborts when standard output cannot be written, as on a full disk. */
  readonly unwritable?: AbortSignal;
}

/** `kube-crier history | head` has seen enough, which is no mistake of anybody's. */
export const READER_GONE = "nobody reads standard output any more";

/** Exit codes, as documented in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** Ended by a second signal, without draining. */
  interrupted: 1,
  /** The configuration or the command line has mistakes; nothing was started. */
  usage: 2,
  /** Something is dead, refused or lost, or could not be printed. */
  failed: 3,
  /** Another replica may lead now; started again, it stands by. */
  deposed: 4,
  /** An error of the program itself. */
  internal: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A line that is written again in its place: where a person looks, on a terminal that can. */
export function renews(io: Io, stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && io.env["TERM"] !== "dumb";
}

/** Colour only where a person looks, and never against NO_COLOR (no-color.org). */
export function wantsColour(io: Io, stream: { readonly isTTY?: boolean }): boolean {
  return renews(io, stream) && (io.env["NO_COLOR"] ?? "") === "";
}
