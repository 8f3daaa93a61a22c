import { BusyError, UnreadableError } from "../../history/history.ts";
import { QueryError } from "../../history/parse.ts";
import { Refusal } from "../auth/refusal.ts";

/** What questions to the history are answered with where they are none, or cannot be answered now. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof QueryError)
    return new Refusal(400, error.message, {}, { fields: error.problems });
  if (error instanceof BusyError)
    return new Refusal(error.own ? 429 : 503, error.message, {
      "Retry-After": String(error.retryAfterS),
    });
  if (error instanceof UnreadableError)
    return new Refusal(503, error.message, { "Retry-After": "1" });
  // The program ends, and nothing is wrong with it.
  if (error instanceof Error && error.name === "AbortError")
    return new Refusal(503, "kube-crier is ending; ask again in a moment", { "Retry-After": "5" });
  return null;
}
