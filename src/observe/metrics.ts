import { GAP_CAUSES } from "../event/alert.ts";
import { DROP_REASONS, type DropReason, FAILURE_REASONS, isSuppression } from "../event/reason.ts";
import { createEventerMetrics, type EventerOptions } from "./eventer.ts";
import { LEASE_FAILURES, RESUME_CAUSES } from "./observer.ts";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "./prometheus.ts";

const PREFIX = "kube_crier_";
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** What the gauges ask at scrape time. */
export interface Gauges {
  pending(sink: string): { readonly total: number; readonly oldestOwedAt: number | null };
  now(): number;
  /** What the ledger takes on disk. */
  ledgerBytes(): number;
}

const keys = (record: object): string[] => Object.keys(record);

/**
 * Every series the program has, made at start: label values come from closed sets and configured names only, so that `rate()` works from the first minute.
 * Those of kube-eventer are the exception: what they count by, the cluster names, up to a bound.
 * @param told what those of kube-eventer ask
 */
export function createMetrics(
  version: string,
  sources: readonly string[],
  sinks: readonly string[],
  told: Pick<EventerOptions, "perEvent" | "elasticsearch"> = { perEvent: true, elasticsearch: [] },
) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: PREFIX + name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name: PREFIX + name, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Histogram<L>({ name: PREFIX + name, help, labelNames, buckets: SECONDS, registers });

  const all = {
    received: counter(
      "events_received_total",
      "Occurrences read from a source. received = filtered + suppressed + enqueued.",
      ["type"],
    ),
    filtered: counter("events_filtered_total", "Occurrences no sink wanted.", ["reason"]),
    suppressed: counter(
      "events_suppressed_total",
      "Occurrences wanted but not owed: already taken, or too old after a break.",
      ["reason"],
    ),
    enqueued: counter(
      "events_enqueued_total",
      "Occurrences written to the ledger and owed to at least one sink.",
    ),
    owed: counter(
      "deliveries_enqueued_total",
      "Deliveries owed. enqueued = delivered + dead + folded + pending.",
      ["sink"],
    ),
    deliveries: counter("deliveries_total", "Deliveries that ended, by outcome.", [
      "sink",
      "outcome",
    ]),
    dead: counter("deliveries_dead_total", "Dead letters, by reason.", ["sink", "reason"]),
    failures: counter("delivery_attempts_failed_total", "Attempts that failed, by reason.", [
      "sink",
      "reason",
    ]),
    duration: histogram("delivery_duration_seconds", "One attempt, from request to verdict.", [
      "sink",
    ]),
    age: histogram(
      "delivery_age_seconds",
      "From the moment a delivery was owed to its acceptance.",
      ["sink"],
    ),
    cut: counter("messages_cut_total", "Messages whose text was cut to the platform's size.", [
      "sink",
    ]),
    pending: gauge("deliveries_pending", "Deliveries owed and not yet told.", ["sink"]),
    oldest: gauge("deliveries_oldest_seconds", "Age of the oldest delivery owed.", ["sink"]),
    paused: gauge("lane_paused", "1 while the platform's rate limit pauses the sink.", ["sink"]),
    synced: gauge("source_synced", "1 once the source has caught up with now, 0 while it cannot.", [
      "source",
    ]),
    lastEvent: gauge("source_last_event_timestamp_seconds", "When the last occurrence was read.", [
      "source",
    ]),
    resumes: counter("source_resumes_total", "Watches opened again, by cause.", [
      "source",
      "cause",
    ]),
    garbage: counter("source_garbage_total", "Unreadable lines on the stream.", ["source"]),
    gaps: counter("source_gaps_total", "Times in which something may have happened unseen.", [
      "source",
      "cause",
    ]),
    recovered: counter(
      "source_recovered_total",
      "Occurrences that a list brought after a time that was not watched.",
      ["source"],
    ),
    reloads: counter("template_reloads_total", "Changes of the user's own templates, by outcome.", [
      "outcome",
    ]),
    stale: gauge(
      "templates_stale",
      "1 while templates are missing or have mistakes and the last good ones are in use.",
    ),
    writable: gauge("ledger_writable", "0 while the ledger cannot be written."),
    held: gauge(
      "ledger_held_deliveries",
      "Deliveries held in memory because the ledger cannot be written.",
    ),
    ledgerFailures: counter(
      "ledger_failures_total",
      "Times the ledger could not be written any more; it is tried again every second.",
    ),
    replaced: counter(
      "ledger_replaced_total",
      "Damaged ledgers that were set aside, a new one started in their place.",
    ),
    pageEnded: counter(
      "page_ended_total",
      "Times the page's thread ended by itself, hung and was ended, or could not be begun again.",
    ),
    bytes: gauge(
      "ledger_bytes",
      "What the ledger takes on disk; over --ledger-max the oldest give way.",
    ),
    canarySeconds: histogram(
      "canary_seconds",
      "From writing a canary to the API server to its acceptance by the sink, or the ledger.",
      ["source"],
    ),
    canaryOk: gauge(
      "canary_ok",
      "1 while canaries arrive in time; 0 before the first has, and while they do not.",
      ["source"],
    ),
    canaryMissed: counter("canary_missed_total", "Canaries that did not arrive in time.", [
      "source",
    ]),
    canaryUnwritten: counter(
      "canary_writes_failed_total",
      "Attempts to write a canary that the API server did not take.",
      ["source"],
    ),
    leader: gauge(
      "leader",
      "1 while this process watches and sends; 0 as a standby. Always 1 without --leader-elect.",
    ),
    leaseTerm: gauge(
      "lease_term",
      "How often the Lease has changed hands, as last seen; 0 before that, and without --leader-elect.",
    ),
    leaseFailures: counter(
      "lease_failures_total",
      "Requests about the Lease that failed, by reason; they are made again.",
      ["reason"],
    ),
    build: gauge("build_info", "The version that runs.", ["version"]),
  };

  for (const type of ["Normal", "Warning", "other"]) all.received.inc({ type }, 0);
  for (const reason of keys(DROP_REASONS))
    (isSuppression(reason as DropReason) ? all.suppressed : all.filtered).inc({ reason }, 0);
  for (const sink of sinks) {
    all.owed.inc({ sink }, 0);
    all.cut.inc({ sink }, 0);
    all.paused.set({ sink }, 0);
    all.duration.zero({ sink });
    all.age.zero({ sink });
    for (const outcome of ["delivered", "dead", "folded"]) all.deliveries.inc({ sink, outcome }, 0);
    for (const reason of keys(FAILURE_REASONS)) {
      all.dead.inc({ sink, reason }, 0);
      all.failures.inc({ sink, reason }, 0);
    }
  }
  for (const source of sources) {
    all.synced.set({ source }, 0);
    all.lastEvent.set({ source }, 0);
    all.garbage.inc({ source }, 0);
    all.recovered.inc({ source }, 0);
    for (const cause of keys(RESUME_CAUSES)) all.resumes.inc({ source, cause }, 0);
    for (const cause of keys(GAP_CAUSES)) all.gaps.inc({ source, cause }, 0);
  }
  const eventer = createEventerMetrics({ registry, sources, ...told });
  for (const outcome of ["changed", "refused"]) all.reloads.inc({ outcome }, 0);
  for (const reason of keys(LEASE_FAILURES)) all.leaseFailures.inc({ reason }, 0);
  all.leader.set(1);
  all.writable.set(1);
  all.build.set({ version }, 1);

  const measureNow = (ledger: Gauges) => {
    for (const sink of sinks) {
      const { total, oldestOwedAt } = ledger.pending(sink);
      all.pending.set({ sink }, total);
      // The wall clock may have been set back since.
      const ageMs = Math.max(0, ledger.now() - (oldestOwedAt ?? ledger.now()));
      all.oldest.set({ sink }, ageMs / 1000);
    }
    all.bytes.set(ledger.ledgerBytes());
    eventer.measure(ledger.now());
  };
  let gauges: Gauges | null = null;
  return {
    ...all,
    /** kube-eventer's own. */
    eventer,
    contentType: registry.contentType,
    /** Only who has a canary has its series: a gauge at 0 would say that it is missing. */
    startCanary(source: string): void {
      all.canarySeconds.zero({ source });
      all.canaryOk.set({ source }, 0);
      all.canaryMissed.inc({ source }, 0);
      all.canaryUnwritten.inc({ source }, 0);
    },
    /** The ledger knows what is pending; it exists later than the metrics. */
    measure(source: Gauges): void {
      gauges = source;
    },
    /** Owed to all sinks together and not yet told; 0 before the ledger is open. */
    pending(): number {
      return sinks.reduce((sum, sink) => sum + (gauges?.pending(sink).total ?? 0), 0);
    },
    async text(): Promise<string> {
      if (gauges !== null) measureNow(gauges);
      // prom-client has a spelling of its own for what was not measured yet.
      return (await registry.metrics()).replaceAll(/ Nan$/gm, " NaN");
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
