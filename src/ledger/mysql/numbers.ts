import type { Alert } from "../../event/alert.ts";
import { newDelivery } from "../../event/delivery.ts";
import type { Entry } from "../ledger.ts";
import type { Owed, Take } from "./script.ts";

/** Numbers what is new: one process does, so what it repeats after an answer was lost has the numbers it had. */
export class Numbers {
  readonly #makeId: () => string;
  #occurrences: number;
  #deliveries: number;

  constructor(
    last: { readonly lastOccurrence: number; readonly lastDelivery: number },
    makeId: () => string,
  ) {
    this.#makeId = makeId;
    this.#occurrences = last.lastOccurrence;
    this.#deliveries = last.lastDelivery;
  }

  take({ event, alert, sinks, suppressed }: Entry, now: number): Take {
    const owed = sinks.map((sink) => this.owe(sink, alert, now));
    this.#occurrences += 1;
    const seq = this.#occurrences;
    return { event, seq, receivedAt: now, suppressed: suppressed ?? null, owed, force: false };
  }

  owe(sink: string, alert: Alert, now: number): Owed {
    this.#deliveries += 1;
    return { seq: this.#deliveries, delivery: newDelivery(this.#makeId(), sink, alert, now) };
  }
}
