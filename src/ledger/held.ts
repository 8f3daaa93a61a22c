import { type Delivery, keptAttempts } from "../event/delivery.ts";
import { isUnwanted } from "../event/reason.ts";
import type { Checkpoint } from "../source/source.ts";
import { type Owed, type Pending, type Store, unlessRefused, type Write } from "./store.ts";

/** More attempts than any rate counts. */
const ATTEMPTS_HELD = 1_000;

interface Kept {
  readonly write: Write;
  /** What it counts against the bound, in deliveries. */
  readonly weight: number;
}

/**
 * What could not be written, in order, and how the ledger looks with it: the store as far as it can be read, with the held changes
 * laid over it. A retry replaces the retry before it, so that an outage of hours does not grow.
 */
export class Held {
  readonly #store: Store;
  /** Takes, folds and settlements in their order; a replaced settlement leaves a hole. */
  readonly #writes: (Kept | null)[] = [];
  /** Where in `#writes` the last retry of a delivery is. */
  readonly #retries = new Map<string, number>();
  readonly #checkpoints = new Map<string, Checkpoint>();
  readonly #attempts: { readonly sink: string; readonly at: number }[] = [];
  readonly #keys = new Set<string>();
  /** Deliveries whose truth is here and not in the store; `null`: not pending any more. */
  readonly #overlay = new Map<string, Delivery | null>();
  #size = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** How much is held, in deliveries. */
  get size(): number {
    return this.#size;
  }

