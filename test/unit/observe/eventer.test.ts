import { describe, expect, it } from "vitest";
import { jsonLog } from "../../../src/observe/log.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createObserver } from "../../../src/observe/observe.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";

// Names, labels and meanings: kube-eventer at 0974bca, metrics/prometheus/metrics.go, manager/manager.go, sinks/manager.go.

function house(perEvent = true) {
  const metrics = createMetrics("1.2.3", ["kubernetes", "file"], ["ding", "es"], {
    perEvent,
    elasticsearch: ["es"],
  });
  const clock = new FakeClock();
  metrics.measure({
    now: () => clock.now(),
    pending: () => ({ total: 0, oldestOwedAt: null }),
    ledgerBytes: () => 0,
  });
  const { observer } = createObserver(jsonLog("error", { write: () => true }), metrics, clock);
  const value = async (series: string) => {
    const line = (await metrics.text()).split("\n").find((one) => one.startsWith(`${series} `));
    return line === undefined ? null : Number(line.slice(series.length + 1));
  };
  return { metrics, clock, observer, value };
}

describe("kube-eventer's metrics", () => {
  it("count by reason, namespace and kind, Normal and the rest apart", async () => {
    const { observer, value } = house();
    const pulled = anEvent({ type: "Normal", reason: "Pulled", message: "-" });
    observer.eventReceived("kubernetes", pulled);
    observer.eventReceived("kubernetes", pulled);
    observer.eventReceived("kubernetes", anEvent());
    const of = (metric: string, reason: string) =>
      value(`eventer_events_${metric}_total{reason="${reason}",namespace="shop",kind="Pod"}`);
    expect(await of("normal", "Pulled")).toBe(2);
    expect(await of("warning", "BackOff")).toBe(1);
    expect(await of("normal", "BackOff")).toBeNull();
    expect(await value("eventer_scraper_events_total_number")).toBe(3);
  });

  it("a Node's events are in no namespace, wherever the Event itself is stored", async () => {
    const { observer, value } = house();
    const object = { kind: "Node", name: "node-1", namespace: null };
    observer.eventReceived("kubernetes", anEvent({ reason: "NodeNotReady", object }));
    expect(
      await value('eventer_events_error_total{reason="NodeNotReady",namespace="",kind="Node"}'),
    ).toBe(1);
  });

  it.each([
    ["OOMKilling", "-", "PodOOM"],
    ["PodOOMKilling", "-", "PodOOM"],
    ["SyncLoadBalancerFailed", "-", "CcmSLBSyncFail"],
    ["BackOff", "Back-off restarting failed container web", "PodCrash"],
    ["BackOff", 'Back-off pulling image "shop/web:2"', "PodImagePullBackOff"],
    ["FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", "ResourceInsufficient"],
    ["FailedScheduling", "0/3 nodes are available: 3 node(s) had taints", "PodFailScheduling"],
    [
      "NodeNotReady",
      "PLEG is not healthy: pleg was last seen active 3m7s ago",
      "NodePLEGUnhealthy",
    ],
    ["Failed", "Error: ImagePullBackOff", null],
    ["Failed", 'Error: failed to start container "web"', "PodFailStart"],
    ["Pulled", "-", null],
  ])("%s (%s) is the trouble %s", async (reason, message, trouble) => {
    const { observer, metrics } = house();
    observer.eventReceived("kubernetes", anEvent({ reason, message }));
    const told = [
      ...(await metrics.text()).matchAll(/eventer_events_error_total\{reason="(\w+)"/g),
    ];
    expect(told.map(([, name]) => name)).toEqual(trouble === null ? [] : [trouble]);
  });

  it("never grow without end: beyond a thousand series the rest is one", async () => {
    const { observer, metrics, value } = house();
    for (let index = 0; index < 5000; index += 1)
      observer.eventReceived("kubernetes", anEvent({ reason: `R${index}`, message: "-" }));
    observer.eventReceived("kubernetes", anEvent({ reason: "R7", message: "-" }));
    const lines = (await metrics.text()).match(/^eventer_events_warning_total\{/gm);
    expect(lines).toHaveLength(1001);
    const of = (reason: string, rest = 'namespace="shop",kind="Pod"') =>
      value(`eventer_events_warning_total{reason="${reason}",${rest}}`);
    expect(await of("R7")).toBe(2);
    expect(await of("other", 'namespace="other",kind="other"')).toBe(4000);
  });

  it("have no label that is the object's name: a series for each pod there ever was", async () => {
    const { observer, metrics } = house();
    observer.eventReceived("kubernetes", anEvent({ object: { name: "web-7d4b9c" } }));
    const own = (await metrics.text()).split("\n").filter((line) => line.startsWith("eventer_"));
    expect(own.join("\n")).not.toContain("web-7d4b9c");
  });

  it("--event-metrics=false leaves those by event away, and only those", async () => {
    const { observer, metrics, value } = house(false);
    observer.eventReceived("kubernetes", anEvent());
    expect(await metrics.text()).not.toContain("eventer_events_");
    expect(await value("eventer_scraper_events_total_number")).toBe(1);
  });

  it("time each attempt by sink, in milliseconds", async () => {
    const { observer, value } = house();
    observer.delivered("ding", "d1", 40, 25);
    observer.attemptFailed("ding", "d2", "network", "reset", 1000, 75);
    expect(await value('eventer_exporter_duration_milliseconds_sum{exporter="ding"}')).toBe(100);
    expect(await value('eventer_exporter_duration_milliseconds_count{exporter="ding"}')).toBe(2);
  });

  it("time what is read until it is written down", async () => {
    const { observer, clock, value } = house();
    observer.eventReceived("kubernetes", anEvent());
    await clock.advance(30);
    observer.eventEnqueued(["ding"], 0);
    expect(await value("eventer_scraper_duration_milliseconds_sum")).toBe(30);
    expect(await value("eventer_scraper_duration_milliseconds_count")).toBe(1);
  });

  it("count what Elasticsearch refused, and nobody else", async () => {
    const { observer, value } = house();
    observer.attemptFailed("ding", "d1", "network", "reset", 1000, 1);
    expect(await value("eventer_elasticsearch_errors")).toBe(0);
    observer.attemptFailed("es", "d2", "rejected", "mapping", null, 1);
    expect(await value("eventer_elasticsearch_errors")).toBe(1);
  });

  it("show a watch that is dead: their time stands still, which kube-eventer's never did", async () => {
    const { observer, clock, value } = house();
    const last = () => value("eventer_scraper_last_time_seconds");
    expect(await last(), "nothing was read yet").toBe(0);
    observer.sourceSynced("kubernetes");
    observer.sourceSynced("file");
    await clock.advance(600_000);
    expect(await last(), "a quiet cluster is no dead watch").toBe(clock.now() / 1000);
    const broke = clock.now() / 1000;
    observer.sourceFailed("kubernetes", "network", "reset", 1000);
    await clock.advance(60_000);
    observer.sourceFailed("kubernetes", "network", "refused", 1000);
    await clock.advance(60_000);
    expect(await last()).toBe(broke);
    expect(await value("eventer_manager_last_time_seconds")).toBe(broke);
    observer.sourceResumed("kubernetes", "network");
    expect(await last()).toBe(clock.now() / 1000);
  });
});
