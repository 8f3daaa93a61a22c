import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { FIXTURE_ENV, FIXTURE_FILES, memoryFiles } from "../../support/config.ts";
import { registry } from "../../support/registry.ts";
import { refusalOf } from "../../support/refusal.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../fixtures/config");

function yamlIn(kind: "good" | "bad"): string[] {
  return readdirSync(path.join(FOLDER, kind)).filter((name) => name.endsWith(".yaml"));
}

function loadFixture(kind: "good" | "bad", name: string) {
  const text = readFileSync(path.join(FOLDER, kind, name), "utf8");
  return loadConfig({
    flags: { config: [name] },
    registry,
    env: FIXTURE_ENV,
    files: memoryFiles({ ...FIXTURE_FILES, [name]: text }),
  });
}

describe("a good configuration loads without a word", () => {
  it.each(yamlIn("good"))("%s", (name) => {
    expect(loadFixture("good", name).warnings).toEqual([]);
  });
});

describe("a bad configuration is refused with all that is wrong, as a person has read it in the .txt beside it", () => {
  it.each(yamlIn("bad"))("%s", (name) => {
    const expected = readFileSync(
      path.join(FOLDER, "bad", name.replace(/\.yaml$/, ".txt")),
      "utf8",
    );
    expect(`${refusalOf(() => loadFixture("bad", name))}\n`).toBe(expected);
  });

  it("and no text is left without its configuration", () => {
    const texts = readdirSync(path.join(FOLDER, "bad")).filter((name) => name.endsWith(".txt"));
    expect(texts.map((name) => name.replace(/\.txt$/, ".yaml"))).toEqual(yamlIn("bad"));
  });

  it("and no message repeats what came from the environment or was meant as a secret", () => {
    for (const name of yamlIn("bad")) {
      const text = readFileSync(path.join(FOLDER, "bad", name.replace(/\.yaml$/, ".txt")), "utf8");
      expect(text).not.toMatch(/-from-env|token&|SECfrom|in-the-file-itself|123456789/);
    }
  });
});
