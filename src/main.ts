import { main } from "./cli/main.ts";
import { EXIT } from "./cli/io.ts";
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
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") told.abort();
  else fatal(error);
});
// Nobody reads the log any more: no reason to stop delivering.
process.stderr.on("error", () => undefined);

process.exitCode = await main(argv, {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: processEnv(),
  clock: systemClock,
  signal: told.signal,
});

// The loop drains by itself, because process.exit() can hang on Node 24 (nodejs/node#54918); whatever keeps it alive now is a leak.
process.stdin.destroy();
setTimeout(() => process.exit(), 3_000).unref();
