import { ConfigError, type ConfigIssue } from "../config/config.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";

/** Every mistake of the configuration, each with its place and its remedy; exit code 2. */
export function tellProblems(error: unknown, io: Io): ExitCode {
  if (!(error instanceof ConfigError)) throw error;
  const { issues } = error;
  io.stderr.write(
    `${issues.length === 1 ? "one problem" : `${issues.length} problems`}, nothing was started:\n`,
  );
  for (const issue of issues) io.stderr.write(issueText(issue));
  return EXIT.usage;
}

export function issueText({ where, message, hint }: ConfigIssue): string {
  return calm(`  ${where}: ${message}\n${hint === null ? "" : `      → ${hint}\n`}`);
}

/** Keys and names come from files, which others may have written: a terminal must not obey them. */
function calm(text: string): string {
  return text.replaceAll(/[^\P{Cc}\n]|[\u2028\u2029]/gu, " ").replaceAll(/\p{Cf}/gu, "");
}
