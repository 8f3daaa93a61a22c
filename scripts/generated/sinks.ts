import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Limits, SinkDefinition } from "../../src/sink/index.ts";
import { variableFor } from "../scaffold.ts";
import { type OptionInfo, type OptionMeta, optionsOf } from "../../src/sink/schema.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../sinks");
const NOTICE = "Written by `npm run gen` from the definitions in this folder; do not edit.";

async function sinkNames(): Promise<readonly string[]> {
  return (await readdir(FOLDER))
    .filter((name) => name.endsWith(".ts") && name !== "index.ts")
    .map((name) => name.slice(0, -".ts".length))
    .toSorted();
}

async function definitions(): Promise<readonly SinkDefinition[]> {
  return Promise.all(
    (await sinkNames()).map(async (name) => {
      const loaded = (await import(path.join(FOLDER, `${name}.ts`))) as { default: SinkDefinition };
      if (loaded.default.type !== name) {
        throw new Error(
          `sinks/${name}.ts declares the type ${loaded.default.type}; expected ${name}`,
        );
      }
      return loaded.default;
    }),
  );
}

/** Static imports, so that a bundler finds them. */
export async function sinkIndex(): Promise<string> {
  const names = await sinkNames();
  return [
    `// ${NOTICE}`,
    'import type { SinkDefinition } from "../src/sink/index.ts";',
    ...names.map((name) => `import ${variableFor(name)} from "./${name}.ts";`),
    "",
    "/** Every sink there is, sorted by type. */",
    `export const sinks: readonly SinkDefinition[] = [${names.map(variableFor).join(", ")}];`,
    "",
    "/** The sink of a type, or `undefined`. */",
    "export function sinkOf(type: string): SinkDefinition | undefined {",
    "  return sinks.find((sink) => sink.type === type);",
    "}",
    "",
  ].join("\n");
}

export async function sinkReadme(): Promise<string> {
  const all = await definitions();
  return [
    "# Sinks",
    "",
    `<!-- ${NOTICE} -->`,
    "",
    "Where alerts go. Options have one name in YAML (`msgType`) and answer to any spelling of it in a `--sink` URI (`msg_type`, `msg-type`, `msgType`).",
    "A new sink: `npm run new:sink NAME`.",
    "",
    "| type | what it is | budget | size |",
    "|---|---|---|---|",
    ...all.map((sink) => {
      const limits = limitsOf(sink);
      return `| [\`${sink.type}\`](#${sink.type}) | ${sink.summary} | ${budget(limits)} | ${size(limits)} |`;
    }),
    "",
    "What you can rely on:",
    "",
    "| type | kind | who is asking | sent again | in one request | tested against |",
    "|---|---|---|---|---|---|",
    ...all.map(({ type, facts }) => {
      const { kind, auth, idempotency, batch, testedAgainst } = facts;
      return `| [\`${type}\`](#${type}) | ${[kind, auth, idempotency, batch, testedAgainst].map(cell).join(" | ")} |`;
    }),
    "",
    ...all.flatMap(section),
  ].join("\n");
}

function section(sink: SinkDefinition): string[] {
  const options = optionsOf(sink.options);
  return [
    `## ${sink.type}`,
    "",
    `${sink.summary} Platform: <${sink.docs}>`,
    "",
    ...(options.length === 0
      ? ["It has no options of its own."]
      : ["| option | what | form | without it |", "|---|---|---|---|"]),
    ...options.map((option) => row(option, sink.uri.target === option.name)),
    ...idle(sink),
    ...(sink.strict === undefined ? [] : ["", `With \`compat: strict\`: ${sink.strict.about}`]),
    "",
    "```sh",
    `kube-crier run --sink '${sink.example.uri}'`,
    "```",
    "",
    "```yaml",
    "sinks:",
    `  ${sink.type}-example:`,
    `    type: ${sink.type}`,
    ...yamlLines(sink.example.yaml, "    "),
    "```",
    "",
  ];
}

/** What a kube-eventer URI may have and nothing comes of. */
function idle({ uri }: SinkDefinition): string[] {
  const lines = Object.entries(uri.ignored ?? {}).map(([name, why]) => `- \`${name}\`: ${why}.`);
  return lines.length === 0
    ? []
    : ["", "In a URI of kube-eventer's these are taken, too, and change nothing:", "", ...lines];
}

function row({ name, meta, form, required, fallback }: OptionInfo, isTarget: boolean): string {
  const aliases = meta.aliases === undefined ? "" : ` Also \`${meta.aliases.join("`, `")}\`.`;
  const place = isTarget ? " In a URI: the address itself." : "";
  const env =
    meta.env === undefined ? "" : ` Else the environment variable ${variables(meta.env)}.`;
  const shape = typeof form === "string" ? form : form.map((value) => `\`${value}\``).join(", ");
  const without = required ? "must be given" : shown(fallback);
  return `| \`${name}\` | ${cell(meta.description + place + aliases + env)} | ${shape} | ${without} |`;
}

function variables(env: NonNullable<OptionMeta["env"]>): string {
  if (typeof env === "string") return `\`${env}\``;
  const { besides } = env;
  const each =
    "name" in env
      ? [`\`${env.name}\``]
      : Object.entries(env.names).map(([value, name]) => `\`${name}\` (${env.by} ${value})`);
  const only = besides === undefined ? "" : `, where \`${besides}\` is from there`;
  return each.join(", ") + only;
}

function shown(fallback: unknown): string {
  if (typeof fallback === "boolean") return fallback ? "yes" : "no";
  if (typeof fallback === "number") return `\`${fallback}\``;
  if (typeof fallback === "object" && fallback !== null)
    return Object.values(fallback).map(shown).join(", ") || "none";
  return typeof fallback === "string" && fallback !== "" ? `\`${fallback}\`` : "—";
}

const cell = (text: string) => text.replaceAll("|", "\\|");

/** With nothing but the address and what must be given: what mentions and the like take away is not the platform's doing. */
function limitsOf(sink: SinkDefinition): Limits {
  const { uri, example } = sink;
  const needed = optionsOf(sink.options)
    .filter(({ name, required }) => required || name === uri.target)
    .map(({ name }) => [name, example.yaml[name]] as const);
  const least = sink.options.safeParse(Object.fromEntries(needed));
  return sink.limits(least.success ? least.data : sink.options.parse(example.yaml));
}

function budget({ rates, concurrency }: Limits): string {
  if (rates.length === 0) return `${concurrency} at a time`;
  return rates.map(({ count, perMs }) => `${count} in ${perMs / 1000} s`).join(", ");
}

function size({ body, blocks }: Limits): string {
  if (body !== null) return `${body.max.toLocaleString("en")} ${body.unit}`;
  const largest = Object.values(blocks).toSorted((a, b) => b.max - a.max)[0];
  return largest === undefined ? "—" : `${largest.max.toLocaleString("en")} ${largest.unit}`;
}

/** The examples are flat: texts, lists of texts and maps of texts. */
function yamlLines(value: Readonly<Record<string, unknown>>, indent: string): string[] {
  return Object.entries(value).flatMap(([key, item]) => {
    if (Array.isArray(item)) return [`${indent}${key}: ${JSON.stringify(item)}`];
    if (typeof item !== "object" || item === null)
      return [`${indent}${key}: ${JSON.stringify(item)}`];
    return [`${indent}${key}:`, ...yamlLines(item as Record<string, unknown>, `${indent}  `)];
  });
}
