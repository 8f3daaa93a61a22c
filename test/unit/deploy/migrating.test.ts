import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ALL_DIFFERENCES } from "../../../src/compat/differences.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { memoryFiles } from "../../support/config.ts";
import { ROOT } from "../../support/manifests.ts";
import { snippetsOf } from "../../support/snippets.ts";
import { havePromtool, promtool } from "./support.ts";

// What needs a cluster and a database is executed by test/e2e/migrating.test.ts.
const snippets = snippetsOf("migrating.md");
const e2e = readFileSync(path.join(ROOT, "test/e2e/migrating.test.ts"), "utf8");
const text = readFileSync(path.join(ROOT, "docs/migrating.md"), "utf8");

/** Of its snippets this file executes the one there is. */
const OF_EXPORTER = "From kubernetes-event-exporter";

describe("docs/migrating.md", () => {
  it("has no snippet that no test executes", () => {
    expect(snippets.length).toBeGreaterThan(8);
    for (const { heading, language, text: snippet } of snippets) {
      if (language === "promql" || heading === OF_EXPORTER) continue;
      expect(["sh", "yaml", "sql"], snippet).toContain(language);
      expect(e2e, `${language} under "${heading}"`).toContain(heading);
    }
    // The test takes each by its place: a further one under a heading would be left out.
    const count = (heading: string, language: string) =>
      snippets.filter((one) => one.heading === heading && one.language === language).length;
    expect([
      count("Look first", "sh"),
      count("The short way: another image", "sh"),
      count("The short way: another image", "yaml"),
      count("The whole way: a configuration of its own", "sh"),
      count("A day side by side", "sh"),
      count("A day side by side", "yaml"),
      count("A day side by side", "sql"),
    ]).toEqual([2, 2, 1, 2, 2, 1, 2]);
  });

  it("shows a configuration in place of kubernetes-event-exporter's that is one, and as told beside it", () => {
    const [snippet, ...others] = snippets.filter(({ heading }) => heading === OF_EXPORTER);
    expect(others).toEqual([]);
    const { config } = loadConfig({
      flags: { config: ["config.yaml"] },
      registry,
      env: { SLACK_TOKEN: "xoxb-1" },
      files: memoryFiles({ "config.yaml": snippet?.text ?? "" }),
    });
    expect(config).toMatchObject({
      cluster: "prod-a",
      sources: [{ namespaces: ["shop"] }],
      filter: { exclude: { reasons: ["Pulled", "/^Scal/"] } },
      sinks: [{ name: "oncall", filter: { level: "Warning", kinds: ["Pod"] } }],
    });
  });

  it("leads to places that exist", () => {
    const links = [...text.matchAll(/\]\(([^)#]*)(?:#([\w-]+))?\)/g)];
    expect(links.length).toBeGreaterThan(5);
    for (const [, file = "", anchor] of links) {
      const target = path.join(ROOT, "docs", file === "" ? "migrating.md" : file);
      expect(existsSync(target), target).toBe(true);
      if (anchor === undefined) continue;
      const anchors = [...readFileSync(target, "utf8").matchAll(/^#+ (.*)$/gm)].map(
        ([, heading = ""]) =>
          heading
            .toLowerCase()
            .replaceAll(/[^\w -]/g, "")
            .replaceAll(" ", "-"),
      );
      expect(anchors, `${file}#${anchor}`).toContain(anchor);
    }
  });

  it("asks Prometheus for a metric that is there", async () => {
    const [query] = snippets.filter(({ language }) => language === "promql");
    const names = [...(query?.text ?? "").matchAll(/\beventer_\w+/g)].map(([name]) => name);
    expect(names.length).toBeGreaterThan(0);
    const exposed = await createMetrics("1", ["kubernetes"], ["a"]).text();
    for (const name of names) expect(exposed).toContain(`# TYPE ${name} counter`);
  });

  it.skipIf(!havePromtool)("and in Prometheus' language (apt-get install prometheus)", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-promql-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const check = (expr: string) => {
      const file = path.join(folder, "rules.yaml");
      const rules = [{ record: "difference", expr }];
      writeFileSync(file, JSON.stringify({ groups: [{ name: "compare", rules }] }));
      return promtool("check", "rules", file);
    };
    for (const { text: expr } of snippets.filter(({ language }) => language === "promql"))
      expect(check(expr)).toContain("1 rules found");
    expect(() => check("sum by (reason (")).toThrow(/parse error/);
  });
});

describe("docs/differences.md", () => {
  it("says of each sink of kube-eventer's what differs", () => {
    const page = readFileSync(path.join(ROOT, "docs/differences.md"), "utf8");
    for (const { sink, was, is } of ALL_DIFFERENCES)
      for (const words of [`## ${sink ?? "Whatever the sinks"}`, was, is])
        expect(page).toContain(words);
  });
});
