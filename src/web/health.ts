/** What readiness depends on; each `null` is fine, each text says what is missing. */
export interface HealthState {
  /** Sources that have not caught up with now, by name. */
  readonly waitingFor: () => readonly string[];
  readonly stopping: () => boolean;
  /** Milliseconds since the loop of the process last turned. */
  readonly idleMs: () => number;
}

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly text: string;
}

/** Alive: the event loop turns. An outage of the cluster or of a chat is no reason to restart us. */
export function livez(state: HealthState): HealthAnswer {
  const idle = state.idleMs();
  return idle < 30_000
    ? { status: 200, text: "ok\n" }
    : { status: 503, text: `the event loop has not turned for ${Math.round(idle / 1000)} s\n` };
}

/** Ready: configured, every source has caught up with now, and not stopping. */
export function readyz(state: HealthState): HealthAnswer {
  if (state.stopping()) return { status: 503, text: "stopping\n" };
  const waiting = state.waitingFor();
  return waiting.length === 0
    ? { status: 200, text: "ok\n" }
    : { status: 503, text: `waiting for ${waiting.join(", ")}\n` };
}
