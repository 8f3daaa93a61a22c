import type { Config } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import { loadConfig } from "../config/load.ts";
import type { KubeEvent } from "../event/event.ts";
import { type Explanation, explainEvent } from "../explain/event.ts";
import type { FilterTest } from "../explain/filter.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { readEventFile, tellWarnings } from "./load.ts";
import { tellProblems } from "./problems.ts";
import { inline, shorten, table } from "./table.ts";

export interface ExplainOptions {
  readonly event?: string;
  readonly json?: true;
}

const VALUE_COLUMNS = 60;

/** `kube-crier explain`: which filters keep or drop an event, test by test, and who would be told. Nothing is sent, nothing is asked of a cluster. */
export async function explainCommand(
  flags: FlagValues,
  options: ExplainOptions,
  io: Io,
): Promise<ExitCode> {
  try {
    const { config, warnings } = loadConfig({ flags, registry, env: io.env });
    tellWarnings(warnings, io);
    const events = await readEventFile(options.event ?? "-", config.cluster, io);
    for (const [index, event] of events.entries()) {
      const explanation = explainEvent(config, event);
      if (options.json === true) io.stdout.write(`${JSON.stringify({ event, ...explanation })}\n`);
      else
        io.stdout.write(`${index > 0 ? "\n" : ""}${explanationText(config, event, explanation)}`);
    }
    return EXIT.ok;
  } catch (error) {
    return tellProblems(error, io);
  }
}

function explanationText(config: Config, event: KubeEvent, explained: Explanation): string {
  const { kind, namespace, name } = event.object;
  const object = namespace === null ? name : `${namespace}/${name}`;
  const head = `${event.type} ${event.reason} ${kind} ${object}: ${shorten(event.message, VALUE_COLUMNS)}\n`;
  if (explained.canary)
    return `${inline(head)}\n  a canary: it goes to where its own kube-crier follows it to, whatever filters say; any other drops it\n`;
  const none = config.sinks.length > 0 && explained.sinks.every(({ owed }) => !owed);
  return [
    `${inline(head)}\n`,
    block(
      "global filter",
      explained.passed ? "passes" : "drops it for every sink",
      explained.global,
    ),
    ...explained.sinks.map(({ sink, type, owed, passed, tests }) => {
      const verdict = owed ? "told" : passed ? "not told: the global filter" : "not told";
      return block(sink === type ? `sink ${sink}` : `sink ${sink} (${type})`, verdict, tests);
    }),
    none ? "  nobody is told\n" : "",
  ].join("");
}

function block(what: string, verdict: string, tests: readonly FilterTest[]): string {
  if (tests.length === 0) return `  ${what}: ${verdict} (no filter)\n`;
  const rows = tests.map((test) => [
    `${test.passed ? "✓" : "✗"} ${test.list}`,
    shorten(JSON.stringify(test.found), VALUE_COLUMNS),
    outcome(test),
  ]);
  // Without a head: the lines say what they are.
  const [, ...lines] = table(["", "", ""], rows).trimEnd().split("\n");
  return `  ${what}: ${verdict}\n${lines.map((line) => `    ${line}\n`).join("")}`;
}

function outcome({ list, matched, wanted, passed }: FilterTest): string {
  if (list === "level") return passed ? "is at least Warning" : "is less than Warning";
  if (matched !== null) return passed ? `matches ${matched}` : `is excluded by ${matched}`;
  const all = shorten(wanted.join(", "), VALUE_COLUMNS);
  return passed ? `matches none of the excluded ${all}` : `matches none of ${all}`;
}
