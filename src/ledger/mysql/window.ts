import type { Owed } from "./script.ts";

/** Where a delivery stands in the order in which they fall due. */
export interface Position {
  readonly notBefore: number;
  readonly owedAt: number;
  readonly seq: number;
}

export const BEGINNING: Position = { notBefore: Number.MIN_SAFE_INTEGER, owedAt: 0, seq: 0 };
const LEAST = 500;

/**
 * What falls due next at one sink, in memory: every pending delivery that stands no later than `horizon`, so that questions about it
 * need no database; what stands behind is read when its turn comes.
 */
export class Window {
  readonly #entries: Owed[] = [];
  readonly #known: Map<string, Owed>;
  /** Everything pending up to here is in memory; `null`: everything is. */
  #horizon: Position | null = null;
  #asked = 0;

  /** @param known where everything that is in a window can be found by its id */
  constructor(known: Map<string, Owed>) {
    this.#known = known;
  }

  get size(): number {
    return this.#entries.length;
  }

  get horizon(): Position | null {
    return this.#horizon;
  }

  /** Twice what was asked for at once, so that there is always enough to answer with. */
  get limit(): number {
    return Math.max(LEAST, 2 * this.#asked);
  }

  get isShort(): boolean {
    if (this.#horizon === BEGINNING) return true;
    return this.#horizon !== null && this.size <= this.limit / 2;
  }

  /** Takes one in, if it stands within the window. @param always whatever the bound: the database cannot be asked for it later */
  offer(owed: Owed, always = false): void {
    const horizon = this.#horizon;
    if (!always && horizon !== null && compare(positionOf(owed), horizon) > 0) return;
    this.#insert(owed);
    if (always || this.size <= 2 * this.limit) return;
    for (const { delivery } of this.#entries.splice(this.limit)) this.#known.delete(delivery.id);
    this.#horizon = positionOf(this.#entries.at(-1) as Owed);
  }

  remove(owed: Owed): boolean {
    const at = this.#place(positionOf(owed)) - 1;
    if (this.#entries[at]?.seq !== owed.seq) return false;
    this.#entries.splice(at, 1);
    this.#known.delete(owed.delivery.id);
    return true;
  }

  /** What was read up to `horizon`; `null`: up to the end. */
  extend(read: readonly Owed[], horizon: Position | null): void {
    for (const owed of read) if (!this.#known.has(owed.delivery.id)) this.#insert(owed);
    this.#horizon = horizon;
  }

  /** Somebody else has changed what is pending: nothing is sure any more but that what is here was pending. */
  doubt(): void {
    this.#horizon = BEGINNING;
  }

  /** The clock was set back: what waits for a moment waits no longer than it would have. */
  setBack(now: number, ms: number): void {
    const horizon = this.#horizon;
    for (const { seq, delivery } of this.#entries.splice(0)) {
      const { notBefore } = delivery;
      const waits = notBefore > now ? Math.max(now, notBefore - ms) : notBefore;
      this.#insert({ seq, delivery: { ...delivery, notBefore: waits } });
    }
    // What stands behind it is another by now.
    if (horizon !== null) this.#horizon = BEGINNING;
  }

  clear(): void {
    for (const { delivery } of this.#entries.splice(0)) this.#known.delete(delivery.id);
    this.#horizon = null;
  }

  due(now: number, max: number, except: ReadonlySet<string>): readonly Owed[] {
    // What is under way stands at the beginning.
    this.#asked = Math.max(this.#asked, max + except.size);
    const found: Owed[] = [];
    for (const owed of this.#entries) {
      if (found.length >= max || owed.delivery.notBefore > now) break;
      if (!except.has(owed.delivery.id)) found.push(owed);
    }
    return found;
  }

  /** How many fall due no later than `now`. */
  dueBy(now: number): number {
    return this.#place({ notBefore: now, owedAt: Infinity, seq: Infinity });
  }

  /** When the next one falls due after `now`. */
  nextAt(now: number): number | null {
    return this.#entries[this.dueBy(now)]?.delivery.notBefore ?? null;
  }

  oldestOwedAt(): number | null {
    return this.#entries.reduce<number | null>(
      (least, { delivery: { owedAt } }) => (least === null || owedAt < least ? owedAt : least),
      null,
    );
  }

  #insert(owed: Owed): void {
    this.#entries.splice(this.#place(positionOf(owed)), 0, owed);
    this.#known.set(owed.delivery.id, owed);
  }

  /** Where one at this position would go: behind all that stand no later. */
  #place(position: Position): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(positionOf(this.#entries[middle] as Owed), position) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function positionOf({ seq, delivery: { notBefore, owedAt } }: Owed): Position {
  return { notBefore, owedAt, seq };
}

function compare(a: Position, b: Position): number {
  return a.notBefore - b.notBefore || a.owedAt - b.owedAt || a.seq - b.seq;
}
