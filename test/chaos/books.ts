/** What each party says happened; times are milliseconds since the epoch, by this machine's clock. */

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** An occurrence that the API server has acknowledged. */
export interface Created {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly count: number;
  readonly type: "Normal" | "Warning";
  /** When it was asked for, and when the API server had said yes. */
  readonly began: number;
  readonly acked: number;
}

/** A sink has taken a message: it answered as one that has it for good. */
export interface Acceptance {
  readonly sink: string;
  /** The idempotency key it came with. */
  readonly id: string;
  /** `uid@count`, where the message says. */
  readonly occurrence: string | null;
  readonly at: number;
  /** Which process sent it, as its address says: the first is 1. */
  readonly life: number;
  /** The answer may not have reached the one who asked. */
  readonly doubtful: boolean;
}

/** How a process ended. */
export interface Death {
  readonly life: number;
  readonly at: number;
  readonly code: number | null;
  readonly asked: "SIGKILL" | "SIGTERM" | null;
  /** It died while nothing could be written: what happened from then on only memory knew. */
  readonly unwrittenSince: number | null;
  /** What its last words say it has given up, and lost. */
  readonly dead: number;
  readonly lost: number;
}

/** From when a process had the Lease, as it says itself. */
export interface Reign {
  readonly life: number;
  readonly term: number;
  readonly from: number;
}

/** What is known of several replicas of which one leads. */
export interface Election {
  /** From the end of a leader until another one leads, at most. */
  readonly failoverMs: number;
  readonly reigns: readonly Reign[];
  /** When each process was started. */
  readonly starts: ReadonlyMap<number, number>;
  /** When something kept a replica from its Lease. */
  readonly disturbed: readonly Span[];
  /** When one of them got no time, or a wrong one. */
  readonly unwell: readonly Span[];
}

export interface LedgerEvent {
  readonly key: string;
  readonly uid: string;
  readonly count: number;
  readonly type: string;
  readonly reason: string;
  readonly eventName: string;
  /** ISO-8601; of a gap its beginning and its end. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}

export interface LedgerDelivery {
  readonly id: string;
  readonly sink: string;
  readonly state: "pending" | "delivered" | "dead" | "folded";
  readonly reason: string | null;
  readonly detail: string | null;
  readonly foldedInto: string | null;
  /** The key of its event; `null` for a digest or a gap. */
  readonly event: string | null;
  readonly alert: {
    readonly kind: string;
    readonly total?: number;
    readonly tooOld?: boolean | number;
  } | null;
}

export interface SinkFacts {
  readonly name: string;
  readonly wants: "all" | "Warning";
  readonly concurrency: number;
  /** What a database holds, by uid, for a sink that keeps one row for each event and tells no key. */
  readonly rows: ReadonlyMap<string, number> | null;
  /** Keys of messages it refused for good. */
  readonly refused: ReadonlySet<string>;
}

export interface Books {
  readonly created: readonly Created[];
  /** `name@count` of what was asked for and never answered, and when: it may have happened. */
  readonly attempted: ReadonlyMap<string, number>;
  readonly accepted: readonly Acceptance[];
  readonly sinks: readonly SinkFacts[];
  readonly events: readonly LedgerEvent[];
  readonly deliveries: readonly LedgerDelivery[];
  readonly deaths: readonly Death[];
  /** When a watch was open and nothing was wrong with the way to it; `null`: of all namespaces. */
  readonly watched: readonly (Span & { readonly namespace: string | null })[];
  /** Lists of everything, which bring each event as it is then. */
  readonly listed: readonly (Span & { readonly namespace: string | null })[];
  /** `null`: one process at a time. */
  readonly election: Election | null;
}
