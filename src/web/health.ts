/** What readiness depends on. */
export interface HealthState {
  /** Sources that have not caught up with now, by name. */
  readonly waitingFor: () => readonly string[];
  /** What shows that events do not arrive, in words. */
  readonly troubles?: () => readonly string[];
  /** What a standby waits for, in words; `null`: it is none. */
  readonly standby?: () => string | null;
  readonly stopping: () => boolean;
}

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly text: string;
}

/** Alive: the event loop turns, or nobody would answer. An outage of the cluster or of a chat is no reason to restart us. */
export function livez(): HealthAnswer {
  return { status: 200, text: "ok\n" };
}

/**
 * Ready: configured, every source has caught up with now, canaries arrive, and not stopping. A standby is ready to take over, so that
 * a rollout goes on.
 */
export function readyz(state: HealthState): HealthAnswer {
  if (state.stopping()) return { status: 503, text: "stopping\n" };
  const standby = state.standby?.() ?? null;
  if (standby !== null) return { status: 200, text: `ok: ${standby}\n` };
  const waiting = state.waitingFor();
  if (waiting.length > 0) return { status: 503, text: `waiting for ${waiting.join(", ")}\n` };
  const troubles = state.troubles?.() ?? [];
  return troubles.length === 0
    ? { status: 200, text: "ok\n" }
    : { status: 503, text: `${troubles.join("\n")}\n` };
}
