import { PassThrough, Readable } from "node:stream";
import type { Clock } from "../../src/clock.ts";
import { systemClock } from "../../src/clock.ts";
import { main } from "../../src/cli/main.ts";

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** The command line in this process: what a user would see, without the cost of starting Node. */
export async function cli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const out = new PassThrough();
  const err = new PassThrough();
  let stdout = "";
  let stderr = "";
  out.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  err.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await main(argv, {
    stdin: Readable.from([options.stdin ?? ""]),
    stdout: out,
    stderr: err,
    env: options.env ?? {},
    clock: options.clock ?? systemClock,
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, stdout, stderr };
}
