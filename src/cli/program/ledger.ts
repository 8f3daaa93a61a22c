import { DELIVERY_STATES } from "../../event/delivery.ts";
import { type Command, Option } from "commander";
import type { Act, Commands, ExportOptions, HistoryOptions, Place } from "./commands.ts";
import { examplesText } from "./text.ts";

const DATA_DIR = ["--data-dir <DIR>", "where the ledger lives", ".kube-crier"] as const;
const LEDGER = [
  "--ledger <URL>",
  "the MySQL database it lives in, as `run` was given it; ${NAME} is an environment variable's value",
] as const;

/** `history` and `dead`: questions to the ledger, and the changes a person may make. */
export function addLedgerCommands(
  command: (name: string, description: string, examples: readonly string[]) => Command,
  commands: Commands,
  act: Act,
): void {
  command("history", "What the ledger holds, newest first: what happened, and who was told.", [
    "kube-crier history --since=1h --namespace=shop",
    "kube-crier history --since=2026-11-20T10:00:00Z --until=2026-11-20T10:30:00Z --name=web-*",
    'kube-crier history --search="connection refused" --follow',
    "kube-crier history --state=dead --json",
    "kube-crier history --since=7d --csv > week.csv",
  ])
    .option(...DATA_DIR)
    .option(...LEDGER)
    .option("--since <TIME>", "only what was last seen since: 30m, 12h, 7d, or an ISO 8601 time")
    .option("--until <TIME>", "only what was last seen before that")
    .option("--cluster <NAME>", "only this cluster; as with all that follow, several by commas")
    .option("--namespace <NAME>", "only objects of this namespace; - for objects without one")
    .option("--kind <KIND>", "only objects of this kind")
    .option("--name <NAME>", "only the object of this name, or of names that begin so: web-*")
    .option("--reason <REASON>", "only this reason")
    .option("--type <TYPE>", "only this type: Normal, Warning")
    .option("--component <NAME>", "only what this component reported")
    .option("--sink <NAME>", "only what was owed to this sink")
    .option("--state <STATE>", `only deliveries in this state: ${DELIVERY_STATES.join(", ")}`)
    .addOption(
      new Option("--kept <WHICH>", "owed to a sink, or kept for the history alone").choices([
        "all",
        "owed",
        "suppressed",
      ]),
    )
    .option("--why <REASON>", "only what is owed to nobody for this reason, like tooOld")
    .option("--search <WORDS>", "words of the message, the reason or the object's name")
    .option("--limit <N>", "at most so many", "100")
    .option("--json", "one JSON object a line")
    .option("--csv", "for spreadsheets (RFC 4180)")
    .option("--follow", "go on with what arrives, until it is ended")
    .action(act((options: HistoryOptions) => commands.history(options)));
  const dead = command(
    "dead",
    "Dead letters: what was given up, owing it again, or putting it away.",
    ["kube-crier dead list", "kube-crier dead retry --sink=oncall"],
  );
  dead.helpCommand(false);
  dead
    .command("list")
    .description("Show what was given up and why.")
    .helpOption("--help", "show help")
    .option(...DATA_DIR)
    .option(...LEDGER)
    .option("--sink <NAME>", "only this sink")
    .option("--json", "one JSON object a line")
    .addHelpText("after", examplesText(["kube-crier dead list --json"]))
    .action(act((options: Place & { sink?: string; json?: true }) => commands.deadList(options)));
  dead
    .command("retry")
    .description(
      "Owe dead letters again, all or those named; a running kube-crier notices by itself.",
    )
    .helpOption("--help", "show help")
    .argument("[ID...]", "ids as dead list shows them; none: all")
    .option(...DATA_DIR)
    .option(...LEDGER)
    .option("--sink <NAME>", "only this sink")
    .addHelpText(
      "after",
      examplesText([
        "kube-crier dead retry",
        "kube-crier dead retry 4c2f6f0e-1111-4222-8333-444455556666",
      ]),
    )
    .action(
      act((ids: readonly string[], options: Place & { sink?: string }) =>
        commands.deadRetry(ids, options),
      ),
    );
  dead
    .command("discard")
    .description(
      "Put dead letters away, all or those named: nobody needs them any more. They stay in the history.",
    )
    .helpOption("--help", "show help")
    .argument("[ID...]", "ids as dead list shows them; none: all")
    .option(...DATA_DIR)
    .option(...LEDGER)
    .option("--sink <NAME>", "only this sink")
    .addHelpText("after", examplesText(["kube-crier dead discard --sink=oncall"]))
    .action(
      act((ids: readonly string[], options: Place & { sink?: string }) =>
        commands.deadDiscard(ids, options),
      ),
    );
  addCareCommands(command, commands, act);
}

/** `ledger`: care for the file itself. */
function addCareCommands(
  command: (name: string, description: string, examples: readonly string[]) => Command,
  commands: Commands,
  act: Act,
): void {
  const ledger = command("ledger", "Check, compact or export the ledger.", [
    "kube-crier ledger check --data-dir=/var/lib/kube-crier",
  ]);
  ledger.helpCommand(false);
  const leaf = (name: string, description: string, examples: readonly string[]) =>
    ledger
      .command(name)
      .description(description)
      .helpOption("--help", "show help")
      .allowExcessArguments(false)
      .option(...DATA_DIR)
      .option(...LEDGER)
      .addHelpText("after", examplesText(examples));
  leaf(
    "check",
    "Look at every page and every row, count what is there, and say what is wrong; exit code 3 if anything is. A running kube-crier goes on meanwhile.",
    ["kube-crier ledger check --data-dir=/var/lib/kube-crier"],
  ).action(act((options: Place) => commands.ledgerCheck(options)));
  leaf(
    "vacuum",
    "Give the space the ledger does not use any more back to the disk, and say its size before and after. While a kube-crier runs on it, it is refused: that one uses the space again by itself.",
    ["kube-crier ledger vacuum --data-dir=/var/lib/kube-crier"],
  ).action(act((options: Place) => commands.ledgerVacuum(options)));
  leaf(
    "export",
    "Write events, deliveries, attempts and checkpoints, oldest first, one JSON object a line. A running kube-crier goes on meanwhile.",
    [
      "kube-crier ledger export --since=7d --output=ledger.ndjson",
      "kube-crier ledger export | gzip > ledger.ndjson.gz",
    ],
  )
    .option("--since <DURATION>", "only what was seen or owed within this time, like 30m or 7d")
    .option(
      "--output <FILE>",
      "a file to make, there only once it is whole; without it: standard output",
    )
    .action(act((options: ExportOptions) => commands.ledgerExport(options)));
}
