import { jsonLog } from "../../../src/observe/log.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createObserver } from "../../../src/observe/observe.ts";
import { FakeClock } from "../../support/clock.ts";

/** An observer of two sources and two sinks, with its lines as objects. */
export function house() {
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics("1.2.3", ["kubernetes", "file"], ["ding", "hook"]);
  const clock = new FakeClock();
  const log = jsonLog("debug", {
    write: (text) => lines.push(JSON.parse(text) as Record<string, unknown>),
  });
  const { observer, tally } = createObserver(log, metrics, clock);
  return { lines, metrics, clock, observer, tally };
}

/** Every series of our own with its value. */
export async function seriesOf(
  metrics: ReturnType<typeof createMetrics>,
): Promise<Map<string, number>> {
  const text = await metrics.text();
  return new Map(
    text
      .split("\n")
      .filter((line) => line.startsWith("kube_crier_"))
      .map((line) => {
        const space = line.lastIndexOf(" ");
        return [line.slice("kube_crier_".length, space), Number(line.slice(space + 1))];
      }),
  );
}
