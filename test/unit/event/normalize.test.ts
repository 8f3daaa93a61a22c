import { readFileSync } from "node:fs";
import path from "node:path";
import {
  anything,
  assert,
  constant,
  dictionary,
  jsonValue,
  oneof,
  property,
  record,
  string,
} from "fast-check";
import { describe, expect, it } from "vitest";
import type { KubeEvent } from "../../../src/event/event.ts";
import { normalize } from "../../../src/event/normalize.wire.ts";
import { severityOf } from "../../../src/event/severity.ts";
import { recorded } from "../../support/apiserver.ts";

const RECEIVED = "2026-11-21T12:00:00Z";
const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/events");

function read(raw: unknown): KubeEvent {
  const event = normalize(raw, "prod-a", RECEIVED);
  if (event === null) throw new Error("it was taken for no Event");
  return event;
}

const raw = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  kind: "Event",
  apiVersion: "v1",
  metadata: {
    name: "web-7d4b9c.17a1",
    namespace: "shop",
    uid: "6f1c",
    resourceVersion: "81234",
    creationTimestamp: "2026-11-20T08:00:02Z",
  },
  involvedObject: {
    kind: "Pod",
    namespace: "shop",
    name: "web-7d4b9c",
    uid: "0c0f",
    apiVersion: "v1",
    resourceVersion: "7",
    fieldPath: "spec.containers{web}",
  },
  reason: "BackOff",
  message: "Back-off restarting failed container",
  source: { component: "kubelet", host: "node-1" },
  firstTimestamp: "2026-11-20T08:00:00Z",
  lastTimestamp: "2026-11-20T08:05:30Z",
  count: 12,
  type: "Warning",
  eventTime: null,
  reportingComponent: "",
  reportingInstance: "",
  ...changes,
});

describe("what bodies over a core/v1 Event may name besides", () => {
  const metadata = (more: Record<string, unknown>) => ({ metadata: { uid: "6f1c", ...more } });

  it("is kept: labels, annotations, the object's version", () => {
    const given = metadata({ labels: { app: "web" }, annotations: { note: "a b" } });
    expect(read(raw(given))?.core).toEqual({
      labels: { app: "web" },
      annotations: { note: "a b" },
      objectVersion: "7",
    });
  });

  it("is not there where there is nothing, so that nothing is stored", () => {
    const involvedObject = { kind: "Pod", name: "web", namespace: "shop" };
    for (const labels of [undefined, {}, null, "x", [], { app: 7 }])
      expect(read(raw({ ...metadata({ labels }), involvedObject }))).not.toHaveProperty("core");
  });

  it("is left out where somebody put pages there", () => {
    const annotations = { "kubectl.kubernetes.io/last-applied": "x".repeat(5000) };
    const given = metadata({ labels: { app: "web" }, annotations });
    expect(read(raw(given))?.core).toEqual({ labels: { app: "web" }, objectVersion: "7" });
  });

  it("is the same of an Event of the new API", () => {
    const regarding = { kind: "Pod", name: "web", namespace: "shop", resourceVersion: "9" };
    const event = { ...raw(metadata({ labels: { app: "web" } })), involvedObject: undefined };
    expect(read({ ...event, apiVersion: "events.k8s.io/v1", regarding })?.core).toEqual({
      labels: { app: "web" },
      objectVersion: "9",
    });
  });
});

