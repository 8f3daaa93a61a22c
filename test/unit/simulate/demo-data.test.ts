import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { normalize } from "../../../src/event/normalize.wire.ts";
import { severityOf } from "../../../src/event/severity.ts";

const FROM = "2026-11-20T08:00:00Z";
const TO = "2026-11-20T09:00:00Z";

interface WatchLine {
  readonly type: string;
  readonly object: Readonly<Record<string, unknown>>;
}

const lines = readFileSync(new URL("../../../src/demo/events.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as WatchLine);

const events = lines.map(({ object }) => {
  const event = normalize(object, "prod-a", "1970-01-01T00:00:00Z");
  if (event === null) throw new Error(`not an Event: ${JSON.stringify(object)}`);
  return event;
});

const about = (reason: string) => events.filter((event) => event.reason === reason);

describe("the demo's hour", () => {
  it("is a watch stream of occurrences, none of them twice", () => {
    expect(events.length).toBeGreaterThanOrEqual(150);
    expect(events.length).toBeLessThanOrEqual(250);
    expect(new Set(lines.map(({ type }) => type))).toEqual(new Set(["ADDED", "MODIFIED"]));
    expect(new Set(events.map((event) => event.key)).size).toBe(events.length);
    expect(new Set(events.map((event) => event.resourceVersion)).size).toBe(events.length);
  });

  it("lasts exactly an hour, in order", () => {
    const times = events.map((event) => Date.parse(event.lastSeen));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(0)).toBe(Date.parse(FROM));
    expect(times.at(-1)).toBe(Date.parse(TO));
    expect(events.every((event) => Date.parse(event.firstSeen) >= Date.parse(FROM))).toBe(true);
  });

  it("speaks both APIs", () => {
    const versions = new Set(lines.map(({ object }) => object["apiVersion"]));
    expect(versions).toEqual(new Set(["v1", "events.k8s.io/v1"]));
  });

  it("modifies only what it added, with a growing count", () => {
    const counts = new Map<string, number>();
    lines.forEach(({ type }, index) => {
      const event = events[index];
      const before = counts.get(event?.uid ?? "");
      expect(before === undefined).toBe(type === "ADDED");
      expect(event?.count).toBeGreaterThan(before ?? 0);
      counts.set(event?.uid ?? "", event?.count ?? 0);
    });
  });

  it.each([
    "OOMKilling",
    "PodOOMKilling",
    "SystemOOM",
    "BackOff",
    "FailedScheduling",
    "Failed",
    "NodeNotReady",
    "FailedAttachVolume",
    "FailedMount",
    "Unhealthy",
    "FailedCreate",
    "Evicted",
    "Rebooted",
    "ScalingReplicaSet",
    "SuccessfulRescale",
    "SawCompletedJob",
    "BackoffLimitExceeded",
  ])("has %s", (reason) => {
    expect(about(reason)).not.toEqual([]);
  });

  it("shows every severity, an unknown type, and objects of the cluster itself", () => {
    expect(new Set(events.map(severityOf))).toEqual(new Set(["critical", "warning", "info"]));
    expect(new Set(events.map((event) => event.type))).toContain("MyOwnType");
    const nodes = events.filter((event) => event.object.kind === "Node");
    expect(new Set(nodes.map((event) => event.object.namespace))).toEqual(new Set([null]));
    expect(new Set(nodes.map((event) => event.eventNamespace))).toEqual(new Set(["default"]));
  });

  it("has a crash loop whose count is in the hundreds at last", () => {
    const loop = about("BackOff").filter((event) => event.object.name.startsWith("web-"));
    expect(loop.at(-1)?.count).toBeGreaterThan(100);
    expect(loop.length).toBeGreaterThan(10);
  });

  it("has what makes messages hard: Chinese, newlines, quotes, emoji, digests, malice", () => {
    const text = events.map((event) => event.message).join("\u0000");
    expect(text).toMatch(/\p{Script=Han}/u);
    expect(text).toContain("\n");
    expect(text).toContain('"');
    expect(text).toContain("\\");
    expect(text).toMatch(/\p{Extended_Pictographic}/u);
    expect(text).toMatch(/sha256:[0-9a-f]{64}/);
    for (const mark of [
      "@all",
      "<!channel>",
      '<at user_id="all">',
      "<at id=all>",
      "<@all>",
      "](https://",
      "<script>",
      "{{ .Type }}",
      "\u202e",
      "\u200b",
    ])
      expect(text).toContain(mark);
  });
});
