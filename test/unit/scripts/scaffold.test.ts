import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import os from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { scaffold } from "../../../scripts/scaffold.ts";
import type { HttpSinkDefinition } from "../../../src/sink/index.ts";
import { optionsOf } from "../../../src/sink/schema.ts";
import { parseSinkUri } from "../../../src/sink/uri.ts";
import { loadTemplate } from "../../../src/template/engine.ts";
import { verdictOn } from "../../../src/sink/open.ts";
import { bare, filled } from "../../support/sinks.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(path.join(os.tmpdir(), "scaffold-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The new sink as it would stand in the repository: its imports lead into the real one. */
async function made(name: string): Promise<HttpSinkDefinition> {
  symlinkSync(path.join(ROOT, "src"), path.join(folder, "src"));
  for (const file of scaffold(name)) {
    const target = path.join(folder, file.path);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, file.text);
  }
  const module = (await import(path.join(folder, `sinks/${name}.ts`))) as {
    default: HttpSinkDefinition;
  };
  return module.default;
}

describe("a new sink", () => {
  it("keeps the promises of every sink from its first minute", async () => {
    const sink = await made("acme-chat");
    expect(sink.type).toBe("acme-chat");
    const { options, issues } = parseSinkUri(sink, sink.example.uri, [], () => null);
    expect(issues).toEqual([]);
    const parsed = sink.options.parse(options) as never;
    expect(bare(parsed)).toEqual(bare(sink.options.parse(sink.example.yaml)));
    expect(optionsOf(sink.options).every(({ meta }) => meta.description !== "")).toBe(true);
    const request = sink.request(parsed, filled(sink, parsed, '"'.repeat(50_000)), 0);
    expect(Buffer.byteLength(request.body)).toBeLessThanOrEqual(20_000);
    for (const { name, status, headers = {}, body, expect: kind } of sink.samples) {
      const answer = { status, headers, text: JSON.stringify(body), json: body };
      expect(verdictOn(sink, answer, 0).kind, name).toBe(kind);
    }
  });

  it("has a template that renders, with a digest and a gap of its own", () => {
    const text = scaffold("acme").find((file) => file.path.endsWith(".hbs"))?.text ?? "";
    const loaded = loadTemplate(text, "templates/acme.hbs");
    expect(loaded.ok ? loaded.template.blocks.toSorted() : loaded.errors).toEqual([
      "digest-text",
      "digest-title",
      "gap-text",
      "gap-title",
      "text",
      "title",
    ]);
  });

  it("brings its own test", () => {
    const [, , test] = scaffold("acme-chat");
    expect(test?.path).toBe("test/sinks/acme-chat.test.ts");
    expect(test?.text).toContain('import acmeChat from "../../sinks/acme-chat.ts";');
  });

  // Each would be no name of a variable, or stand in the test twice.
  it.each(["default", "switch", "in", "message", "webhook", "expect"])(
    "may be called %s: its test reads as TypeScript",
    (name) => {
      const text = scaffold(name).at(-1)?.text ?? "";
      expect(text).toContain(`import ${name}Sink from "../../sinks/${name}.ts";`);
      expect(() => stripTypeScriptTypes(text)).not.toThrow();
      expect(text).toContain(`requestOf(${name}Sink, `);
    },
  );

  it.each(["", "Acme", "acme_chat", "../x", "1st", "a b", "acme-", "acme.ts"])(
    "cannot be called %j",
    (name) => {
      expect(() => scaffold(name)).toThrow("cannot be a sink's name");
    },
  );
});
