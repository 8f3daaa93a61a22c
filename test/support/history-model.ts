import * as fc from "fast-check";
import type { DeliveryState } from "../../src/event/delivery.ts";
import type { KubeEvent } from "../../src/event/event.ts";
import type { DropReason, SuppressReason } from "../../src/event/reason.ts";
import { EVERYTHING, type Filter, type Visible } from "../../src/history/history.ts";
import { MINUTE, NOON, seen } from "./history.ts";

/** One event of a made-up history, and what became of it. */
export interface Happened {
  readonly event: KubeEvent;
  /** When it was last seen, as far as that lies before it was taken, at noon. */
  readonly at: number;
  readonly told: ReadonlyMap<string, DeliveryState>;
  readonly suppressed: SuppressReason | null;
}

export const SINKS = ["audit", "ops"];
const NAMESPACES = ["shop", "data", "default"];
const CLUSTERS = ["prod-a", "prod-b"];
const WHY = ["noSink", "globalFilter", "tooOld"] as const;
const REASONS = ["BackOff", "Failed", "扩容失败", "Started"];
const MESSAGES = [
  "Back-off restarting failed container",
  "connect: connection refused",
  "镜像拉取超时，请检查仓库凭证",
  "节点池扩容失败：可用区库存不足",
  "ok",
  '100% of "quota" \\ used_up',
  "イメージの取得に失敗しました",
  "Ünable to pull ÅNGSTRÖM",
  "from a file of zero\0bytes",
];
/** Whole words, parts of words, single characters of scripts without spaces, and what is nowhere. */
const WORDS = [
  ["back-off", "refused", "connection refused", "ff", "o", "ok", "ontain", "zz", "web-1"],
  ["镜像", "像", "超时", "时超", "库存不足", "失", "失败", "敗", "取得", "ジの", "，请"],
  ["ångström", "ünable", '"quota"', "\\", "%", "used_", "k8", "ero\0byt", "\0k8\0s"],
].flat();
const SPAN = 180 * MINUTE;

/** The n-th thing that happens, out of a handful of numbers. */
const happened = fc
  .record({
    // A few by clocks that are ahead of ours.
    ago: fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 1, max: SPAN }) },
      { weight: 3, arbitrary: fc.constantFrom(61_000, 61_500, 119_999) },
      { weight: 1, arbitrary: fc.constantFrom(-1, -7 * MINUTE, -400 * 24 * 60 * MINUTE) },
    ),
    cluster: fc.constantFrom(...CLUSTERS),
    why: fc.constantFrom(...WHY),
    namespace: fc.integer({ min: 0, max: NAMESPACES.length }),
    reason: fc.nat(REASONS.length - 1),
    message: fc.nat(MESSAGES.length - 1),
    normal: fc.boolean(),
    again: fc.nat(4).map((n) => n === 0),
    pod: fc.nat(40),
    component: fc.constantFrom("kubelet", "scheduler", null),
    sinks: fc.subarray(SINKS),
    state: fc.constantFrom<DeliveryState>("pending", "dead", "delivered"),
  })
  .map((of) => (n: number, before: KubeEvent | undefined): Happened => {
    const at = Math.min(NOON, NOON - of.ago);
    const namespace = NAMESPACES[of.namespace] ?? null;
    const made = seen(n, NOON - of.ago, {
      cluster: of.cluster,
      message: MESSAGES[of.message] ?? "",
      reason: REASONS[of.reason] ?? "",
      type: of.normal ? "Normal" : "Warning",
      eventNamespace: namespace ?? "default",
      object: { namespace, kind: namespace === null ? "Node" : "Pod", name: `web-${of.pod}` },
      reporter: { component: of.component },
    });
    const event = of.again && before !== undefined ? countedAgain(before, made.lastSeen) : made;
    const told = new Map(of.sinks.map((sink, place) => [sink, place === 0 ? of.state : "pending"]));
    return { event, at, told, suppressed: of.sinks.length === 0 ? of.why : null };
  });

