import { PassThrough, Readable } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sinks as registry } from "../../../sinks/index.ts";
import { runProgram } from "../../../src/cli/program.ts";
import type { Commands } from "../../../src/cli/program/commands.ts";
import { systemClock } from "../../../src/clock.ts";
import { ConfigError, type ConfigIssue } from "../../../src/config/config.ts";
import { describeConfig } from "../../../src/config/describe.ts";
import type { FlagValues } from "../../../src/config/flags.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { toYaml } from "../../../src/config/yaml.ts";
import type { SinkDefinition } from "../../../src/sink/index.ts";
import { optionsOf } from "../../../src/sink/schema.ts";
import { memoryFiles } from "../../support/config.ts";

/**
 * What a person mistypes, at every place of a configuration that holds a secret of every sink. The secrets have the letters that real ones
 * have; half of one is one too.
 */
const SECRET = "Xq7Zk9Wv3Jt5Rb8Nd2Lg6Hm4Pf1Sc0Ty";
const PART = 12;

/** How much of the secret stands in a text at most. */
function partOf(text: string): string {
  for (let length = SECRET.length; length >= PART; length -= 1)
    for (let at = 0; at + length <= SECRET.length; at += 1)
      if (text.includes(SECRET.slice(at, at + length))) return text;
  return "";
}

const issuesText = (issues: readonly ConfigIssue[]) =>
  issues.map(({ where, message, hint }) => `${where}: ${message} (${hint})`).join("\n");

/** Everything that anybody is shown of such a configuration. */
function everythingSaid(flags: FlagValues, texts: Readonly<Record<string, string>> = {}): string {
  const env = { TZ: "UTC", MARKED: SECRET };
  const files = memoryFiles({ "/run/secret": `${SECRET}\n`, ...texts });
  try {
    const { config, warnings, options } = loadConfig({ flags, registry, env, files });
    const shown = options().map(({ name, value, where }) => `${name} ${value} ${where}`);
    return [describeConfig(config), issuesText(warnings), JSON.stringify(config), ...shown].join(
      "\n",
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return issuesText(error.issues);
  }
}

/** The sink's example with a secret of ours in each place for one. */
function marked(definition: SinkDefinition, secret: string): Record<string, unknown> {
  const options = optionsOf(definition.options);
  const secrets = new Set(options.filter(({ meta }) => meta.secret).map(({ name }) => name));
  const mark = (value: unknown): unknown => {
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mark(one)]));
    const text = String(value);
    // Of an address everything from the path on.
    const url = /^([a-z+]+:\/\/[^/]*)\//.exec(text)?.[1];
    return url === undefined ? secret : `${url}/${secret}?access_token=${secret}`;
  };
  return {
    type: definition.type,
    ...Object.fromEntries(
      Object.entries(definition.example.yaml).map(([name, value]) => [
        name,
        secrets.has(name) ? mark(value) : value,
      ]),
    ),
  };
}

const WITH_SECRETS = registry.filter((definition) =>
  optionsOf(definition.options).some(
    ({ name, meta }) => meta.secret === true && name in definition.example.yaml,
  ),
);

/** Letters that mean something to YAML, to URIs or to us. */
const letter = fc.constantFrom(...` \t\n:-?#&*!|>'"%@\`{}[],=/\\$~+;.a0<_\u00a0\u202e`.split(""));
const slip = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), at: fc.nat(), letter }),
  fc.record({ kind: fc.constant("replace" as const), at: fc.nat(), letter }),
  fc.record({ kind: fc.constant("delete" as const), at: fc.nat(), count: fc.constant(1) }),
);
/** Larger ones, which may put a secret where a value stands that everybody may see: in a file each is on a line of its own. */
const edit = fc.oneof(
  slip,
  fc.record({
    kind: fc.constant("delete" as const),
    at: fc.nat(),
    count: fc.integer({ min: 3, max: 6 }),
  }),
  fc.record({
    kind: fc.constant("double" as const),
    at: fc.nat(),
    count: fc.integer({ min: 1, max: 60 }),
  }),
);
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

/** The text after a slip of the hand, wherever it may be. */
function edited(text: string, one: Edit): string {
  const at = one.at % (text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  if (one.kind === "insert") return before + one.letter + after;
  if (one.kind === "replace") return before + one.letter + after.slice(1);
  if (one.kind === "delete") return before + after.slice(one.count);
  return before + after.slice(0, one.count) + after;
}

describe("a secret is in nothing that is said", () => {
  it.each(WITH_SECRETS)("of a file in which something is mistyped: $type", (definition) => {
    const text = toYaml({ cluster: "prod-a", sinks: { ops: marked(definition, SECRET) } }, false);
    expect(text).toContain(SECRET);
    fc.assert(
      fc.property(
        fc.oneof(
          edit.map((one) => [one]),
          fc.tuple(slip, slip),
        ),
        (edits) => {
          const wrong = edits.reduce(edited, text);
          expect(partOf(everythingSaid({ config: ["c.yaml"] }, { "c.yaml": wrong }))).toBe("");
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each(WITH_SECRETS)("of a file on one line: $type", (definition) => {
    const text = toYaml({ sinks: { ops: marked(definition, SECRET) } }, true);
    fc.assert(
      fc.property(edit, (one) => {
        const wrong = edited(text, one);
        expect(partOf(everythingSaid({ config: ["c.yaml"] }, { "c.yaml": wrong }))).toBe("");
      }),
      { numRuns: 40 },
    );
  });

  it.each(WITH_SECRETS)("of a --sink in which something is mistyped: $type", async (definition) => {
    const given = `--sink=${uriOf(definition)}`;
    expect(given).toContain(SECRET);
    await fc.assert(
      fc.asyncProperty(slip, async (one) => {
        expect(partOf(await saidOf(["check", edited(given, one)]))).toBe("");
      }),
      { numRuns: 60 },
    );
  });
});

/** The same as one would write it in a URI. */
function uriOf(definition: SinkDefinition): string {
  const { type, ...options } = marked(definition, SECRET);
  const { target } = definition.uri;
  const address = target === null ? "" : asText(options[target]);
  const parameters = Object.entries(options).flatMap(([name, value]) => {
    if (name === target) return [];
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return [`${name}=${String(value)}`];
    return Object.entries(value).map(([key, one]) => `${name}=${key}=${String(one)}`);
  });
  const mark = address.includes("?") ? "&" : "?";
  return `${String(type)}:${address}${parameters.length === 0 ? "" : mark + parameters.join("&")}`;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What the program says of a command line, before it would do anything. */
async function saidOf(argv: readonly string[]): Promise<string> {
  const said = new PassThrough({ encoding: "utf8" });
  let text = "";
  said.on("data", (part: string) => (text += part));
  const check = (flags: FlagValues) => {
    text += everythingSaid(flags);
    return Promise.resolve(0);
  };
  const io = {
    stdin: Readable.from([]),
    stdout: said,
    stderr: said,
    env: {},
    clock: systemClock,
    signal: new AbortController().signal,
  };
  await runProgram(argv, "1.2.3", { check } as Partial<Commands> as Commands, io);
  return text;
}
