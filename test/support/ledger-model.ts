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
  /** It cannot be read either: what it shows is what memory knows, and what it knew before may come again. */
  blind = false;
  #seq = 0;

  constructor(now: number) {
    this.now = now;
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

  /** What `add` must answer. */
  expected(entries: readonly Entry[]): readonly Taken[] {
    const known = new Set(this.#truth.taken.keys());
    return entries.map(({ event }) => {
      if (event === null) return "enqueued";
      if (known.has(event.key)) return "duplicate";
      known.add(event.key);
      return "enqueued";
    });
  }

  /** The same of a ledger that cannot be read: memory may still know what retention has forgotten, and has told it. */
  expectedBlindly(entries: readonly Entry[], answered: readonly Taken[]): readonly Taken[] {
    return this.expected(entries).map((what, index) => {
      const key = entries[index]?.event?.key;
      const mayKnow = key !== undefined && this.#truth.forgotten.has(key);
      return mayKnow && answered[index] === "duplicate" ? "duplicate" : what;
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
    const ids = made.values();
    for (const [index, what] of answered.entries()) {
      const entry = entries[index];
      const own = (entry?.sinks ?? []).map((sink) => [sink, ids.next().value ?? ""] as const);
      if (entry === undefined || what === "duplicate") continue;
      const key = entry.event?.key;
      if (key !== undefined && !this.#truth.taken.has(key)) this.#truth.taken.set(key, this.now);
      for (const [sink, id] of own) this.#owe(id, sink, entry.event?.key ?? null);
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
    this.#owe(digest.id, digest.sink, null);
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
    const before = this.#onDisk;
    if (before === null) return 0;
    const lost = this.all.filter(({ id, state }) => state === "pending" && !before.owing.has(id));
    this.#truth = before;
    this.#onDisk = null;
    return lost.length;
  }

  #owe(id: string, sink: string, key: string | null): void {
    this.#seq += 1;
    this.#truth.owing.set(id, {
      id,
      sink,
      key,
      seq: this.#seq,
      state: "pending",
      attempts: 0,
      owedAt: this.now,
      notBefore: this.now,
      settledAt: null,
      reason: null,
      foldedInto: null,
    });
  }
}

export const DIGEST = aDigestOf(2);
