import { describe, expect, it } from "vitest";
import { sinks } from "../../sinks/index.ts";
import type { SinkDefinition } from "../../src/sink/index.ts";
import { type OptionInfo, optionsOf, type z } from "../../src/sink/schema.ts";
import { parseSinkUri } from "../../src/sink/uri.ts";
import { bare } from "../support/sinks.ts";

/** What every option of every sink promises to whoever writes it, in YAML or in a URI. */
const OPTIONS = sinks.flatMap((sink) =>
  optionsOf(sink.options).map((option) => ({
    title: `${sink.type}: ${option.name}`,
    sink,
    option,
  })),
);
/** Those that are not the address itself. */
const PARAMETERS = OPTIONS.filter(({ sink, option }) => sink.uri.target !== option.name);

/** The option alone: whether it fits to the others is each sink's own matter. */
function read(sink: SinkDefinition, name: string, value: unknown): z.ZodSafeParseResult<unknown> {
  const option = sink.options.shape[name];
  if (option === undefined) throw new Error(`${sink.type} has no option ${name}`);
  return (option as z.ZodType).safeParse(value);
}

function problemsWith(sink: SinkDefinition, name: string, value: unknown): readonly string[] {
  return (read(sink, name, value).error?.issues ?? []).map((issue) => issue.message);
}

/** A value as one would write it into a URI. */
function sampleOf({ form, meta }: OptionInfo): string {
  const { example } = meta;
  if (typeof form !== "string") return form.at(-1) ?? "";
  if (form === "yes or no") return "true";
  if (form === "map") return "X-Token=abc";
  if (Array.isArray(example)) return String(example[0]);
  return typeof example === "string" ? example.replaceAll("…", "abc") : "abc";
}

const snakeOf = (name: string) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const withParameter = (sink: SinkDefinition, name: string, value: string) => {
  const uri = `${sink.example.uri.split("?")[0] ?? ""}?${name}=${encodeURIComponent(value)}`;
  return parseSinkUri(sink, uri, [], () => null);
};

describe("an option", () => {
  it.each(OPTIONS.filter(({ option }) => option.meta.example !== undefined))(
    "is right as its example shows it: $title",
    ({ sink, option }) => {
      const { example } = option.meta;
      // An ellipsis stands for what only its owner knows.
      const written = JSON.parse(JSON.stringify(example).replaceAll("…", "abc")) as unknown;
      expect(problemsWith(sink, option.name, written)).toEqual([]);
    },
  );

  it.each(OPTIONS.filter(({ option }) => option.fallback !== undefined))(
    "has the default that is told: $title",
    ({ sink, option }) => {
      const { [option.name]: _, ...others } = sink.example.yaml;
      const without = sink.options.parse(others)[option.name];
      const told = sink.options.safeParse({ ...others, [option.name]: option.fallback });
      expect(bare(without)).toEqual(bare(told.data?.[option.name]));
    },
  );

  it.each(OPTIONS.filter(({ option }) => option.required))(
    "that must be given is missed by its name: $title",
    ({ sink, option }) => {
      const { [option.name]: _, ...others } = sink.example.yaml;
      const issues = sink.options.safeParse(others).error?.issues ?? [];
      expect(issues.map((issue) => issue.path[0])).toContain(option.name);
    },
  );

  it.each(OPTIONS)("is not a number, null or a nest of lists: $title", ({ sink, option }) => {
    for (const value of [null, [[["x"]]], { deep: { er: 1 } }])
      expect(problemsWith(sink, option.name, value).length, JSON.stringify(value)).toBeGreaterThan(
        0,
      );
  });
});

describe("a choice", () => {
  const choices = OPTIONS.filter(({ option }) => Array.isArray(option.form));

  it.each(choices)("takes each of its words: $title", ({ sink, option }) => {
    for (const word of option.form as readonly string[])
      expect(
        problemsWith(sink, option.name, word).filter((text) => /expected one of/.test(text)),
      ).toEqual([]);
  });

  it.each(choices)("takes no other, and names those there are: $title", ({ sink, option }) => {
    const [problem = ""] = problemsWith(sink, option.name, "no-such-word");
    for (const word of option.form as readonly string[]) expect(problem).toContain(word);
  });
});

describe("in a URI", () => {
  it.each(PARAMETERS)("an option means the same in every spelling: $title", ({ sink, option }) => {
    const { name, meta } = option;
    const snake = snakeOf(name);
    const spellings = [
      name,
      snake,
      snake.replaceAll("_", "-"),
      name.toLowerCase(),
      snake.toUpperCase(),
      ...(meta.aliases ?? []),
    ];
    const value = sampleOf(option);
    const [first, ...others] = spellings.map((spelling) => withParameter(sink, spelling, value));
    expect(first?.issues).toEqual([]);
    expect(Object.keys(first?.options ?? {})).toContain(name);
    for (const other of others) expect(bare(other)).toEqual(bare(first));
  });

  it.each(PARAMETERS.filter(({ option }) => option.form === "list"))(
    "a list may be repeated or have commas: $title",
    ({ sink, option }) => {
      const base = sink.example.uri.split("?")[0] ?? "";
      const parsed = (query: string) => {
        const { options } = parseSinkUri(sink, `${base}?${query}`, [], () => null);
        return read(sink, option.name, options[option.name]).data;
      };
      expect(parsed(`${option.name}=U1,U2`)).toEqual(["U1", "U2"]);
      expect(parsed(`${option.name}=U1&${option.name}=U2`)).toEqual(["U1", "U2"]);
    },
  );

  it.each(PARAMETERS.filter(({ option }) => option.form !== "list" && option.form !== "map"))(
    "an option that is given twice is told so: $title",
    ({ sink, option }) => {
      const base = sink.example.uri.split("?")[0] ?? "";
      const value = encodeURIComponent(sampleOf(option));
      const query = `${option.name}=${value}&${option.name}=${value}`;
      const { issues } = parseSinkUri(sink, `${base}?${query}`, [], () => null);
      expect(issues.map(({ message }) => message)).toEqual([
        `${option.name} is given 2 times; expected once`,
      ]);
    },
  );

  it.each(sinks.filter((sink) => sink.uri.keep !== "*").map((sink) => [sink.type, sink] as const))(
    "a parameter that nobody knows is named, and not sent to %s",
    (_, sink) => {
      const { issues } = withParameter(sink, "colour_of_the_sky", "blue");
      expect(issues.map(({ message }) => message).join()).toContain("colour_of_the_sky");
    },
  );
});
