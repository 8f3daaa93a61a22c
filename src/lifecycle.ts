import type { Clock } from "./clock.ts";
import type { Observer } from "./observe/observer.ts";

export interface StopStep {
  readonly name: string;
  /** Milliseconds it may take before the next step starts without it. */
  readonly deadlineMs: number;
  readonly stop: () => Promise<void> | void;
}

/** What was started last stops first; a step that hangs or throws is named and passed over, never waited for without end. */
export class Lifecycle {
  readonly #steps: StopStep[] = [];
  readonly #clock: Clock;
  readonly #observer: Pick<Observer, "error">;
  #stopping: Promise<boolean> | null = null;

  constructor(clock: Clock, observer: Pick<Observer, "error">) {
    this.#clock = clock;
    this.#observer = observer;
  }

  onStop(name: string, deadlineMs: number, stop: StopStep["stop"]): void {
    this.#steps.push({ name, deadlineMs, stop });
  }

  /** Idempotent: a second caller gets the same promise. True when every step ended well and in time. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<boolean> {
    let well = true;
    for (const step of this.#steps.toReversed()) {
      const late = new AbortController();
      try {
        const ended = await Promise.race([
          Promise.resolve(step.stop()).then(() => true),
          this.#clock.sleep(step.deadlineMs, late.signal).then(() => false),
        ]);
        if (!ended) {
          well = false;
          this.#observer.error(
            `stopping: ${step.name} did not end within ${step.deadlineMs / 1000} s; going on without it`,
          );
        }
      } catch (error) {
        well = false;
        this.#observer.error(
          `stopping: ${step.name} failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      } finally {
        late.abort();
      }
    }
    return well;
  }
}
