import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import path from "node:path";

const README = readFileSync(path.resolve(import.meta.dirname, "../../../sinks/README.md"), "utf8");

/** The last cell of an option's row: what counts without it. */
function withoutIt(sink: string, option: string): string | undefined {
  const section = README.split(/^## /m).find((text) => text.startsWith(`${sink}\n`)) ?? "";
  const row = section.split("\n").find((line) => line.startsWith(`| \`${option}\` |`));
  return row?.split(" | ").at(-1)?.replace(/ \|$/, "");
}

// Defaults as kube-eventer documents them where it has the option.
describe("the tables of sinks/README.md say what counts without an option", () => {
  it.each([
    ["riemann", "ttl", "`60`"],
    ["riemann", "batchSize", "`1000`"],
    ["riemann", "tags", "`heapster`"],
    ["kafka", "eventsTopic", "`heapster-events`"],
    ["kafka", "maxMessageBytes", "`1000000`"],
    ["elasticsearch", "nodes", "none"],
    ["webhook", "headers", "none"],
    ["dingtalk", "atAll", "no"],
    ["sls", "internal", "yes"],
    ["sls", "topic", "—"],
    ["mysql", "dsn", "must be given"],
  ])("%s: %s → %s", (sink, option, expected) => {
    expect(withoutIt(sink, option)).toBe(expected);
  });
});
