import type { Clock } from "../../clock.ts";

interface Kept<T> {
  readonly value: T;
  readonly since: number;
  readonly until: number;
}

/** Answers kept for a while: the least recently used goes when there are too many, and who asks twice at once is asked for once. */
export class Remembered<T> {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #kept = new Map<string, Kept<T>>();

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** `undefined`: unknown, or too old. */
  get(key: string): T | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#kept.delete(key);
    const now = this.#clock.now();
    // Of later than now: the clock was set back, and nobody knows how old it is.
    if (now < kept.since || kept.until <= now) return undefined;
    this.#kept.set(key, kept);
    return kept.value;
  }

  set(key: string, value: T, forMs: number): void {
    this.#kept.delete(key);
    const since = this.#clock.now();
    this.#kept.set(key, { value, since, until: since + forMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
  }

  delete(key: string): void {
    this.#kept.delete(key);
  }
}

/** So many at once, the others wait their turn. */
export class Gate {
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#most)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // Its place goes to the next one in the row.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

/** Who asks while the same question is under way gets the same answer. */
export class Shared<T> {
  readonly #underWay = new Map<string, Promise<T>>();

  ask(key: string, question: () => Promise<T>): Promise<T> {
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const asked = question().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, asked);
    return asked;
  }
}
