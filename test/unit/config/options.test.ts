import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { optionsMarkdown } from "../../../src/config/docs.ts";
import { OPTION_FLAGS } from "../../../src/config/flags.ts";
import { FLAGS, OPTION_GROUPS } from "../../../src/config/options.ts";
import { HOUSE_PARAMETERS } from "../../../src/config/sink-uri.ts";
import { loadConfig } from "../../../src/config/load.ts";
import dingtalk from "../../../sinks/dingtalk.ts";
import stdout from "../../../sinks/stdout.ts";
import { load, memoryFiles } from "../../support/config.ts";

const flag = (key: string) => FLAGS.find((one) => one.key === key);

describe("every flag", () => {
  it("has what --help shows", () => {
    expect(flag("clusterName")).toEqual({
      key: "clusterName",
      flag: "--cluster-name <NAME>",
      repeatable: false,
      description: "The name of the cluster, as messages show it",
      fallback: null,
      example: "--cluster-name=prod-a",
    });
    expect(flag("replay")).toMatchObject({ fallback: "0s", example: "--replay=15m" });
    expect(flag("history")).toMatchObject({ fallback: "7d" });
    expect(flag("stay")).toMatchObject({ flag: "--stay", fallback: null, example: "--stay" });
    expect(flag("sink")).toMatchObject({ flag: "--sink <URI>", repeatable: true });
    expect(flag("excludeKinds")).toMatchObject({
      flag: "--exclude-kinds <PATTERNS>",
      repeatable: true,
      example: "--exclude-kinds=Pod,Node",
    });
  });

  it("is quoted in its example where a shell would take it apart", () => {
    expect(flag("names")?.example).toBe("--names='web-*'");
  });

  it("has a description and an example", () => {
    for (const { key, description, example } of FLAGS) {
      expect(description, key).not.toBe("");
      expect(example, key).toMatch(/^--[a-z-]+(=.+)?$/);
    }
  });

  it("works with its own example", () => {
    for (const key of Object.keys(OPTION_FLAGS)) {
      const value = flag(key)
        ?.example.replace(/^--[a-z-]+=?/, "")
        .replaceAll("'", "");
      // The sink that the examples name, and the ledger that an election needs.
      const ledger = key === "leaderElect" ? { ledger: "mysql://crier@db.example.com/crier" } : {};
      const flags = {
        sink: ["stdout:?name=my-stdout"],
        ...ledger,
        [key]: value === "" ? true : value,
      };
      expect(() => load({ flags }), key).not.toThrow();
    }
  });
});

describe("every option of the house", () => {
  it("has a description without a full stop, for it is put into tables and comments", () => {
    for (const group of Object.values(OPTION_GROUPS))
      for (const { name, meta } of group) {
        expect(meta.description, name).toMatch(/[^.]$/);
        expect(meta.example, name).toBeDefined();
      }
  });
});

describe("docs/configuration.md", () => {
  const docs = readFileSync(
    path.resolve(import.meta.dirname, "../../../docs/configuration.md"),
    "utf8",
  );

  it("holds the tables as they are generated", () => {
    const [, block] =
      /<!-- options: generated -->\n\n([\s\S]*?)\n\n<!-- \/options -->/.exec(docs) ?? [];
    expect(block).toBe(optionsMarkdown());
  });

  it("tells of every flag, option and parameter", () => {
    for (const { flag: text } of FLAGS) expect(docs).toContain(`\`${text}\``);
    for (const name of HOUSE_PARAMETERS) expect(docs).toContain(`\`${name}\``);
    for (const group of Object.values(OPTION_GROUPS))
      for (const { name } of group) expect(docs).toContain(`| \`${name}\` `);
  });

  it("has examples that load with the real sinks", () => {
    const blocks = [...docs.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
    expect(blocks.length).toBeGreaterThan(2);
    for (const text of blocks) {
      const { config } = loadConfig({
        flags: { config: ["docs.yaml"] },
        registry: [dingtalk, stdout],
        env: {
          TZ: "UTC",
          DINGTALK_URL: "https://oapi.dingtalk.com/robot/send?access_token=abc",
          DINGTALK_TOKEN: "abc",
        },
        files: memoryFiles({ "docs.yaml": text, "/etc/kube-crier/dingtalk-secret": "SEC" }),
      });
      expect(config.sinks.length).toBeGreaterThan(0);
    }
  });
});
