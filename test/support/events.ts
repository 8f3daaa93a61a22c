import type { KubeEvent } from "../../src/event/event.ts";

type Changes = Partial<Omit<KubeEvent, "object" | "reporter">> & {
  readonly object?: Partial<KubeEvent["object"]>;
  readonly reporter?: Partial<KubeEvent["reporter"]>;
};

/** A BackOff of pod web-7d4b9c in shop, changed as the test needs. The key follows uid and count. */
export function anEvent(changes: Changes = {}): KubeEvent {
  const { object, reporter, ...rest } = changes;
  const uid = rest.uid ?? "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11";
  const count = rest.count ?? 12;
  return {
    key: `${uid}@${count}`,
    uid,
    resourceVersion: "81234",
    eventName: "web-7d4b9c.17a1",
    eventNamespace: "shop",
    cluster: "prod-a",
    type: "Warning",
    reason: "BackOff",
    message: "Back-off restarting failed container web in pod web-7d4b9c",
    action: null,
    related: null,
    count,
    firstSeen: "2026-11-20T08:00:00Z",
    lastSeen: "2026-11-20T08:05:30Z",
    ...rest,
    object: {
      kind: "Pod",
      apiVersion: "v1",
      namespace: "shop",
      name: "web-7d4b9c",
      uid: "0c0ffee0-1111-2222-3333-444455556666",
      fieldPath: "spec.containers{web}",
      ...object,
    },
    reporter: { component: "kubelet", host: "node-1", instance: "node-1", ...reporter },
  };
}