describe("an Event of core/v1", () => {
  it("has this normal form", () => {
    expect(read(raw())).toEqual({
      key: "6f1c@12",
      uid: "6f1c",
      resourceVersion: "81234",
      eventName: "web-7d4b9c.17a1",
      eventNamespace: "shop",
      cluster: "prod-a",
      type: "Warning",
      reason: "BackOff",
      message: "Back-off restarting failed container",
      action: null,
      object: {
        kind: "Pod",
        apiVersion: "v1",
        namespace: "shop",
        name: "web-7d4b9c",
        uid: "0c0f",
        fieldPath: "spec.containers{web}",
      },
      related: null,
      reporter: { component: "kubelet", host: "node-1", instance: null },
      count: 12,
      firstSeen: "2026-11-20T08:00:00Z",
      lastSeen: "2026-11-20T08:05:30Z",
      core: { objectVersion: "7" },
    });
  });

  it("is about a cluster-scoped object where that has no namespace, wherever it is stored", () => {
    for (const namespace of ["", undefined, null]) {
      const event = read(
        raw({
          metadata: { name: "n.1", namespace: "default", uid: "u" },
          involvedObject: { kind: "Node", name: "node-3", namespace },
        }),
      );
      expect(event.object.namespace).toBeNull();
      expect(event.eventNamespace).toBe("default");
    }
  });

  it("names the component that reports in the new field or in the old one", () => {
    expect(
      read(raw({ reportingComponent: "default-scheduler", reportingInstance: "s-1" })).reporter,
    ).toEqual({ component: "default-scheduler", host: "node-1", instance: "s-1" });
    expect(read(raw({ source: {} })).reporter).toEqual({
      component: null,
      host: null,
      instance: null,
    });
  });

  it("may be of any type; none at all is one more than Normal", () => {
    expect(read(raw({ type: "Info" })).type).toBe("Info");
    for (const type of [undefined, null, "", {}]) {
      const event = read(raw({ type }));
      expect(event.type).toBe("Unknown");
      expect(severityOf(event)).toBe("warning");
    }
  });

  it("keeps its text to the letter, lone surrogates and control characters too", () => {
    const message = 'quote " back \\ \u0000 \ud800 \u2028 \u202e 内存 💥 {{x}} <!channel>';
    expect(read(JSON.parse(JSON.stringify(raw({ message })))).message).toBe(message);
  });

  it("is known by a key that any table and address can hold, whatever uid a file gives it", () => {
    const half = read(raw({ metadata: { name: "web.1", namespace: "shop", uid: "a\ud800b" } }));
    expect(half.key).toMatch(/^a\ufffdb@\d+$/);
    expect(half.uid).toBe("a\ud800b");
  });

  it("has a related object where it names one", () => {
    const related = { kind: "Node", name: "node-9" };
    expect(read(raw({ related })).related).toMatchObject({
      kind: "Node",
      name: "node-9",
      uid: null,
    });
    expect(read(raw({ related: {} })).related).toBeNull();
  });
});

describe("the same Event under both API groups", () => {
  const items = (name: string): Map<string, unknown> => {
    const list = JSON.parse(recorded(name).body) as { items: { metadata: { uid: string } }[] };
    return new Map(list.items.map((item) => [item.metadata.uid, item]));
  };

  it("has the same normal form, as recorded from a real server", () => {
    const core = new Map([...items("list-page1"), ...items("list-page2")]);
    const fresh = items("list-events-v1");
    expect(fresh.size).toBeGreaterThan(2);
    for (const [uid, item] of fresh) expect(read(item)).toEqual(read(core.get(uid)));
  });

  it("counts and dates by its series", () => {
    const series = [...items("list-page2").values()].map(read).find((event) => event.count === 7);
    expect(series).toMatchObject({
      reason: "FailedScheduling",
      action: "Scheduling",
      firstSeen: "2026-11-20T11:00:00.123456Z",
      reporter: { component: "default-scheduler", instance: "default-scheduler-abc", host: null },
      related: { kind: "Node", name: "node-9" },
    });
  });
});

describe("count", () => {
  it.each([
    [{ count: 5 }, 5],
    [{ count: 5, series: { count: 9 } }, 9],
    [{ count: 5, series: null }, 5],
    [{ count: 5, series: { count: 0 } }, 5],
    [{ count: 0 }, 1],
    [{ count: null }, 1],
    [{ count: undefined }, 1],
    [{ count: -3 }, 1],
    [{ count: "12" }, 1],
    [{ count: 2.9 }, 2],
    [{ count: 1e300 }, Number.MAX_SAFE_INTEGER],
    [{ count: undefined, deprecatedCount: 4 }, 4],
  ])("of %j is %d", (changes, count) => {
    const event = read(raw(changes));
    expect(event.count).toBe(count);
    expect(event.key).toBe(`6f1c@${count}`);
  });
});

