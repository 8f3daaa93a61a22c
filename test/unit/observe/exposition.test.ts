import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GAP_CAUSES } from "../../../src/event/alert.ts";
import { DROP_REASONS, FAILURE_REASONS, type FailureReason } from "../../../src/event/reason.ts";
import type { Observer } from "../../../src/observe/observer.ts";
import { LEASE_FAILURES, RESUME_CAUSES } from "../../../src/observe/observer.ts";
import { anEvent } from "../../support/events.ts";
import { house } from "./support.ts";

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/**
 * The text as Prometheus reads it, strictly.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
function parse(text: string): readonly Family[] {
  must(text.endsWith("\n"), "the last line ends with a line feed");
  const families: { name: string; help: string; type: string; samples: Sample[] }[] = [];
  const series = new Set<string>();
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const help = /^# HELP (\S+) (.*)$/.exec(line);
    if (help !== null) {
      const [, name = "", told = ""] = help;
      must(!families.some((known) => known.name === name), `${name} stands once`);
      families.push({ name, help: told, type: "", samples: [] });
      continue;
    }
    const current = families.at(-1);
    must(current !== undefined, `before any HELP: ${line}`);
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type !== null) {
      must(type[1] === current.name && current.type === "", `once, after its HELP: ${line}`);
      must(current.samples.length === 0, `before its samples: ${line}`);
      current.type = type[2] ?? "";
      continue;
    }
    const sample = sampleOf(line);
    must(current.type !== "", `TYPE of ${sample.name}`);
    const suffix = sample.name.slice(current.name.length);
    must(sample.name.startsWith(current.name), `of ${current.name}: ${line}`);
    const suffixes: Record<string, readonly string[]> = {
      histogram: ["_bucket", "_sum", "_count"],
      summary: ["", "_sum", "_count"],
    };
    must((suffixes[current.type] ?? [""]).includes(suffix), `a ${current.type}: ${line}`);
    const key = `${sample.name} ${seriesOf(sample)}`;
    must(!series.has(key), `${line} stands once`);
    series.add(key);
    current.samples.push(sample);
  }
  return families;
}

function sampleOf(line: string): Sample {
  const [, name = "", inside = "", number = ""] = SAMPLE.exec(line) ?? [];
  must(name !== "", `a sample: ${line}`);
  const labels = new Map<string, string>();
  let rest = inside;
  while (rest !== "") {
    const [whole, label = "", written = ""] = LABEL.exec(rest) ?? [];
    must(whole !== undefined, `a label at ${rest}`);
    must(!labels.has(label), `${label} once in ${line}`);
    labels.set(
      label,
      written.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one)),
    );
    rest = rest.slice(whole.length);
  }
  const value = Number(number.replace(/^([+-]?)Inf$/, "$1Infinity"));
  must(!Number.isNaN(value) || number === "NaN", `a number: ${line}`);
  return { name, labels, value };
}

/** As `expect`, for what is looked at thousands of times. */
function must(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Error(`expected ${what}`);
}

/** Its labels in an order of their own, but for one. */
function seriesOf({ labels }: Sample, but?: string): string {
  const texts = [...labels].filter(([label]) => label !== but).map((one) => JSON.stringify(one));
  return texts.toSorted().join();
}

/** Buckets are cumulative, and the last is the count. */
function expectHistogram({ name, samples }: Family): void {
  const bySeries = Map.groupBy(samples, (sample) => seriesOf(sample, "le"));
  for (const [series, of] of bySeries) {
    const buckets = of.filter((one) => one.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) =>
      Number((labels.get("le") ?? "").replace("+Inf", "Infinity")),
    );
    expect(bounds, series).toEqual(bounds.toSorted((a, b) => a - b));
    expect(bounds.at(-1)).toBe(Infinity);
    const counts = buckets.map(({ value }) => value);
    expect(counts, series).toEqual(counts.toSorted((a, b) => a - b));
    expect(of.find((one) => one.name === `${name}_count`)?.value).toBe(counts.at(-1));
    const sum = of.find((one) => one.name === `${name}_sum`)?.value;
    expect(sum, "no time is less than nothing").toBeGreaterThanOrEqual(0);
  }
}

const text = fc.oneof(fc.string({ unit: "binary", maxLength: 30 }), fc.constant('a"\\\n}b'));
const oneOf = (record: object) => fc.constantFrom(...Object.keys(record));
const sink = fc.constantFrom("ding", "hook");
const source = fc.constantFrom("kubernetes", "file");
const ms = fc.integer({ min: 0, max: 10_000_000 });

