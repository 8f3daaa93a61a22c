import { Argument, Command, CommanderError, Option } from "commander";
import type { FlagValues } from "../config/flags.ts";
import { Writable } from "node:stream";
import { type Shell, SHELLS } from "./completion.ts";
import { EXIT, type Io } from "./io.ts";
import type {
  Act,
  Commands,
  DemoOptions,
  MigrateFromOptions,
  MigrateOptions,
} from "./program/commands.ts";
import { collect, FILTER_FLAGS, SINK_FLAGS, withFlags } from "./program/flags.ts";
import { addLedgerCommands } from "./program/ledger.ts";
import { fromKubeEventer, type Translated } from "./program/kube-eventer.ts";
import { mistakesOf, withoutValues } from "./program/mistakes.ts";
import { completable, examplesText, leavesOf, nameOf } from "./program/text.ts";

type WithMistakes = <F extends FlagValues>(flags: F, command: Command) => F;

/** Takes along what was wrong and what is to be said before the flags were parsed. */
function mistakesBeside({ mistakes, ...told }: Omit<Translated, "argv">): WithMistakes {
  return (flags, command) => ({
    ...flags,
    ...told,
    mistakes: [...mistakes, ...mistakesOf(command)],
  });
}

/** Where a typing mistake may be why it is missing, that alone is said. */
function needsEvent<F extends FlagValues & { readonly event?: string }>(flags: F): F {
  if (flags.event !== undefined || (flags.mistakes ?? []).length > 0) return flags;
  const hint = "give a file with an Event, or - for standard input";
  return { ...flags, mistakes: [{ where: "--event", message: "is missing", hint }] };
}

