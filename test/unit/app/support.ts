import { type AppPorts, runApp } from "../../../src/app/app.ts";
import type { Config } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import type { Delivery } from "../../../src/event/delivery.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createObserver } from "../../../src/observe/observe.ts";
import { accepted } from "../../../src/sink/verdict.ts";
import type { PreflightSource, SourceItem } from "../../../src/source/source.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { countingIds } from "../../support/ledger.ts";

/** A file as the source and one webhook, unless the flags say otherwise. */
export function configWith(flags: Record<string, unknown> = {}): Config {
  const source = ["file:-"];
  const sink = ["webhook:http://127.0.0.1:9/?name=ops"];
  return loadConfig({ flags: { source, sink, ...flags }, registry, env: {} }).config;
}

/** One occurrence. */
export const item = (uid: string): SourceItem => ({
  kind: "event",
  event: anEvent({ uid, count: 1 }),
  checkpoint: null,
});

/** A source that gives one batch and ends, or goes on for ever. */
export function aSource(name: string, parts: Partial<PreflightSource> & { events?: number } = {}) {
  const { events = 1, ...rest } = parts;
  const source: PreflightSource = {
    name,
    preflight: () => Promise.resolve(),
    async *batches() {
      yield [{ kind: "synced" }];
      const batch = Array.from({ length: events }, (_, n) => item(`${name}-${n}`));
      if (batch.length > 0) yield await Promise.resolve(batch);
    },
    ...rest,
  };
  return source;
}

/** A sink that keeps what it is told, and whether it was closed. */
export function aSender(send?: Sender["send"]): Sender & { told: Delivery[]; closed: number } {
  const told: Delivery[] = [];
  const sender = {
    told,
    closed: 0,
    send: (delivery: Delivery, signal: AbortSignal, now: number) => {
      told.push(delivery);
      return send === undefined
        ? Promise.resolve({ verdict: accepted, sent: "", answer: "" })
        : send(delivery, signal, now);
    },
    close: () => {
      sender.closed += 1;
      return Promise.resolve();
    },
  };
  return sender;
}

/** The whole of it, in time that stands still, with one sender for all sinks. */
export function anApp(config: Config, parts: Partial<AppPorts> = {}) {
  const lines: string[] = [];
  const clock = new FakeClock();
  const sources = parts.sources ?? [aSource("file")];
  const metrics = createMetrics(
    "1.2.3",
    sources.map(({ name }) => name),
    config.sinks.map(({ name }) => name),
  );
  const write = (level: string, message: string) => void lines.push(`${level} ${message}`);
  const { observer, tally } = createObserver({ write }, metrics, clock);
  const stop = new AbortController();
  const sender = aSender();
  const ports: AppPorts = {
    clock,
    random: () => 0.5,
    makeId: countingIds(),
    observer,
    tally,
    metrics,
    sources,
    openSenders: () =>
      Promise.resolve(new Map(config.sinks.map(({ name }) => [name, sender] as const))),
    ...parts,
  };
  const running = runApp(config, ports, stop.signal);
  running.catch(() => undefined);
  return { running, lines, clock, metrics, sender, stop };
}
