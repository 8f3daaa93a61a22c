import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { sinks } from "../../../sinks/index.ts";
import { ConfigError } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { loadAgain } from "../../../src/config/origin.ts";
import type { Secret } from "../../../src/sink/index.ts";
import { FIXTURE_ENV, FIXTURE_FILES, load, memoryFiles } from "../../support/config.ts";
import { temporaryDirectory } from "../../support/ledger.ts";
import { registry } from "../../support/registry.ts";

/** A configuration that another thread loads again, from what this one read. */
const GOOD = path.resolve(import.meta.dirname, "../../fixtures/config/good");

/** As it arrives in another thread. */
const handedOver = <T>(what: T): T => structuredClone(what);

describe("the origin of a configuration", () => {
  it.each(readdirSync(GOOD).filter((name) => name.endsWith(".yaml")))(
    "makes the same of %s in another thread, secrets and all",
    (name) => {
      const first = load({}, readFileSync(path.join(GOOD, name), "utf8"));
      const again = loadAgain(handedOver(first.origin()), registry);
      expect(again.config).toEqual(first.config);
      expect(revealed(again.config)).toBe(revealed(first.config));
      expect(again.options()).toEqual(first.options());
      expect(again.warnings).toEqual(first.warnings);
    },
  );

  it("is what was read, not what has become of it: a file, a directory, a secret, a variable", () => {
    const folder = temporaryDirectory();
    const parts = path.join(folder, "conf.d");
    const secret = path.join(folder, "secret");
    mkdirSync(parts);
    writeFileSync(secret, "first\n");
    writeFileSync(path.join(parts, "a.yaml"), "cluster: ${NAME}\n");
    writeFileSync(
      path.join(parts, "b.yaml"),
      `sinks:\n  ops:\n    type: webhook\n    url: http://127.0.0.1:9/\n    signingSecret: { $file: ${secret} }\n`,
    );
    const env: Record<string, string> = { NAME: "prod-a" };
    const first = loadConfig({ flags: { config: [parts] }, registry: sinks, env });
    const origin = handedOver(first.origin());
    env["NAME"] = "prod-b";
    rmSync(secret);
    rmSync(path.join(parts, "b.yaml"));
    writeFileSync(path.join(parts, "c.yaml"), "cluster: prod-c\n");

    const { config } = loadAgain(origin, sinks);
    expect(config.cluster).toBe("prod-a");
    expect(config.sinks.map(({ name }) => name)).toEqual(["ops"]);
    expect(revealed(config)).toContain("first");
  });

  it("takes the flags along, over the files", () => {
    const { origin, config } = load(
      { flags: { config: ["file1.yaml"], clusterName: "by-flag", sink: ["stdout:?name=here"] } },
      "cluster: by-file\n",
    );
    expect(loadAgain(handedOver(origin()), registry).config).toEqual(config);
    expect(config.cluster).toBe("by-flag");
  });

  it("has nothing to say of a file that nobody read", () => {
    const { origin } = load({}, "cluster: a\n");
    const { seen, ...rest } = origin();
    const flags = { ...rest.flags, config: ["file1.yaml", "another.yaml"] };
    expect(() => loadAgain({ ...rest, flags, seen }, registry)).toThrow(
      /another\.yaml: cannot be read: it was not read at the start/,
    );
  });

  it("shows no secret in what is wrong with it", () => {
    const { origin } = loadConfig({
      flags: { sink: ["webhook:http://127.0.0.1:9/${CHAT_TOKEN}?name=ops"] },
      registry: sinks,
      env: FIXTURE_ENV,
      files: memoryFiles(FIXTURE_FILES),
    });
    const { env, ...rest } = origin();
    const broken = { ...rest, env: { ...env, CHAT_TOKEN: "" } };
    expect(() => loadAgain(broken, sinks)).toThrow(ConfigError);
    expect(() => loadAgain(broken, sinks)).toThrow(/CHAT_TOKEN is empty/);
    expect(() => loadAgain(broken, sinks)).not.toThrow(/token-from-env/);
  });
});

/** With what is not to be seen. */
function revealed(value: unknown): string {
  return JSON.stringify(value, function reveal(this: Record<string, unknown>, key, shown: unknown) {
    const held = this[key];
    return isSecret(held) ? held.reveal() : shown;
  });
}

function isSecret(value: unknown): value is Secret {
  return typeof value === "object" && value !== null && "reveal" in value;
}
