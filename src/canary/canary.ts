import type { Clock } from "../clock.ts";
import type { KubeEvent } from "../event/event.ts";
import type { Observer } from "../observe/observer.ts";
import { redact } from "../observe/redact.ts";
import { Round, type Words } from "./round.ts";

export interface CanaryOptions {
  /** The source whose cluster it is written to, and by which it has to come back. */
  readonly source: string;
  readonly everyMs: number;
  readonly deadlineMs: number;
  /** The sink that has to accept it; `null`: the ledger has to hold it. */
  readonly sink: string | null;
  /** After this time the sink's delivery is given up, and not waited for any longer. */
  readonly giveUpAfterMs: number;
}

/** What came of a write; `waitMs`: what the API server asked for before the next. */
type Written =
  | { readonly ok: true }
  | { readonly ok: false; readonly detail: string; readonly waitMs: number };

export interface CanaryPorts {
  readonly clock: Clock;
  readonly observer: Pick<
    Observer,
    "canaryArrived" | "canaryMissed" | "canaryBack" | "canaryUnwritten"
  >;
  /** Whether an Event is ours. */
  readonly recognises: (event: KubeEvent) => boolean;
  /** Writes it to the API server for the so-many-th time. */
  readonly write: (count: number, at: number, signal: AbortSignal) => Promise<Written>;
  /** Whether the ledger can be written: what memory alone holds has not arrived. */
  readonly ledgerHolds: () => boolean;
  /** Whether anything is owed to the sink: what is not was accepted, or given up without asking it. */
  readonly isOwed: () => boolean;
  /** Tells people that it is missing (`why`), or back after `forMs`. Called once for each. */
  readonly tell: (news: News) => void;
}

export type News =
  | { readonly kind: "missing"; readonly why: Words }
  | { readonly kind: "back"; readonly forMs: number };

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 30_000;
/** Characters; the hint of a missing rule fits. */
const DETAIL = 800;

/**
 * Follows one Event of our own again and again: written, seen on the watch, in the ledger, accepted. There is never more than one under
 * way: while a sink owes its answer to one, no other is written, so that an outage ends with one message and not with hundreds.
 */
export class Canary {
  readonly #options: CanaryOptions;
  readonly #ports: CanaryPorts;
  #round: Round | null = null;
  #count = 0;
  /** The last one arrived late: one that proves the way open follows at once, but only one. */
  #hurried = false;
  #missing: { readonly since: number; why: string } | null = null;

