import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { describeConfig, durationText } from "../../../src/config/describe.ts";
import type { FlagValues } from "../../../src/config/flags.ts";
import { load } from "../../support/config.ts";

const everything = readFileSync(
  path.resolve(import.meta.dirname, "../../fixtures/config/good/everything.yaml"),
  "utf8",
);

describe("describeConfig", () => {
  it("tells in plain words what runs by default", () => {
    expect(describeConfig(load({}).config)).toBe(
      [
        "cluster    (no name given)",
        "messages   en, times in UTC",
        "source     kubernetes: cluster found by default; core/v1, or events.k8s.io/v1 where that is forbidden; all namespaces; begins now on the first start; after a break tells singly what is younger than 1h",
        "filter     every level",
        "sink       stdout (Standard output, en)",
        "           every level",
        '           format "text"',
        "           timeout 10s; gives up after 1d",
        "ledger     in .kube-crier, at most 1 GiB, history of 7d",
        "digests    of a sink at most one in 5s",
        "listen     nothing is served; give --listen=ADDR:PORT for health and metrics",
        "log level  info",
        "",
      ].join("\n"),
    );
  });

  it("tells that events go out as kube-eventer sent them", () => {
    expect(describeConfig(load({ flags: { compat: "strict" } }).config)).toMatch(
      /^compat +strict: events as kube-eventer sent them$/m,
    );
  });

  it("tells everything that was configured, secrets redacted", () => {
    expect(describeConfig(load({}, everything).config)).toBe(
      [
        "cluster    prod-a",
        "messages   zh, times in Asia/Shanghai",
        "source     kubernetes: kubeconfig /etc/kube-crier/kubeconfig; context prod-a; server https://10.0.0.1:6443; events.k8s.io; namespaces shop, pay; begins 15m ago on the first start; after a break tells singly what is younger than 30m",
        "source     file (standard input)",
        "filter     warnings only; namespaces team-*, shop, _cluster; not reasons /^Pulling$/i; not messages *probe failed*",
        "sink       oncall (Chat, en)",
        "           warnings only; kinds Pod, Node; not names web-canary-?",
        '           url <redacted>; secret <redacted>; msgType "text"; retries 3; mention u1, u2; headers Authorization=<redacted>, X-Team=<redacted>; everyone true; delay 1500',
        "           timeout 5s; gives up after 2h; 2 at a time; 10 a minute; no digest; template /etc/kube-crier/oncall.hbs; labels prod, team-shop",
        "sink       audit (Hook, zh)",
        "           every level",
        "           url <redacted>",
        "           timeout 10s; gives up after 1d",
        "ledger     in /var/lib/kube-crier, at most 512 MiB, history of 30d",
        "digests    of a sink at most one in 5s",
        "templates  /etc/kube-crier/templates",
        "templates  configmap:monitoring/templates",
        "listen     [::1]:8080",
        "log level  debug",
        "stay       keeps running after all sources have ended",
        "",
      ].join("\n"),
    );
  });

  it.each([
    [":8080", "all interfaces, port 8080"],
    ["127.0.0.1:0", "127.0.0.1:any free one"],
    ["localhost:9", "localhost:9"],
  ])("--listen=%s", (listen, expected) => {
    expect(describeConfig(load({ flags: { listen } }).config)).toContain(
      `listen     ${expected}\n`,
    );
  });
});

describe("what is not there by default", () => {
  const lineOf = (flags: FlagValues, name: string) =>
    describeConfig(load({ flags }).config)
      .split("\n")
      .find((line) => line.startsWith(`${name} `))
      ?.replace(/^\S+ +/, "");
  const LEDGER = "mysql://crier:made-up-password@db.example.com/kube_crier";

  it.each([
    [{}, "127.0.0.1:8081; without authentication, for this machine only"],
    [{ webListen: ":8081" }, "all interfaces, port 8081; the API server says who sees what"],
    [
      { webListen: ":8081", webKubernetes: "off", webAccessFile: "/etc/access.yaml" },
      "all interfaces, port 8081; tokens and roles of /etc/access.yaml",
    ],
    [
      { webListen: "[::1]:0", webAccessFile: "a.yaml", webProxies: ["10.0.0.7", "fd00::/8"] },
      "[::1]:any free one; tokens and roles of a.yaml; users as the proxies at 10.0.0.7, fd00::/8 name them",
    ],
  ] as const)("the page, and who is let in: %j", (flags, said) => {
    expect(lineOf({ webListen: "127.0.0.1:8081", ...flags }, "page")).toBe(said);
  });

  it.each([
    [{ ledger: LEDGER }, "in mysql://db.example.com:3306/kube_crier, at most 1 GiB, history of 7d"],
    [
      { ledger: LEDGER, ledgerAway: "block", history: "36h", ledgerMax: "1.5GiB" },
      "in mysql://db.example.com:3306/kube_crier, nothing is sent while it is away, at most 1.5 GiB, history of 36h",
    ],
  ])("a ledger in a database, without whom it is opened as: %j", (flags, said) => {
    expect(lineOf(flags, "ledger")).toBe(said);
    expect(describeConfig(load({ flags }).config)).not.toMatch(/made-up|crier:/);
  });

  it.each([
    [
      { canary: "5m" },
      "every 5m, to the ledger within 1m; no sink is told when it does not arrive",
    ],
    [
      { canary: "30s", canarySink: "stdout", canaryTell: "stdout", canaryDeadline: "1500ms" },
      "every 30s, to stdout within 1500ms; stdout is told when it does not arrive",
    ],
  ])("the canary: %j", (flags, said) => {
    expect(lineOf(flags, "canary")).toBe(said);
  });

  it("several replicas: their Lease, and how long each waits for the other", () => {
    const flags = { leaderElect: true, ledger: LEDGER } as const;
    const where = { leaderElectResourceNamespace: "ops", leaderElectResourceName: "crier-b" };
    // A standby waits 15 s from the last sign of life it saw, and looks every 2 s; a leader gives up after two thirds.
    expect(lineOf(flags, "election")).toMatch(
      /^the Lease kube-crier; a standby takes over within \d+s, a leader stops after 10s without renewal$/,
    );
    expect(lineOf({ ...flags, ...where }, "election")).toMatch(/^the Lease ops\/crier-b; /);
  });

  it("metrics without reasons, namespaces and kinds", () => {
    expect(lineOf({ eventMetrics: "false" }, "metrics")).toBe(
      "nothing is counted by reason, namespace and kind",
    );
    expect(lineOf({}, "metrics")).toBeUndefined();
  });
});

describe("durationText", () => {
  it.each([
    [0, "0ms"],
    [1, "1ms"],
    [1500, "1500ms"],
    [1000, "1s"],
    [90_000, "90s"],
    [60_000, "1m"],
    [5_400_000, "90m"],
    [7_200_000, "2h"],
    [86_400_000, "1d"],
    [90_000_000, "25h"],
  ])("%d → %s", (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });
});
