import type { SinkConfig } from "../config/config.ts";

/** How many messages a sink is sent in a time; whatever is more is folded into a digest, or waits. */
export interface Allowance {
  /** Each holds by itself; empty: there is no limit. */
  readonly rates: readonly { readonly count: number; readonly perMs: number }[];
  readonly excess: "digest" | "waits";
}

/** The platform's limits, unless the configuration says otherwise. */
export function allowanceOf({
  definition,
  options,
  ratePerMinute,
  digest,
}: Pick<SinkConfig, "definition" | "options" | "ratePerMinute" | "digest">): Allowance {
  const { rates } = definition.limits(options);
  return {
    rates: ratePerMinute === null ? rates : [{ count: ratePerMinute, perMs: 60_000 }],
    excess: digest ? "digest" : "waits",
  };
}
