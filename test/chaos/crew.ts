import { electionTimes, failoverMs } from "../../src/election/times.ts";
import { until } from "../support/crier.ts";
import type { Books, Death, Election, Span } from "./books.ts";
import { type Gateway, without } from "./gateway.ts";
import type { JumpingClock } from "./machine.ts";
import type { Program } from "./program.ts";
import type { Way } from "./way.ts";

const LEASE_MS = 8_000;
const TIMES = electionTimes(LEASE_MS, undefined, undefined);
/** What makes two replicas of it. */
export const ELECTION_ARGS = ["--leader-elect", `--leader-elect-lease-duration=${LEASE_MS}ms`];
/** So long cut off, or frozen, and it leads no more. */
export const DEPOSING_MS = LEASE_MS;

/** A replica, and what is its own: the ways to the API server, and the machine's clock. */
export interface Replica {
  readonly program: Program;
  readonly gateway: Gateway;
  /** From the program to the API server: one that may be bad, and one that may be cut. */
  readonly road: Way;
  readonly line: Way;
  readonly clock: JumpingClock;
  /** When it got no time, or a wrong one. */
  readonly unwell: Span[];
}

const faultsOf = ({ road, line }: Replica) => [...road.faults, ...line.faults];

/** All replicas that there are; of two one leads. */
export class Crew {
  readonly replicas: readonly Replica[];

  constructor(replicas: readonly Replica[]) {
    this.replicas = replicas;
  }

  /** Who leads; where nobody says so, the first. */
  get leader(): Replica {
    const [first] = this.replicas.toSorted(
      (one, other) => (other.program.term ?? -1) - (one.program.term ?? -1),
    );
    if (first === undefined) throw new Error("a crew of nobody");
    return first;
  }

  /** The other one, where there are two. */
  get standby(): Replica {
    const { leader } = this;
    return this.replicas.find((one) => one !== leader) ?? leader;
  }

  get deaths(): readonly Death[] {
    return this.replicas.flatMap(({ program }) => program.deaths);
  }

  get log(): string {
    return this.replicas.map(({ program }) => program.log).join("\n");
  }

  /** From now on nothing can be written. */
  unwritten(): void {
    for (const { program } of this.replicas) program.unwrittenSince = Date.now();
  }

  /** Whoever leads can write again. One that led before, and sleeps, has what it held with it. */
  written(): void {
    const { leader } = this;
    for (const one of this.replicas)
      if (one === leader || one.program.term === null) one.program.unwrittenSince = null;
      else one.program.writtenNext();
  }

  /** The first leads. */
  async start(): Promise<void> {
    for (const { program } of this.replicas) {
      program.start();
      await program.ready();
    }
  }

  async ready(): Promise<void> {
    for (const { program } of this.replicas) await program.ready();
  }

  /** Of whoever leads; `null` while nobody does. */
  async metrics(): Promise<string | null> {
    const { program } = this.leader;
    return program.term === null ? null : await program.metrics();
  }

  /** Once it says so itself, of whichever process leads then. */
  async metric(line: RegExp, timeoutMs = 60_000): Promise<void> {
    await until(
      async () => {
        const text = await this.metrics();
        return text !== null && line.test(text) ? true : undefined;
      },
      `${line} in the metrics`,
      timeoutMs,
    );
  }

  /** The standby first, so that nobody begins once more. */
  async finish(): Promise<void> {
    const { standby, leader } = this;
    for (const one of new Set([standby, leader])) await one.program.finish();
  }

  /** When somebody watched, and nothing was wrong with it. */
  get watched(): Books["watched"] {
    return this.replicas.flatMap((one) =>
      without(one.gateway.watched, [...faultsOf(one), ...one.unwell]),
    );
  }

  get listed(): Books["listed"] {
    return this.replicas.flatMap(({ gateway }) => gateway.listed);
  }

  /** @param disturbed when something was wrong with the cluster, or with this machine */
  election(disturbed: readonly Span[]): Election | null {
    if (this.replicas.length === 1) return null;
    return {
      failoverMs: failoverMs(TIMES),
      reigns: this.replicas.flatMap(({ program }) => program.reigns),
      starts: new Map(this.replicas.flatMap(({ program }) => [...program.starts])),
      disturbed: [...disturbed, ...this.replicas.flatMap(faultsOf)],
      unwell: this.replicas.flatMap(({ unwell }) => unwell),
    };
  }
}
