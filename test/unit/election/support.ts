import type { Clock } from "../../../src/clock.ts";
import { Elector } from "../../../src/election/elector.ts";
import type { LeaseRecord, LeaseStore } from "../../../src/election/lease.ts";
import { electionTimes } from "../../../src/election/times.ts";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import { createLease } from "../../../src/source/kubernetes/lease.ts";
import { FakeApiServer, type Request } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { recordingObserver } from "../../support/observer.ts";
import { kubeconfigFor } from "../../support/source.ts";
import { watchTraffic } from "../../support/traffic.ts";

/** client-go's own: 15 s, 10 s, 2 s. */
export const TIMES = electionTimes(15_000, undefined, undefined);
export const KEY = "crier/kube-crier";

/** An API server, and replicas that stand for election in a time of the test's. */
export async function polls(random: () => number = () => 0) {
  const api = await FakeApiServer.start();
  const traffic = watchTraffic();
  const clock = new FakeClock("2026-11-20T08:00:00Z", () => traffic.calm());
  const client = createKubeClient({ kubeconfig: kubeconfigFor(api), context: null }, { clock });
  const lease = createLease(client, { namespace: "crier", name: "kube-crier" });
  const told: AbortController[] = [];
  return {
    api,
    clock,
    lease,
    /** A replica; `leads` is its end of waiting. */
    stand(identity: string, times = TIMES, store: LeaseStore = lease) {
      const stop = new AbortController();
      told.push(stop);
      const observed = recordingObserver();
      const monotonic = () => clock.now();
      const ports = { store, clock, monotonic, random, observer: observed.observer };
      const elector = new Elector(identity, times, ports);
      const leads = elector.lead(stop.signal);
      return { elector, leads, observed, stop: () => stop.abort() };
    },
    spec: () => api.leases.get(KEY)?.spec,
    pass: (seconds: number) => clock.advance(seconds * 1_000),
    async close() {
      for (const stop of told) stop.abort();
      client.close();
      traffic.stop();
      await api.close();
    },
  };
}

export type Vote = Awaited<ReturnType<typeof polls>>;

export const writes = ({ method }: Request) => method !== "GET";
export const reads = ({ method }: Request) => method === "GET";
export const status = (code: number, message = "made up") => ({
  status: code,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ kind: "Status", status: "Failure", code, message }),
});

/** It leads, or the test fails. */
export async function leading(vote: Vote, identity = "one") {
  const replica = vote.stand(identity);
  await vote.pass(0);
  const leadership = await now(replica.leads);
  if (leadership === undefined || leadership === null) throw new Error(`${identity} leads not`);
  return { ...replica, leadership };
}

/** As client-go writes it (k8s.io/client-go/tools/leaderelection/resourcelock/leaselock.go). */
export function heldBy(
  vote: Vote,
  holder: string,
  renewTime = "2026-11-20T07:59:59.123456Z",
  transitions = 3,
) {
  vote.api.leases.put(KEY, {
    holderIdentity: holder,
    leaseDurationSeconds: 15,
    acquireTime: "2026-11-20T07:00:00.000001Z",
    renewTime,
    leaseTransitions: transitions,
  });
}

/** The answer, where there is one at this moment. */
export async function now<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, Promise.resolve(undefined)]);
}

/** A clock that runs at another rate, shows another time of day, and whose process may be stopped, as by SIGSTOP. */
export class SkewedClock implements Clock {
  readonly #base: FakeClock;
  readonly #rate: number;
  readonly #offset: number;
  readonly #since: number;
  #stoppedUntil = Number.NEGATIVE_INFINITY;
  #cutUntil = Number.NEGATIVE_INFINITY;

  constructor(base: FakeClock, rate: number, offset: number) {
    this.#base = base;
    this.#rate = rate;
    this.#offset = offset;
    this.#since = base.now();
  }

  now(): number {
    return Math.floor(this.#since + (this.#base.now() - this.#since) * this.#rate + this.#offset);
  }

  /** Since anywhere: the time of day may be wrong by years. */
  monotonic(): number {
    return (this.#base.now() - this.#since) * this.#rate;
  }

  /** No line of it runs until then. */
  stopFor(ms: number): void {
    this.#stoppedUntil = Math.max(this.#stoppedUntil, this.#base.now() + ms);
  }

  /** Nothing it asks arrives until then. */
  cutFor(ms: number): void {
    this.#cutUntil = Math.max(this.#cutUntil, this.#base.now() + ms);
  }

  get isCut(): boolean {
    return this.#base.now() < this.#cutUntil;
  }

  get stopped(): boolean {
    return this.#base.now() < this.#stoppedUntil;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    // As Node's timers: whole milliseconds, one at least.
    await this.#base.sleep(Math.max(1, Math.ceil(ms / this.#rate)), signal);
    await this.running();
  }

  /** What it waits for comes when it runs again. */
  async running(): Promise<void> {
    while (this.stopped) await this.#base.sleep(this.#stoppedUntil - this.#base.now());
  }
}

/** A Lease with the time that requests to it and answers from it take; written as one, as etcd does. */
export class SlowStore {
  #record: LeaseRecord | null = null;
  #version = 0;
  /** Answers in a row that never arrive. */
  lost = 0;

  deleted(): void {
    this.#record = null;
  }

  /** As one replica sees it. */
  from(clock: SkewedClock, base: FakeClock, delay: () => number): LeaseStore {
    const travelled = async <T>(work: () => T): Promise<T> => {
      await base.sleep(delay());
      if (clock.isCut) return new Promise(() => undefined);
      const answer = work();
      if (this.lost > 0) {
        this.lost -= 1;
        return new Promise(() => undefined);
      }
      await base.sleep(delay());
      await clock.running();
      return answer;
    };
    const write = (claim: Omit<LeaseRecord, "object">): LeaseRecord => {
      this.#version += 1;
      this.#record = { ...claim, object: { version: this.#version } };
      return this.#record;
    };
    return {
      read: () => travelled(() => this.#record),
      create: (claim) => travelled(() => (this.#record === null ? write(claim) : null)),
      replace: (before, claim) =>
        travelled(() => {
          if (this.#record === null) return "gone";
          return this.#record.object === before.object ? write(claim) : "changed";
        }),
    };
  }
}
