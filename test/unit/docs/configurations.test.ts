import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { sinks as registry } from "../../../sinks/index.ts";
import { configJsonSchema } from "../../../src/config/json-schema.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { rootSchema } from "../../../src/config/schema.ts";
import { isMap } from "../../../src/config/tree.ts";
import { memoryFiles } from "../../support/config.ts";
import { DOCUMENTS } from "../../support/documents.ts";
import { schemaProblems } from "../../support/json-schema.ts";

const OPTIONS = Object.keys(rootSchema.shape);
const SCHEMA = configJsonSchema(registry);

/** Those that a snippet about something else speaks of. */
const SINKS = "sinks: { oncall: { type: stdout }, audit: { type: stdout } }";

function valueOf(text: string): unknown {
  try {
    return parse(text, { merge: true });
  } catch {
    return null;
  }
}

/** Blocks of which every heading is one of ours: neither manifests nor what other programs read. */
const SNIPPETS = DOCUMENTS.flatMap(({ path: file, blocks }) =>
  blocks
    .filter(({ language }) => language === "yaml" || language === "yml")
    .map(({ text, line }) => ({ where: `${file}:${line}`, text, value: valueOf(text) }))
    .filter(({ value }) => isMap(value) && Object.keys(value).some((key) => OPTIONS.includes(key)))
    .filter(({ value }) => isMap(value) && !("apiVersion" in value)),
);

/** A value that fits for each variable and each file that is named. */
function surroundings(text: string) {
  const fitting = (name: string) =>
    /URL|WEBHOOK/i.test(name)
      ? "https://hooks.example.com/x"
      : /DSN|LEDGER/i.test(name)
        ? "mysql://crier:made-up@db.example.com/kube_crier"
        : "0123456789abcdef";
  const names = [...text.matchAll(/\$\{(\w+)\}|\$env: *(\w+)/g)].map(([, a, b]) => a ?? b ?? "");
  const files = [...text.matchAll(/\$file: *([^\s}]+)/g)].map(([, file = ""]) => file);
  return {
    env: { TZ: "UTC", ...Object.fromEntries(names.map((name) => [name, fitting(name)])) },
    files: Object.fromEntries(files.map((file) => [file, fitting(file)])),
  };
}

describe("a configuration that the documentation shows", () => {
  it("is found at all", () => {
    expect(SNIPPETS.length).toBeGreaterThan(10);
  });

  it.each(SNIPPETS)("loads, and no secret stands in it: $where", ({ where, text, value }) => {
    const { env, files } = surroundings(text);
    const others = isMap(value) && "sinks" in value ? [] : ["sinks.yaml"];
    const { warnings } = loadConfig({
      flags: { config: ["snippet.yaml", ...others] },
      registry,
      env,
      files: memoryFiles({ ...files, "snippet.yaml": text, "sinks.yaml": SINKS }),
    });
    // Each sink's own example shows what its secrets look like.
    if (where.startsWith("sinks/README.md")) return;
    expect(warnings.filter(({ message }) => message.includes("secret"))).toEqual([]);
  });

  it.each(SNIPPETS)("is right to an editor, too: $where", ({ value }) => {
    expect(schemaProblems(SCHEMA, value)).toEqual([]);
  });
});
