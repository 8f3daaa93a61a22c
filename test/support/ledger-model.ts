import type { Delivery, DeliveryState, Outcome } from "../../src/event/delivery.ts";
import type { Entry, Taken } from "../../src/ledger/ledger.ts";
import { aDigestOf } from "./alerts.ts";

/** One delivery as a ledger must know it. */
export interface Owing {
  readonly id: string;
  readonly sink: string;
  /** The occurrence's key; `null`: it is a digest. */
  readonly key: string | null;
  /** In the order they were owed. */
  readonly seq: number;
  state: DeliveryState;
  attempts: number;
  owedAt: number;
  notBefore: number;
  settledAt: number | null;
  reason: string | null;
  foldedInto: string | null;
}

interface Truth {
  readonly owing: Map<string, Owing>;
  /** Key to when it was taken. */
  readonly taken: Map<string, number>;
  /** Keys that were taken once, and retention has removed. */
  readonly forgotten: Set<string>;
  readonly attempts: { readonly sink: string; readonly at: number }[];
  checkpoint: number | null;
}

/** Some entries given at one moment, with the ids made for them and the number of the first. */
interface Given {
  readonly entries: readonly Entry[];
  readonly checkpoint: number | null;
  readonly made: readonly string[];
  readonly at: number;
  readonly seq: number;
}

export const SINKS = ["ops", "dev"] as const;

