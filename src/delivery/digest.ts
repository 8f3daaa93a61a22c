import type { Alert, DigestLine } from "../event/alert.ts";
import { concernsCanary } from "../event/canary.ts";
import type { Delivery } from "../event/delivery.ts";
import type { KubeEvent } from "../event/event.ts";
import { severityOf, severityRank, type Severity } from "../event/severity.ts";
import { workloadOf } from "./workload.ts";

export const MAX_LINES = 10;

export type DigestAlert = Alert & { kind: "digest" };
type Foldable = Exclude<Alert, { kind: "gap" }>;

/** Whether an alert may be told in a digest; what could not be seen is always said by itself, and a canary folded away would seem lost. */
export function foldable(alert: Alert): alert is Foldable {
  return alert.kind !== "gap" && !(alert.kind === "event" && concernsCanary(alert.event));
}

/** How bad the worst of it is; a gap comes before everything, for it says that the rest is incomplete, and so does a canary, which asks whether the way is open. */
export function rankOf(alert: Alert): number {
  switch (alert.kind) {
    case "event":
      return concernsCanary(alert.event) ? -1 : severityRank(severityOf(alert.event));
    case "digest":
      return -1;
    case "gap":
      return -1;
  }
}

/**
 * One digest of many deliveries, earlier digests among them: totals add up. Where an earlier digest has cut its list, `moreKinds`
 * and `objects` are upper bounds, for it cannot be known what they share.
 */
export function digestOf(deliveries: readonly Delivery[]): DigestAlert {
  const parts = deliveries.map(({ alert }) => alert).filter(foldable);
  const lines = merge(parts);
  const digests = parts.filter((part) => part.kind === "digest");
  const clusters = new Set(parts.map(clusterOf));
  const sorted = [...lines.values()].map(({ line }) => line).toSorted(worstFirst);
  return {
    kind: "digest",
    cluster: clusters.size === 1 ? (clusters.values().next().value ?? "") : "",
    total: parts.reduce((sum, part) => sum + (part.kind === "digest" ? part.total : 1), 0),
    from: extreme(
      parts.map((part) => (part.kind === "digest" ? part.from : part.event.lastSeen)),
      -1,
    ),
    to: extreme(
      parts.map((part) => (part.kind === "digest" ? part.to : part.event.lastSeen)),
      1,
    ),
    lines: sorted.slice(0, MAX_LINES),
    moreKinds:
      Math.max(0, sorted.length - MAX_LINES) +
      digests.reduce((sum, digest) => sum + digest.moreKinds, 0),
    // Together with others it is no more than a part of what exceeds the rate.
    ...(parts.every((part) => part.kind === "digest" && part.tooOld === true)
      ? { tooOld: true as const }
      : {}),
  };
}

interface Group {
  line: DigestLine;
  readonly names: Set<string>;
}

function merge(parts: readonly Foldable[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  const into = (line: DigestLine, name: string | null) => {
    const { severity, reason, namespace, kind, workload } = line;
    const key = JSON.stringify([severity, reason, namespace, kind, workload]);
    const group = groups.get(key);
    const seen = name !== null && group?.names.has(name) === true;
    const names = group?.names ?? new Set();
    if (name !== null) names.add(name);
    const count = line.count + (group?.line.count ?? 0);
    const objects = (seen ? 0 : line.objects) + (group?.line.objects ?? 0);
    groups.set(key, { line: { ...line, count, objects }, names });
  };
  for (const part of parts) {
    if (part.kind === "digest") for (const line of part.lines) into(line, null);
    else into(lineOf(part.event), part.event.object.name);
  }
  return groups;
}

export function lineOf(event: KubeEvent): DigestLine {
  const { namespace, kind, name } = event.object;
  const severity: Severity = severityOf(event);
  const workload = workloadOf(kind, name);
  return { count: 1, severity, reason: event.reason, namespace, kind, workload, objects: 1 };
}

export function worstFirst(a: DigestLine, b: DigestLine): number {
  return (
    severityRank(a.severity) - severityRank(b.severity) ||
    b.count - a.count ||
    compare(a.reason, b.reason) ||
    compare(`${a.namespace ?? ""}/${a.workload}`, `${b.namespace ?? ""}/${b.workload}`)
  );
}

function clusterOf(part: Foldable): string {
  return part.kind === "digest" ? part.cluster : part.event.cluster;
}

/** The earliest (-1) or latest (1) of ISO-8601 times. */
export function extreme(times: readonly string[], direction: 1 | -1): string {
  return times.reduce((a, b) => (direction * byTime(b, a) > 0 ? b : a), times[0] ?? "");
}

function byTime(a: string, b: string): number {
  return Date.parse(a) - Date.parse(b) || compare(a, b);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
