import { describe, expect, it } from "vitest";
import { belongsTo, kindsMadeBy, makerOf } from "../../../src/event/workload.ts";

/** Names as kube-controller-manager gives them. */
const MADE = [
  ["Deployment", "web", "ReplicaSet", "web-7d4b9c6f5d"],
  ["Deployment", "web", "Pod", "web-7d4b9c6f5d-x2x9z"],
  ["Deployment", "web-frontend", "Pod", "web-frontend-66c7d9f5b8-q5s2d"],
  ["ReplicaSet", "web-7d4b9c6f5d", "Pod", "web-7d4b9c6f5d-x2x9z"],
  // The hash is a number of 32 bits: ten figures at most, and it may be small.
  ["Deployment", "web", "ReplicaSet", "web-6"],
  ["ReplicationController", "web", "Pod", "web-x2x9z"],
  ["StatefulSet", "db", "Pod", "db-0"],
  ["StatefulSet", "db", "Pod", "db-12"],
  ["DaemonSet", "log-agent", "Pod", "log-agent-h2v6c"],
  ["Job", "report", "Pod", "report-h2v6c"],
  ["Job", "report", "Pod", "report-3-h2v6c"],
  ["CronJob", "report", "Job", "report-29389980"],
  ["CronJob", "report", "Pod", "report-29389980-h2v6c"],
] as const;

describe("what a workload made", () => {
  it.each(MADE)("%s %s: %s %s", (kind, name, made, called) => {
    expect(belongsTo({ kind, name }, { kind: made, name: called })).toBe(true);
    expect(kindsMadeBy(kind)).toContain(made);
  });

  it.each([
    ["Deployment", "web", "Pod", "web-frontend-x2x9z"],
    ["Deployment", "web", "Pod", "web-frontend-7d4b9c6f5d-x2x9z"],
    ["Deployment", "web", "Pod", "web-0"],
    ["Deployment", "web", "Pod", "web"],
    ["Deployment", "web", "Deployment", "web-7d4b9c6f5d"],
    ["Deployment", "web", "Service", "web"],
    ["Deployment", "web", "Pod", "webs-7d4b9c6f5d-x2x9z"],
    ["Deployment", "web", "ReplicaSet", "web-7d4b9c6f5d2"],
    ["Deployment", "web", "ReplicaSet", "api-7d4b9c6f5d"],
    ["ReplicationController", "web", "Pod", "web-x2x9"],
    ["StatefulSet", "db", "Pod", "dbs-0"],
    ["StatefulSet", "db", "Pod", "xdb-0"],
    ["StatefulSet", "db", "Pod", "db-backup-0"],
    ["DaemonSet", "log", "Pod", "log-agent-h2v6c"],
    ["CronJob", "report", "Job", "report-weekly"],
    ["Node", "node-3", "Pod", "node-3-x2x9z"],
    ["constructor", "a", "Pod", "a-x2x9z"],
  ])("%s %s has nothing to do with %s %s", (kind, name, other, called) => {
    expect(belongsTo({ kind, name }, { kind: other, name: called })).toBe(false);
  });

  it("is itself, first of all", () => {
    expect(belongsTo({ kind: "Node", name: "n" }, { kind: "Node", name: "n" })).toBe(true);
    expect(kindsMadeBy("Node")).toEqual([]);
    expect(kindsMadeBy("toString")).toEqual([]);
  });
});

describe("who made it", () => {
  it.each([
    ["Pod", "web-7d4b9c6f5d-x2x9z", "Deployment", "web"],
    ["Pod", "web-frontend-66c7d9f5b8-q5s2d", "Deployment", "web-frontend"],
    ["ReplicaSet", "web-7d4b9c6f5d", "Deployment", "web"],
    ["ReplicaSet", "web-7d4b9c6f", "Deployment", "web"],
    ["Pod", "web-7d4b9c6f-x2x9z", "Deployment", "web"],
    ["Pod", "db-0", "StatefulSet", "db"],
    ["Job", "report-29389980", "CronJob", "report"],
    ["Pod", "report-29389980-h2v6c", "CronJob", "report"],
  ])("%s %s: %s %s", (kind, name, maker, called) => {
    expect(makerOf({ kind, name })).toEqual({ kind: maker, name: called });
  });

  it.each([
    ["Pod", "log-agent-h2v6c"],
    ["Pod", "standalone"],
    ["ReplicaSet", "web-7d4b9c6"],
    ["ReplicaSet", "web-7d4b9c6f5d2"],
    ["Pod", "web-7d4b9c6f5d2-x2x9z"],
    ["Pod", "-0"],
    ["Node", "node-3"],
    ["Job", "report"],
    ["__proto__", "a-0"],
  ])("nobody can say of %s %s", (kind, name) => {
    expect(makerOf({ kind, name })).toBeNull();
  });

  it("is told in no time of a name that is hostile", () => {
    expect(makerOf({ kind: "Pod", name: `${"-2".repeat(20_000)}!` })).toBeNull();
  });
});
