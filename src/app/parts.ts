import { systemClock } from "../clock.ts";
import { type Config, ConfigError, type SinkConfig } from "../config/config.ts";
import type { Budget } from "../delivery/budget.ts";
import { Lane } from "../delivery/lane.ts";
import type { Sender } from "../delivery/sender.ts";
import { Tally } from "../delivery/tally.ts";
import type { Ledger } from "../ledger/open.ts";
import { StorageError } from "../ledger/store.ts";
import { counted } from "../observe/counted.ts";
import type { Observer } from "../observe/observer.ts";
import { compileFilter } from "../pipeline/filter.ts";
import { pump } from "../pipeline/pump.ts";
import { besideCanaries, createRouter } from "../pipeline/route.ts";
import { allowanceOf } from "../explain/allowance.ts";
import type { Rate } from "../sink/index.ts";
import type { AppPorts } from "./app.ts";
import type { Canaries } from "./canaries.ts";

/** What holds for a sink instance: the platform's limits, unless the configuration says otherwise. */
export function limitsOf(sink: SinkConfig): {
  readonly rates: readonly Rate[];
  readonly concurrency: number;
  readonly throttledMs: number;
} {
  const { concurrency, throttledMs } = sink.definition.limits(sink.options);
  return {
    rates: allowanceOf(sink).rates,
    concurrency: sink.concurrency ?? concurrency,
    throttledMs,
  };
}

export function openLane(
  sink: SinkConfig,
  digestEveryMs: number,
  sender: Sender,
  ledger: Ledger,
  shared: Budget | null,
  ports: AppPorts,
): Lane {
  const { name, timeoutMs, giveUpAfterMs, digest } = sink;
  const limits = limitsOf(sink);
  const { observer, clock, random } = ports;
  // p-queue keeps the system's time: in another one the budget alone must do.
  const gate = clock === systemClock ? (limits.rates[0] ?? null) : null;
  return new Lane(
    { ...limits, gate, name, timeoutMs, giveUpAfterMs, digest, digestEveryMs },
    { sender, outbox: ledger.outbox, observer, clock, random, shared },
  );
}

/** Deliveries owed to sinks that the configuration does not know any more stay in the ledger; someone should know. */
export async function tellOrphans(
  sinks: readonly SinkConfig[],
  ledger: Pick<Ledger, "history">,
  observer: Pick<Observer, "warning">,
): Promise<void> {
  const counts = await countsOf(ledger);
  for (const [sink, { pending }] of counts) {
    if (pending > 0 && !sinks.some(({ name }) => name === sink))
      observer.warning(
        `the ledger owes ${counted(pending, "delivery", "deliveries")} to "${sink}", which is no sink of this configuration; what it owes stays there: add the sink again under this name and it is sent or given up`,
      );
  }
}

/** None where the ledger went away in the middle of the start: it says so itself, and what is only good to know can wait for the next start. */
async function countsOf({
  history,
}: Pick<Ledger, "history">): Promise<Awaited<ReturnType<Ledger["history"]["counts"]>>> {
  try {
    return await history.counts();
  } catch (error) {
    if (error instanceof StorageError) return new Map();
    throw error;
  }
}

/**
 * A ledger that had to be begun anew is a gap: logged and counted for each source, and told to every sink, once. What is owed for it
 * is written at once, so that a start that fails later on does not keep it to itself.
 */
export function tellLosses(
  config: Config,
  ledger: Ledger,
  { sources, observer }: Pick<AppPorts, "sources" | "observer">,
  signal: AbortSignal,
): void {
  const sinks = config.sinks.map(({ name }) => name);
  ledger.onLoss((loss) => {
    const [since, until] = [new Date(loss.since).toISOString(), new Date(loss.at).toISOString()];
    const cause = "lostLedger";
    const alert = { kind: "gap", cluster: config.cluster, since, until, cause } as const;
    for (const { name } of sources) observer.sourceGap(name, alert);
    ledger.outbox.add([{ event: null, alert, sinks }], [], signal).then(
      () => observer.noticeOwed(sinks),
      (error: unknown) => {
        if (!signal.aborted) throw error;
      },
    );
  });
}

/** What becomes of a source that breaks. */
interface Broken {
  /** Its content is no good: it is named here, and the others go on. */
  readonly problems: string[];
  /** Called with anything else, which is a mistake of ours: who went on would be blind, and say that all is well. */
  readonly mistake: (error: unknown) => void;
}

/** One pump for each source; resolves when all have ended. A source that breaks is told. */
export async function runPumps(
  config: Config,
  ports: AppPorts,
  ledger: Ledger,
  canaries: Canaries,
  synced: (source: string) => void,
  { problems, mistake }: Broken,
  signal: AbortSignal,
): Promise<void> {
  const { observer } = ports;
  const route = createRouter(
    compileFilter(config.filter),
    config.sinks.map((sink) => ({ name: sink.name, matches: compileFilter(sink.filter) })),
  );
  const sinks = config.sinks.map((sink) => sink.name);
  const decisions = {
    outbox: ledger.outbox,
    untold: ledger.untold,
    observer,
    cluster: config.cluster,
    sinks,
    singly: new Set(config.sinks.filter((sink) => !sink.digest).map((sink) => sink.name)),
    keepsAll: config.historyKeeps === "all",
    makeTally: () => new Tally(),
    synced,
  };
  await Promise.all(
    ports.sources.map(async (source) => {
      try {
        await pump(
          source,
          {
            ...decisions,
            route: besideCanaries(route, (event) => canaries.sinksOf(source.name, event)),
            taken: (event) => canaries.taken(source.name, event),
          },
          signal,
        );
      } catch (error) {
        if (signal.aborted) return;
        const problem = `${source.name}: ${error instanceof Error ? error.message : String(error)}`;
        observer.error(problem);
        if (!(error instanceof ConfigError)) return mistake(error);
        problems.push(problem);
      } finally {
        // Whatever it was waiting for will not come any more.
        synced(source.name);
      }
    }),
  );
}
