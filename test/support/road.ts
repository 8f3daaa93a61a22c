import path from "node:path";
import { onTestFinished } from "vitest";
import { sinks } from "../../sinks/index.ts";
import { limitsOf } from "../../src/app/parts.ts";
import { createSender, httpClient } from "../../src/app/senders.ts";
import type { FlagValues } from "../../src/config/flags.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Lane } from "../../src/delivery/lane.ts";
import type { Alert } from "../../src/event/alert.ts";
import type { DeliveryRow } from "../../src/ledger/ledger.ts";
import { createTemplates } from "../../src/template/templates.ts";
import { settle } from "./clock.ts";
import { memoryFiles } from "./config.ts";
import { anEvent } from "./events.ts";
import { aLedger, never, type TestLedger } from "./ledger.ts";
import { type Observed, recordingObserver } from "./source.ts";

const templates = createTemplates({
  builtinDir: path.resolve(import.meta.dirname, "../../templates"),
  overrides: [],
});

/** One sink as the program runs it, from what is owed to the socket: real sink, lane, ledger and HTTP; the time is the test's. */
export interface Road extends TestLedger {
  readonly lane: Lane;
  readonly calls: readonly Observed[];
  /** Owes one alert, by default a BackOff. */
  readonly owe: (alert?: Alert) => Promise<void>;
  /** Resolves when so many attempts have ended. */
  readonly attempts: (count: number) => Promise<void>;
  /** The only delivery there is. */
  readonly row: () => DeliveryRow;
}

/** @param uri as `--sink` takes it */
export function openRoad(uri: string, flags: FlagValues = {}): Road {
  const config = loadConfig({
    flags: { sink: [uri], timezone: "UTC", clusterName: "prod-a", ...flags },
    registry: sinks,
    env: {},
    files: memoryFiles({}),
  }).config;
  const [sink] = config.sinks;
  if (sink === undefined) throw new Error(`no sink in ${uri}`);
  const ledger = aLedger();
  const waiting: { readonly count: number; readonly wake: () => void }[] = [];
  const ended = () => calls.filter(([name]) => name === "attemptFailed" || name === "delivered");
  const { observer, calls } = recordingObserver(() => {
    for (const one of waiting) if (ended().length >= one.count) one.wake();
  });
  const client = httpClient("test");
  const { clock, outbox, history } = ledger;
  const sender = createSender(config, sink, templates.get(sink.definition.type), {
    client,
    stdout: process.stderr,
    clock,
    observer,
  });
  const { name, timeoutMs, giveUpAfterMs, digest } = sink;
  const lane = new Lane(
    { ...limitsOf(sink), gate: null, name, timeoutMs, giveUpAfterMs, digest, digestEveryMs: 5_000 },
    { sender, outbox, observer, clock, random: () => 0.5 },
  );
  lane.start();
  onTestFinished(async () => {
    await lane.stop();
    client.close();
  });
  const event = anEvent();
  return {
    ...ledger,
    lane,
    calls,
    owe: async (alert = { kind: "event", event }) => {
      const about = alert.kind === "event" ? alert.event : null;
      await outbox.add([{ event: about, alert, sinks: [name] }], [], never);
    },
    attempts: async (count) => {
      if (ended().length < count) {
        await new Promise<void>((resolve) => waiting.push({ count, wake: resolve }));
      }
      await settle();
    },
    row: () => {
      const [row] = history.deliveries({});
      if (row === undefined) throw new Error("nothing is owed");
      return row;
    },
  };
}

/** Each of these alerts (`undefined`: a BackOff) owed on a road of its own, one after the other, and what became of each. */
export async function becomesOf(
  open: () => Road,
  alerts: readonly (Alert | undefined)[],
): Promise<string[]> {
  const outcomes: string[] = [];
  for (const alert of alerts) {
    const road = open();
    await road.owe(alert);
    await road.attempts(1);
    outcomes.push(becameOf(road));
  }
  return outcomes;
}

/** What became of the delivery, in a line: what `history` and the log would let a person know. */
export function becameOf(road: Road): string {
  const { state, reason, detail, attempts, notBefore } = road.row();
  const wait = (notBefore - road.clock.now()) / 1000;
  if (state === "delivered") return `delivered after ${attempts}`;
  if (state === "dead") return `dead after ${attempts}, ${reason}: ${detail}`;
  return reason === "throttled"
    ? `${road.lane.state} for ${wait} s after ${attempts}: ${detail}`
    : `again in ${wait} s after ${attempts}, ${reason}: ${detail}`;
}
