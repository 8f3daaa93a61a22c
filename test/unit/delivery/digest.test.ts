import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { digestOf, foldable, rankOf } from "../../../src/delivery/digest.ts";
import { Tally } from "../../../src/delivery/tally.ts";
import { workloadOf } from "../../../src/delivery/workload.ts";
import type { Alert } from "../../../src/event/alert.ts";
import type { Delivery } from "../../../src/event/delivery.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import { anEvent } from "../../support/events.ts";

const owing = (alert: Alert): Delivery => ({
  id: "d1",
  sink: "ops",
  alert,
  attempts: 0,
  owedAt: 0,
  notBefore: 0,
});
const of = (event: KubeEvent): Delivery => owing({ kind: "event", event });
const pod = (name: string, changes: Parameters<typeof anEvent>[0] = {}) =>
  of(anEvent({ ...changes, object: { name, ...changes.object } }));
const gap: Alert = {
  kind: "gap",
  cluster: "prod-a",
  since: "2026-11-20T07:00:00Z",
  until: "2026-11-20T08:00:00Z",
  cause: "downtime",
};

describe("a canary, and what is said of it", () => {
  const REPORTER = { reporter: { component: "kube-crier" } };

  test.each(["KubeCrierCanary", "KubeCrierCanaryMissing", "KubeCrierCanaryBack"])(
    "is told by itself and before every warning: %s",
    (reason) => {
      const { alert } = pod("web-0", { reason, type: "Normal", ...REPORTER });
      expect(foldable(alert)).toBe(false);
      expect(rankOf(alert)).toBe(rankOf(gap));
    },
  );

  test("is no reason to think so of an event that only has its name", () => {
    const { alert } = pod("web-0", { reason: "KubeCrierCanary", type: "Normal" });
    expect(foldable(alert)).toBe(true);
    expect(rankOf(alert)).toBeGreaterThan(rankOf(gap));
  });
});

