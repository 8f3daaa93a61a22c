import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, orAborted } from "../clock.ts";
import type { Alert } from "../event/alert.ts";
import { type Delivery, newDelivery, type Outcome } from "../event/delivery.ts";
import type { Observer } from "../observe/observer.ts";
import type { Checkpoint } from "../source/source.ts";
import { endOfTurn } from "../turn.ts";
import { Held } from "./held.ts";
import type { Entry, Outbox, Taken } from "./ledger.ts";
import { Listeners } from "./listeners.ts";
import { READ_AHEAD, Ready } from "./ready.ts";
import { settlement, StorageError, type Pending, type Store, type Write } from "./store.ts";
import { type Take, takeOf, weightOf } from "./take.ts";

const RETRY_MS = 1_000;
/** Writes per transaction while catching up. */
const CHUNK = 500;

export interface OutboxPorts {
  readonly clock: Clock;
  readonly observer: Observer;
  /** Makes the id of a delivery: unique for ever. */
  readonly makeId: () => string;
  /** Deliveries held in memory while the store cannot be written. */
  readonly bound: number;
}

/**
 * The Outbox over a store. Settlements of one turn of the event loop become one transaction, written in any case before more is due.
 * While the disk refuses, everything is held in memory and goes on from there; `add` waits when the bound is reached; about every second
 * the disk is tried again, and what is held is then written in its order.
 */
export class StoreOutbox implements Outbox {
  readonly #store: Store;
  readonly #ports: OutboxPorts;
  readonly #listeners = new Listeners();
  readonly #closing = new AbortController();
  readonly #ready = new Ready();
  /** Settlements of this turn. */
  #unwritten: Write[] = [];
  #held: Held | null = null;
  #caughtUp = 0;
  /** Settles when there may be room, or the disk is back. */
  #changed = Promise.withResolvers<void>();

  constructor(store: Store, ports: OutboxPorts) {
    this.#store = store;
    this.#ports = ports;
  }

  /** True while the disk refuses and memory holds what it should. */
  get troubled(): boolean {
    return this.#held !== null;
  }

  async add(
    entries: readonly Entry[],
    checkpoints: readonly Checkpoint[],
    signal: AbortSignal,
  ): Promise<readonly Taken[]> {
    signal.throwIfAborted();
    const { clock, makeId } = this.#ports;
    const now = clock.now();
    const takes = entries.map((entry) => takeOf(entry, now, makeId));
    const marks = checkpoints.map((checkpoint) => ({ kind: "checkpoint", checkpoint }) as const);
    for (;;) {
      const fresh = this.#write([...takes, ...marks]) ?? this.#hold(takes, marks);
      if (fresh !== null) {
        const added = takes.filter((_, index) => fresh[index] === true);
        const deliveries = added.flatMap((take) => take.deliveries);
        for (const delivery of deliveries) this.#ready.added(delivery);
        this.#listeners.tell(new Set(deliveries.map(({ sink }) => sink)));
        return entries.map((_, index) => (fresh[index] === true ? "enqueued" : "duplicate"));
      }
      await this.#change(signal);
    }
  }

