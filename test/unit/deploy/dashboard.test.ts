import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { aPageSite } from "../../support/page.ts";
import { ROOT } from "../../support/manifests.ts";
import { exposed, havePromtool, metricsIn, promtool } from "./support.ts";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly datasource?: unknown;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly fieldConfig?: { readonly defaults: { readonly links?: readonly { url: string }[] } };
  readonly targets?: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: unknown;
  }[];
}

const dashboard = JSON.parse(readFileSync(path.join(ROOT, "deploy/grafana.json"), "utf8")) as {
  title: string;
  links: { url: string }[];
  templating: { list: { name: string; query: string | { query: string } }[] };
  panels: Panel[];
};
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const targets = panels.flatMap((panel) =>
  (panel.targets ?? []).map((target) => ({ ...target, panel: panel.title })),
);

describe("deploy/grafana.json", () => {
  it("shows every metric kube-crier has, and none it has not", async () => {
    const { ours, common } = await exposed();
    const shown = new Set(targets.flatMap(({ expr }) => metricsIn(expr)));
    expect([...ours.keys()].filter((name) => !shown.has(name))).toEqual([]);
    expect([...shown].filter((name) => !ours.has(name) && !common.has(name))).toEqual([]);
  });

  it("groups and labels by labels that the metrics have", async () => {
    const { ours } = await exposed();
    for (const { expr, legendFormat, panel } of targets) {
      const has = new Set([
        "job",
        "instance",
        "le",
        ...metricsIn(expr).flatMap((name) => ours.get(name) ?? []),
      ]);
      const used = [
        ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap((match) => (match[1] ?? "").split(", ")),
        ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? ""),
        ...[...expr.matchAll(/(\w+)=~?"/g)].map((match) => match[1] ?? ""),
      ];
      for (const label of used) expect(has.has(label), `${panel}: ${label} in ${expr}`).toBe(true);
    }
  });

  it("asks the data source, job and instance that were chosen, everywhere", () => {
    const source = { type: "prometheus", uid: "${datasource}" };
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual([
      "datasource",
      "job",
      "instance",
      "page",
    ]);
    for (const { datasource } of [...panels, ...targets]) expect(datasource).toEqual(source);
    for (const { expr } of targets) {
      const selectors = expr.match(/\{[^}]*\}/g) ?? [];
      expect(selectors.length, expr).toBe(metricsIn(expr).length);
      for (const selector of selectors)
        expect(selector).toContain('job=~"$job", instance=~"$instance"');
    }
  });

  it("leads to the page, with its time and what was clicked, in words that the page knows", async () => {
    const { ours } = await exposed();
    const site = await aPageSite();
    const links = panels.flatMap(({ title, fieldConfig, targets: asked = [] }) =>
      (fieldConfig?.defaults.links ?? []).map(({ url }) => ({ title, url, asked })),
    );
    expect(links.length).toBeGreaterThanOrEqual(6);
    for (const { title, url, asked } of links) {
      const labels = [...url.matchAll(/__field\.labels\.(\w+)/g)].map(([, label]) => label);
      const has = asked.flatMap(({ expr }) =>
        metricsIn(expr).flatMap((name) => ours.get(name) ?? []),
      );
      for (const label of labels) expect(has, `${title}: ${label}`).toContain(label);
    }
    for (const { url } of [...dashboard.links, ...links]) {
      expect(url).toMatch(/^\$\{page\}\//);
      const filled = url
        .replace("${page}", "")
        .replace("${__from}", "1795160000000")
        .replace("${__to}", "1795167200000")
        .replaceAll(/\$\{[^}]*\}/g, "ops");
      expect((await site.get(filled)).status, url).toBe(200);
    }
  });

  it("has panels that neither overlap nor stick out", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x},${y}`), `${title} lies on`).toBeUndefined();
          taken.set(`${x},${y}`, title);
        }
    }
  });

  it.skipIf(!havePromtool)(
    "has queries that promtool can read (apt-get install prometheus)",
    () => {
      const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-dashboard-"));
      const file = path.join(folder, "queries.yaml");
      const rules = targets.map(({ expr }, index) => ({
        record: `query:${index}`,
        expr: expr.replaceAll("$__rate_interval", "5m"),
      }));
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
      try {
        expect(promtool("check", "rules", file)).toContain(`${targets.length} rules found`);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});
