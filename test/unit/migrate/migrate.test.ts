import { describe, expect, it } from "vitest";
import { cli } from "../../support/io.ts";
import { deployment, DOCUMENTED, loadPrinted } from "../../support/kube-eventer.ts";

const LOG = `--sink=${DOCUMENTED.log}`;

async function migrated(args: readonly string[], env = "") {
  const { code, stdout, stderr } = await cli(["migrate", "-"], {
    stdin: deployment(args, { env }),
  });
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

async function refused(args: readonly string[]) {
  const { code, stdout, stderr } = await cli(["migrate", "-"], { stdin: deployment(args) });
  expect([code, stdout]).toEqual([2, ""]);
  return stderr;
}

const envOf = (...lines: readonly string[]) =>
  `          env:\n${lines.map((line) => `            - ${line}\n`).join("")}`;
/** What is said of where variables come from. */
const named = (stdout: string, name: string) =>
  stdout.split("\n").filter((line) => line.startsWith(`# - ${name}: `));

describe("what is migrated but sinks", () => {
  it.each([
    ["kubernetes:"],
    ["kubernetes:https://kubernetes.default"],
    ["kubernetes:https://kubernetes.default.svc"],
    ["kubernetes:?inClusterConfig=true"],
  ])("says nothing of the cluster it runs in: %s", async (source) => {
    expect(await migrated([`--source=${source}`, LOG])).not.toMatch(/^sources:/m);
    expect(await migrated([LOG])).not.toMatch(/^sources:/m);
  });

  it.each([
    ["5s", "5s", 5_000],
    ["59s", "59s", 59_000],
    ["61s", "61s", 61_000],
    ["3m", "3m", 180_000],
    ["0h1m0s", "1m", 60_000],
    ["5500ms", "5500ms", 5_500],
  ])("has a frequency of %s as %s, which is as long", async (given, written, digestEveryMs) => {
    const stdout = await migrated([LOG, `--frequency=${given}`]);
    expect(stdout).toMatch(new RegExp(`^digestEvery: ${written}$`, "m"));
    expect(loadPrinted(stdout, {}).config.digestEveryMs).toBe(digestEveryMs);
  });

  it("has no frequency where none was given, and the digest comes as it does by default", async () => {
    expect(await migrated([LOG])).not.toMatch(/^digestEvery/m);
  });

  it("takes our own flags along, which go before what the container says", async () => {
    const env = envOf('{ name: TZ, value: "Asia/Shanghai" }');
    const stdout = await migrated([LOG, "--timezone=Europe/Berlin", "--cluster-name=prod"], env);
    expect(loadPrinted(stdout, {}).config).toMatchObject({
      timezone: "Europe/Berlin",
      cluster: "prod",
    });
    expect(stdout.match(/^timezone:/gm)).toHaveLength(1);
  });
});

describe("a variable", () => {
  const CLUSTER = "{ name: CLUSTER, valueFrom: { configMapKeyRef: { name: here, key: name } } }";
  const dingtalk = (label: string) =>
    `--sink=dingtalk:https://oapi.dingtalk.com/robot/send?access_token=\${TOKEN}&label=${label}`;

  it.each(["a$(ZONE)b", "a${ZONE}b", "a$${ZONE}b", "a$$ZONE"])(
    "in a flag that is no sink's, %s, is what the input says it is",
    async (text) => {
      const stdout = await migrated(
        [LOG, `--cluster-name=${text}`],
        envOf('{ name: ZONE, value: "-prod-" }'),
      );
      expect(loadPrinted(stdout, {}).config.cluster).toMatch(/^a-prod-b?$/);
    },
  );

  it("in a flag that is no sink's, of which the input does not say what it is, is refused at its place", async () => {
    expect(await refused([LOG, "--cluster-name=${NOWHERE}"])).toMatch(
      /^one problem, nothing was printed:\n +standard input:26:15 \(--cluster-name\): .*NOWHERE/,
    );
  });

  it.each(["a$(CLUSTER)b", "a${CLUSTER}b", "a$${CLUSTER}b"])(
    "in an option, %s, stays one, and says where it comes from",
    async (text) => {
      const stdout = await migrated([dingtalk(text)], envOf(CLUSTER));
      const { config } = loadPrinted(stdout, { CLUSTER: "-prod-", TOKEN: "t" });
      expect(config.sinks).toMatchObject([{ labels: ["a-prod-b"] }]);
      expect(named(stdout, "CLUSTER")).toEqual(['# - CLUSTER: key "name" of the ConfigMap "here"']);
    },
  );

  it("that several refer to is named once, and one that nobody refers to never", async () => {
    const env = envOf(CLUSTER, "{ name: UNUSED, value: secret-of-somebody }");
    const stdout = await migrated([dingtalk("${CLUSTER}"), dingtalk("$(CLUSTER)")], env);
    expect(stdout.match(/labels: .*\$\{CLUSTER\}/g)).toHaveLength(2);
    expect(named(stdout, "CLUSTER")).toHaveLength(1);
    expect(stdout).not.toMatch(/UNUSED|secret-of-somebody/);
  });

  it("that nobody sets is named with that", async () => {
    const stdout = await migrated([dingtalk("${NOWHERE}")]);
    expect(named(stdout, "NOWHERE").join("")).toMatch(/nothing in the input sets it/);
  });
});

describe("a password in a source", () => {
  it.each([
    ["beside another source", ["kubernetes:https://a.example.com"], 2],
    ["with another mistake beside it", [], 1],
  ])("is refused at its own place, %s", async (_, before, number) => {
    const source = "kubernetes:https://admin:s3cr3t@b.example.com?nonsense=1";
    const sources = [...before, source].map((one) => `--source=${one}`);
    const stderr = await refused([...sources, LOG]);
    expect(stderr).toContain(`standard input:${24 + number}:15 (--source #${number}): a password`);
    expect(stderr).not.toContain("s3cr3t");
  });

  it("is refused where it is no part of the API server's address, too", async () => {
    const stderr = await refused([LOG, "--source=kubernetes:?auth=https://u:s3cr3t@h/config"]);
    expect(stderr).toMatch(/a password stands/);
    expect(stderr).not.toContain("s3cr3t");
  });
});