describe("first and last seen", () => {
  const [t1, t2, t3, t4, t5] = [1, 2, 3, 4, 5].map((minute) => `2026-11-20T08:0${minute}:00Z`);
  const when = (
    first: unknown,
    last: unknown,
    eventTime: unknown,
    created: unknown,
    observed: unknown,
  ): [string, string] => {
    const event = read(
      raw({
        firstTimestamp: first,
        lastTimestamp: last,
        eventTime,
        metadata: { uid: "u", creationTimestamp: created },
        series: observed === undefined ? undefined : { count: 2, lastObservedTime: observed },
      }),
    );
    return [event.firstSeen, event.lastSeen];
  };

  it("come from whatever mix of times there is", () => {
    expect(when(t1, t3, null, t2, undefined)).toEqual([t1, t3]);
    expect(when(null, null, t1, t2, t5)).toEqual([t1, t5]);
    expect(when(null, null, t1, t2, undefined)).toEqual([t1, t2]);
    expect(when(null, null, null, t2, undefined)).toEqual([t2, t2]);
    expect(when(null, t4, null, null, undefined)).toEqual([t4, t4]);
    expect(when(null, t4, null, t2, undefined)).toEqual([t2, t4]);
    expect(when(t3, null, null, null, undefined)).toEqual([t3, t3]);
    expect(when(null, null, null, null, t5)).toEqual([t5, t5]);
  });

  it("are never now, year 1 or 1970 while there is anything better", () => {
    const zero = [
      "0001-01-01T00:00:00Z",
      "1970-01-01T00:00:00Z",
      "1970-01-01T00:00:00.000000Z",
      "",
      "yesterday",
      0,
      {},
      "2026-02-30T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-01-01T25:00:00Z",
    ];
    for (const bad of zero) {
      expect(when(bad, bad, bad, t2, bad)).toEqual([t2, t2]);
      expect(when(bad, bad, bad, bad, bad)).toEqual([RECEIVED, RECEIVED]);
    }
  });

  it("keep microseconds, sort with them, and are UTC", () => {
    expect(
      when(null, "2026-11-20T08:00:00Z", "2026-11-20T08:00:00.000001Z", null, undefined)[1],
    ).toBe("2026-11-20T08:00:00.000001Z");
    expect(when(null, null, "2026-11-20T16:00:00.5+08:00", null, undefined)[1]).toBe(
      "2026-11-20T08:00:00.5Z",
    );
    expect(when(null, null, "2026-11-19T23:59:59-00:30", null, undefined)[1]).toBe(
      "2026-11-20T00:29:59Z",
    );
    expect(when(null, null, "2026-11-20T08:00:00.123456789Z", null, undefined)[1]).toBe(
      "2026-11-20T08:00:00.123456Z",
    );
  });

  it("first is never after last", () => {
    const time = oneof(constant(null), ...[t1, t2, t3, t4, t5].map((one) => constant(one)));
    assert(
      property(record({ a: time, b: time, c: time, d: time, e: time }), ({ a, b, c, d, e }) => {
        const [first, last] = when(a, b, c, d, e);
        expect(first <= last).toBe(true);
      }),
    );
  });
});

