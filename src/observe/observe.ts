import { GAP_CAUSES } from "../event/alert.ts";
import { recoveredText } from "../event/gap.ts";
import { FAILURE_REASONS, isSuppression } from "../event/reason.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { canaryObserver } from "./canary.ts";
import { electionObserver } from "./election.ts";
import { counted } from "./counted.ts";
import { type Observer, RESUME_CAUSES } from "./observer.ts";

/** Running totals for the live line and the closing summary. */
export interface Tally {
  received: number;
  filtered: number;
  suppressed: number;
  enqueued: number;
  delivered: number;
  dead: number;
  folded: number;
}

/** One call, one line, one metric. */
export function createObserver(
  log: Log,
  metrics: Metrics,
  clock: { now(): number },
): { observer: Observer; tally: Tally } {
  const tally: Tally = {
    received: 0,
    filtered: 0,
    suppressed: 0,
    enqueued: 0,
    delivered: 0,
    dead: 0,
    folded: 0,
  };
  const failing = new Set<string>();
  const garbled = new Map<string, number>();
  let held = 0;

  const observer: Observer = {
    eventReceived(source, event) {
      const { type } = event;
      tally.received += 1;
      metrics.eventer.read(event, clock.now());
      metrics.received.inc({ type: type === "Normal" || type === "Warning" ? type : "other" });
      metrics.lastEvent.set({ source }, clock.now() / 1000);
    },
    eventDropped(reason) {
      if (isSuppression(reason)) {
        tally.suppressed += 1;
        metrics.suppressed.inc({ reason });
      } else {
        tally.filtered += 1;
        metrics.filtered.inc({ reason });
      }
    },
    eventEnqueued(sinks) {
      tally.enqueued += 1;
      metrics.enqueued.inc();
      metrics.eventer.writtenDown(clock.now());
      for (const sink of sinks) metrics.owed.inc({ sink });
    },

    noticeOwed(sinks) {
      for (const sink of sinks) metrics.owed.inc({ sink });
    },

    sourceConnecting(source, what) {
      log.write("info", `${source}: connecting to ${what}`, { source });
    },
    sourceListing(source, read, remaining) {
      const of = remaining === null ? "" : ` of about ${read + remaining}`;
      log.write("info", `${source}: ${read}${of} events listed`, { source, read, remaining });
    },
    sourceSynced(source) {
      failing.delete(source);
      metrics.synced.set({ source }, 1);
      metrics.eventer.reads(source, true, clock.now());
      log.write("info", `${source}: watching`, { source });
    },
    sourceFailed(source, cause, detail, retryMs) {
      metrics.synced.set({ source }, 0);
      metrics.eventer.reads(source, false, clock.now());
      const first = !failing.has(source);
      failing.add(source);
      log.write(
        first ? "warn" : "debug",
        `${source}: ${detail}; trying again in ${(retryMs / 1000).toFixed(1)} s`,
        { source, cause },
      );
    },
    sourceResumed(source, cause) {
      metrics.resumes.inc({ source, cause });
      metrics.synced.set({ source }, 1);
      metrics.eventer.reads(source, true, clock.now());
      const recovered = failing.delete(source);
      log.write(
        recovered ? "info" : "debug",
        `${source}: watching again (${RESUME_CAUSES[cause]})`,
        { source, cause },
      );
    },
    sourceGarbage(source, detail) {
      metrics.garbage.inc({ source });
      const last = garbled.get(source) ?? Number.NEGATIVE_INFINITY;
      if (clock.now() - last > 60_000)
        log.write("warn", `${source}: an unreadable line on the stream was left out: ${detail}`, {
          source,
        });
      garbled.set(source, clock.now());
    },
    sourceGap(source, gap) {
      const { since, until, cause, recovered = 0, tooOld = 0 } = gap;
      metrics.gaps.inc({ source, cause });
      metrics.recovered.inc({ source }, recovered);
      const isFirst = cause === "firstStart";
      const when = isFirst ? `before ${until}` : `between ${since} and ${until}`;
      const found = recoveredText(gap);
      log.write(
        isFirst ? "info" : "warn",
        `${source}: what happened ${when} may be incomplete: ${GAP_CAUSES[cause]}${found === "" ? "" : `; ${found}`}`,
        { source, since, until, cause, recovered, tooOld },
      );
    },
    sourceRelisted(source, recovered, tooOld) {
      metrics.recovered.inc({ source }, recovered);
      const old = tooOld === 0 ? "" : `, ${tooOld} of them too old to be told singly`;
      log.write(
        "info",
        `${source}: listed again: ${recovered} events had not been seen${old}; none is missing`,
        { source, recovered, tooOld },
      );
    },
    sourceEnded(source) {
      log.write("info", `${source}: read to its end`, { source });
    },

    attemptFailed(sink, id, reason, detail, retryMs, durationMs) {
      metrics.failures.inc({ sink, reason });
      metrics.eventer.failed(sink);
      metrics.duration.observe({ sink }, durationMs / 1000);
      metrics.eventer.attempted(sink, durationMs);
      const next = retryMs === null ? "" : `; trying again in ${(retryMs / 1000).toFixed(1)} s`;
      log.write(
        reason === "unknown" ? "error" : "warn",
        `${sink}: not delivered: ${detail}${next}`,
        { sink, id, reason },
      );
    },
    delivered(sink, id, ageMs, durationMs) {
      tally.delivered += 1;
      metrics.deliveries.inc({ sink, outcome: "delivered" });
      metrics.duration.observe({ sink }, durationMs / 1000);
      metrics.eventer.attempted(sink, durationMs);
      metrics.age.observe({ sink }, ageMs / 1000);
      log.write("debug", `${sink}: delivered`, { sink, id, ageMs, durationMs });
    },
    dead(sink, id, reason, detail) {
      tally.dead += 1;
      metrics.deliveries.inc({ sink, outcome: "dead" });
      metrics.dead.inc({ sink, reason });
      log.write(
        "error",
        `${sink}: given up (${FAILURE_REASONS[reason]}): ${detail}; see "kube-crier dead list"`,
        { sink, id, reason },
      );
    },
    folded(sink, count) {
      tally.folded += count;
      metrics.deliveries.inc({ sink, outcome: "folded" }, count);
      metrics.owed.inc({ sink });
      log.write(
        "info",
        `${sink}: ${counted(count, "delivery exceeds the rate budget and goes", "deliveries exceed the rate budget and go")} out as one digest`,
        { sink, count },
      );
    },
    lanePaused(sink, until, detail) {
      metrics.paused.set({ sink }, 1);
      log.write("warn", `${sink}: paused until ${new Date(until).toISOString()}: ${detail}`, {
        sink,
      });
    },
    laneResumed(sink) {
      metrics.paused.set({ sink }, 0);
      log.write("info", `${sink}: goes on`, { sink });
    },
    messageCut(sink) {
      metrics.cut.inc({ sink });
    },

    templatesChanged() {
      metrics.reloads.inc({ outcome: "changed" });
      metrics.stale.set(0);
      log.write("info", "the templates have changed; the new ones are in use", {});
    },
    templatesStale(problems) {
      metrics.reloads.inc({ outcome: "refused" });
      metrics.stale.set(1);
      log.write(
        "error",
        `the templates have changed and cannot be used; the last good ones stay in use: ${problems.join("; ")}`,
        { problems },
      );
    },

    ...canaryObserver(log, metrics),
    ...electionObserver(log, metrics),

    ledgerTrouble(detail, away = "bypass") {
      metrics.writable.set(0);
      metrics.ledgerFailures.inc();
      log.write(
        "error",
        `the ledger cannot be written: ${detail}; ${away === "bypass" ? "delivering from memory" : "taking and sending nothing new"} and trying again`,
        {},
      );
    },
    ledgerRecovered(written) {
      metrics.writable.set(1);
      log.write(
        "info",
        `the ledger can be written again; ${counted(written, "held change is", "held changes are")} safe now`,
        {
          written,
        },
      );
    },
    ledgerHeld(count) {
      if (count > 0 && held === 0)
        log.write(
          "warn",
          `holding ${counted(count, "delivery", "deliveries")} in memory: ${count === 1 ? "it" : "they"} would not survive an end of the process`,
          {},
        );
      held = count;
      metrics.held.set(count);
    },

    ledgerReplaced(detail, aside, owed) {
      metrics.replaced.inc();
      const lost =
        owed === null
          ? "what it still owed"
          : `the ${counted(owed, "delivery", "deliveries")} it still owed`;
      log.write(
        "error",
        `the ledger is damaged: ${detail}; it lies now at ${aside}, and a new one is in use; ${lost} will not be told`,
        { aside, owed },
      );
    },

    pageEnded(why, retryMs) {
      metrics.pageEnded.inc();
      log.write(
        "error",
        `the page is not served: its thread has ended: ${why}; it is begun again in ${retryMs / 1000} s, and what is owed is delivered meanwhile`,
        {},
      );
    },

    notice: (message, details) => log.write("info", message, details),
    warning: (message, details) => log.write("warn", message, details),
    error: (message, details) => log.write("error", message, details),
  };
  return { observer, tally };
}
