import type { KubeEvent } from "./event.ts";

/** Whoever reports a canary, as `reportingComponent` of its Event. */
export const CANARY_COMPONENT = "kube-crier";
/** The reason of the Event that is written to see whether it arrives. */
export const CANARY_REASON = "KubeCrierCanary";
/** What a second sink is told: that it did not arrive, and that it does again. Such Events are in no cluster. */
export const CANARY_MISSING = "KubeCrierCanaryMissing";
export const CANARY_BACK = "KubeCrierCanaryBack";

type Told = Pick<KubeEvent, "reason" | "reporter">;

/** A canary, ours or that of another kube-crier: nothing happened, and nobody is to be bothered with it. */
export function isCanary({ reason, reporter }: Told): boolean {
  return reason === CANARY_REASON && reporter.component === CANARY_COMPONENT;
}

/** A canary, or what is said about one: told by itself and before the rest, or it would say nothing about the way it takes. */
export function concernsCanary({ reason, reporter }: Told): boolean {
  return (
    reporter.component === CANARY_COMPONENT &&
    (reason === CANARY_REASON || reason === CANARY_MISSING || reason === CANARY_BACK)
  );
}
