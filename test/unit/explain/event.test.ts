import { describe, expect, it } from "vitest";
import type { FilterSpec } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { explainEvent } from "../../../src/explain/event.ts";
import { explainFilter } from "../../../src/explain/filter.ts";
import { compileFilter } from "../../../src/pipeline/filter.ts";
import { createRouter } from "../../../src/pipeline/route.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { anEvent } from "../../support/events.ts";

const configOf = (...sink: string[]) =>
  loadConfig({ flags: { sink, level: "Warning" }, registry, env: {} }).config;

const OPS = "webhook:http://127.0.0.1:1/ops?name=ops&namespaces=shop,data-*&kinds=Pod";
const AUDIT = "webhook:http://127.0.0.1:1/audit?name=audit&excludeReasons=/^Back/,Killing";

const node = anEvent({
  reason: "NodeNotReady",
  eventNamespace: "default",
  object: { kind: "Node", namespace: null, name: "node-3" },
});

describe("an event explained", () => {
  const config = configOf(OPS, AUDIT);

  it("names for each sink every test, what was found, and the pattern that decided", () => {
    const { passed, global, sinks } = explainEvent(config, anEvent());
    expect(passed).toBe(true);
    expect(global).toEqual([
      { list: "level", found: "Warning", wanted: ["Warning"], matched: "Warning", passed: true },
    ]);
    expect(sinks.map(({ sink, type, owed }) => ({ sink, type, owed }))).toEqual([
      { sink: "ops", type: "webhook", owed: true },
      { sink: "audit", type: "webhook", owed: false },
    ]);
    expect(sinks[0]?.tests).toEqual([
      { list: "kinds", found: "Pod", wanted: ["Pod"], matched: "Pod", passed: true },
      {
        list: "namespaces",
        found: "shop",
        wanted: ["shop", "data-*"],
        matched: "shop",
        passed: true,
      },
    ]);
    expect(sinks[1]?.tests).toEqual([
      {
        list: "exclude.reasons",
        found: "BackOff",
        wanted: ["/^Back/", "Killing"],
        matched: "/^Back/",
        passed: false,
      },
    ]);
  });

  it("goes on after the first test that fails: who mends one wants to know of the others", () => {
    const { sinks } = explainEvent(config, node);
    expect(sinks[0]).toMatchObject({
      owed: false,
      tests: [
        { list: "kinds", found: "Node", matched: null, passed: false },
        { list: "namespaces", found: "_cluster", matched: null, passed: false },
      ],
    });
    expect(sinks[1]).toMatchObject({ owed: true, tests: [{ matched: null, passed: true }] });
  });

  it("tells a sink that would have taken it from one that would not, where the global filter drops it", () => {
    const explained = explainEvent(config, anEvent({ type: "Normal" }));
    expect(explained.passed).toBe(false);
    expect(explained.global).toMatchObject([{ list: "level", found: "Normal", matched: null }]);
    expect(explained.sinks).toMatchObject([
      { sink: "ops", passed: true, owed: false },
      { sink: "audit", passed: false, owed: false },
    ]);
  });

  it("says of a canary that filters are not asked", () => {
    const canary = anEvent({ reason: "KubeCrierCanary", reporter: { component: "kube-crier" } });
    const explained = explainEvent(config, canary);
    expect(explained.canary).toBe(true);
    expect(explained.sinks.map(({ owed }) => owed)).toEqual([false, false]);
  });
});

const NONE = { namespaces: [], kinds: [], reasons: [], names: [], messages: [] } as const;
type Lists = Partial<Record<keyof typeof NONE, readonly string[]>>;
const spec = (level: FilterSpec["level"], lists: Lists, exclude: Lists): FilterSpec => ({
  level,
  ...NONE,
  ...lists,
  exclude: { ...NONE, ...exclude },
});

/** What a filter may ask for, and events that differ in all of it. */
const LISTS: readonly Lists[] = [
  {},
  { namespaces: ["shop"] },
  { namespaces: ["_cluster", "s*"] },
  { kinds: ["Pod", "/^no/i"] },
  { reasons: ["Back*"], messages: ["/container\\s\\w+/"] },
  { names: ["web-?d4b9c", "node-3"] },
];
const EVENTS = [
  anEvent(),
  node,
  anEvent({ type: "Normal", reason: "Scheduled" }),
  anEvent({ type: "", message: "zeile\nzwei", object: { namespace: "data-7", name: "db-0" } }),
];

describe("the explanation is the decision", () => {
  const specs = (["Normal", "Warning"] as const).flatMap((level) =>
    LISTS.flatMap((lists) => LISTS.map((exclude) => spec(level, lists, exclude))),
  );

  it("of every filter: it passes where all its tests do, and only there", () => {
    const seen = new Set<boolean>();
    for (const one of specs)
      for (const event of EVENTS) {
        const passes = compileFilter(one)(event);
        seen.add(passes);
        expect(explainFilter(one, event).every(({ passed }) => passed)).toBe(passes);
      }
    expect(seen).toEqual(new Set([true, false]));
  });

  it("of every route: the sinks that are told are those the router owes it to", () => {
    const [first] = configOf(OPS).sinks;
    if (first === undefined) throw new Error("there is a sink");
    for (const [index, filter] of specs.entries()) {
      const sinks = [0, 7, 23].map((step) => ({
        ...first,
        name: `s${step}`,
        filter: specs[(index + step) % specs.length] ?? filter,
      }));
      const route = createRouter(
        compileFilter(filter),
        sinks.map(({ name, filter: own }) => ({ name, matches: compileFilter(own) })),
      );
      for (const event of EVENTS) {
        const routed = route(event);
        const told = explainEvent({ filter, sinks }, event).sinks.filter(({ owed }) => owed);
        expect(told.map(({ sink }) => sink)).toEqual(routed.kind === "owed" ? routed.sinks : []);
      }
    }
  });
});
