import type { Clock } from "../../clock.ts";
import type { Observer } from "../../observe/observer.ts";

export interface MysqlOutboxPorts {
  readonly clock: Clock;
  readonly observer: Pick<Observer, "ledgerTrouble" | "ledgerHeld" | "ledgerRecovered">;
  readonly makeId: () => string;
  /** Deliveries held in memory while the database is away. */
  readonly bound: number;
  /** What to do while it is: deliver from memory, or nothing that is not written. */
  readonly away: "bypass" | "block";
  /** Whose the ledger is, as its row says. */
  readonly holder: string;
  /** Leaders are elected: one that was asleep may be none any more. */
  readonly elected: boolean;
}
