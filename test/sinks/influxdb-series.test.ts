import { describe, expect, it } from "vitest";
import influxdb from "../../sinks/influxdb.ts";
import { anEvent } from "../support/events.ts";
import { readLines } from "../support/line-protocol.ts";
import { aMessage, problemsWith, requestOf } from "../support/messages.ts";

const given = { url: "http://influxdb:8086", withfields: true, series: "kind" };

function pointOf(...args: Parameters<typeof anEvent>) {
  const message = aMessage({ event: anEvent(...args) });
  const [point, ...others] = readLines(requestOf(influxdb, given, message).body);
  if (point === undefined || others.length > 0) throw new Error(`${others.length} more points`);
  return point;
}
const seriesOf = ({ measurement, tags }: ReturnType<typeof pointOf>) =>
  JSON.stringify([measurement, tags]);

/** A server keeps each series that it ever saw in its index: one for each event has no bound. */
describe("a point of a series by kind", () => {
  it("has what names one event or object as fields, and all else as kube-eventer has it", () => {
    expect(pointOf()).toMatchObject({
      measurement: "events",
      tags: {
        type: "Warning",
        kind: "Pod",
        component: "kubelet",
        reason: "BackOff",
        namespace_name: "shop",
        hostname: "node-1",
        cluster_name: "prod-a",
      },
      fields: {
        message: "Back-off restarting failed container web in pod web-7d4b9c",
        uid: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
        pod_id: "0c0ffee0-1111-2222-3333-444455556666",
        object_name: "web-7d4b9c",
      },
    });
    expect(Object.keys(pointOf().tags)).toHaveLength(7);
    const node = { kind: "Node", namespace: null, name: "node-3", uid: null };
    expect(pointOf({ object: node }).fields).not.toHaveProperty("pod_id");
  });

  it("is one of a single series, whatever the pod, and no two events of one second are one point", () => {
    const points = Array.from({ length: 500 }, (_, n) =>
      pointOf({ uid: `uid-${n}`, object: { name: `web-${n}`, uid: `pod-${n}` }, count: 1 }),
    );
    expect(new Set(points.map(seriesOf)).size).toBe(1);
    expect(new Set(points.map(({ time }) => time)).size).toBe(500);
    for (const { time } of points) expect(time).toMatch(/^1795161930\d{9}$/);
  });

  it("is itself each time it is sent, and another for each occurrence", () => {
    expect(pointOf({ count: 12 })).toEqual(pointOf({ count: 12 }));
    expect(pointOf({ count: 13 }).time).not.toBe(pointOf({ count: 12 }).time);
  });

  it("keeps the microseconds of an event that has them", () => {
    expect(pointOf({ lastSeen: "2026-11-20T08:05:30.123456Z" }).time).toMatch(
      /^1795161930123456\d{3}$/,
    );
  });

  it("is refused without `withfields`, whose tags it is of", () => {
    expect(problemsWith(influxdb, { ...given, withfields: false })).toEqual([
      "series: says kind, but `log/events` has no tags for one; give `withfields`, too",
    ]);
    expect(problemsWith(influxdb, given)).toEqual([]);
  });
});
