import { readFile } from "node:fs/promises";
import path from "node:path";
import { optionsMarkdown } from "../../src/config/docs.ts";
import { configExampleYaml } from "../../src/config/example.ts";
import { configJsonSchema } from "../../src/config/json-schema.ts";
import type { SinkDefinition } from "../../src/sink/index.ts";
import { helpersMarkdown } from "../../src/template/helpers.ts";
import { viewFieldsMarkdown } from "../../src/template/view-fields.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Read late: the registry may have been written a moment ago. */
async function registry(): Promise<readonly SinkDefinition[]> {
  const { sinks } = (await import("../../sinks/index.ts")) as { sinks: readonly SinkDefinition[] };
  return sinks;
}

export async function configSchema(): Promise<string> {
  return `${JSON.stringify(configJsonSchema(await registry()), null, 2)}\n`;
}

export async function configExample(): Promise<string> {
  return configExampleYaml(await registry());
}

export function configReference(): Promise<string> {
  return between("docs/configuration.md", { options: optionsMarkdown() });
}

export function templateReference(): Promise<string> {
  return between("docs/templates.md", { fields: viewFieldsMarkdown(), helpers: helpersMarkdown() });
}

/** A page written by hand with generated parts, each between `<!-- NAME: generated -->` and `<!-- /NAME -->`. */
async function between(file: string, parts: Readonly<Record<string, string>>): Promise<string> {
  let text = await readFile(path.join(ROOT, file), "utf8");
  for (const [name, content] of Object.entries(parts)) {
    const marks = new RegExp(`(<!-- ${name}: generated -->\\n)[\\s\\S]*?(\\n<!-- /${name} -->)`);
    if (!marks.test(text)) throw new Error(`${file} has no place for the generated ${name}`);
    text = text.replace(
      marks,
      (_, begin: string, end: string) => `${begin}\n${content.trim()}\n${end}`,
    );
  }
  return text;
}
