import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sinks as registry } from "../../../sinks/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { cli } from "../../support/io.ts";
import { dataOf, environmentOf, find, manifests, VARIANTS } from "../../support/manifests.ts";

const NAMESPACE = "team-a";
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "kube-crier-deploy-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file below the test's folder and answers its path. */
function put(name: string, text: string): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe.each(VARIANTS)("the configuration in %s", (variant) => {
  const objects = manifests(variant);
  const env = environmentOf(objects, NAMESPACE);
  const files = dataOf(find(objects, "ConfigMap"));
  const secret = dataOf(find(objects, "Secret"));
  const load = (...names: readonly string[]) =>
    loadConfig({
      flags: { config: names.map((name) => put(`${variant}/${name}`, files[name] ?? "")) },
      registry,
      env,
    });

  it("starts as it is, without any robot", () => {
    const { config, warnings } = load("config.yaml");
    expect(warnings).toEqual([]);
    expect(config.timezone).toBe("Etc/UTC");
    expect(config.sinks.map(({ name, definition }) => [name, definition.type])).toEqual([
      ["log", "stdout"],
    ]);
    for (const key of Object.keys(secret)) expect(files["config.yaml"]).not.toContain(key);
  });

  it("watches what the service account may see", () => {
    const [source, ...others] = load("config.yaml").config.sources;
    expect(others).toEqual([]);
    expect(source).toMatchObject({
      type: "kubernetes",
      namespaces: variant === "kube-crier.yaml" ? [] : [NAMESPACE],
    });
  });

  it("has examples that load beside it with the placeholders, every secret by reference", () => {
    const { config, warnings } = load("config.yaml", "examples.yaml");
    expect(warnings).toEqual([]);
    expect(new Set(config.sinks.map(({ definition }) => definition.type))).toEqual(
      new Set(["stdout", "dingtalk", "lark", "wecom", "slack", "mysql", "webhook"]),
    );
    for (const key of Object.keys(secret)) expect(files["examples.yaml"]).toContain(key);
  });

  it("has placeholders nobody can take for the real thing", () => {
    for (const [key, value] of Object.entries(secret))
      expect(value, key).toMatch(/REPLACE[-/]ME|example\.com/);
  });

  it("reads only ConfigMaps that are shipped and that its Role allows", () => {
    const { config } = load("config.yaml", "examples.yaml");
    const pager = config.sinks.find(({ name }) => name === "pager");
    const body = pager?.definition.bodyTemplate?.(pager.options);
    expect(body).toMatchObject({
      namespace: NAMESPACE,
      configMap: "kube-crier-webhook-body",
      key: "content",
    });
    expect(config.templates).toEqual([`configmap:${NAMESPACE}/kube-crier-templates`]);
    expect(dataOf(find(objects, "ConfigMap", "kube-crier-webhook-body"))).toHaveProperty("content");
    const [rule] = find(objects, "Role")["rules"] as { resourceNames: string[] }[];
    expect(rule?.resourceNames).toEqual(["kube-crier-templates", "kube-crier-webhook-body"]);
  });

  it("has templates and a body that check accepts", async () => {
    const templates = dataOf(find(objects, "ConfigMap", "kube-crier-templates"));
    for (const [name, text] of Object.entries(templates)) put(`${variant}/templates/${name}`, text);
    const body = dataOf(find(objects, "ConfigMap", "kube-crier-webhook-body"));
    // The same files from a folder, so that no cluster is needed.
    const examples = (files["examples.yaml"] ?? "")
      .replace(/"configmap:[^"]*"/, JSON.stringify(path.join(folder, variant, "templates")))
      .replace(
        "customBodyConfigmap: kube-crier-webhook-body",
        `bodyFile: ${put(`${variant}/body.hbs`, body["content"] ?? "")}`,
      )
      .replace(/customBodyConfigmapNamespace: .*/, "");
    const { code, stdout, stderr } = await cli(
      [
        "check",
        `--config=${put(`${variant}/config.yaml`, files["config.yaml"] ?? "")}`,
        `--config=${put(`${variant}/local.yaml`, examples)}`,
        "--source=file:/dev/null",
      ],
      { env },
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("all is well");
    expect(stdout).not.toContain("REPLACE");
  });
});

describe("an impossible value in the shipped configuration", () => {
  const files = dataOf(find(manifests("kube-crier.yaml"), "ConfigMap"));
  const env = environmentOf(manifests("kube-crier.yaml"), "kube-crier");
  const EDITS: readonly (readonly [string, string, string, RegExp])[] = [
    ["config.yaml", "level: Warning", "level: Warnning", /log\.filter\.level: .*"Warnning"/],
    ["config.yaml", "type: stdout", "type: stdot", /"stdot"/],
    [
      "config.yaml",
      "cluster: my-cluster",
      "clutser: my-cluster",
      /clutser: there is no such option/,
    ],
    ["examples.yaml", "/oom/i", "/oom(/i", /oncall|shop-team.*reasons.*\/oom\(\//],
    ["examples.yaml", "lang: zh", "lang: cn", /lang: expected one of en, zh; found "cn"/],
    ["examples.yaml", "$env: SLACK_URL", "$env: SLACK_LRU", /SLACK_LRU/],
    [
      "examples.yaml",
      "      level: Warning",
      "      level: Warning\n      level: Normal",
      /is not valid YAML|no such option/,
    ],
  ];

  it.each(EDITS)("is refused with its place: %s, %s → %s", async (name, from, to, said) => {
    const text = files[name] ?? "";
    expect(text).toContain(from);
    const at = text.indexOf(from);
    const line = text.slice(0, at).split("\n").length;
    const edited = put(`edited/${name}`, text.replace(from, to));
    const configs = [put("edited/base.yaml", files["config.yaml"] ?? ""), edited];
    const { code, stdout, stderr } = await cli(
      ["check", ...configs.slice(name === "config.yaml" ? 1 : 0).map((file) => `--config=${file}`)],
      { env: { ...env, KUBECONFIG: "/nowhere" } },
    );
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(said);
    const place = /edited\/\w+\.yaml:(\d+):(\d+)/.exec(stderr);
    expect(Number(place?.[1]) - line, stderr).toBeOneOf([0, 1]);
  });
});

describe("deploy/config.example.yaml", () => {
  it("would run as it is: no sink of it needs a secret, a file or somebody who listens", async () => {
    const events = put("events.json", "[]");
    const { code, stdout, stderr } = await cli([
      "check",
      "--config=deploy/config.example.yaml",
      `--source=file:${events}`,
      `--data-dir=${folder}`,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("all is well: run would start");
    expect(stdout.match(/^sink .* ready$/gm)).toHaveLength(2);
  });
});
