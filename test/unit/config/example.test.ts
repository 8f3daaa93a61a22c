import { describe, expect, it } from "vitest";
import { configExampleYaml } from "../../../src/config/example.ts";
import { configJsonSchema } from "../../../src/config/json-schema.ts";
import { OPTION_GROUPS } from "../../../src/config/options.ts";
import { parseYaml } from "../../../src/config/yaml.ts";
import { load } from "../../support/config.ts";
import { schemaProblems } from "../../support/json-schema.ts";
import { registry } from "../../support/registry.ts";

const example = configExampleYaml(registry);

/** As a reader would: takes the mark away from lines that are YAML behind it. */
function uncommented(pattern: RegExp): string {
  return example.replaceAll(pattern, "$1");
}

const SINKS = /^( {2})# (?=my-| {2})/gm;
const OPTIONS = /^( *)# (?=[a-zA-Z]+: |- file:)(?!Secrets|Check|Chat:|Hook:|Standard)/gm;

describe("the example", () => {
  it("runs as it is, without any secret", () => {
    const { config, warnings } = load({ env: { TZ: "UTC" } }, example);
    expect(warnings).toEqual([]);
    expect(config.sinks.map((sink) => sink.name)).toEqual(["my-stdout"]);
    expect(config.sources).toHaveLength(1);
  });

  it("says what is the default", () => {
    const plain = load({ env: { TZ: "UTC" } }).config;
    const { config } = load({ env: { TZ: "UTC" } }, example);
    expect({ ...config, sinks: [] }).toEqual({ ...plain, sinks: [] });
  });

  it("runs with every sink once the secrets it names are there", () => {
    const env = {
      TZ: "UTC",
      CHAT_URL: "https://chat.example.com/x",
      CHAT_SECRET: "SEC",
      HOOK_URL: "https://hook.example.com/x",
    };
    const { config, warnings } = load({ env }, uncommented(SINKS));
    expect(warnings).toEqual([]);
    expect(config.sinks.map((sink) => [sink.name, sink.filter.level])).toEqual([
      ["my-chat", "Warning"],
      ["my-hook", "Normal"],
      ["my-stdout", "Normal"],
    ]);
  });

  it("shows every option of the house in words that load", () => {
    const { config } = load({ env: { TZ: "UTC" } }, uncommented(OPTIONS));
    expect(config).toMatchObject({
      cluster: "prod-a",
      timezone: "Asia/Shanghai",
      filter: { level: "Warning", namespaces: ["shop", "team-*", "_cluster"] },
      sources: [
        { kubeconfig: "/etc/kube-crier/kubeconfig", namespaces: ["shop", "pay"] },
        { path: "events.json" },
      ],
      listen: { host: "", port: 8080 },
    });
    for (const group of Object.values(OPTION_GROUPS))
      for (const { name, meta } of group) {
        expect(example).toContain(`# ${meta.description}.\n`);
        expect(example).toMatch(new RegExp(`# ${name}: \\S`));
      }
  });

  it("holds no secret of the sinks' own examples", () => {
    expect(example).not.toMatch(/made-up-token|SECmadeup/);
  });

  it("is valid by the schema", () => {
    const value = parseYaml("example.yaml", uncommented(OPTIONS)).yaml?.value;
    expect(schemaProblems(configJsonSchema(registry), value)).toEqual([]);
  });
});
