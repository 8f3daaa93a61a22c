import type { ResumeCause } from "../../observe/observer.ts";
import { ApiError, ConnectionError, CredentialsError, ForbiddenError } from "./errors.ts";

/** A watch that we left, or that ended as no watch should. */
export class Interrupted extends Error {
  readonly resume: ResumeCause;

  constructor(resume: ResumeCause, message: string) {
    super(message);
    this.name = "Interrupted";
    this.resume = resume;
  }
}

export interface Failure {
  readonly cause: ResumeCause;
  readonly detail: string;
  /** What the server asked for; 0 where it said nothing. */
  readonly waitMs: number;
}

/** However long a Retry-After is, one tries again after this. */
const LONGEST_WAIT_MS = 600_000;

/** What is worth trying again, and how it is called; `null`: a bug of ours. */
export function classify(error: unknown): Failure | null {
  if (error instanceof ApiError) {
    const waitMs = Math.min(error.retryAfterMs ?? 0, LONGEST_WAIT_MS);
    const cause = error.status === 429 ? "throttled" : error.gone ? "expired" : "server";
    return { cause, detail: error.message, waitMs };
  }
  if (error instanceof Interrupted)
    return { cause: error.resume, detail: error.message, waitMs: 0 };
  if (error instanceof ForbiddenError)
    return { cause: "server", detail: `${error.message} (${error.hint})`, waitMs: 0 };
  if (error instanceof ConnectionError || error instanceof CredentialsError)
    return { cause: "network", detail: error.message, waitMs: 0 };
  return null;
}
