import { main } from "./cli/main.ts";
import { EXIT } from "./cli/io.ts";
import { systemClock } from "./clock.ts";
import { processEnv } from "./config/secrets.ts";
import { redact } from "./observe/redact.ts";

/** The only file that touches argv, signals and the exit code. */

// Tokens in --sink flags must not stand in the process list.
const argv = process.argv.slice(2);
process.title = "kube-crier";

const told = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => {
    if (told.signal.aborted) process.exit(EXIT.interrupted);
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

// `kube-crier history | head` closes our output: not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  fatal(error);
});

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