describe("a digest", () => {
  test("has a line for each reason of each workload, with how many pods it is about", () => {
    const digest = digestOf([
      pod("web-7d4b9c6f5d-x2x9z"),
      pod("web-7d4b9c6f5d-x2x9z"),
      pod("web-7d4b9c6f5d-k8s7q"),
      pod("web-7d4b9c6f5d-k8s7q", { reason: "Unhealthy" }),
      pod("web-7d4b9c6f5d-k8s7q", { object: { namespace: "bank" } }),
    ]);
    expect(digest.total).toBe(5);
    const line = { severity: "warning", kind: "Pod", workload: "web" } as const;
    expect(digest.lines).toEqual([
      { ...line, count: 3, reason: "BackOff", namespace: "shop", objects: 2 },
      { ...line, count: 1, reason: "BackOff", namespace: "bank", objects: 1 },
      { ...line, count: 1, reason: "Unhealthy", namespace: "shop", objects: 1 },
    ]);
  });

  test("the worst first, then the most", () => {
    const { lines } = digestOf([
      pod("a", { type: "Normal", reason: "Pulled" }),
      pod("a", { type: "Normal", reason: "Pulled" }),
      pod("a", { type: "Normal", reason: "Pulled" }),
      pod("b"),
      pod("c", { reason: "OOMKilling" }),
      pod("d", { reason: "FailedMount" }),
      pod("d", { reason: "FailedMount" }),
    ]);
    expect(lines.map(({ count, reason }) => `${count} ${reason}`)).toEqual([
      "1 OOMKilling",
      "2 FailedMount",
      "1 BackOff",
      "3 Pulled",
    ]);
  });

  test("tells from when to when, whatever order they came in and however they write it", () => {
    const times = ["2026-11-20T08:05:30Z", "2026-11-20T08:05:29.999999Z", "2026-11-20T08:05:30.5Z"];
    const digest = digestOf(times.map((lastSeen) => pod("a", { lastSeen })));
    expect(digest.from).toBe("2026-11-20T08:05:29.999999Z");
    expect(digest.to).toBe("2026-11-20T08:05:30.5Z");
  });

  test("ten lines and how many more there would be", () => {
    const digest = digestOf(Array.from({ length: 14 }, (_, n) => pod("a", { reason: `R${n}` })));
    expect(digest.lines.length).toBe(10);
    expect(digest.moreKinds).toBe(4);
    expect(digest.total).toBe(14);
  });

  test("earlier digests are merged: what they told adds up", () => {
    const first = digestOf([pod("web-7d4b9c6f5d-x2x9z"), pod("web-7d4b9c6f5d-k8s7q")]);
    const second = digestOf(Array.from({ length: 12 }, (_, n) => pod("a", { reason: `R${n}` })));
    const merged = digestOf([owing(first), pod("web-7d4b9c6f5d-zzzzz"), owing(second)]);
    expect(merged.total).toBe(15);
    expect(merged.lines[0]).toMatchObject({ count: 3, objects: 3, reason: "BackOff" });
    expect(merged.moreKinds).toBe(3);
  });

  test("of what is too old stays one where only such are merged: it is told, and linked to, as that", () => {
    const tally = new Tally();
    for (const name of ["web-0", "web-1"]) tally.add(anEvent({ object: { name } }));
    const old = owing(tally.digest());
    expect(digestOf([old, old])).toMatchObject({ tooOld: true, total: 4 });
    expect(digestOf([old, pod("db-0")])).not.toHaveProperty("tooOld");
    expect(digestOf([old, owing(digestOf([pod("a"), pod("b")]))])).not.toHaveProperty("tooOld");
    expect(digestOf([pod("a"), pod("b")])).not.toHaveProperty("tooOld");
  });

  test("names the cluster, unless there are several", () => {
    expect(digestOf([pod("a"), pod("b")]).cluster).toBe("prod-a");
    expect(digestOf([pod("a"), pod("b", { cluster: "prod-b" })]).cluster).toBe("");
  });

  test("however it is folded and folded again, every occurrence is counted once", () => {
    const reason = fc.constantFrom("BackOff", "OOMKilling", "Unhealthy", "FailedMount");
    const name = fc.constantFrom("web-7d4b9c6f5d-x2x9z", "web-7d4b9c6f5d-k8s7q", "db-0", "db-1");
    const event = fc.tuple(reason, name).map(([reason, name]) => pod(name, { reason }));
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 2 }),
        fc.integer({ min: 1, max: 9 }),
        (all, step) => {
          let digest = digestOf(all.slice(0, step));
          for (let from = step; from < all.length; from += step) {
            digest = digestOf([...all.slice(from, from + step), owing(digest)]);
          }
          const whole = digestOf(all);
          expect(digest.total).toBe(all.length);
          const counts = ({ lines }: typeof whole) =>
            lines.map((line) => `${line.count} ${line.reason} ${line.workload}`);
          expect(counts(digest)).toEqual(counts(whole));
          expect([digest.from, digest.to]).toEqual([whole.from, whole.to]);
        },
      ),
    );
  });

  test("a gap is not folded; it and a digest come before everything", () => {
    expect(foldable(gap)).toBe(false);
    expect(foldable(pod("a").alert)).toBe(true);
    const ranks = [gap, digestOf([pod("a")]), pod("a", { reason: "OOMKilling" }).alert];
    expect(ranks.map(rankOf)).toEqual([-1, -1, 0]);
  });
});

describe("the workload behind a name", () => {
  test.each([
    ["Pod", "web-7d4b9c6f5d-x2x9z", "web"],
    ["Pod", "web-frontend-6b7f8d9c5-abcde", "web-frontend"],
    ["Pod", "node-exporter-x2x9z", "node-exporter"],
    ["Pod", "postgres-0", "postgres"],
    ["Pod", "kafka-broker-12", "kafka-broker"],
    ["Pod", "backup-28912345-x2x9z", "backup"],
    ["Pod", "web-frontend-proxy", "web-frontend-proxy"],
    ["Pod", "redis-cache", "redis-cache"],
    ["Pod", "web", "web"],
    ["Pod", "-", "-"],
    ["ReplicaSet", "web-7d4b9c6f5d", "web"],
    ["ReplicaSet", "web-frontend", "web-frontend"],
    ["Job", "backup-28912345", "backup"],
    ["Job", "migrate", "migrate"],
    ["PersistentVolumeClaim", "data-postgres-0", "data-postgres"],
    ["Node", "node-3", "node-3"],
    ["Deployment", "web-2", "web-2"],
  ])("%s %s → %s", (kind, name, workload) => {
    expect(workloadOf(kind, name)).toBe(workload);
  });

  test("never is empty, whatever the name", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (name) => {
        expect(workloadOf("Pod", name)).not.toBe("");
      }),
    );
  });
});
