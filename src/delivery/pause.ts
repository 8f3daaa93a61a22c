import type { Observer } from "../observe/observer.ts";

/** The time for which a platform wants to be left alone: its beginning and its end are said. */
export class Pause {
  readonly #name: string;
  readonly #observer: Pick<Observer, "lanePaused" | "laneResumed">;
  #until: number | null = null;
  /** When it was last known to last. */
  #seenAt = 0;

  /** @param name of the sink instance */
  constructor(name: string, observer: Pick<Observer, "lanePaused" | "laneResumed">) {
    this.#name = name;
    this.#observer = observer;
  }

  /** Milliseconds since the epoch; `null`: there is none, or its end has been said. */
  get until(): number | null {
    return this.#until;
  }

  /** One that ends before the one there is changes nothing. */
  begin(until: number, detail: string, now: number): void {
    this.#notAfter(now);
    if (this.#until !== null && until <= this.#until) return;
    this.#until = until;
    this.#observer.lanePaused(this.#name, until, detail);
  }

  /** Whether it lasts. */
  at(now: number): boolean {
    this.#notAfter(now);
    if (this.#until === null) return false;
    if (now < this.#until) return true;
    this.#until = null;
    this.#observer.laneResumed(this.#name);
    return false;
  }

  /** The wall clock may have been set back: what is left of it stays what it was. */
  #notAfter(now: number): void {
    if (this.#until !== null && now < this.#seenAt) this.#until -= this.#seenAt - now;
    this.#seenAt = now;
  }
}
