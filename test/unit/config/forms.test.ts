import { describe, expect, it } from "vitest";
import { sinks as registry } from "../../../sinks/index.ts";
import { configJsonSchema } from "../../../src/config/json-schema.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { parseYaml, toYaml } from "../../../src/config/yaml.ts";
import { optionsOf } from "../../../src/sink/schema.ts";
import { load, memoryFiles, problemsOf } from "../../support/config.ts";
import { schemaProblems } from "../../support/json-schema.ts";

const schema = configJsonSchema(registry);
const CHAT = 'type: chat, url: "${CHAT_URL}"';

/** With the sinks there are; nothing of the environment. */
function loadReal(yaml: string) {
  const files = memoryFiles({ "c.yaml": yaml });
  return loadConfig({ flags: { config: ["c.yaml"] }, registry, env: { TZ: "UTC" }, files }).config;
}

describe("a heading of which every line is commented out", () => {
  const HOUSE = ["labels", "filter"];

  it.each(registry)("means nothing, to the schema and to the program: $type", (definition) => {
    const own = optionsOf(definition.options);
    const headings = own
      .filter(
        ({ form, name }) =>
          (form === "list" || form === "map") && !(name in definition.example.yaml),
      )
      .map(({ name }) => name);
    for (const heading of [...headings, ...HOUSE]) {
      const entry = { type: definition.type, ...definition.example.yaml };
      const without = toYaml({ sinks: { ops: entry } }, false);
      const yaml = `${without}\n    ${heading}:\n      # nothing yet\n`;
      expect(schemaProblems(schema, parseYaml("c.yaml", yaml).yaml?.value), heading).toEqual([]);
      expect(JSON.stringify(loadReal(yaml)), heading).toBe(JSON.stringify(loadReal(without)));
    }
  });

  it.each([
    "filter:\n  namespaces:\n  exclude:\n    reasons:\n",
    "sources:\n  - kubernetes:\n      namespaces:\n",
    "sources:\n",
    "templates:\nwebProxies:\nwebAudiences:\n",
    "sinks:\n  stdout:\n    type: stdout\n    filter:\n      kinds:\n      exclude:\n        names:\n",
  ])("means nothing elsewhere either: %j", (yaml) => {
    expect(schemaProblems(schema, parseYaml("c.yaml", yaml).yaml?.value)).toEqual([]);
    expect(JSON.stringify(loadReal(yaml))).toBe(JSON.stringify(loadReal("")));
  });

  it.each([
    ["secret", "expected text; found nothing"],
    ["msgType", "expected one of text, markdown; found nothing"],
    ["digest", "expected true or false; found nothing"],
    ["timeout", "expected text; found nothing"],
    ["template", "expected text; found nothing"],
  ])("is missed where a value belongs: %s", (option, said) => {
    expect(
      problemsOf({}, `sinks:\n  ops:\n    ${option}:\n    ${CHAT.replace(", ", "\n    ")}`),
    ).toContain(`sinks.ops.${option}: ${said}`);
  });
});

describe("a number", () => {
  const concurrencyOf = (written: string) =>
    load({}, `sinks: {ops: {${CHAT}, concurrency: ${written}}}`).config.sinks[0]?.concurrency;

  it.each([
    ["4", 4],
    ['"4"', 4],
    ['" 4 "', 4],
    ["4.0", 4],
    ["0x10", 16],
    ["0o10", 8],
    ["1e1", 10],
  ])("may be written %s", (written, means) => {
    expect(concurrencyOf(written)).toBe(means);
  });

  it.each([
    ["true", "expected a number; found true"],
    ["false", "expected a number; found false"],
    ["[5]", "expected a number; found a list"],
    ["[]", "expected a number; found a list"],
    ["{a: 1}", "expected a number; found a map"],
    ['""', 'expected a number; found ""'],
    ["", "expected a number; found nothing"],
    ["four", 'expected a number; found "four"'],
    ["yes", 'expected a number; found "yes"'],
    ["4.5", "expected a whole number; found 4.5"],
    [".inf", "expected a number; found null"],
    [".nan", "expected a number; found null"],
    ["0", "expected at least 1; found 0"],
    ["101", "expected at most 100; found 101"],
  ])("is none where it is written %s", (written, said) => {
    expect(problemsOf({}, `sinks: {ops: {${CHAT}, concurrency: ${written}}}`)).toContain(
      `sinks.ops.concurrency: ${said}`,
    );
    expect(problemsOf({}, `sinks: {ops: {${CHAT}, retries: ${written}}}`)).toContain(
      `sinks.ops.retries: ${said.replace("most 100", "most 5")}`,
    );
  });
});

