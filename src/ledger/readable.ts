import type { Alert } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";

/** What is told where a row holds no event: nobody who has to read it may stop there, and nobody overlook it. */
const MESSAGE =
  "the ledger's row of this event cannot be read: it is not the JSON that was written; `kube-crier ledger check` names it";

/** The event of a column. Rows are edited by hand: what is none is told as such, as of `at` (milliseconds since the epoch). */
export function readEvent(column: unknown, at: number): KubeEvent {
  const found = parsed(column);
  return isEvent(found) ? found : unreadable(at);
}

/** A delivery of a single occurrence has no alert of its own: it is the occurrence's event. */
export function readAlert(own: unknown, event: unknown, at: number): Alert {
  if (typeof own !== "string") return { kind: "event", event: readEvent(event, at) };
  const found = parsed(own) as Partial<Alert> | null | undefined;
  if (found?.kind === "digest" || found?.kind === "gap") return found as Alert;
  const single = found?.kind === "event" ? found.event : undefined;
  return { kind: "event", event: isEvent(single) ? single : unreadable(at) };
}

/** undefined: it is no JSON. */
export function parsed(column: unknown): unknown {
  if (typeof column !== "string") return undefined;
  try {
    return JSON.parse(column) as unknown;
  } catch {
    return undefined;
  }
}

export function isEvent(value: unknown): value is KubeEvent {
  const event = value as Partial<KubeEvent> | null | undefined;
  return (
    [event?.key, event?.uid, event?.cluster, event?.eventNamespace].every(isText) &&
    [event?.type, event?.reason, event?.message].every(isText) &&
    [event?.firstSeen, event?.lastSeen, event?.object?.kind, event?.object?.name].every(isText) &&
    typeof event?.reporter === "object" &&
    event.reporter !== null
  );
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

/** Stored in no namespace: it is for those who may see all. */
function unreadable(at: number): KubeEvent {
  const time = new Date(at).toISOString();
  return {
    key: "unreadable@1",
    uid: "unreadable",
    resourceVersion: "",
    eventName: "",
    eventNamespace: "",
    cluster: "",
    type: "Warning",
    reason: "Unreadable",
    message: MESSAGE,
    action: null,
    object: {
      kind: "LedgerRow",
      apiVersion: null,
      namespace: null,
      name: "unreadable",
      uid: null,
      fieldPath: null,
    },
    related: null,
    reporter: { component: "kube-crier", host: null, instance: null },
    count: 1,
    firstSeen: time,
    lastSeen: time,
  };
}
