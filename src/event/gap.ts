import { type GapAlert, GAP_CAUSES } from "./alert.ts";
import type { KubeEvent } from "./event.ts";

/** A gap in the form of an occurrence, so that history and whoever counts records see it. */
export function gapEvent(alert: GapAlert, uid: string): KubeEvent {
  return {
    key: `${uid}@1`,
    uid,
    resourceVersion: "",
    eventName: "",
    eventNamespace: "",
    cluster: alert.cluster,
    type: "Warning",
    reason: "HistoryGap",
    message: gapMessage(alert),
    action: null,
    object: {
      kind: "Cluster",
      apiVersion: null,
      namespace: null,
      name: alert.cluster,
      uid: null,
      fieldPath: null,
    },
    related: null,
    reporter: { component: "kube-crier", host: null, instance: null },
    count: 1,
    firstSeen: alert.since,
    lastSeen: alert.until,
  };
}

function gapMessage(alert: GapAlert): string {
  const when =
    alert.cause === "firstStart"
      ? `before ${alert.until}`
      : `between ${alert.since} and ${alert.until}`;
  const recovered = recoveredText(alert);
  return `Events ${when} could not be seen: ${GAP_CAUSES[alert.cause]}.${recovered === "" ? "" : ` ${recovered}.`}`;
}

/** `37 recovered by a relist, 12 of them too old to be told singly; older ones unknown`; empty where nothing was listed. */
export function recoveredText(alert: Pick<GapAlert, "recovered" | "tooOld">): string {
  const { recovered, tooOld = 0 } = alert;
  if (recovered === undefined) return "";
  const old = tooOld === 0 ? "" : ` (${tooOld} of them too old to be told singly)`;
  return `${recovered} recovered by a relist${old}, older ones unknown`;
}
