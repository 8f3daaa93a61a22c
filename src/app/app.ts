import type { Clock } from "../clock.ts";
import { type Config, ConfigError, type ConfigIssue } from "../config/config.ts";
import { whoText } from "../config/describe.ts";
import type { Lane } from "../delivery/lane.ts";
import { closed, type Sender } from "../delivery/sender.ts";
import type { Leadership } from "../election/leadership.ts";
import type { Ledger } from "../ledger/open.ts";
import { Lifecycle } from "../lifecycle.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { Tally } from "../observe/observe.ts";
import type { Observer } from "../observe/observer.ts";
import type { PreflightSource } from "../source/source.ts";
import { Canaries, type CanarySite } from "./canaries.ts";
import type { Live } from "./desk.ts";
import { type Election, whileLeading } from "./election.ts";
import { gather } from "./gather.ts";
import { openConfigured } from "./ledger.ts";
import { openLane, runPumps, tellLosses, tellOrphans } from "./parts.ts";
import { preflight } from "./preflight.ts";
import { sharedBudgets } from "./robots.ts";
import { serve } from "./serve.ts";
import type { WebSite } from "./web.ts";

export interface AppPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly makeId: () => string;
  readonly observer: Observer;
  readonly tally: Tally;
  readonly metrics: Metrics;
  readonly sources: readonly PreflightSource[];
  /** Where canaries are written; none without `--canary`. */
  readonly canarySites?: readonly CanarySite[];
  /** The page; none without `--web-listen`. */
  readonly web?: WebSite | null;
  /** What the page remembers of a ledger while it is used. */
  readonly remembers?: (ledger: Ledger) => Ledger;
  /** Called once the page can be asked for. */
  readonly served?: (url: string) => void;
  /** Absent, or `null`: this is the only replica. */
  readonly election?: Election | null;
  /** Templates, ConfigMaps, sinks; by the sink's name. Throws ConfigError for what waiting cannot cure. */
  readonly openSenders: (signal: AbortSignal) => Promise<ReadonlyMap<string, Sender>>;
}

export interface Summary extends Readonly<Tally> {
  /** Owed and not told yet; they wait in the ledger. */
  readonly pending: number;
  /** Known to memory only when the end came. */
  readonly lost: number;
  /** Sources that ended with an error, by what they said. */
  readonly problems: readonly string[];
  /** Why it had to stop leading before it was told to stop; `null`: it had not. */
  readonly deposed: string | null;
}

interface Owed {
  readonly total: number;
  readonly oldestOwedAt: number | null;
}

const LATER_LEADER = "the ledger belongs to a later leader";
const NOTHING_OWED: Owed = { total: 0, oldestOwedAt: null };

/** How long each part may take to stop; together 40 s of the 45 s that the shipped Deployment grants. */
const STOP_MS = {
  sources: 2_000,
  lanes: 25_000,
  /** Of which nothing is under way. */
  sinks: 5_000,
  page: 2_000,
  ledger: 5_000,
  lease: 3_000,
  server: 2_000,
} as const;

/**
 * Runs everything until `signal` aborts, or until all sources have ended and what is owed is settled (unless `stay`), or until
 * another replica may lead.
 * @throws ConfigError before anything is watched, with every problem that waiting cannot cure
 */