describe("yes and no", () => {
  const everyoneOf = (written: string) =>
    load({}, `sinks: {ops: {${CHAT}, everyone: ${written}}}`).config.sinks[0]?.options["everyone"];

  // YAML 1.1, which Kubernetes itself still reads, and Go's strconv.ParseBool.
  it.each(["true", "True", "TRUE", "yes", "Yes", "on", "ON", "y", "t", '"1"', '"true"'])(
    "is yes: %s",
    (written) => {
      expect(everyoneOf(written)).toBe(true);
    },
  );

  it.each(["false", "False", "no", "No", "off", "n", "f", '"0"'])("is no: %s", (written) => {
    expect(everyoneOf(written)).toBe(false);
  });

  it.each(["ja", "1", "0", "2", "[]", "yess", '""'])("is neither: %s", (written) => {
    expect(problemsOf({}, `sinks: {ops: {${CHAT}, everyone: ${written}}}`)).toMatch(
      /sinks\.ops\.everyone: expected true or false; found /,
    );
  });
});

describe("a duration", () => {
  const giveUp = (written: string) =>
    load({}, `sinks: {ops: {${CHAT}, timeout: 1ms, giveUpAfter: ${written}}}`).config.sinks[0]
      ?.giveUpAfterMs;

  it.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5h", 5_400_000],
    ['" 15m "', 900_000],
    ["7d", 604_800_000],
    ["36500d", 3_153_600_000_000],
  ])("may be written %s", (written, means) => {
    expect(giveUp(written)).toBe(means);
  });

  it.each([
    "30",
    "'30'",
    "s",
    "-30s",
    "+30s",
    "1h30m",
    "30 s",
    "30S",
    "1e3s",
    "٣s",
    "30s.",
    "36501d",
    ".5s",
  ])("is none where it is written %s", (written) => {
    const problems = problemsOf({}, `sinks: {ops: {${CHAT}, giveUpAfter: ${written}}}`);
    expect(problems.split("\n")).toHaveLength(1);
    expect(problems).toMatch(
      /sinks\.ops\.giveUpAfter: ("[^"]*" is (not a duration; expected a number with a unit, like 30s|too long; expected at most 36500d)|expected text; found 30 \(write it in quotes)/,
    );
  });
});

describe("a size", () => {
  const max = (written: string) => load({}, `ledgerMax: ${written}`).config.ledgerMaxBytes;

  it.each([
    ["1048576", 2 ** 20],
    ["1MiB", 2 ** 20],
    ["1.5GiB", 1.5 * 2 ** 30],
    ["512Mi", 2 ** 29],
    ["2G", 2e9],
    ["2gb", 2e9],
    ["1 TiB", 2 ** 40],
  ])("may be written %s", (written, means) => {
    expect(max(`"${written}"`)).toBe(means);
  });

  it.each(["1048575", "0", "1KiB", "-1GiB", "1GiBs", "GiB", "1,5GiB", "1e9", "lots"])(
    "is none, or too small, where it is written %s",
    (written) => {
      expect(problemsOf({}, `ledgerMax: "${written}"`)).toMatch(
        new RegExp(
          `^file1.yaml:1:12: ledgerMax: "${written.replace(".", "\\.")}" is (not a size|too small); expected `,
        ),
      );
    },
  );
});
