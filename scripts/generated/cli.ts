import { helpPages } from "../../src/cli/program.ts";

/** The command line's reference: what `--help` prints. */
export async function cliReference(): Promise<string> {
  return [
    "# Command line",
    "",
    "<!-- Written by `npm run gen` from the commands' own help; do not edit. -->",
    "",
    "From a checkout: `npm run -s kube-crier -- COMMAND`. Every command has `--help`; `NO_COLOR` switches colours off.",
    "Results go to standard output, logs and remarks to standard error. `run` logs JSON lines, and a live line instead where standard error is a terminal.",
    "",
    "| exit code | meaning |",
    "| --------- | ------- |",
    "| 0 | done; told to stop and nothing lost |",
    "| 1 | ended by a second signal, without waiting for what was under way; or a command that comes to an end by itself (`check`, `history`) was told to end before |",
    "| 2 | the command line or the configuration has mistakes, all named; nothing was started. Or a file could not be read as events |",
    "| 3 | something was refused or given up (`dead list`), could not be rendered, or was lost because the ledger could not be written; the ledger holds nothing of an id that was named; `ledger check` found something wrong; or standard output could not be written |",
    "| 4 | one of several replicas had to stop leading (`--leader-elect`): started again, it stands by |",
    "| 70 | an error of the program itself |",
    "",
    ...helpPages().flatMap(({ command, help }) => [
      `## ${command}`,
      "",
      "```text",
      help.trimEnd(),
      "```",
      "",
    ]),
  ].join("\n");
}
