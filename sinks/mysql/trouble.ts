import { retryable } from "../../src/sink/index.ts";
import { DatabaseError, FileError } from "./driver.ts";
import { failureOf, type Failure } from "./errors.ts";
import { LayoutError, type Target } from "./table.ts";

/** What any error on the way to the table means; one that is none of these is a bug and thrown on. */
export function troubleOf(error: unknown, target: Target): Failure {
  if (error instanceof DatabaseError) return failureOf(error, target);
  if (error instanceof FileError) {
    const problem = { message: error.message, hint: "mount the file, or mend its path" };
    return { about: "arrangement", verdict: retryable("tls", error.message), problem };
  }
  if (error instanceof LayoutError) {
    const [first] = error.problems;
    const detail = first === undefined ? error.message : `${first.message}; ${first.hint ?? ""}`;
    return {
      about: "arrangement",
      verdict: retryable("server", detail),
      problem: first ?? { message: error.message, hint: null },
    };
  }
  throw error;
}
