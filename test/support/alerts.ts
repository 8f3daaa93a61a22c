import type { Alert } from "../../src/event/alert.ts";

/** 37 occurrences in three lines, and 14 kinds more. */
export function aDigest(): Extract<Alert, { kind: "digest" }> {
  return {
    kind: "digest",
    cluster: "prod-a",
    total: 37,
    from: "2026-11-20T08:00:00Z",
    to: "2026-11-20T08:05:30Z",
    moreKinds: 14,
    lines: [
      {
        count: 2,
        severity: "critical",
        reason: "NodeNotReady",
        namespace: null,
        kind: "Node",
        workload: "node-3",
        objects: 1,
      },
      {
        count: 21,
        severity: "warning",
        reason: "BackOff",
        namespace: "shop",
        kind: "Pod",
        workload: "web",
        objects: 3,
      },
      {
        count: 9,
        severity: "warning",
        reason: "FailedScheduling",
        namespace: "shop",
        kind: "Pod",
        workload: "cart",
        objects: 9,
      },
    ],
  };
}

/** Of so many, of which nothing more is said. */
export function aDigestOf(total: number): Extract<Alert, { kind: "digest" }> {
  return { ...aDigest(), total, lines: [], moreKinds: 0 };
}

export function aGap(): Extract<Alert, { kind: "gap" }> {
  return {
    kind: "gap",
    cluster: "prod-a",
    since: "2026-11-20T02:02:00Z",
    until: "2026-11-20T02:09:00Z",
    cause: "downtime",
  };
}