/** The same Event, which has happened once more. */
function countedAgain(event: KubeEvent, lastSeen: string): KubeEvent {
  const count = event.count + 1;
  return { ...event, count, key: `${event.uid}@${count}`, lastSeen };
}

export function histories(min: number, max: number): fc.Arbitrary<readonly Happened[]> {
  return fc.array(happened, { minLength: min, maxLength: max, size: "max" }).map((makers) => {
    const all: Happened[] = [];
    for (const [n, make] of makers.entries()) all.push(make(n, all.at(-1)?.event));
    return all;
  });
}

const few = (values: readonly string[]) => fc.subarray([...values], { minLength: 1, maxLength: 2 });

const FIELDS = {
  from: fc.integer({ min: 0, max: SPAN }).map((ago) => NOON - ago),
  to: fc.integer({ min: 0, max: SPAN }).map((ago) => NOON - ago),
  clusters: few([...CLUSTERS, "nowhere"]),
  namespaces: few([...NAMESPACES, "-", "nowhere"]),
  kinds: few(["Pod", "Node"]),
  names: few(["web-1", "web-1*", "web-*", "web-22", "api*"]),
  reasons: few(REASONS),
  types: few(["Warning", "Normal"]),
  components: few(["kubelet", "-"]),
  sinks: few(SINKS),
  states: few(["pending", "dead", "delivered"]) as fc.Arbitrary<DeliveryState[]>,
  kept: fc.constantFrom("owed" as const, "suppressed" as const),
  suppressed: few([...WHY, "duplicate"]) as fc.Arbitrary<DropReason[]>,
  words: few(WORDS),
};

/** Questions as people ask: a few fields at once, and mostly for words. */
export const filters: fc.Arbitrary<Filter> = fc
  .tuple(
    fc.record(FIELDS),
    fc.subarray(Object.keys(FIELDS) as (keyof typeof FIELDS)[], { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([all, some, worded]) => ({
    ...EVERYTHING,
    ...Object.fromEntries(some.map((field) => [field, all[field]])),
    words: worded ? all.words : [],
  }));

export const sights: fc.Arbitrary<Visible> = fc.oneof(
  { weight: 3, arbitrary: fc.constant("all" as const) },
  { weight: 1, arbitrary: fc.subarray(NAMESPACES) },
);

/** Whether a question is about it: each of its parts read from the description of `Filter`, one after the other. */
export function isMeant(one: Happened, filter: Filter, visible: Visible): boolean {
  const { event, at, told, suppressed } = one;
  const anyOf = (wanted: readonly string[], value: string) =>
    wanted.length === 0 || wanted.some((each) => each === value);
  const texts = [event.message, event.reason, event.object.name].map((text) => text.toLowerCase());
  return [
    visible === "all" || visible.some((ns) => ns === event.eventNamespace),
    filter.from === null || at >= filter.from,
    filter.to === null || at < filter.to,
    anyOf(filter.clusters, event.cluster),
    anyOf(filter.suppressed, suppressed ?? "kept for a sink"),
    anyOf(filter.namespaces, event.object.namespace ?? "-"),
    anyOf(filter.kinds, event.object.kind),
    filter.names.length === 0 || filter.names.some((name) => isName(name, event.object.name)),
    anyOf(filter.reasons, event.reason),
    anyOf(filter.types, event.type),
    anyOf(filter.components, event.reporter.component ?? "-"),
    filter.sinks.length === 0 || filter.sinks.some((sink) => told.has(sink)),
    filter.states.length === 0 ||
      [...told].some(([sink, state]) => filter.states.includes(state) && anyOf(filter.sinks, sink)),
    filter.kept === "all" || (filter.kept === "suppressed") === (suppressed !== null),
    filter.words.every((word) => texts.some((text) => text.includes(word))),
  ].every(Boolean);
}

function isName(wanted: string, name: string): boolean {
  return wanted.endsWith("*") ? name.startsWith(wanted.slice(0, -1)) : wanted === name;
}