export async function runApp(
  config: Config,
  ports: AppPorts,
  signal: AbortSignal,
): Promise<Summary> {
  const { clock, observer, metrics, sources, election = null } = ports;
  const lifecycle = new Lifecycle(clock, observer);
  const waiting = new Set(sources.map((source) => source.name));
  const stop = new AbortController();
  const problems: string[] = [];
  let pending = 0;
  let lost = 0;
  let leadership: Leadership | null = null;
  const summary = (): Summary => {
    const why: unknown = leadership?.lost.reason;
    const deposed = why instanceof Error ? why.message : null;
    return { ...ports.tally, pending, lost, problems, deposed };
  };

  try {
    const issues: ConfigIssue[] = [];
    let canaries: Canaries | null = null;
    const lanes = new Map<string, Lane>();
    let standby = false;
    const health = {
      standby: () => (standby ? standbyText(election?.leader() ?? null) : null),
      waitingFor: () => [...waiting],
      troubles: () => canaries?.troubles() ?? [],
      stopping: () => stop.signal.aborted,
    };
    const server =
      config.listen === null
        ? null
        : await gather(issues, "--listen", () =>
            serve(config.listen ?? { host: "", port: 0 }, {
              health,
              metrics,
              failed: (detail) => observer.error(detail),
            }),
          );
    if (server !== null) {
      lifecycle.onStop("the HTTP server", STOP_MS.server, () => server.close());
      observer.notice(`listening on ${server.url} (/livez, /readyz, /metrics)`);
    }
    const givenUp = new AbortController();
    const openIt = async () => {
      const patience = AbortSignal.any([
        signal,
        givenUp.signal,
        ...(leadership === null ? [] : [leadership.lost]),
      ]);
      const term = leadership?.term ?? null;
      const opened = await gather(issues, null, () =>
        openConfigured(config, { clock, observer, makeId: ports.makeId, term }, patience),
      ).catch((error: unknown) => {
        if (isFenced(error) && leadership !== null) leadership.lose(LATER_LEADER);
        else if (!patience.aborted) throw error;
        return null;
      });
      if (opened !== null) tellLosses(config, opened, ports, stop.signal);
      return opened === null ? null : (ports.remembers?.(opened) ?? opened);
    };
    // Of several replicas it is the leader's.
    const opening = election === null ? openIt() : null;
    // A file is there at once; a database may be waited for, and what else is wrong is told meanwhile.
    let ledger = config.ledger === null ? await opening : null;
    // Metrics and the live line are asked for longer than the ledger is open.
    let last: { readonly owed: ReadonlyMap<string, Owed>; readonly bytes: number } | null = null;
    const owed = (sink: string): Owed =>
      last?.owed.get(sink) ?? ledger?.outbox.pending(sink, clock.now()) ?? NOTHING_OWED;
    const ledgerBytes = () => last?.bytes ?? ledger?.bytes() ?? 0;
    lifecycle.onStop("the Lease", STOP_MS.lease, () => leadership?.release());
    lifecycle.onStop("the ledger", STOP_MS.ledger, async () => {
      pending = metrics.pending();
      last = {
        owed: new Map(config.sinks.map(({ name }) => [name, owed(name)])),
        bytes: ledgerBytes(),
      };
      lost = (await ledger?.close()) ?? 0;
    });
    metrics.measure({ now: () => clock.now(), pending: owed, ledgerBytes });
    const live: Live = {
      history: () => ledger?.history ?? null,
      lane: (sink, now) => lanes.get(sink)?.status(now) ?? null,
      standby: () => (standby ? { leader: election?.leader() ?? null } : null),
      waitingFor: health.waitingFor,
      canaries: health.troubles,
    };
    const page = await gather(
      issues,
      "--web-listen",
      () => ports.web?.open(live, stop.signal) ?? null,
    );
    if (page !== null) {
      // Before the ledger, which it reads.
      lifecycle.onStop("the page", STOP_MS.page, () => page.close());
      observer.notice(`the page is at ${page.url}: ${whoText(config.web)}`);
      ports.served?.(page.url);
    }

    const senders = await preflight(config, ports, issues, signal);
    if (issues.length > 0) givenUp.abort();
    ledger ??= await opening;
    if (election !== null && senders !== null && issues.length === 0) {
      standby = true;
      leadership = await election.lead(signal);
      standby = false;
      if (leadership !== null) ledger = await openIt();
    }
    if (signal.aborted || issues.length > 0 || ledger === null || senders === null) {
      lifecycle.onStop("the sinks", STOP_MS.sinks, async () => {
        const all = [...(senders ?? [])];
        await Promise.all(all.map(([name, sender]) => closed(name, sender, observer)));
      });
      if (issues.length > 0 && !signal.aborted) throw new ConfigError(issues);
      return { ...summary(), pending: metrics.pending() };
    }
    await tellOrphans(config.sinks, ledger, observer);
    canaries = new Canaries(config, ledger, ports, stop.signal);
    const followed = canaries;
    const toldBy = (sink: string, sender: Sender) =>
      whileLeading(followed.follow(sink, sender), leadership);
    const shared = sharedBudgets(config.sinks);
    for (const sink of config.sinks) {
      const { name } = sink;
      const sender = senders.get(name);
      if (sender === undefined) continue;
      const told = toldBy(name, sender);
      const budget = shared.get(name) ?? null;
      lanes.set(name, openLane(sink, config.digestEveryMs, told, ledger, budget, ports));
    }
    lifecycle.onStop("deliveries under way", STOP_MS.lanes + 1_000, async () => {
      const deadline = clock.now() + STOP_MS.lanes;
      await Promise.all([...lanes.values()].map((lane) => lane.drain(deadline)));
    });
    // Within this very turn: nothing may leave any more.
    const deposed = onceAborted(leadership?.lost, () => {
      stop.abort();
      for (const lane of lanes.values()) void lane.stop();
    });
    if (leadership?.holds() !== false) for (const lane of lanes.values()) lane.start();

    const broken = Promise.withResolvers<never>();
    const pumps = runPumps(
      config,
      ports,
      ledger,
      canaries,
      (source) => {
        waiting.delete(source);
        followed.synced(source);
      },
      { problems, mistake: broken.reject },
      stop.signal,
    );
    const singing = canaries.run();
    lifecycle.onStop("the sources", STOP_MS.sources, async () => {
      await Promise.all([pumps, singing]);
    });
    const settled = async () => {
      await pumps;
      if (config.stay) await aborted(signal);
      await Promise.all([...lanes.values()].map((lane) => lane.idle()));
    };
    const taken = Promise.withResolvers<void>();
    ledger.onFenced(() => {
      taken.resolve();
      if (leadership !== null) return leadership.lose(LATER_LEADER);
      const problem = "the ledger: another kube-crier has taken it over, so this one ends";
      problems.push(problem);
      observer.error(problem);
    });
    await Promise.race([aborted(signal), settled(), deposed, taken.promise, broken.promise]);
    if (signal.aborted)
      observer.notice(
        "told to stop: finishing what is under way; what is owed stays in the ledger",
      );
  } finally {
    stop.abort();
    await lifecycle.stop();
  }
  return summary();
}

/** By its name: the class comes with the driver, which only those load who have such a ledger. */
function isFenced(error: unknown): boolean {
  return error instanceof Error && error.name === "FencedError";
}

function standbyText(leader: string | null): string {
  return leader === null ? "standby, nobody is known to lead" : `standby, ${leader} leads`;
}

/** Calls back within the turn in which `signal` aborts, at once if it has. Never resolves without a signal. */
function onceAborted(signal: AbortSignal | undefined, then: () => void): Promise<void> {
  if (signal === undefined) return new Promise(() => undefined);
  if (signal.aborted) then();
  else signal.addEventListener("abort", then, { once: true });
  return aborted(signal);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true }),
  );
}
