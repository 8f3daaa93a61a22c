import type { Clock } from "../clock.ts";

/** One timer that goes off at the earliest moment asked for. Setting it later than it stands changes nothing. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #at = Number.POSITIVE_INFINITY;
  #waiting = new AbortController();

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** @param at milliseconds since the epoch; `null`: nothing to wait for */
  set(at: number | null): void {
    if (at === null || at >= this.#at) return;
    this.cancel();
    this.#at = at;
    void this.#wait(at, this.#waiting.signal);
  }

  cancel(): void {
    this.#waiting.abort();
    this.#waiting = new AbortController();
    this.#at = Number.POSITIVE_INFINITY;
  }

  async #wait(at: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(0, at - this.#clock.now()), signal);
    if (signal.aborted) return;
    this.#at = Number.POSITIVE_INFINITY;
    this.#ring();
  }
}
