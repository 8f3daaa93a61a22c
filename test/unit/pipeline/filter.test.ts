import { describe, expect, it } from "vitest";
import type { FilterSpec } from "../../../src/config/config.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import { CLUSTER_SCOPED, compileFilter } from "../../../src/pipeline/filter.ts";
import { anEvent } from "../../support/events.ts";

type Lists = Partial<FilterSpec["exclude"]>;

function spec(
  changes: Partial<Omit<FilterSpec, "exclude">> & { exclude?: Lists } = {},
): FilterSpec {
  const none = { namespaces: [], kinds: [], reasons: [], names: [], messages: [] };
  return {
    level: "Normal",
    ...none,
    ...changes,
    exclude: { ...none, ...changes.exclude },
  };
}

const passes = (changes: Parameters<typeof spec>[0], event: KubeEvent) =>
  compileFilter(spec(changes))(event);

const node = anEvent({
  reason: "NodeNotReady",
  eventNamespace: "default",
  object: { kind: "Node", namespace: null, name: "node-3" },
});

describe("an empty filter", () => {
  it("passes everything", () => {
    for (const event of [anEvent(), anEvent({ type: "Normal" }), anEvent({ type: "" }), node])
      expect(passes({}, event)).toBe(true);
  });
});

describe("level is a minimum", () => {
  it.each([
    ["Normal", "Normal", true],
    ["Normal", "Warning", true],
    ["Warning", "Normal", false],
    ["Warning", "Warning", true],
    ["Warning", "Error", true],
    ["Warning", "", true],
    ["Warning", "normal", true],
  ] as const)("level %s, type %j: %s", (level, type, expected) => {
    expect(passes({ level }, anEvent({ type }))).toBe(expected);
  });
});

describe("lists", () => {
  it("look at the object the event is about, not at the Event", () => {
    const event = anEvent({ eventNamespace: "default", object: { namespace: "shop" } });
    expect(passes({ namespaces: ["shop"] }, event)).toBe(true);
    expect(passes({ namespaces: ["default"] }, event)).toBe(false);
    expect(passes({ names: ["web-7d4b9c"] }, event)).toBe(true);
    expect(passes({ names: ["web-7d4b9c.17a1"] }, event)).toBe(false);
  });

  it.each([
    [{ kinds: ["Pod"] }, true],
    [{ kinds: ["Node", "Pod"] }, true],
    [{ kinds: ["Node"] }, false],
    [{ reasons: ["Back*"] }, true],
    [{ reasons: ["/^Failed/"] }, false],
    [{ names: ["web-*"] }, true],
    [{ names: ["db-*"] }, false],
    [{ messages: ["/container web/"] }, true],
    [{ messages: ["container web"] }, false],
    [{ messages: ["*container web*"] }, true],
  ] satisfies [Lists, boolean][])("%j: %s", (lists, expected) => {
    expect(passes(lists, anEvent())).toBe(expected);
  });

  it("must all match", () => {
    expect(passes({ kinds: ["Pod"], reasons: ["BackOff"] }, anEvent())).toBe(true);
    expect(passes({ kinds: ["Pod"], reasons: ["Killing"] }, anEvent())).toBe(false);
    expect(passes({ level: "Warning", kinds: ["Pod"] }, anEvent({ type: "Normal" }))).toBe(false);
  });
});

describe("exclude", () => {
  it.each([
    [{ namespaces: ["shop"] }, false],
    [{ namespaces: ["kube-*"] }, true],
    [{ kinds: ["Pod"] }, false],
    [{ reasons: ["/Back/"] }, false],
    [{ names: ["web-*"] }, false],
    [{ messages: ["/restarting/i"] }, false],
    [{ messages: ["/never said/"] }, true],
  ] satisfies [Lists, boolean][])("%j: passes %s", (exclude, expected) => {
    expect(passes({ exclude }, anEvent())).toBe(expected);
  });

  it("wins over include", () => {
    const both = { namespaces: ["shop"], exclude: { names: ["web-*"] } };
    expect(passes(both, anEvent())).toBe(false);
    expect(passes(both, anEvent({ object: { name: "db-0" } }))).toBe(true);
  });

  it("needs one match only, unlike include", () => {
    expect(passes({ exclude: { kinds: ["Node"], reasons: ["BackOff"] } }, anEvent())).toBe(false);
  });
});

describe("cluster-scoped objects", () => {
  it("do not pass a list of namespaces that does not name them", () => {
    expect(passes({ namespaces: ["shop", "default"] }, node)).toBe(false);
    expect(passes({ namespaces: ["shop-*"] }, node)).toBe(false);
  });

  it("are selected by the pseudo-namespace, alone or beside others", () => {
    expect(CLUSTER_SCOPED).toBe("_cluster");
    expect(passes({ namespaces: ["_cluster"] }, node)).toBe(true);
    expect(passes({ namespaces: ["shop", "_cluster"] }, node)).toBe(true);
    expect(passes({ namespaces: ["shop", "_cluster"] }, anEvent())).toBe(true);
    expect(passes({ namespaces: ["_cluster"] }, anEvent())).toBe(false);
  });

  it("are part of everything", () => {
    expect(passes({ namespaces: ["*"] }, node)).toBe(true);
  });

  it("stay when other namespaces are excluded, and go when they are", () => {
    expect(passes({ exclude: { namespaces: ["kube-system"] } }, node)).toBe(true);
    expect(passes({ exclude: { namespaces: ["_cluster"] } }, node)).toBe(false);
    expect(passes({ exclude: { namespaces: ["_cluster"] } }, anEvent())).toBe(true);
  });
});

describe("hostile events", () => {
  it("cannot pass for something else by their text", () => {
    const liar = anEvent({ message: "kind: Node\nreason: NodeNotReady", reason: "BackOff\nOOM" });
    expect(passes({ reasons: ["BackOff"] }, liar)).toBe(false);
    expect(passes({ kinds: ["Node"] }, liar)).toBe(false);
  });

  it("with 1 MB of message do not hold up the filter", () => {
    const filter = compileFilter(spec({ exclude: { messages: ["/(.*)*x$/", "*a*b*c*d*"] } }));
    const event = anEvent({ message: "abc ".repeat(250_000) });
    const start = performance.now();
    expect(filter(event)).toBe(true);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
