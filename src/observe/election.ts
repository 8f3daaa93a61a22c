import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Observer } from "./observer.ts";

type ElectionObserver = Pick<
  Observer,
  | "electionStarted"
  | "leaderSeen"
  | "leadershipWon"
  | "leadershipLost"
  | "leaseReleased"
  | "leaseFailed"
  | "leaseAnswered"
>;

/** What is said and counted of who leads. */
export function electionObserver(log: Log, metrics: Metrics): ElectionObserver {
  let failing = false;
  return {
    electionStarted(lease, identity) {
      metrics.leader.set(0);
      log.write("info", `candidate for the Lease ${lease} as ${identity}`, { lease, identity });
    },
    leaderSeen(holder, term) {
      metrics.leaseTerm.set(term);
      const who = holder === null ? "nobody leads" : `standby: ${holder} leads`;
      log.write("info", `${who}, term ${term}`, { holder, term });
    },
    leadershipWon(identity, term) {
      metrics.leader.set(1);
      metrics.leaseTerm.set(term);
      log.write("info", `leading in term ${term}, as ${identity}`, { identity, term });
    },
    leadershipLost(why) {
      metrics.leader.set(0);
      log.write("error", `leads no more: ${why}; nothing is sent or written from now on`);
    },
    leaseReleased(problem) {
      metrics.leader.set(0);
      if (problem === null)
        log.write("info", "the Lease is given back: a standby takes it at once");
      else
        log.write(
          "warn",
          `the Lease could not be given back: ${problem}; a standby takes it when it has run out`,
        );
    },
    leaseFailed(failure, detail) {
      metrics.leaseFailures.inc({ reason: failure });
      const text = `the Lease cannot be read or written: ${detail}; tried again`;
      log.write(failing ? "debug" : "warn", text, { reason: failure });
      failing = true;
    },
    leaseAnswered() {
      if (failing) log.write("info", "the Lease can be read and written again");
      failing = false;
    },
  };
}
