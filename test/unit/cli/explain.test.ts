import { describe, expect, it } from "vitest";
import { cli } from "../../support/io.ts";

const POD = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.17a", namespace: "shop", uid: "u1", resourceVersion: "7" },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web-1" },
  type: "Warning",
  reason: "BackOff",
  message: "Back-off restarting\u001b[31m failed container",
  count: 3,
  firstTimestamp: "2026-11-20T08:00:00Z",
  lastTimestamp: "2026-11-20T08:05:00Z",
  source: { component: "kubelet" },
};

const OPS = "--sink=webhook:http://127.0.0.1:1/ops?name=ops&namespaces=shop,data&reasons=Back*";
const NIGHT =
  "--sink=dingtalk:https://oapi.dingtalk.com/robot/send?access_token=secret-token-1&name=night&excludeNamespaces=shop";

const explain = (event: unknown, ...flags: string[]) =>
  cli(["explain", "--event=-", ...flags], { stdin: JSON.stringify(event) });

describe("explain", () => {
  it("says who is told of an event and why, test by test", async () => {
    const { code, stdout, stderr } = await explain(POD, OPS, NIGHT, "--level=Warning");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "Warning BackOff Pod shop/web-1: Back-off restarting [31m failed container",
      "  global filter: passes",
      '    ✓ level  "Warning"  is at least Warning',
      "  sink ops (webhook): told",
      '    ✓ reasons     "BackOff"  matches Back*',
      '    ✓ namespaces  "shop"     matches shop',
      "  sink night (dingtalk): not told",
      // A chat is told of warnings, unless it says otherwise.
      '    ✓ level               "Warning"  is at least Warning',
      '    ✗ exclude.namespaces  "shop"     is excluded by shop',
      "",
    ]);
  });

  it("tells a sink's own filter from the global one, and says where nobody is told", async () => {
    const { stdout } = await explain({ ...POD, type: "Normal" }, OPS, NIGHT, "--level=Warning");
    expect(stdout).toContain("  global filter: drops it for every sink\n");
    expect(stdout).toContain('    ✗ level  "Normal"  is less than Warning\n');
    expect(stdout).toContain("  sink ops (webhook): not told: the global filter\n");
    expect(stdout).toContain("  sink night (dingtalk): not told\n");
    expect(stdout).toContain("  nobody is told\n");
  });

  it("takes a list, and gives programs a line of JSON for each event", async () => {
    const other = { ...POD, metadata: { ...POD.metadata, uid: "u2" }, reason: "Scheduled" };
    const list = { apiVersion: "v1", kind: "List", items: [POD, other] };
    const { stdout } = await explain(list, OPS, "--json");
    const lines = stdout.trimEnd().split("\n");
    const said = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said).toMatchObject([
      { event: { uid: "u1" }, passed: true, sinks: [{ sink: "ops", owed: true }] },
      {
        event: { uid: "u2" },
        passed: true,
        sinks: [{ sink: "ops", owed: false, tests: [{ list: "reasons", matched: null }, {}] }],
      },
    ]);
  });

  it("knows a canary, which no filter is asked about", async () => {
    const canary = { ...POD, reason: "KubeCrierCanary", reportingComponent: "kube-crier" };
    const { stdout } = await explain({ ...canary, source: {} }, OPS);
    expect(stdout).toContain("a canary: it goes to where its own kube-crier follows it to");
  });

  it("shows no secret", async () => {
    for (const flags of [[], ["--json"]]) {
      const { stdout, stderr } = await explain(POD, NIGHT, ...flags);
      expect(stdout + stderr).not.toContain("secret-token-1");
    }
  });

  it("refuses what is no event, and names every mistake of the configuration", async () => {
    const wrong = await explain({ kind: "Pod" }, OPS);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--event standard input");
    const filters = await explain(POD, `${OPS}&kinds=/(/`, "--level=Loud");
    expect(filters.code).toBe(2);
    expect(filters.stderr).toContain("--level");
    expect(filters.stderr).toContain("--sink #1");
  });
});
