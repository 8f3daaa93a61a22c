import type { Alert } from "../event/alert.ts";
import type { KubeEvent } from "../event/event.ts";

/** A digest in the making. */
export interface DigestTally {
  add(event: KubeEvent): void;
  digest(): Alert;
}

/** What a broken list had written before is remembered up to so many, so that none is counted twice. */
const KNOWN_MAX = 100_000;

/** What lists after a break have brought that was not seen before, until it is told. */
export class Found {
  readonly #makeTally: () => DigestTally;
  readonly #tallies = new Map<string, DigestTally>();
  readonly #known = new Set<string>();
  #recovered = 0;
  #tooOld = 0;

  constructor(makeTally: () => DigestTally) {
    this.#makeTally = makeTally;
  }

  /** Owed like any other. */
  single(): void {
    this.#recovered += 1;
  }

  /** Too old for these sinks. */
  old(event: KubeEvent, sinks: readonly string[]): void {
    this.#recovered += 1;
    this.#tooOld += 1;
    for (const sink of sinks) {
      const tally = this.#tallies.get(sink) ?? this.#makeTally();
      this.#tallies.set(sink, tally);
      tally.add(event);
    }
  }

  /** As `old`, of what was written by a list that never came to its end. */
  known(event: KubeEvent, sinks: readonly string[]): void {
    if (this.#known.has(event.key) || this.#known.size >= KNOWN_MAX) return;
    this.#known.add(event.key);
    this.old(event, sinks);
  }

  /** All of it, and begins anew. */
  take(): {
    readonly recovered: number;
    readonly tooOld: number;
    readonly digests: readonly (readonly [sink: string, digest: Alert])[];
  } {
    const digests = [...this.#tallies].map(([sink, tally]) => [sink, tally.digest()] as const);
    const all = { recovered: this.#recovered, tooOld: this.#tooOld, digests };
    this.#tallies.clear();
    this.#known.clear();
    this.#recovered = 0;
    this.#tooOld = 0;
    return all;
  }
}
