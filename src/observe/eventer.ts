import type { KubeEvent } from "../event/event.ts";
import { abnormalKind } from "./abnormal.ts";
import { Counter, Gauge, type Registry, Summary } from "./prometheus.ts";

/** Label values that a cluster chooses: beyond so many series of one metric the rest is counted together. */
const SERIES = 1000;
const REST = "other";
const LABELS = ["reason", "namespace", "kind"] as const;

export interface EventerOptions {
  readonly registry: Registry;
  readonly sources: readonly string[];
  /** Sinks of the type elasticsearch. */
  readonly elasticsearch: readonly string[];
  /** Count by reason, namespace and kind: `--event-metrics`. */
  readonly perEvent: boolean;
}

/**
 * kube-eventer's metrics by their names (metrics.go, manager.go and sinks/manager.go at 0974bca), so that dashboards and rules stay.
 * Two things differ: no label `name`, which made a series for each pod there ever was, and `exporter` is the sink's configured name.
 */
export function createEventerMetrics(options: EventerOptions) {
  const { registry, sources, elasticsearch, perEvent } = options;
  const registers = [registry];
  const gauge = (name: string, help: string) =>
    new Gauge({ name: `eventer_${name}`, help, registers });
  const scraped = gauge(
    "scraper_last_time_seconds",
    "When the sources were last known to be read without a gap; now, while they are.",
  );
  const housekept = gauge("manager_last_time_seconds", "The same as the scraper's.");
  const total = new Counter({
    name: "eventer_scraper_events_total_number",
    help: "Occurrences read.",
    registers,
  });
  const taken = new Summary({
    name: "eventer_scraper_duration_milliseconds",
    help: "From reading an occurrence to having it written down.",
    percentiles: [],
    registers,
  });
  const told = new Summary({
    name: "eventer_exporter_duration_milliseconds",
    help: "One attempt, from request to verdict.",
    labelNames: ["exporter"],
    percentiles: [],
    registers,
  });
  const refused = new Counter({
    name: "eventer_elasticsearch_errors",
    help: "Attempts that failed, of sinks of the type elasticsearch.",
    registers,
  });
  const events = perEvent
    ? {
        normal: byEvent("normal_total", "Normal occurrences."),
        warning: byEvent("warning_total", "Occurrences of any other type."),
        error: byEvent(
          "error_total",
          "Occurrences that tell of a known trouble, its name in the place of the reason.",
        ),
      }
    : null;

  const away = new Map<string, number | null>(sources.map((source) => [source, 0]));
  let began = 0;

  return {
    read(event: KubeEvent, now: number): void {
      began = now;
      total.inc();
      if (events === null) return;
      const { reason, object } = event;
      const rest = { namespace: object.namespace ?? "", kind: object.kind };
      events[event.type === "Normal" ? "normal" : "warning"]({ reason, ...rest });
      const trouble = abnormalKind(event);
      if (trouble !== null) events.error({ reason: trouble, ...rest });
    },
    writtenDown(now: number): void {
      taken.observe(Math.max(0, now - began));
    },
    attempted(exporter: string, durationMs: number): void {
      told.observe({ exporter }, durationMs);
    },
    failed(sink: string): void {
      if (elasticsearch.includes(sink)) refused.inc();
    },
    /** A source is read without a gap from now on, or not any more. */
    reads(source: string, isInSync: boolean, now: number): void {
      if (isInSync) away.set(source, null);
      else if (away.get(source) === null) away.set(source, now);
    },
    /** Before a scrape. */
    measure(now: number): void {
      const oldest = Math.min(...[...away.values()].map((since) => since ?? now));
      const seconds = (Number.isFinite(oldest) ? oldest : now) / 1000;
      scraped.set(seconds);
      housekept.set(seconds);
    },
  };

  function byEvent(name: string, help: string): (labels: Record<string, string>) => void {
    const counter = new Counter({
      name: `eventer_events_${name}`,
      help: `${help} Beyond ${SERIES} series the rest is reason="${REST}".`,
      labelNames: LABELS,
      registers,
    });
    const known = new Set<string>();
    return (labels) => {
      const { reason = "", namespace = "", kind = "" } = labels;
      const key = `${namespace.length} ${kind.length} ${namespace}${kind}${reason}`;
      if (known.size >= SERIES && !known.has(key)) {
        counter.inc({ reason: REST, namespace: REST, kind: REST });
        return;
      }
      known.add(key);
      counter.inc(labels);
    };
  }
}

export type EventerMetrics = ReturnType<typeof createEventerMetrics>;
