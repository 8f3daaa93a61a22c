import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Observer } from "./observer.ts";

type CanaryObserver = Pick<
  Observer,
  "canaryStarted" | "canaryArrived" | "canaryMissed" | "canaryBack" | "canaryUnwritten"
>;

/** What is said and counted of canaries. */
export function canaryObserver(log: Log, metrics: Metrics): CanaryObserver {
  const unwritten = new Set<string>();
  return {
    canaryStarted(source, what) {
      metrics.startCanary(source);
      log.write("info", `${source}: ${what}`, { source });
    },
    canaryArrived(source, seconds, inTime) {
      unwritten.delete(source);
      metrics.canarySeconds.observe({ source }, seconds);
      if (inTime) metrics.canaryOk.set({ source }, 1);
      const when = inTime ? "" : ", too late";
      log.write("debug", `${source}: the canary arrived after ${seconds.toFixed(3)} s${when}`, {
        source,
        seconds,
      });
    },
    canaryMissed(source, why, first) {
      metrics.canaryMissed.inc({ source });
      metrics.canaryOk.set({ source }, 0);
      log.write(first ? "error" : "debug", `${source}: the canary did not arrive: ${why}`, {
        source,
      });
    },
    canaryBack(source, seconds) {
      log.write("info", `${source}: the canary arrives again, after ${Math.round(seconds)} s`, {
        source,
        seconds,
      });
    },
    canaryUnwritten(source, detail, retryMs) {
      metrics.canaryUnwritten.inc({ source });
      const again = `trying again in ${(retryMs / 1000).toFixed(1)} s`;
      log.write(
        unwritten.has(source) ? "debug" : "warn",
        `${source}: the canary could not be written: ${detail}; ${again}`,
        { source },
      );
      unwritten.add(source);
    },
  };
}
