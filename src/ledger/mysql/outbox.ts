import type { Alert } from "../../event/alert.ts";
import type { Delivery, Outcome } from "../../event/delivery.ts";
import type { Checkpoint } from "../../source/source.ts";
import type { Entry, Outbox, Taken } from "../ledger.ts";
import { type Pending, StorageError } from "../store.ts";
import { Answers } from "./answers.ts";
import { addJob, answerOf, batchOf, type Job, Jobs } from "./jobs.ts";
import type { Loaded, SinkStart } from "./load.ts";
import { Memory } from "./memory.ts";
import { Numbers } from "./numbers.ts";
import type { MysqlOutboxPorts } from "./ports.ts";
import { readPending } from "./read.ts";
import { type Owed, transaction } from "./script.ts";
import { AwayError, FencedError, type Session } from "./session.ts";
import { Standing } from "./standing.ts";
import { endOfTurn } from "../../turn.ts";
import { settleOf } from "./tries.ts";
import { Waiters } from "./waiters.ts";
import { BEGINNING } from "./window.ts";

const RETRY_MS = 1_000;
const ATTEMPTS_HELD = 1_000;

/**
 * The Outbox over MySQL: one process writes, in order, all that has gathered while the transaction before was under way. Questions are
 * answered from memory, which holds of each sink what falls due next.
 */
export class MysqlOutbox implements Outbox {
  readonly #session: Session;
  readonly #ports: MysqlOutboxPorts;
  readonly #memory: Memory;
  readonly #numbers: Numbers;
  readonly #jobs = new Jobs();
  readonly #waiters = new Waiters();
  readonly #answers: Answers;
  readonly #closing = new AbortController();
  readonly #standing: Standing;
  #busy = false;
  #caughtUp = 0;