/** Parses argv and runs one command; answers the exit code. Mistakes of the command line are 2. */
export async function runProgram(
  argv: readonly string[],
  version: string,
  commands: Commands,
  io: Io,
): Promise<number> {
  let code: number = EXIT.ok;
  const act =
    <A extends readonly unknown[]>(run: (...args: A) => Promise<number>) =>
    async (...args: A) => {
      code = await run(...args);
    };
  const translated = fromKubeEventer(argv);
  const program = buildProgram(version, commands, act, io, mistakesBeside(translated));
  try {
    await program.parseAsync([...translated.argv], { from: "user" });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

/** The help of every command, as `--help` prints it on 100 columns; for the docs. */
export function helpPages(): readonly { readonly command: string; readonly help: string }[] {
  let written = "";
  const stream = Object.assign(
    new Writable({
      write(chunk, _, done) {
        written += String(chunk);
        done();
      },
    }),
    { columns: 100 },
  );
  const io = { stdout: stream, stderr: stream };
  const program = buildProgram("0.0.0", {} as Commands, () => () => Promise.resolve(), io);
  return leavesOf(program).map((command) => {
    written = "";
    command.outputHelp();
    return { command: nameOf(command, program), help: written };
  });
}

function buildProgram(
  version: string,
  commands: Commands,
  act: Act,
  io: Pick<Io, "stdout" | "stderr">,
  withMistakes: WithMistakes = (flags) => flags,
): Command {
  const program = new Command("kube-crier")
    .description(
      "Tells people what happens in a Kubernetes cluster: every event that matters, once, within milliseconds.",
    )
    .version(version, "--version", "print the version")
    .helpOption("--help", "show help")
    .helpCommand(false)
    .showSuggestionAfterError()
    .showHelpAfterError('see "kube-crier --help" or "kube-crier COMMAND --help"')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(withoutValues(text)),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  // Subcommands copy the settings of their parent when they are made.
  const command = (name: string, description: string, examples: readonly string[]): Command =>
    program
      .command(name)
      .description(description)
      .helpOption("--help", "show help")
      .allowExcessArguments(false)
      .addHelpText("after", examplesText(examples));

  withFlags(
    command("run", "Watch, filter, render and deliver until told to stop.", [
      "kube-crier run --sink='dingtalk:https://oapi.dingtalk.com/robot/send?access_token=${TOKEN}&sign=${SECRET}' --lang=zh",
      "kube-crier run --config=/etc/kube-crier/config.yaml --data-dir=/var/lib/kube-crier --listen=:8080",
      "kubectl get events -A -o json | kube-crier run --source=file:- --sink=stdout:",
    ]),
  ).action(act((flags: FlagValues, self: Command) => commands.run(withMistakes(flags, self))));
  withFlags(
    command(
      "check",
      "Do everything run does up to the first watch, and say what would run; every mistake at once, exit code 2.",
      ["kube-crier check --config=config.yaml"],
    ),
  ).action(act((flags: FlagValues, self: Command) => commands.check(withMistakes(flags, self))));
  withFlags(
    command(
      "render",
      "Print the exact requests an event would cause, or the text a template gives; nothing is sent.",
      [
        "kube-crier render --sink='lark:https://open.feishu.cn/open-apis/bot/v2/hook/XXX' --event=event.json",
        "kubectl -n shop get event web.17a -o json | kube-crier render --config=config.yaml --event=-",
        "kube-crier render --template=mine.hbs --event=event.json",
        "kube-crier render --engine=go --raw --template=body.tmpl --event=event.json",
      ],
    ),
    SINK_FLAGS,
  )
    .option(
      "--event <FILE>",
      "an Event of core/v1 or events.k8s.io/v1, or a List of them; - is standard input",
    )
    .option("--template <FILE>", "print the text this template gives instead of requests")
    .option(
      "--engine <NAME>",
      "what the template is written in: handlebars (the default) or go, as bodies for kube-eventer are",
    )
    .option(
      "--raw",
      "with --engine=go: the plain output and nothing else, values in JSON not escaped",
    )
    .option("--reveal", "show secrets in URLs, headers and bodies")
    .action(
      act(
        (
          flags: FlagValues & {
            event?: string;
            template?: string;
            reveal?: true;
            engine?: string;
            raw?: true;
          },
          self: Command,
        ) => commands.render(needsEvent(withMistakes(flags, self)), flags),
      ),
    );
  withFlags(
    command(
      "explain",
      "Say who would be told of an event and why, every filter test by test, and of one in the ledger what became of it; nothing is sent.",
      [
        "kube-crier explain --config=config.yaml --event=event.json",
        "kubectl -n shop get event web.17a -o json | kube-crier explain --config=config.yaml --event=- --json",
        "kube-crier explain --config=config.yaml --id=001763625600/6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11@12",
      ],
    ),
    [...SINK_FLAGS, ...FILTER_FLAGS, "dataDir", "ledger"],
  )
    .option(
      "--event <FILE>",
      "an Event of core/v1 or events.k8s.io/v1, or a List of them; - is standard input",
    )
    .option(
      "--id <ID>",
      "of an event or of a delivery in the ledger, as history --json has it; a running kube-crier goes on meanwhile",
    )
    .option("--json", "one JSON object a line instead of text")
    .action(
      act((flags: FlagValues & { event?: string; id?: string; json?: true }, self: Command) =>
        commands.explain(withMistakes(flags, self), flags),
      ),
    );
  withFlags(
    command("send", "Send one test alert to each sink and print what the platform answered.", [
      "kube-crier send --config=config.yaml --to=oncall",
      "kube-crier send --sink='wecom:https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${KEY}' --dry-run",
    ]),
    SINK_FLAGS,
  )
    .option("--to <NAME>", "only this sink (repeatable)", collect)
    .option("--dry-run", "print the requests and send nothing")
    .action(
      act((flags: FlagValues & { to?: readonly string[]; dryRun?: true }, self: Command) =>
        commands.send(withMistakes(flags, self), flags),
      ),
    );
  addLedgerCommands(command, commands, act);
  const mysql = command("mysql", "Care for the table of a mysql sink.", [
    "kube-crier mysql migrate --config=config.yaml --dry-run",
  ])
    .helpCommand(false)
    .command("migrate");
  withFlags(mysql.description("Make an existing table whole while it is in use."), SINK_FLAGS)
    .helpOption("--help", "show help")
    .option("--to <NAME>", "this sink, where there are several")
    .option("--dry-run", "say what would be done and do nothing")
    .option("--yes", "do not ask")
    .action(
      act((flags: FlagValues & MigrateOptions, self: Command) =>
        commands.mysqlMigrate(withMistakes(flags, self)),
      ),
    );
  command(
    "migrate",
    "Print the configuration for what kube-eventer does now: from its Deployment, Helm values or command line. Comments say what differs; secrets become ${NAME}, and comments say which to make. The RBAC it needs stands at the end, in comments.",
    [
      "kubectl -n kube-system get deployment kube-eventer -o yaml | kube-crier migrate - > config.yaml",
      "kube-crier migrate kube-eventer.yaml --explain",
      "kube-crier migrate kube-eventer.yaml --rbac | kubectl apply -f -",
      "helm get values kube-eventer | kube-crier migrate -",
    ],
  )
    .argument("<FILE>", "manifests, values or a command line; - is standard input")
    .option("--explain", "print only the list of what differs")
    .option("--rbac", "print only the manifests of the RBAC it needs")
    .action(act((file: string, options: MigrateFromOptions) => commands.migrate(file, options)));
  command(
    "simulate",
    "Play DingTalk, Lark, WeCom, Slack and a generic webhook on loopback, with their rules and limits, and show what arrives on a page.",
    ["kube-crier simulate --listen=127.0.0.1:8900"],
  )
    .option(
      "--listen <ADDR:PORT>",
      "where to listen; port 0 picks one and says which",
      "127.0.0.1:8900",
    )
    .option(
      "--robots <FILE>",
      "a JSON list of robots with secrets and keywords; others are refused then",
    )
    .action(act((options: { listen: string; robots?: string }) => commands.simulate(options)));
  command("schema", "Print the JSON Schema of the configuration file, for editors and CI.", [
    "kube-crier schema > kube-crier.schema.json",
  ]).action(act(() => commands.schema()));
  command(
    "demo",
    "Replay a bundled hour of a troubled cluster through the real pipeline into two simulated chats, with the page that shows what happened and who was told.",
    ["kube-crier demo", "kube-crier demo --once"],
  )
    .option("--once", "end when everything is told, with a summary")
    .option("--web-listen <ADDR:PORT>", "where the page is", "127.0.0.1:8901")
    .option("--listen <ADDR:PORT>", "where the simulated chats are shown", "127.0.0.1:8900")
    .addOption(
      new Option("--lang <LANG>", "the language of the first chat")
        .choices(["en", "zh"])
        .default("zh"),
    )
    .action(act((options: DemoOptions) => commands.demo(options)));
  command("completion", "Print a completion script for a shell.", [
    "source <(kube-crier completion bash)",
    "source <(kube-crier completion zsh)",
    "kube-crier completion fish | source",
  ])
    .addArgument(new Argument("<SHELL>", "which shell").choices(SHELLS))
    .action(act((shell: Shell) => commands.completion(shell, completable(program))));
  for (const leaf of leavesOf(program)) {
    const known = leaf.options.flatMap(({ long }) => long ?? []);
    leaf.configureOutput({ outputError: (text, write) => write(withoutValues(text, known)) });
  }
  return program;
}
