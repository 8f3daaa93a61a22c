import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { configJsonSchema } from "../../../src/config/json-schema.ts";
import { parseYaml } from "../../../src/config/yaml.ts";
import { s } from "../../../src/sink/schema.ts";
import { schemaProblems } from "../../support/json-schema.ts";
import { chat, registry } from "../../support/registry.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../fixtures/config");
const schema = configJsonSchema(registry);

/** What an editor would underline. */
function underlined(kind: "good" | "bad", name: string): string[] {
  const text = readFileSync(path.join(FOLDER, kind, name), "utf8");
  return schemaProblems(schema, parseYaml(name, text).yaml?.value);
}

describe("an editor with the schema", () => {
  // A file without any content is null as a whole.
  const good = readdirSync(path.join(FOLDER, "good")).filter(
    (name) => name !== "comments-only.yaml",
  );

  it.each(good)("has nothing against good/%s", (name) => {
    expect(underlined("good", name)).toEqual([]);
  });

  it("has nothing against the example that comes with it", () => {
    const shipped = (name: string) =>
      readFileSync(path.resolve(import.meta.dirname, "../../../deploy", name), "utf8");
    const example = parseYaml("config.example.yaml", shipped("config.example.yaml")).yaml?.value;
    expect(schemaProblems(JSON.parse(shipped("config.schema.json")), example)).toEqual([]);
  });

  it("whose patterns know no Unicode classes, as Python's, does not stumble over ours", () => {
    const odd = {
      ...chat,
      options: chat.options.extend({ table: s.text({ description: "x" }).regex(/^\p{L}+$/u) }),
    };
    const made = configJsonSchema([odd]);
    expect(JSON.stringify(made)).toContain('"table"');
    expect(JSON.stringify(made)).not.toContain("\\p{");
  });

  it.each([
    "unknown-keys.yaml",
    "unknown-names.yaml",
    "wrong-forms.yaml",
    "missing.yaml",
    "sources.yaml",
    "not-a-map.yaml",
  ])("underlines something in bad/%s", (name) => {
    expect(underlined("bad", name)).not.toEqual([]);
  });
});

describe("the schema", () => {
  const sinkOf = (entry: unknown) => schemaProblems(schema, { sinks: { a: entry } });

  it("takes a secret as text or by reference, and nothing else", () => {
    for (const url of ["https://x", { $env: "A" }, { $file: "/a" }])
      expect(sinkOf({ type: "chat", url })).toEqual([]);
    for (const url of [5, { env: "A" }, { $env: "" }, { $env: "A", $file: "/a" }, ["x"]])
      expect(sinkOf({ type: "chat", url })).not.toEqual([]);
    expect(sinkOf({ type: "chat", url: "x", headers: { A: { $env: "A" } } })).toEqual([]);
    expect(sinkOf({ type: "chat", url: "x", headers: { A: 5 } })).not.toEqual([]);
  });

  it("demands what a type requires, and knows its options only", () => {
    expect(sinkOf({ type: "chat" })).not.toEqual([]);
    expect(sinkOf({ url: "x" })).not.toEqual([]);
    expect(sinkOf({ type: "stdout", url: "x" })).not.toEqual([]);
    expect(sinkOf({ type: "stdout", timeout: "5s", filter: { level: "Warning" } })).toEqual([]);
  });

  it("carries descriptions, defaults and examples", () => {
    const text = JSON.stringify(schema);
    expect(text).toContain('"description":"The language of the messages"');
    expect(text).toContain('"default":"24h"');
    expect(text).toContain('"examples":["Asia/Shanghai"]');
    expect(text).toContain(chat.summary);
  });

  it("is the same each time it is made", () => {
    expect(JSON.stringify(configJsonSchema(registry))).toBe(JSON.stringify(schema));
  });

  it("refuses a sink whose option has the name of a house option", () => {
    const bad = { ...chat, options: chat.options.extend({ timeout: chat.options.shape["url"] }) };
    expect(() => configJsonSchema([bad as unknown as typeof chat])).toThrow(
      "the sink chat declares the option timeout, which is the house's",
    );
  });
});
