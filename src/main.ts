import { main } from "./cli/main.ts";
import { EXIT, READER_GONE } from "./cli/io.ts";
import { systemClock } from "./clock.ts";
import { processEnv } from "./config/secrets.ts";
import { redact } from "./observe/redact.ts";

/** The only file that touches argv, signals and the exit code. */

const argv = process.argv.slice(2);

const told = new AbortController();
const signals: string[] = [];
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => {
    if (signals.push(name) > 1) process.exit(EXIT.interrupted);
    told.abort();
  });
}

const fatal = (error: unknown) => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `kube-crier: an error of the program itself, please report it: ${redact(text)}\n`,
  );
  process.exit(EXIT.internal);
};
process.on("uncaughtException", fatal);
process.on("unhandledRejection", fatal);

// `kube-crier history | head` closes our output: not an error. `run` ends as if told to, and keeps what it owes.
// A full disk is one; what is printed last fails after the command has answered.
const unwritable = new AbortController();
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return told.abort(READER_GONE);
  if (!unwritable.signal.aborted)
    process.stderr.write(`kube-crier: standard output cannot be written: ${error.message}\n`);
  unwritable.abort();
  process.exitCode = EXIT.failed;
});
// Nobody reads the log any more: no reason to stop delivering.
process.stderr.on("error", () => undefined);

const code = await main(argv, {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: processEnv(),
  clock: systemClock,
  signal: told.signal,
  unwritable: unwritable.signal,
});
const isDone = code === EXIT.ok || code === EXIT.interrupted;
process.exitCode = unwritable.signal.aborted && isDone ? EXIT.failed : code;

// The loop drains by itself, because process.exit() can hang on Node 24 (nodejs/node#54918); whatever keeps it alive now is a leak.
process.stdin.destroy();
setTimeout(() => process.exit(), 3_000).unref();
