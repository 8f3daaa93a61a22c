import { expect } from "vitest";
import type { Config } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config.ts";
import { openHistory } from "../../src/ledger/open.ts";
import type { Metrics } from "../../src/observe/metrics.ts";

/** What the ledger owes to each sink. */
export type Owed = ReadonlyMap<string, number>;

/** Read from the file, as `kube-crier history` would; nothing where there is no ledger yet. */
export function owedIn({ dataDir }: Config): Owed {
  try {
    const history = openHistory(dataDir, "read");
    const owed = new Map([...history.counts()].map(([sink, { pending }]) => [sink, pending]));
    history.close();
    return owed;
  } catch (error) {
    if (error instanceof ConfigError) return new Map();
    throw error;
  }
}

interface Books {
  readonly config: Config;
  readonly metrics: Metrics;
  /** Before the start and after the end. */
  readonly before: Owed;
  readonly after: Owed;
  /** Made pending again by hand meanwhile. */
  readonly retried: number;
}

/**
 * The conservation laws, from the metrics of one life and the ledger before and after it: what was received was filtered, known or
 * enqueued; what was owed was delivered, given up, folded, or is owed still.
 */
export async function expectLaws({
  config,
  metrics,
  before,
  after,
  retried,
}: Books): Promise<void> {
  const received = await total(metrics.received);
  const [filtered, suppressed] = [await total(metrics.filtered), await total(metrics.suppressed)];
  const enqueued = await total(metrics.enqueued);
  expect({ received }, "received = filtered + suppressed + enqueued").toEqual({
    received: filtered + suppressed + enqueued,
  });
  let missing = 0;
  for (const { name: sink } of config.sinks) {
    const owed = (before.get(sink) ?? 0) + (await total(metrics.owed, { sink }));
    missing += (await total(metrics.deliveries, { sink })) + (after.get(sink) ?? 0) - owed;
  }
  expect(missing, "owed = delivered + dead + folded + pending").toBe(retried);
}

interface Counted {
  get(): Promise<{
    values: readonly { value: number; labels: Partial<Record<string, string | number>> }[];
  }>;
}

/** The sum of a metric's series that have these labels. */
export async function total(
  metric: Counted,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const { values } = await metric.get();
  return values
    .filter((one) => Object.entries(labels).every(([name, value]) => one.labels[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