/** Whatever a cluster, a platform or an API server may say. */
const happening: fc.Arbitrary<(observer: Observer) => void> = fc.oneof(
  fc.tuple(source, text, text, text, text).map(
    ([from, type, reason, namespace, kind]) =>
      (o: Observer) =>
        o.eventReceived(
          from,
          anEvent({ type, reason, object: { ...anEvent().object, namespace, kind } }),
        ),
  ),
  oneOf(DROP_REASONS).map((reason) => (o: Observer) => o.eventDropped(reason as never)),
  fc.subarray(["ding", "hook"]).map((sinks) => (o: Observer) => o.eventEnqueued(sinks, 0)),
  fc.tuple(sink, text, ms, ms).map(
    ([to, id, age, took]) =>
      (o: Observer) =>
        o.delivered(to, id, age, took),
  ),
  fc
    .tuple(sink, oneOf(FAILURE_REASONS), text, ms)
    .map(([to, reason, detail, took]) => (o: Observer) => {
      o.attemptFailed(to, "id", reason as FailureReason, detail, null, took);
      o.dead(to, "id", reason as FailureReason, detail);
    }),
  fc.tuple(source, oneOf(RESUME_CAUSES), text).map(([from, cause, detail]) => (o: Observer) => {
    o.sourceFailed(from, cause as never, detail, 1);
    o.sourceResumed(from, cause as never);
    o.sourceGarbage(from, detail);
  }),
  fc.tuple(source, oneOf(GAP_CAUSES), text).map(
    ([from, cause, detail]) =>
      (o: Observer) =>
        o.sourceGap(from, {
          kind: "gap",
          cluster: detail,
          since: detail,
          until: detail,
          cause: cause as never,
        }),
  ),
  fc.tuple(oneOf(LEASE_FAILURES), text).map(([reason, detail]) => (o: Observer) => {
    o.electionStarted(detail, detail);
    o.leaseFailed(reason as never, detail);
  }),
  fc.tuple(source, text, ms).map(([from, detail, took]) => (o: Observer) => {
    o.canaryArrived(from, took / 1000, took % 2 === 0);
    o.canaryMissed(from, detail, true);
  }),
);

describe("what /metrics says, whatever happens", () => {
  it("is the text format to the letter, each family once, with what it means", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happened) => {
        const { observer, metrics } = house();
        for (const happens of happened) happens(observer);
        for (const family of parse(await metrics.text())) {
          expect(family.help, family.name).not.toBe("");
          expect(family.type, family.name).not.toBe("");
          if (family.type === "histogram") expectHistogram(family);
          if (/^(?:kube_crier|eventer)_/.test(family.name) && family.type === "counter")
            for (const { value, name } of family.samples) must(value >= 0, `${name} from 0 on`);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("has no more series of ours after it than before: every label comes from a closed set", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 60 }), async (happened) => {
        const { observer, metrics } = house();
        const ours = async () =>
          parse(await metrics.text())
            .filter(({ name }) => name.startsWith("kube_crier_"))
            .flatMap(({ samples }) => samples.map(({ name, labels }) => [name, ...labels].join()))
            .toSorted();
        for (const from of ["kubernetes", "file"]) observer.canaryStarted(from, "");
        const before = await ours();
        for (const happens of happened) happens(observer);
        expect(await ours()).toEqual(before);
      }),
      { numRuns: 20 },
    );
  });

  it("never takes a counter back", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 20 }),
        fc.array(happening, { maxLength: 20 }),
        async (first, then) => {
          const { observer, metrics, clock } = house();
          const counters = async () =>
            new Map(
              parse(await metrics.text())
                .filter(
                  ({ name, type }) => /^(?:kube_crier|eventer)_/.test(name) && type !== "gauge",
                )
                .flatMap(({ samples }) =>
                  samples.map((one) => [[one.name, ...one.labels].join(), one.value] as const),
                ),
            );
          for (const happens of first) happens(observer);
          const before = await counters();
          clock.setBack(3_600_000);
          for (const happens of then) happens(observer);
          const after = await counters();
          const fallen = [...before].filter(([series, value]) => (after.get(series) ?? -1) < value);
          expect(fallen).toEqual([]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it("keeps what a cluster names as it named it", async () => {
    const { observer, metrics } = house();
    const reason = 'Back"Off\\\n{}=,#';
    observer.eventReceived("kubernetes", anEvent({ type: "Warning", reason }));
    const family = parse(await metrics.text()).find(
      ({ name }) => name === "eventer_events_warning_total",
    );
    expect(family?.samples.map(({ labels }) => labels.get("reason"))).toEqual([reason]);
  });

  it("nothing is owed since a time to come, where the clock was set back", async () => {
    const { metrics, clock } = house();
    const oldestOwedAt = clock.now();
    metrics.measure({
      now: () => clock.now(),
      pending: () => ({ total: 1, oldestOwedAt }),
      ledgerBytes: () => 0,
    });
    clock.setBack(3_600_000);
    const families = parse(await metrics.text());
    const oldest = families.find(({ name }) => name === "kube_crier_deliveries_oldest_seconds");
    expect(oldest?.samples.map(({ value }) => value)).toEqual([0, 0]);
  });
});
