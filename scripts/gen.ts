import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { apiReference } from "./generated/api.ts";
import {
  configExample,
  configReference,
  configSchema,
  templateReference,
} from "./generated/config.ts";
import { cliReference } from "./generated/cli.ts";
import { differencesPage } from "./generated/differences.ts";
import { sinkIndex, sinkReadme } from "./generated/sinks.ts";

/**
 * Writes what can be derived from the definitions; with `--check` writes nothing and fails where a file is stale.
 * A new generated file is one line here.
 */
interface Generated {
  /** From the repository's root. */
  readonly path: string;
  content(): Promise<string>;
}

/** In order: later ones may import earlier ones. */
const FILES: readonly Generated[] = [
  { path: "sinks/index.ts", content: sinkIndex },
  { path: "sinks/README.md", content: sinkReadme },
  { path: "deploy/config.schema.json", content: configSchema },
  { path: "deploy/config.example.yaml", content: configExample },
  { path: "docs/api.md", content: apiReference },
  { path: "docs/cli.md", content: cliReference },
  { path: "docs/configuration.md", content: configReference },
  { path: "docs/templates.md", content: templateReference },
  { path: "docs/differences.md", content: differencesPage },
];

const ROOT = path.resolve(import.meta.dirname, "..");
const check = process.argv.includes("--check");
const stale: string[] = [];

for (const file of FILES) {
  const target = path.join(ROOT, file.path);
  const content = await file.content();
  const present = await readFile(target, "utf8").catch(() => null);
  if (present === content) continue;
  stale.push(file.path);
  if (check) continue;
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, content);
}

if (check && stale.length > 0) {
  process.stderr.write(`stale: ${stale.join(", ")}\nrun: npm run gen\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(
    stale.length === 0 ? "all generated files are fresh\n" : `wrote ${stale.join(", ")}\n`,
  );
}
