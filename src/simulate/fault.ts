/** Statuses of answers that have no body. */
export const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** A failure played on purpose. */
export type FaultKind =
  /** Answered with `status` and `body`, not taken. */
  | { readonly kind: "status"; readonly status: number; readonly body?: string }
  /** No answer until the fault ends, then the connection is cut; not taken. */
  | { readonly kind: "hang" }
  /** The connection is reset; not taken. */
  | { readonly kind: "reset" }
  /** Taken and shown as usual, but the connection is reset instead of the answer: the case idempotency keys exist for. */
  | { readonly kind: "lost" };

export type Fault = FaultKind & {
  /** Ends after so many requests. */
  readonly requests?: number;
  /** Ends after so many seconds. Neither: lasts until it is taken back. */
  readonly seconds?: number;
};

interface Active {
  readonly fault: Fault;
  left: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Which faults are on, by target: a robot, a platform, or `*`. */
export class Faults {
  readonly #active = new Map<string, Active>();

  set(target: string, fault: Fault | null, now: number): void {
    if (fault === null) {
      this.#active.delete(target);
      return;
    }
    const until = fault.seconds === undefined ? Infinity : now + fault.seconds * 1000;
    this.#active.set(target, { fault, left: fault.requests ?? Infinity, until });
  }

  /** The fault a request meets, if any; the first target that has one decides. `until` may be Infinity. */
  take(targets: readonly string[], now: number): { fault: Fault; until: number } | null {
    this.#expire(now);
    for (const target of targets) {
      const active = this.#active.get(target);
      if (active !== undefined) {
        active.left -= 1;
        return { fault: active.fault, until: active.until };
      }
    }
    return null;
  }

  list(now: number): { target: string; fault: Fault }[] {
    this.#expire(now);
    return [...this.#active].map(([target, { fault }]) => ({ target, fault }));
  }

  #expire(now: number): void {
    for (const [target, active] of this.#active)
      if (active.left <= 0 || now >= active.until) this.#active.delete(target);
  }
}
