import type { LeaseFailure } from "../observe/observer.ts";

/** What a Lease says, as far as an election needs it. Its times are text of the holder's clock: compared for equality, never with ours. */
export interface LeaseRecord {
  /** Empty: nobody's. */
  readonly holder: string;
  /** For how long after its last change nobody else may take it; `null`: it does not say. */
  readonly durationMs: number | null;
  readonly acquired: string;
  readonly renewed: string;
  /** How often it has changed hands; the term of who holds it. */
  readonly transitions: number;
  /** As it was read, version and all: what is written back keeps what we know nothing of. */
  readonly object: Readonly<Record<string, unknown>>;
}

/** What is written into it. */
export interface LeaseClaim {
  readonly holder: string;
  readonly durationMs: number;
  readonly acquired: string;
  readonly renewed: string;
  readonly transitions: number;
}

export class LeaseError extends Error {
  readonly failure: LeaseFailure;

  constructor(failure: LeaseFailure, message: string) {
    super(message);
    this.name = "LeaseError";
    this.failure = failure;
  }
}

/** Where the Lease is. All throw LeaseError; nothing is written over a change that was not read. */
export interface LeaseStore {
  /** `null`: there is none. */
  read(signal: AbortSignal): Promise<LeaseRecord | null>;
  /** `null`: there is one already. */
  create(claim: LeaseClaim, signal: AbortSignal): Promise<LeaseRecord | null>;
  /** `changed`: somebody wrote it meanwhile; `gone`: it was deleted. */
  replace(
    before: LeaseRecord,
    claim: LeaseClaim,
    signal: AbortSignal,
  ): Promise<LeaseRecord | "changed" | "gone">;
}

/** The same record: whoever only looked at it, or labelled the object, did not renew it. */
export function sameRecord(one: LeaseRecord, other: LeaseRecord): boolean {
  return (
    one.holder === other.holder &&
    one.durationMs === other.durationMs &&
    one.acquired === other.acquired &&
    one.renewed === other.renewed &&
    one.transitions === other.transitions
  );
}
