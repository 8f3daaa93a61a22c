import type { Config } from "../config/config.ts";
import type { KubeEvent } from "../event/event.ts";
import type { Allowance } from "../explain/allowance.ts";
import type { Explanation } from "../explain/event.ts";
import type { FilterTest } from "../explain/filter.ts";
import { spanText } from "../template/times.ts";
import { DECISION_WORDS } from "../web/page/decision-words.ts";
import { inline, shorten, table } from "./table.ts";

const VALUE_COLUMNS = 60;

/** Which filters keep or drop an event, test by test, and who would be told. */
export function explanationText(config: Config, event: KubeEvent, explained: Explanation): string {
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
    ...explained.sinks.map(({ sink, type, owed, passed, tests, allowance }) => {
      const verdict = owed ? "told" : passed ? "not told: the global filter" : "not told";
      const name = sink === type ? `sink ${sink}` : `sink ${sink} (${type})`;
      return block(name, verdict, tests) + (owed ? allowanceText(allowance) : "");
    }),
    none ? "  nobody is told\n" : "",
  ].join("");
}

function allowanceText({ rates, excess }: Allowance): string {
  const words = DECISION_WORDS.en;
  if (rates.length === 0) return "";
  const each = rates.map(({ count, perMs }) => words.rate(String(count), spanText(perMs, "en")));
  return `    ${words.atMost(each.join(", "))}; ${words.excess[excess]}\n`;
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
