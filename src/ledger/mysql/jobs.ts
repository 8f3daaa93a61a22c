import type { Checkpoint } from "../../source/source.ts";
import type { Batch, Fold, Owed, Settle, Take } from "./script.ts";
import { joined } from "./tries.ts";

export interface AddJob {
  readonly kind: "add";
  takes: readonly Take[];
  readonly checkpoints: readonly Checkpoint[];
  /** Deliveries, at least one for each entry. */
  readonly weight: number;
  /** Answered already: memory holds it. */
  held: boolean;
  /** Told which entries are new. */
  readonly done: PromiseWithResolvers<readonly boolean[]>;
}

export function addJob(takes: readonly Take[], checkpoints: readonly Checkpoint[]): AddJob {
  const weight = takes.reduce((sum, { owed }) => sum + Math.max(1, owed.length), 0);
  const done = Promise.withResolvers<readonly boolean[]>();
  return { kind: "add", takes, checkpoints, weight, held: false, done };
}

/** One thing that is to be written. */
export type Job =
  | AddJob
  | {
      readonly kind: "settle";
      readonly settle: Settle;
      readonly weight: number;
      /** As it is pending again; `null`: it is not. */
      readonly after: Owed | null;
    }
  | { readonly kind: "fold"; readonly fold: Fold; readonly weight: number; readonly after: Owed }
  | {
      readonly kind: "attempt";
      readonly sink: string;
      readonly at: number;
      /** Of this delivery. */
      readonly id: string | null;
      readonly weight: 0;
    };

/** Jobs in one transaction. */
const JOBS_MAX = 500;
const TAKES_MAX = 500;

/** What is to be written, in its order; the first few may be under way. */
export class Jobs {
  readonly #jobs: Job[] = [];
  /** Where the settlement of a delivery waits: the last one counts. */
  readonly #settles = new Map<string, number>();
  readonly #held = new Set<number>();
  #writing = 0;
  /** How many have ever been told, and are written. */
  told = 0;
  written = 0;

  get length(): number {
    return this.#jobs.length;
  }

  /** Those that wait, without those under way. */
  waiting(): readonly Job[] {
    return this.#jobs.slice(this.#writing);
  }

  all(): readonly Job[] {
    return this.#jobs;
  }

  /** What is held, in deliveries: adds that were answered, and what became of deliveries that the database knows. */
  heldSize(): number {
    return this.#jobs.reduce(
      (sum, job) => sum + (job.kind === "add" && !job.held ? 0 : job.weight),
      0,
    );
  }

  push(job: Job): void {
    if (job.kind === "settle") {
      const { id } = job.settle;
      const at = this.#settles.get(id);
      const before = at === undefined ? undefined : this.#jobs[at];
      if (at !== undefined && before?.kind === "settle") {
        const tries = joined(before.settle.tries, job.settle.tries);
        this.#jobs[at] = { ...job, settle: { ...job.settle, tries } };
        return;
      }
      this.#settles.set(id, this.#jobs.length);
    }
    this.#jobs.push(job);
    this.told += 1;
  }

  /** It is answered: of its occurrences only the new ones are to be written, whatever the database says of them. */
  hold(job: AddJob, isNew: readonly boolean[]): void {
    job.held = true;
    job.takes = job.takes.filter((_, index) => isNew[index] === true);
    for (const take of job.takes) take.force = true;
    for (const { seq } of job.takes.flatMap(({ owed }) => owed)) this.#held.add(seq);
  }

  /** Whether memory alone knows the delivery of this number. */
  holds(seq: number): boolean {
    return this.#held.has(seq);
  }

  /** Deliveries that memory alone knows: of what was taken, and digests of it. */
  heldIds(): readonly string[] {
    return this.#jobs.flatMap((job) => {
      if (job.kind === "fold") return job.after.delivery.id;
      const takes = job.kind === "add" && job.held ? job.takes : [];
      return takes.flatMap(({ owed }) => owed.map(({ delivery }) => delivery.id));
    });
  }

  /** Takes back one that is not under way. */
  drop(job: Job): void {
    const at = this.#jobs.indexOf(job);
    if (at < this.#writing) return;
    this.#jobs.splice(at, 1);
    this.written += 1;
    this.#index();
  }

  /** The next to write together; empty: there are none. */
  begin(): readonly Job[] {
    let takes = 0;
    let count = 0;
    for (const job of this.#jobs.slice(0, JOBS_MAX)) {
      takes += job.kind === "add" ? job.takes.length : 0;
      if (count > 0 && takes > TAKES_MAX) break;
      count += 1;
    }
    this.#writing = count;
    this.#index();
    return this.#jobs.slice(0, count);
  }

  /** Those that `begin` gave are written. */
  done(): void {
    for (const job of this.#jobs.splice(0, this.#writing))
      if (job.kind === "add" && job.held)
        for (const { seq } of job.takes.flatMap(({ owed }) => owed)) this.#held.delete(seq);
    this.written += this.#writing;
    this.#writing = 0;
    this.#index();
  }

  /** Those that `begin` gave are not, as far as anybody knows. */
  failed(): void {
    this.#writing = 0;
    this.#index();
  }

  #index(): void {
    this.#settles.clear();
    for (const [at, job] of this.#jobs.entries())
      if (at >= this.#writing && job.kind === "settle") this.#settles.set(job.settle.id, at);
  }
}

/** What became of an add; rejects with the signal's reason, and takes it back where that is still possible. */
export async function answerOf(
  job: AddJob,
  jobs: Jobs,
  signal: AbortSignal,
): Promise<readonly boolean[]> {
  const stop = () => {
    if (!job.held) jobs.drop(job);
    job.done.reject(signal.reason);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await job.done.promise;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

export function batchOf(jobs: readonly Job[]): Batch {
  const checkpoints = new Map(
    jobs.flatMap((job) =>
      job.kind === "add" ? job.checkpoints.map((one) => [one.scope, one] as const) : [],
    ),
  );
  return {
    takes: jobs.flatMap((job) => (job.kind === "add" ? job.takes : [])),
    folds: jobs.flatMap((job) => (job.kind === "fold" ? job.fold : [])),
    settles: jobs.flatMap((job) => (job.kind === "settle" ? job.settle : [])),
    attempts: jobs.flatMap((job) => (job.kind === "attempt" ? job : [])),
    checkpoints: [...checkpoints.values()],
  };
}