  constructor(options: CanaryOptions, ports: CanaryPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Why it is missing; `null` while all is well. */
  get trouble(): string | null {
    return this.#missing?.why ?? null;
  }

  /** Where an Event of a watch is owed to if it is the canary under way; `null`: it is not. */
  sinksOf(event: KubeEvent): readonly string[] | null {
    const round = this.#of(event);
    if (round === null || !["unwritten", "written", "seen"].includes(round.stage)) return null;
    round.stage = "seen";
    round.detail = "";
    return this.#options.sink === null ? [] : [this.#options.sink];
  }

  /** The ledger has taken it. */
  taken(event: KubeEvent): void {
    const round = this.#of(event);
    if (round?.stage !== "seen") return;
    if (!this.#ports.ledgerHolds()) round.detail = "it cannot be written, and memory holds it";
    else if (this.#options.sink === null) round.end("arrived");
    else round.stage = "taken";
  }

  accepted(event: KubeEvent): void {
    const round = this.#of(event);
    if (round !== null && round.stage !== "arrived") round.end("arrived");
  }

  /** The sink did not accept it, now or (`forGood`) ever. */
  refused(event: KubeEvent, detail: string, forGood: boolean): void {
    const round = this.#of(event);
    if (round === null || round.stage === "arrived") return;
    round.stage = "taken";
    round.detail = shown(detail);
    if (forGood) round.end("refused");
  }

  /** Until `signal` aborts. The first follows as soon as the source is `synced`; where that takes too long, that is what it shows. */
  async run(synced: Promise<void>, signal: AbortSignal): Promise<void> {
    await this.#wait(synced, this.#options.everyMs, signal);
    while (!signal.aborted) await this.#follow(signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { everyMs, deadlineMs, giveUpAfterMs } = this.#options;
    const { clock } = this.#ports;
    this.#count += 1;
    const round = new Round(this.#count, clock.now());
    this.#round = round;
    const over = within(signal);
    const writing = this.#write(round, over.signal);
    try {
      const waited = await this.#wait(round.over, deadlineMs, signal);
      if (signal.aborted) return;
      if (round.stage === "arrived") {
        this.#arrived(round);
        await clock.sleep(everyMs - waited, signal);
        return;
      }
      this.#miss(round);
      if (await this.#late(round, everyMs - waited, signal)) return;
      // The next one would queue behind it, and people would get both.
      for (let ms = everyMs; ms < giveUpAfterMs; ms += everyMs) {
        if (!round.isUnderWay || !this.#ports.isOwed()) break;
        this.#miss(round);
        if (await this.#late(round, everyMs, signal)) return;
      }
    } finally {
      over.end();
      await writing;
    }
  }

  /** Waits for one that was missed; true where the next one is to follow without more waiting, or none at all. */
  async #late(round: Round, ms: number, signal: AbortSignal): Promise<boolean> {
    const { source } = this.#options;
    const refused = round.stage === "refused";
    const waited = await this.#wait(refused ? null : round.over, ms, signal);
    if (signal.aborted) return true;
    if (round.stage !== "arrived") return false;
    this.#ports.observer.canaryArrived(source, this.#seconds(round), false);
    if (this.#hurried) await this.#ports.clock.sleep(ms - waited, signal);
    this.#hurried = !this.#hurried;
    return true;
  }

  #arrived(round: Round): void {
    const { clock, observer, tell } = this.#ports;
    const { source, deadlineMs } = this.#options;
    // It came before the deadline's timer: more than that is the clock having been set.
    const seconds = Math.min(this.#seconds(round), deadlineMs / 1000);
    observer.canaryArrived(source, seconds, true);
    this.#hurried = false;
    if (this.#missing === null) return;
    const forMs = Math.max(0, clock.now() - this.#missing.since);
    this.#missing = null;
    observer.canaryBack(source, forMs / 1000);
    tell({ kind: "back", forMs });
  }

  #miss(round: Round): void {
    const { clock, observer, tell } = this.#ports;
    const { source, sink } = this.#options;
    const why = round.whereabouts(sink);
    const first = this.#missing === null;
    observer.canaryMissed(source, why.en, first);
    this.#missing = { since: this.#missing?.since ?? clock.now(), why: why.en };
    if (first) tell({ kind: "missing", why });
  }

  async #write(round: Round, signal: AbortSignal): Promise<void> {
    const { clock, observer, write } = this.#ports;
    for (let retryMs = RETRY_MIN_MS; ; retryMs = Math.min(RETRY_MAX_MS, retryMs * 2)) {
      round.sentAt = clock.now();
      const written = await write(round.count, round.sentAt, signal);
      // It may come on the watch before its answer, or without one.
      if (signal.aborted || !round.isUnwritten) return;
      if (written.ok) {
        round.stage = "written";
        return;
      }
      round.detail = shown(written.detail);
      const waitMs = Math.max(retryMs, written.waitMs);
      observer.canaryUnwritten(this.#options.source, written.detail, waitMs);
      await clock.sleep(waitMs, signal);
      if (signal.aborted || !round.isUnwritten) return;
    }
  }

  #of(event: KubeEvent): Round | null {
    const round = this.#round;
    return round !== null && event.count === round.count && this.#ports.recognises(event)
      ? round
      : null;
  }

  #seconds(round: Round): number {
    return Math.max(0, this.#ports.clock.now() - round.sentAt) / 1000;
  }

  /** Until `done`, the signal, or `ms` are over; answers how much of them was used. */
  async #wait(done: Promise<void> | null, ms: number, signal: AbortSignal): Promise<number> {
    const { clock } = this.#ports;
    const started = clock.now();
    const waiting = within(signal);
    const late = clock.sleep(ms, waiting.signal);
    await Promise.race(done === null ? [late] : [late, done]);
    waiting.end();
    return Math.min(ms, Math.max(0, clock.now() - started));
  }
}

/** What others said goes to whoever asks `/readyz`, and to another chat. */
function shown(detail: string): string {
  const clean = redact(detail);
  return clean.length <= DETAIL ? clean : `${clean.slice(0, DETAIL - 1)}…`;
}

/** A signal that ends with another one, or before it. `AbortSignal.any` would stay with the other for as long as that lives. */
function within(outer: AbortSignal): { readonly signal: AbortSignal; readonly end: () => void } {
  const inner = new AbortController();
  const end = () => {
    outer.removeEventListener("abort", end);
    inner.abort();
  };
  if (outer.aborted) inner.abort();
  else outer.addEventListener("abort", end, { once: true });
  return { signal: inner.signal, end };
}