/** What everyone may rely on, in a few maps: what a ledger says is compared with it after each thing that happens. */
export class LedgerModel {
  now: number;
  /** As it looks. */
  #truth: Truth = {
    owing: new Map(),
    taken: new Map(),
    forgotten: new Set(),
    attempts: [],
    checkpoint: null,
  };
  /** What the disk had when it began to refuse; `null`: it does not. */
  #onDisk: Truth | null = null;
  /** Given while it took nothing; nobody has been answered. */
  readonly #waiting: (Given & { readonly answer: Promise<readonly Taken[]> })[] = [];
  /** It cannot be read either: what it shows is what memory knows, and what it knew before may come again. */
  blind = false;
  #seq = 0;
  /** While it cannot be reached it takes nothing. */
  readonly #blocks: boolean;

  constructor(now: number, blocks = false) {
    this.now = now;
    this.#blocks = blocks;
  }

  /** Whoever gives it something waits. */
  get blocked(): boolean {
    return this.#blocks && this.blind;
  }

  get troubled(): boolean {
    return this.#onDisk !== null;
  }

  get all(): readonly Owing[] {
    return [...this.#truth.owing.values()];
  }

  get checkpoint(): number | null {
    return this.#truth.checkpoint;
  }

  /** In the order they fall due. */
  pending(sink: string): readonly Owing[] {
    return this.all
      .filter((one) => one.sink === sink && one.state === "pending")
      .toSorted((a, b) => a.notBefore - b.notBefore || a.owedAt - b.owedAt || a.seq - b.seq);
  }

  due(sink: string): readonly Owing[] {
    return this.pending(sink).filter(({ notBefore }) => notBefore <= this.now);
  }

  throttledUntil(sink: string): number | null {
    const times = this.pending(sink)
      .filter(({ reason, notBefore }) => reason === "throttled" && notBefore > this.now)
      .map(({ notBefore }) => notBefore);
    return times.length === 0 ? null : Math.max(...times);
  }

  attempts(sink: string, since: number): readonly number[] {
    return this.#truth.attempts
      .filter((one) => one.sink === sink && one.at >= since)
      .map(({ at }) => at);
  }

  /**
   * What `add` must answer. One that cannot be read may take again what it took before, and memory may still know, and have told, what
   * retention has forgotten: then what it `answered` is right.
   */
  expected(entries: readonly Entry[], answered: readonly Taken[]): readonly Taken[] {
    const { taken, forgotten } = this.#truth;
    const known = new Set(taken.keys());
    return entries.map(({ event }, index) => {
      if (event === null) return "enqueued";
      const what = known.has(event.key) ? "duplicate" : "enqueued";
      known.add(event.key);
      const isOpen = this.blind && (what === "duplicate" || forgotten.has(event.key));
      return isOpen ? (answered[index] ?? what) : what;
    });
  }

  /**
   * @param answered what the ledger said, which is the truth of one that cannot be read
   * @param made the ids the ledger has made, in order
   */
  add(
    entries: readonly Entry[],
    checkpoint: number | null,
    answered: readonly Taken[],
    made: readonly string[],
  ): void {
    this.#take(
      { entries, checkpoint, made, at: this.now, seq: this.#number(made.length) },
      answered,
    );
  }

  /** It has been given, and waits for a ledger that takes nothing now. */
  giveWaiting(
    entries: readonly Entry[],
    checkpoint: number | null,
    answer: Promise<readonly Taken[]>,
    made: readonly string[],
  ): void {
    const seq = this.#number(made.length);
    this.#waiting.push({ entries, checkpoint, made, at: this.now, seq, answer });
  }

  /** What has waited is answered, in its order. @param look compares an answer with what it must be */
  async answerWaiting(look: (answered: unknown, expected: unknown) => void): Promise<void> {
    for (const { answer, ...given } of this.#waiting.splice(0)) {
      const answered = await answer;
      look(answered, this.expected(given.entries, answered));
      this.#take(given, answered);
    }
  }

  /** The number of the first of so many. */
  #number(count: number): number {
    this.#seq += count;
    return this.#seq - count + 1;
  }

  #take({ entries, checkpoint, made, at, seq }: Given, answered: readonly Taken[]): void {
    let index = 0;
    for (const [which, what] of answered.entries()) {
      const entry = entries[which];
      if (entry === undefined) continue;
      const first = index;
      index += entry.sinks.length;
      if (what === "duplicate") continue;
      const key = entry.event?.key ?? null;
      if (key !== null && !this.#truth.taken.has(key)) this.#truth.taken.set(key, at);
      for (const [nth, sink] of entry.sinks.entries())
        this.#owe({ id: made[first + nth] ?? "", sink, key, seq: seq + first + nth, owedAt: at });
    }
    if (checkpoint !== null) this.#truth.checkpoint = checkpoint;
  }

  settle(id: string, outcome: Outcome): void {
    const one = this.#truth.owing.get(id);
    if (one === undefined) throw new Error(`nobody owes ${id}`);
    const late = outcome.kind === "delivered" && one.state === "dead";
    if (one.state !== "pending" && !late) return;
    if (outcome.kind !== "delivered" && outcome.counted) one.attempts += 1;
    one.reason = outcome.kind === "delivered" ? null : outcome.reason;
    if (outcome.kind === "retry") {
      one.notBefore = outcome.notBefore;
      return;
    }
    one.state = outcome.kind;
    one.settledAt = outcome.at;
  }

  fold(ids: readonly string[], digest: Delivery): void {
    for (const id of ids) {
      const one = this.#truth.owing.get(id);
      if (one?.state !== "pending") continue;
      one.state = "folded";
      one.foldedInto = digest.id;
      one.settledAt = this.now;
    }
    const { id, sink } = digest;
    this.#owe({ id, sink, key: null, seq: this.#number(1), owedAt: this.now });
  }

  attempting(sink: string): void {
    this.#truth.attempts.push({ sink, at: this.now });
  }

  /** By hand: dead letters are owed again, as if they were new. @returns how many */
  retryAll(sink: string): number {
    const dead = this.all.filter((one) => one.sink === sink && one.state === "dead");
    for (const one of dead)
      Object.assign(one, {
        state: "pending",
        attempts: 0,
        owedAt: this.now,
        notBefore: this.now,
        settledAt: null,
        reason: null,
      });
    return dead.length;
  }

  /** What was taken and settled before then is forgotten, and nothing that is owed. */
  prune(before: number): void {
    const { owing, taken, forgotten } = this.#truth;
    for (const [key, at] of taken) {
      const of = this.all.filter((one) => one.key === key);
      if (at >= before || of.some(({ settledAt }) => settledAt === null || settledAt >= before))
        continue;
      taken.delete(key);
      forgotten.add(key);
      for (const { id } of of) owing.delete(id);
    }
    for (const { id, key, settledAt } of this.all)
      if (key === null && settledAt !== null && settledAt < before) owing.delete(id);
  }

  /** The oldest owed are given up. */
  overflow(limit: number): readonly string[] {
    const oldest = this.all
      .filter(({ state }) => state === "pending")
      .toSorted((a, b) => a.seq - b.seq)
      .slice(0, limit);
    for (const one of oldest)
      Object.assign(one, { state: "dead", settledAt: this.now, reason: "overflow" });
    return oldest.map(({ id }) => id);
  }

  refuse(): void {
    this.#onDisk ??= structuredClone(this.#truth);
  }

  recover(): void {
    this.#onDisk = null;
    this.blind = false;
  }

  /** What the disk does not know is gone. @returns how many deliveries of it were owed */
  die(): number {
    this.blind = false;
    // Nobody was told that it was taken.
    this.#waiting.length = 0;
    const before = this.#onDisk;
    if (before === null) return 0;
    const lost = this.all.filter(({ id, state }) => state === "pending" && !before.owing.has(id));
    this.#truth = before;
    this.#onDisk = null;
    return lost.length;
  }

  #owe(one: Pick<Owing, "id" | "sink" | "key" | "seq" | "owedAt">): void {
    this.#truth.owing.set(one.id, {
      ...one,
      state: "pending",
      attempts: 0,
      notBefore: one.owedAt,
      settledAt: null,
      reason: null,
      foldedInto: null,
    });
  }
}

export const DIGEST = aDigestOf(2);
