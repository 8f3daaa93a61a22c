import { accepted, retryable, type Verdict } from "../../src/sink/index.ts";

/** Accepted when it is written: a reader that is slow is waited for, and one that has gone gets it when there is another. */
export function writeLine(
  stdout: NodeJS.WritableStream,
  line: string,
  signal: AbortSignal,
): Promise<Verdict> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(retryable("network", "ended before it was written: shutting down"));
      return;
    }
    const abort = () => resolve(retryable("network", "ended while waiting for the reader"));
    signal.addEventListener("abort", abort, { once: true });
    stdout.write(`${line}\n`, (error) => {
      signal.removeEventListener("abort", abort);
      if (error === null || error === undefined) resolve(accepted);
      else resolve(retryable("network", problemOf(error)));
    });
  });
}

function problemOf({ code, message }: NodeJS.ErrnoException): string {
  // A write after the one that was refused.
  const isGone = code === undefined || code === "EPIPE" || code.startsWith("ERR_STREAM_");
  return isGone
    ? "standard output is closed: its reader has gone"
    : `standard output cannot be written: ${message}`;
}