  constructor(session: Session, loaded: Loaded, ports: MysqlOutboxPorts) {
    this.#session = session;
    this.#ports = ports;
    this.#memory = new Memory(loaded.sinks);
    this.#numbers = new Numbers(loaded, ports.makeId);
    this.#answers = new Answers(this.#jobs, this.#memory, loaded.checkpoints);
    this.#standing = new Standing(ports);
    this.#standing.onFenced(() => {
      this.#memory.clear();
      this.#waiters.all();
    });
    this.#wake();
  }

  /** True while the database is away, or another has the ledger. */
  get troubled(): boolean {
    return this.#standing.isAway || this.#standing.isFenced;
  }

  async add(
    entries: readonly Entry[],
    checkpoints: readonly Checkpoint[],
    signal: AbortSignal,
  ): Promise<readonly Taken[]> {
    signal.throwIfAborted();
    const now = this.#ports.clock.now();
    const takes = entries.map((entry) => this.#numbers.take(entry, now));
    const job = addJob(takes, checkpoints);
    this.#push(job);
    if (this.#standing.isBypassed) this.#hold();
    const fresh = await answerOf(job, this.#jobs, signal);
    return fresh.map((isNew) => (isNew ? "enqueued" : "duplicate"));
  }

  checkpoints(): ReadonlyMap<string, Checkpoint> {
    return this.#answers.checkpoints;
  }

  due(sink: string, now: number, max: number, except: ReadonlySet<string>): readonly Delivery[] {
    if (this.#standing.isFenced || !this.#standing.isSure(now)) return [];
    const due = this.#memory.due(sink, now, max, except, !this.#standing.isAway);
    if (!this.#busy && this.#memory.short() !== null) this.#wake();
    return due;
  }

  pending(sink: string, now: number): Pending {
    return this.#memory.pending(sink, now);
  }

  nextAt(sink: string, now: number): number | null {
    return this.#standing.isFenced ? null : this.#memory.nextAt(sink, now);
  }

  settle(id: string, outcome: Outcome): void {
    if (this.#standing.isFenced) return;
    const owed = this.#memory.get(id);
    const settle = settleOf(id, owed, outcome);
    const { attempts } = settle;
    let after: Owed | null = null;
    if (owed !== undefined) {
      this.#memory.remove(owed);
      if (outcome.kind === "retry") {
        const { notBefore } = outcome;
        after = { seq: owed.seq, delivery: { ...owed.delivery, attempts, notBefore } };
        this.#memory.offer(after, this.#standing.isAway);
        if (outcome.reason === "throttled") this.#memory.throttle(owed.delivery.sink, notBefore);
      }
    }
    // What is held here counts already.
    const weight = owed !== undefined && this.#jobs.holds(owed.seq) ? 0 : 1;
    this.#push({ kind: "settle", settle, after, weight });
  }

  written(): Promise<void> | null {
    if (this.#standing.isFenced || this.#standing.isBypassed || this.#jobs.length === 0)
      return null;
    return this.#waiters.until(this.#jobs.told);
  }

  fold(sink: string, ids: readonly string[], digest: Alert, now: number): Delivery {
    const after = this.#numbers.owe(sink, digest, now);
    this.forget(ids);
    this.#memory.offer(after, this.#standing.isAway);
    this.#push({ kind: "fold", fold: { ids, digest: after, at: now }, after, weight: 1 });
    return after.delivery;
  }

  attempting(sink: string, at: number, id?: string): void {
    this.#memory.attempting(sink, at);
    if (this.#standing.isAway && this.#jobs.length > ATTEMPTS_HELD) return;
    this.#push({ kind: "attempt", sink, at, id: id ?? null, weight: 0 });
  }

  recentAttempts(sink: string, since: number): readonly number[] {
    return this.#memory.recentAttempts(sink, since);
  }

  throttledUntil(sink: string, now: number): number | null {
    return this.#memory.throttledUntil(sink, now);
  }

  onAdded(sink: string, callback: () => void): () => void {
    return this.#memory.onAdded(sink, callback);
  }

  onFenced(callback: () => void): void {
    this.#standing.onFenced(callback);
  }

  /** Another process, or a person, has changed what is pending: it is read again. */
  reload(): void {
    this.#memory.doubt();
    this.#wake();
  }

  /** The clock was set back by so many milliseconds: nothing in memory waits longer than it would have. */
  setBack(now: number, ms: number): void {
    this.#memory.setBack(now, ms);
  }

  counted(sinks: ReadonlyMap<string, Pick<SinkStart, "total" | "oldestOwedAt">>): void {
    this.#memory.counted(sinks);
  }

  /** The database has answered that the ledger is still ours. */
  sure(): void {
    const wasSure = this.#standing.isSure(this.#ports.clock.now());
    this.#standing.sure();
    if (!wasSure) this.#memory.tellAll();
  }

  /** Somebody else has found out that the database is away, or the ledger another's. */
  trouble(error: unknown): void {
    this.#fail(error);
    this.#wake();
  }

  /** These are not pending any more. */
  forget(ids: readonly string[]): void {
    for (const id of ids) {
      const owed = this.#memory.get(id);
      if (owed !== undefined) this.#memory.remove(owed);
    }
  }

  /** Writes what is left, if the database answers before `deadline` resolves. @returns how many deliveries still owed only memory knew */
  async close(deadline: Promise<void>): Promise<number> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      const over = this.#waiters.until(this.#jobs.told);
      this.#wake();
      if (this.#jobs.length > 0 && !this.#standing.isFenced) await Promise.race([over, deadline]);
    }
    return this.#jobs.heldIds().filter((id) => this.#memory.get(id) !== undefined).length;
  }

  #push(job: Job): void {
    this.#jobs.push(job);
    this.#wake();
  }

  /** After everything the network brought in this turn: one transaction for all of it. */
  #wake(): void {
    if (this.#busy || this.#standing.isFenced) return;
    this.#busy = true;
    endOfTurn.giveOut(() => void this.#work());
  }

  async #work(): Promise<void> {
    const { signal } = this.#closing;
    for (let again = 0; !this.#standing.isFenced;) {
      const jobs = this.#jobs.begin();
      const short = signal.aborted ? null : this.#memory.short();
      if (jobs.length === 0 && short === null && (!this.#standing.isAway || signal.aborted)) break;
      try {
        if (jobs.length > 0 || this.#standing.isAway) await this.#write(jobs);
        if (short !== null) {
          const { sink, window } = short;
          const from = window.horizon ?? BEGINNING;
          const read = await readPending(this.#session, sink, from, window.limit);
          this.#memory.extend(sink, read, this.#jobs.all());
        }
        again = 0;
      } catch (error) {
        this.#jobs.failed();
        again += 1;
        if (error instanceof AwayError && error.isPassing && again <= 3) continue;
        this.#fail(error);
        if (signal.aborted) {
          this.#waiters.all();
          break;
        }
        await this.#ports.clock.sleep(RETRY_MS, signal);
      }
    }
    this.#busy = false;
  }

  /** Nothing but the fence where there is nothing to write: so a database that is back is noticed. */
  async #write(jobs: readonly Job[]): Promise<void> {
    const rows = await this.#session.transaction(transaction(batchOf(jobs), this.#ports.holder));
    const fresh = new Set(rows.map(([seq]) => Number(seq)));
    this.#standing.sure();
    this.#jobs.done();
    const told = this.#answers.written(jobs, fresh);
    if (this.#standing.isAway) this.#recovered(jobs.length);
    this.#waiters.reached(this.#jobs.written);
    this.#memory.tell(told);
  }

  #recovered(written: number): void {
    const { observer, away } = this.#ports;
    this.#caughtUp += written;
    const isBehind = away === "bypass" && this.#jobs.length > 0;
    if (!isBehind) this.#standing.back();
    observer.ledgerHeld(isBehind ? this.#jobs.heldSize() : 0);
    if (isBehind) return;
    observer.ledgerRecovered(this.#caughtUp);
    this.#caughtUp = 0;
    this.#memory.tellAll();
  }

  #hold(): void {
    const told = this.#answers.hold(this.#ports.bound);
    this.#ports.observer.ledgerHeld(this.#jobs.heldSize());
    this.#memory.tell(told);
  }

  #fail(error: unknown): void {
    const { observer, away } = this.#ports;
    if (error instanceof FencedError) return this.#standing.fence();
    if (!(error instanceof StorageError)) throw error;
    if (this.troubled) return;
    this.#standing.left();
    observer.ledgerTrouble(error.message, away);
    if (away === "block") return;
    this.#hold();
    this.#waiters.all();
    this.#memory.tellAll();
  }
}
