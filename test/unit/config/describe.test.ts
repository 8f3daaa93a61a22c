import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { describeConfig, durationText } from "../../../src/config/describe.ts";
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