  /** Deliveries still owed of which no disk knows: what an end of the process now would lose. */
  get onlyHere(): number {
    return this.#writes
      .flatMap((kept) => (kept === null ? [] : made(kept.write)))
      .filter(({ id }) => (this.#overlay.get(id) ?? null) !== null).length;
  }

  /** Answers false for an occurrence that is known already. */
  apply(write: Write): boolean {
    switch (write.kind) {
      case "take":
        return this.#take(write);
      case "checkpoint":
        this.#checkpoints.set(write.checkpoint.scope, write.checkpoint);
        return true;
      case "attempt":
        this.#attempts.push(write);
        if (this.#attempts.length > ATTEMPTS_HELD) this.#attempts.shift();
        return true;
      case "fold":
        for (const id of write.ids) this.#overlay.set(id, null);
        this.#overlay.set(write.delivery.id, write.delivery);
        this.#keep(write, 1);
        return true;
      case "settle":
        this.#settle(write);
        return true;
    }
  }

  /** The next `limit` writes; checkpoints come last, for they promise that what went before is safe. */
  next(limit: number): readonly Write[] {
    const writes = this.#writes
      .slice(0, limit)
      .flatMap((kept) => (kept === null ? [] : [kept.write]));
    if (this.#writes.length > limit) return writes;
    return [
      ...writes,
      ...this.#attempts.map(({ sink, at }) => ({ kind: "attempt", sink, at }) as const),
      ...[...this.#checkpoints.values()].map(
        (checkpoint) => ({ kind: "checkpoint", checkpoint }) as const,
      ),
    ];
  }

  /** The first `limit` are safe in the store; true when nothing is left. */
  written(limit: number): boolean {
    if (this.#writes.length <= limit) return true;
    for (const kept of this.#writes.splice(0, limit)) this.#size -= kept?.weight ?? 0;
    const retries = [...this.#retries].filter(([, index]) => index >= limit);
    this.#retries.clear();
    for (const [id, index] of retries) this.#retries.set(id, index - limit);
    return false;
  }

  due(sink: string, now: number, max: number, except: ReadonlySet<string>): readonly Delivery[] {
    const here = this.#pendingHere(sink).filter(
      (delivery) => delivery.notBefore <= now && !except.has(delivery.id),
    );
    const there: Owed[] = [];
    this.#walk(sink, (owed) => {
      if (owed.notBefore > now) return false;
      if (!except.has(owed.id)) there.push(owed);
      return there.length < max;
    });
    // What is on the disk came first.
    return [...there, ...here]
      .toSorted((a, b) => a.notBefore - b.notBefore || a.owedAt - b.owedAt)
      .slice(0, max)
      .map(
        (owed) => this.#overlay.get(owed.id) ?? unlessRefused(() => this.#store.get(owed.id), null),
      )
      .filter((delivery) => delivery !== null);
  }

  /** Counted on the way: there may be a million. */
  pending(sink: string, now: number): Pending {
    let [due, total] = [0, 0];
    let [nextAt, oldestOwedAt]: [number | null, number | null] = [null, null];
    const count = (owed: Owed): true => {
      total += 1;
      if (owed.notBefore <= now) due += 1;
      else nextAt = Math.min(nextAt ?? owed.notBefore, owed.notBefore);
      oldestOwedAt = Math.min(oldestOwedAt ?? owed.owedAt, owed.owedAt);
      return true;
    };
    for (const owed of this.#pendingHere(sink)) count(owed);
    this.#walk(sink, count);
    return { due, total, nextAt, oldestOwedAt };
  }

  checkpoints(): ReadonlyMap<string, Checkpoint> {
    return new Map([
      ...unlessRefused(() => this.#store.checkpoints(), new Map()),
      ...this.#checkpoints,
    ]);
  }

  recentAttempts(sink: string, since: number): readonly number[] {
    return [
      ...unlessRefused(() => this.#store.recentAttempts(sink, since), []),
      ...this.#attempts.filter((one) => one.sink === sink && one.at >= since).map((one) => one.at),
    ];
  }

  throttledUntil(sink: string, now: number): number | null {
    return unlessRefused(() => this.#store.throttledUntil(sink, now), null);
  }

  #take(write: Write & { kind: "take" }): boolean {
    const { event } = write;
    if (event !== null) {
      const known = () => unlessRefused(() => this.#store.has(event), false);
      // Memory is for what is owed.
      if (isUnwanted(write.suppressed)) return !known();
      if (this.#keys.has(event.key) || known()) return false;
      this.#keys.add(event.key);
    }
    for (const delivery of write.deliveries) this.#overlay.set(delivery.id, delivery);
    this.#keep({ ...write, force: true }, Math.max(1, write.deliveries.length));
    return true;
  }

  #settle(write: Write & { kind: "settle" }): void {
    const { id, outcome } = write;
    const index = this.#retries.get(id);
    const before = index === undefined ? null : (this.#writes[index] ?? null);
    const failed = write.failed + (before?.write.kind === "settle" ? before.write.failed : 0);
    const earlier = before?.write.kind === "settle" ? before.write.tries : [];
    const tries = keptAttempts([...earlier, ...write.tries]);
    // What is held here counts already, and so does the retry this one replaces.
    const weight = before?.weight ?? (this.#overlay.has(id) ? 0 : 1);
    if (index !== undefined) {
      this.#writes[index] = null;
      this.#retries.delete(id);
      this.#size -= weight;
    }
    if (outcome.kind === "retry") {
      const delivery = this.#overlay.get(id) ?? unlessRefused(() => this.#store.get(id), null);
      // Where the store cannot be read the delivery waits: its settlement, once written, makes it due again.
      this.#overlay.set(
        id,
        delivery && {
          ...delivery,
          attempts: delivery.attempts + write.failed,
          notBefore: outcome.notBefore,
        },
      );
      this.#retries.set(id, this.#writes.length);
    } else {
      this.#overlay.set(id, null);
    }
    this.#keep({ ...write, failed, tries }, weight);
  }

  #keep(write: Write, weight: number): void {
    this.#writes.push({ write, weight });
    this.#size += weight;
  }

  #pendingHere(sink: string): Delivery[] {
    return [...this.#overlay.values()].filter(
      (delivery) => delivery !== null && delivery.sink === sink,
    ) as Delivery[];
  }

  /** Everything the store still has pending and we do not know better; `visit` answers whether to go on. */
  #walk(sink: string, visit: (owed: Owed) => boolean): void {
    unlessRefused(() => {
      for (const owed of this.#store.backlog(sink)) {
        if (!this.#overlay.has(owed.id) && !visit(owed)) return;
      }
    }, undefined);
  }
}

function made(write: Write): readonly Delivery[] {
  if (write.kind === "take") return write.deliveries;
  return write.kind === "fold" ? [write.delivery] : [];
}