describe("an Event without a uid", () => {
  const bare = (changes: Record<string, unknown> = {}): unknown => ({
    involvedObject: { kind: "Pod", name: "web" },
    message: "hand-written",
    ...changes,
  });

  it("has one made from what it says: always the same, and another for another", () => {
    const keys = [
      bare(),
      bare({ message: "other" }),
      bare({ reason: "R" }),
      bare({ metadata: { name: "a" } }),
      bare({ involvedObject: { kind: "Pod", name: "api" } }),
      bare({ reason: "hand-written", message: "" }),
    ].map((one) => read(one).key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(read(bare()).key).toBe(keys[0]);
    expect(keys[0]).toMatch(/^without-uid-[0-9a-f]{16}@1$/);
  });

  it("is a new occurrence when it counts on", () => {
    const [one, two] = [read(bare()), read(bare({ count: 2 }))];
    expect(two.uid).toBe(one.uid);
    expect(two.key).not.toBe(one.key);
  });

  it("and without any time is delivered, dated by its arrival", () => {
    expect(read(bare())).toMatchObject({
      firstSeen: RECEIVED,
      lastSeen: RECEIVED,
      type: "Unknown",
    });
  });
});

describe("what is no Event", () => {
  it.each([
    null,
    undefined,
    7,
    "text",
    true,
    [],
    [raw()],
    {},
    { kind: "Pod", metadata: { name: "x" } },
    { kind: "EventList", items: [] },
    { kind: "Event", apiVersion: "audit.k8s.io/v1", message: "x" },
    { apiVersion: "v1" },
    { kind: "Status", reason: "Expired", message: "x" },
  ])("%j", (value) => {
    expect(normalize(value, "c", RECEIVED)).toBeNull();
  });
});

describe("whatever comes over the wire", () => {
  const fields = [
    "metadata",
    "involvedObject",
    "regarding",
    "related",
    "source",
    "deprecatedSource",
    "series",
    "count",
    "deprecatedCount",
    "type",
    "reason",
    "message",
    "note",
    "action",
    "firstTimestamp",
    "lastTimestamp",
    "eventTime",
    "reportingComponent",
    "reportingController",
    "reportingInstance",
    "__proto__",
    "constructor",
  ];
  const inner = oneof(
    jsonValue(),
    dictionary(
      oneof(
        constant("name"),
        constant("namespace"),
        constant("uid"),
        constant("kind"),
        constant("count"),
        constant("creationTimestamp"),
        string(),
      ),
      jsonValue(),
    ),
  );
  const hostile = record(Object.fromEntries(fields.map((field) => [field, inner])), {
    requiredKeys: [],
  }).map((value) => ({ ...value, kind: "Event" }));

  it("gives a whole, frozen normal form that survives JSON, and never throws", () => {
    assert(
      property(hostile, (value) => {
        const event = read(value);
        expect(JSON.parse(JSON.stringify(event))).toEqual(event);
        // `core` is the one field that may be absent.
        expect(Object.keys({ core: null, ...event }).toSorted()).toEqual(
          Object.keys(read(raw())).toSorted(),
        );
        expect(event.count).toBeGreaterThanOrEqual(1);
        expect(Number.isNaN(Date.parse(event.lastSeen))).toBe(false);
        const { object, reporter, related, core } = event;
        for (const part of [event, object, reporter, related ?? event, core ?? event])
          expect(Object.isFrozen(part)).toBe(true);
      }),
      { numRuns: 500 },
    );
    assert(property(anything(), (value) => void normalize(value, "c", RECEIVED)));
  });

  it("is read from real reporters: node-problem-detector and kube-eventer's corpus", () => {
    const list = JSON.parse(
      readFileSync(path.join(FIXTURES, "node-problem-detector.json"), "utf8"),
    ) as { items: unknown[] };
    for (const item of list.items)
      expect(read(item)).toMatchObject({
        object: { kind: "Node", name: "node-1", namespace: null },
        reporter: { host: "node-1" },
      });
    const corpus = JSON.parse(
      readFileSync(path.join(FIXTURES, "kube-eventer.json"), "utf8"),
    ) as Record<string, unknown>;
    const events = Object.values(corpus).map(read);
    expect(new Set(events.map((event) => event.key)).size).toBe(events.length);
  });
});
