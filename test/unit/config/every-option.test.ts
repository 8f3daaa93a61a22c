import { describe, expect, it } from "vitest";
import { flagName, type FlagValues, OPTION_FLAGS } from "../../../src/config/flags.ts";
import { OPTION_GROUPS } from "../../../src/config/options.ts";
import { load, problemsOf } from "../../support/config.ts";
import {
  EXCLUDE,
  FILTER,
  GLOBAL,
  KUBERNETES,
  type Row,
  SINK,
  SINK_FILTER,
} from "../../support/options.ts";

const URL_OF_CHAT = "https://chat.example.com/send?access_token=made-up";
const inSink = (entry: string) => `sinks: {ops: {type: chat, url: "${URL_OF_CHAT}"${entry}}}`;
const asSource = (parameter: string, written: string): FlagValues => ({
  source: [`kubernetes:?${parameter}=${encodeURIComponent(written)}`],
});
const asSink = (parameter: string, written: string): FlagValues => ({
  sink: [`chat:${URL_OF_CHAT}&${parameter}=${encodeURIComponent(written)}`],
});

/** Where the options of a group stand in YAML, and in which URI. */
const GROUPS: readonly {
  readonly name: keyof typeof OPTION_GROUPS | "filter of a sink";
  readonly rows: Readonly<Record<string, Row>>;
  readonly yaml: (entry: string) => string;
  readonly uri?: (parameter: string, written: string) => FlagValues;
}[] = [
  { name: "global", rows: GLOBAL, yaml: (entry) => entry },
  { name: "filter", rows: FILTER, yaml: (entry) => `filter: {${entry}}` },
  { name: "exclude", rows: EXCLUDE, yaml: (entry) => `filter: {exclude: {${entry}}}` },
  {
    name: "kubernetes",
    rows: KUBERNETES,
    yaml: (entry) => `sources: [{kubernetes: {${entry}}}]`,
    uri: asSource,
  },
  { name: "sink", rows: SINK, yaml: (entry) => inSink(entry && `, ${entry}`), uri: asSink },
  {
    name: "filter of a sink",
    rows: SINK_FILTER,
    yaml: (entry) => inSink(`, filter: {${entry}}`),
    uri: asSink,
  },
];

/** As a person writes it into YAML: quoted, so that nothing but the option judges it. */
const entryOf = (key: string, written: string) => `${key}: ${JSON.stringify(written)}`;

const CASES = GROUPS.flatMap((group) =>
  Object.entries(group.rows).map(([key, row]) => ({
    title: `${group.name}: ${key}`,
    group,
    key,
    row,
  })),
);
const GOOD = CASES.flatMap((one) =>
  one.row.good.map(([written, means]) => ({ ...one, written, means })),
);
const BAD = CASES.flatMap((one) =>
  one.row.bad.map(([written, said]) => ({ ...one, written, said })),
);

describe("an option that is not given", () => {
  it.each(CASES)("has its default: $title", ({ group, row }) => {
    const { config } = load({}, group.yaml(""));
    expect(row.from(config)).toEqual(row.fallback);
  });
});

describe("an option", () => {
  it.each(GOOD)("is read from YAML: $title $written", ({ group, key, row, written, means }) => {
    expect(row.from(load({}, group.yaml(entryOf(key, written))).config)).toEqual(means);
  });

  it.each(GOOD.filter(({ row }) => row.flag !== undefined))(
    "means the same as a flag: $title $written",
    ({ row, written, means }) => {
      const flags = { [String(row.flag)]: written };
      expect(row.from(load({ flags }).config)).toEqual(means);
    },
  );

  it.each(GOOD.filter(({ row }) => row.parameter !== undefined))(
    "means the same in a URI: $title $written",
    ({ group, row, written, means }) => {
      const flags = group.uri?.(row.parameter ?? "", written) ?? {};
      expect(row.from(load({ flags }).config)).toEqual(means);
    },
  );

  it.each(GOOD)(
    "may come from the environment: $title $written",
    ({ group, key, row, written, means }) => {
      const env = { TZ: "UTC", GIVEN: written };
      const { config } = load({ env }, group.yaml(`${key}: "\${GIVEN}"`));
      expect(row.from(config)).toEqual(means);
    },
  );

  it.each(BAD)("is refused with its place: $title $written", ({ group, key, written, said }) => {
    const problems = problemsOf({}, `# a line\n${group.yaml(entryOf(key, written))}`).split("\n");
    expect(problems.length).toBe(1);
    expect(problems[0]).toMatch(/^file1\.yaml:2:\d+: /);
    expect(problems[0]).toContain(key);
    expect(problems[0]).toContain(said);
  });

  it.each(BAD.filter(({ row }) => row.flag !== undefined))(
    "is refused as a flag: $title $written",
    ({ row, written, said }) => {
      const problems = problemsOf({ flags: { [String(row.flag)]: written } }).split("\n");
      expect(problems.length).toBe(1);
      expect(problems[0]).toMatch(new RegExp(`^${flagName(String(row.flag))}: `));
      expect(problems[0]).toContain(said);
    },
  );

  it.each(BAD.filter(({ row }) => row.parameter !== undefined))(
    "is refused in a URI: $title $written",
    ({ group, row, written, said }) => {
      const problems = problemsOf({ flags: group.uri?.(row.parameter ?? "", written) ?? {} }).split(
        "\n",
      );
      expect(problems.length).toBe(1);
      expect(problems[0]).toMatch(/^--(sink|source) #1: /);
      expect(problems[0]).toContain(said);
    },
  );
});

describe("the tables above", () => {
  it.each(GROUPS.filter(({ name }) => name !== "filter of a sink"))(
    "know every option of the group: $name",
    ({ name, rows }) => {
      const group = name === "filter of a sink" ? [] : OPTION_GROUPS[name];
      const names = group.map((option) => option.name).filter((option) => option !== "exclude");
      expect(Object.keys(rows).toSorted()).toEqual(names.toSorted());
    },
  );

  it("know every flag that mirrors an option", () => {
    const flags = CASES.flatMap(({ row }) => row.flag ?? []);
    expect(flags.toSorted()).toEqual(
      Object.keys(OPTION_FLAGS)
        // Takes no value.
        .filter((flag) => flag !== "stay")
        .toSorted(),
    );
  });
});
