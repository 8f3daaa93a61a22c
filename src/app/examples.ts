import type { Alert } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";

/** One alert of each kind, and events that templates tend to stumble over: no namespace, no reporter, quotes and line breaks. */
export function exampleAlerts(cluster: string, now: number): readonly Alert[] {
  const seen = new Date(now).toISOString();
  const pod: KubeEvent = {
    key: "example@12",
    uid: "example",
    resourceVersion: "1",
    eventName: "web-7d4b9c.17a1",
    eventNamespace: "shop",
    cluster,
    type: "Warning",
    reason: "BackOff",
    message: "Back-off restarting failed container web in pod web-7d4b9c",
    action: null,
    object: {
      kind: "Pod",
      apiVersion: "v1",
      namespace: "shop",
      name: "web-7d4b9c",
      uid: "example",
      fieldPath: "spec.containers{web}",
    },
    related: null,
    reporter: { component: "kubelet", host: "node-1", instance: "node-1" },
    count: 12,
    firstSeen: seen,
    lastSeen: seen,
  };
  const node: KubeEvent = {
    ...pod,
    reason: "NodeNotReady",
    message: 'a "quoted"\n\\ message, 中文, 😀 and {{braces}}',
    object: {
      kind: "Node",
      apiVersion: null,
      namespace: null,
      name: "node-3",
      uid: null,
      fieldPath: null,
    },
    reporter: { component: null, host: null, instance: null },
    count: 1,
  };
  return [
    { kind: "event", event: pod },
    { kind: "event", event: node },
    {
      kind: "digest",
      cluster,
      total: 37,
      from: seen,
      to: seen,
      lines: [
        {
          count: 21,
          severity: "warning",
          reason: "BackOff",
          namespace: "shop",
          kind: "Pod",
          workload: "web",
          objects: 3,
        },
      ],
      moreKinds: 14,
    },
    { kind: "gap", cluster, since: seen, until: seen, cause: "downtime" },
  ];
}