  checkpoints(): ReadonlyMap<string, Checkpoint> {
    return this.#read(
      (store) => store.checkpoints(),
      (held) => held.checkpoints(),
    );
  }

  due(sink: string, now: number, max: number, except: ReadonlySet<string>): readonly Delivery[] {
    const known = this.#ready.take(sink, now, max, except);
    if (known?.length === 0) return known;
    this.#flush();
    if (known !== null && this.#held === null) return known;
    return this.#read(
      (store) => {
        const limit = Math.max(max, READ_AHEAD) + except.size;
        const found = store.due(sink, now, limit);
        const isAll = found.length < limit;
        this.#ready.read(sink, found, isAll ? store.nextAt(sink, now) : undefined);
        return found.filter(({ id }) => !except.has(id)).slice(0, max);
      },
      (held) => held.due(sink, now, max, except),
    );
  }

  pending(sink: string, now: number): Pending {
    this.#flush();
    return this.#read(
      (store) => store.pending(sink, now),
      (held) => held.pending(sink, now),
    );
  }

  nextAt(sink: string, now: number): number | null {
    const known = this.#ready.laterThan(sink, now);
    if (known !== undefined) return known;
    this.#flush();
    return this.#read(
      (store) => store.nextAt(sink, now),
      (held) => held.pending(sink, now).nextAt,
    );
  }

  settle(id: string, outcome: Outcome): void {
    const write = settlement(id, outcome);
    if (this.#held !== null) {
      this.#held.apply(write);
      return;
    }
    this.#unwritten.push(write);
    this.#ready.settled(id, outcome.kind === "retry" ? outcome.notBefore : null);
    // After everything the network brought in this turn, before it is asked again: one transaction for all of it.
    if (this.#unwritten.length === 1) endOfTurn.giveOut(() => this.#flush());
  }

  /** A turn's settlements are written before the network is asked again, whatever else is due. */
  written(): null {
    return null;
  }

  fold(sink: string, ids: readonly string[], digest: Alert, now: number): Delivery {
    const delivery = newDelivery(this.#ports.makeId(), sink, digest, now);
    this.#ready.forget();
    this.#writeNow({ kind: "fold", ids, delivery, at: now });
    return delivery;
  }

  attempting(sink: string, at: number, id?: string): void {
    this.#writeNow({ kind: "attempt", sink, at, ...(id === undefined ? {} : { id }) });
  }

  recentAttempts(sink: string, since: number): readonly number[] {
    return this.#read(
      (store) => store.recentAttempts(sink, since),
      (held) => held.recentAttempts(sink, since),
    );
  }

  throttledUntil(sink: string, now: number): number | null {
    return this.#read(
      (store) => store.throttledUntil(sink, now),
      (held) => held.throttledUntil(sink, now),
    );
  }

  onAdded(sink: string, callback: () => void): () => void {
    return this.#listeners.add(sink, callback);
  }

  /** Everyone looks again: another process, or a person, has changed the ledger. */
  tellAll(): void {
    this.#ready.forget();
    this.#listeners.tellAll();
  }

  /** Writes what is left, if the disk lets us. @returns how many deliveries still owed only memory knew; they are lost with it. */
  close(): number {
    this.#closing.abort();
    this.#flush();
    while (this.#held !== null && this.#catchUp(this.#held));
    return this.#held?.onlyHere ?? 0;
  }

  /** In one transaction with what waits already; answers which takes were new, or `null` while the disk refuses. */
  #write(writes: readonly Write[]): readonly boolean[] | null {
    if (this.#held !== null) return null;
    try {
      const fresh = this.#store.write([...this.#unwritten, ...writes]);
      this.#unwritten = [];
      return fresh;
    } catch (error) {
      this.#trouble(error);
      return null;
    }
  }

  /** In memory, if it fits; `null` when it must wait. */
  #hold(takes: readonly Take[], marks: readonly Write[]): readonly boolean[] | null {
    const held = this.#held;
    if (held === null || (held.size > 0 && held.size + weightOf(takes) > this.#ports.bound))
      return null;
    const fresh = takes.map((take) => held.apply(take));
    for (const mark of marks) held.apply(mark);
    this.#ports.observer.ledgerHeld(held.size);
    return fresh;
  }

  #writeNow(write: Write): void {
    if (this.#write([write]) === null) this.#held?.apply(write);
  }

  #flush(): void {
    if (this.#unwritten.length > 0) this.#write([]);
  }

  #read<T>(fromStore: (store: Store) => T, fromMemory: (held: Held) => T): T {
    if (this.#held !== null) return fromMemory(this.#held);
    try {
      return fromStore(this.#store);
    } catch (error) {
      return fromMemory(this.#trouble(error));
    }
  }

  /** From here on memory holds what the disk refuses; an error that is not the disk's is a bug and stays one. */
  #trouble(error: unknown): Held {
    if (!(error instanceof StorageError)) throw error;
    const held = new Held(this.#store);
    for (const write of this.#unwritten) held.apply(write);
    this.#unwritten = [];
    this.#ready.forget();
    this.#held = held;
    this.#ports.observer.ledgerTrouble(error.message);
    void this.#recover();
    return held;
  }

  async #recover(): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await this.#ports.clock.sleep(RETRY_MS, signal);
      for (;;) {
        if (this.#held === null || signal.aborted) return;
        if (!this.#catchUp(this.#held)) break;
        // A long list must not keep everything else waiting.
        await nextTurn();
      }
    }
  }

  /** Writes the next part of what is held; answers whether the disk took it. */
  #catchUp(held: Held): boolean {
    try {
      const writes = held.next(CHUNK);
      this.#store.write(writes);
      this.#caughtUp += writes.length;
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      return false;
    }
    const done = held.written(CHUNK);
    this.#ports.observer.ledgerHeld(done ? 0 : held.size);
    if (done) {
      this.#held = null;
      this.#ports.observer.ledgerRecovered(this.#caughtUp);
      this.#caughtUp = 0;
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    if (done) this.tellAll();
    return true;
  }

  /** Resolves when the disk has taken something; rejects with the signal's reason. */
  async #change(signal: AbortSignal): Promise<void> {
    await orAborted(this.#changed.promise, signal);
    signal.throwIfAborted();
  }
}
