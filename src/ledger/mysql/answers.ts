import type { Checkpoint } from "../../source/source.ts";
import type { AddJob, Job, Jobs } from "./jobs.ts";
import type { Memory } from "./memory.ts";
import { Recent } from "./recent.ts";

/** Who gave something to be taken is told whether it was new: by the database, or while it is away by what memory knows of late. */
export class Answers {
  readonly #jobs: Jobs;
  readonly #memory: Memory;
  readonly #recent = new Recent();
  /** As far as was answered. */
  readonly checkpoints: Map<string, Checkpoint>;

  constructor(jobs: Jobs, memory: Memory, checkpoints: ReadonlyMap<string, Checkpoint>) {
    this.#jobs = jobs;
    this.#memory = memory;
    this.checkpoints = new Map(checkpoints);
  }

  /** These are written; of their occurrences, by number, those are new. @returns the sinks that are owed something */
  written(jobs: readonly Job[], fresh: ReadonlySet<number>): ReadonlySet<string> {
    const told = new Set<string>();
    for (const job of jobs) {
      if (job.kind !== "add" || job.held) continue;
      const isNew = job.takes.map((take) => take.event === null || fresh.has(take.seq));
      for (const take of job.takes) this.#recent.add(take.event?.key ?? null);
      this.#answer(job, isNew, false, told);
    }
    return told;
  }

  /**
   * In their order, as far as there is room: answered, and sent, though nothing is written.
   * @param bound deliveries that memory holds at most @returns the sinks that are owed something
   */
  hold(bound: number): ReadonlySet<string> {
    const told = new Set<string>();
    for (const job of this.#jobs.waiting()) {
      if (job.kind !== "add" || job.held) continue;
      const size = this.#jobs.heldSize();
      if (size > 0 && size + job.weight > bound) break;
      const isNew = job.takes.map((take) => this.#recent.add(take.event?.key ?? null));
      this.#jobs.hold(job, isNew);
      this.#answer(job, isNew, true, told);
    }
    return told;
  }

  /** It is taken, and from here on due. */
  #answer(job: AddJob, isNew: readonly boolean[], always: boolean, told: Set<string>): void {
    const takes = job.held ? job.takes : job.takes.filter((_, index) => isNew[index] === true);
    for (const owed of takes.flatMap((take) => take.owed)) {
      this.#memory.offer(owed, always);
      told.add(owed.delivery.sink);
    }
    for (const checkpoint of job.checkpoints) this.checkpoints.set(checkpoint.scope, checkpoint);
    job.done.resolve(isNew);
  }
}
