import { randomUUID } from "node:crypto";
import { createClients } from "../app/clients.ts";
import { runApp, type Summary } from "../app/app.ts";
import { createSenders, httpClient } from "../app/senders.ts";
import { createCanarySites } from "../app/canaries.ts";
import { createElection } from "../app/election.ts";
import { createSources, sourceNames } from "../app/sources.ts";
import { remember } from "../app/recall.ts";
import { rememberedBy } from "../app/remembered.ts";
import { followTemplates, LiveTemplates } from "../app/reload.ts";
import { openTemplates } from "../app/templates.ts";
import type { WebSite } from "../app/web.ts";
import type { WebThreadPorts } from "../app/web-thread.ts";
import { differenceText } from "../compat/differences.ts";
import type { Config } from "../config/config.ts";
import type { FlagValues } from "../config/flags.ts";
import type { Origin } from "../config/origin.ts";
import { orderedId } from "../event/id.ts";
import { counted } from "../observe/counted.ts";
import { jsonLog, textLog } from "../observe/log.ts";
import { createMetrics } from "../observe/metrics.ts";
import { createObserver, type Tally } from "../observe/observe.ts";
import { loadAndLookFurther } from "./check.ts";
import { EXIT, type ExitCode, type Io, renews, wantsColour } from "./io.ts";
import { LiveLine } from "./live.ts";
import { tellProblems } from "./problems.ts";
import { readVersion } from "./version.ts";

/** `kube-crier run`. */
export async function runCommand(flags: FlagValues, io: Io): Promise<ExitCode> {
  try {
    const { config, warnings, differences, origin } = await loadAndLookFurther(flags, io);
    const summary = await runConfig(config, io, {
      warnings: warnings.map(
        ({ where, message, hint }) => `${where}: ${message}${hint === null ? "" : ` (${hint})`}`,
      ),
      notices: differences.map(differenceText),
      origin,
    });
    return exitCodeOf(summary);
  } catch (error) {
    return tellProblems(error, io);
  }
}

/** Wires the house for one configuration and runs it to its end. */
export async function runConfig(
  config: Config,
  io: Io,
  first: {
    readonly warnings: readonly string[];
    readonly notices: readonly string[];
    /** What the page's thread loads the same configuration from. */
    readonly origin: () => Origin;
    /** Called once the page can be asked for. */
    readonly served?: (url: string) => void;
  },
): Promise<Summary> {
  const { clock } = io;
  const version = readVersion();
  const live = renews(io, io.stderr) ? new LiveLine(io.stderr) : null;
  const out = live ?? io.stderr;
  const log =
    live === null
      ? jsonLog(config.logLevel, out)
      : textLog(config.logLevel, out, wantsColour(io, io.stderr));
  const metrics = createMetrics(
    version,
    sourceNames(config.sources),
    config.sinks.map((sink) => sink.name),
    {
      perEvent: config.eventMetrics,
      elasticsearch: config.sinks.flatMap(({ name, definition }) =>
        definition.type === "elasticsearch" ? [name] : [],
      ),
    },
  );
  const { observer: all, tally } = createObserver(log, metrics, clock);
  // Whoever shows no page remembers nothing for it.
  const page = config.web.listen === null ? null : remember(all, () => clock.now());
  const observer = page?.observer ?? all;
  for (const warning of first.warnings) observer.warning(warning);
  for (const notice of first.notices) observer.notice(notice);
  const clients = createClients(config.sources, clock);
  const client = httpClient(version);
  const over = new AbortController();
  let following: LiveTemplates | null = null;
  const stopLive = live?.show(() => lineOf(tally, `${metrics.pending()} pending`), clock);
  try {
    const sources = createSources(config, {
      clients,
      clock,
      random: Math.random,
      observer,
      stdin: () => io.stdin,
    });
    const openSenders = async (signal: AbortSignal) => {
      const ports = { clients, clock, observer };
      const { templates, texts } = await openTemplates(config, ports, signal);
      const followed = new LiveTemplates(templates, texts);
      following = followed;
      void followTemplates(config, { live: followed, texts }, ports, over.signal);
      return createSenders(config, followed.bySink, {
        client,
        stdout: live !== null && io.stdout.isTTY === true ? live.sharing(io.stdout) : io.stdout,
        clock,
        observer,
      });
    };
    observer.notice(
      `kube-crier ${version}: ${sources.map((source) => source.name).join(", ")} → ${config.sinks.map((sink) => sink.name).join(", ")}`,
    );
    const summary = await runApp(
      config,
      {
        clock,
        random: Math.random,
        makeId: () => orderedId(clock.now(), randomUUID()),
        observer,
        tally,
        metrics,
        sources,
        canarySites: createCanarySites(config, { clients, env: io.env, makeId: randomUUID }),
        web:
          page === null
            ? null
            : await openWebSite(config, {
                origin: first.origin(),
                clock,
                observer,
                version,
                recall: page.recall,
                texts: () => following?.texts ?? null,
                signal: over.signal,
              }),
        ...(page === null
          ? {}
          : { remembers: (ledger) => rememberedBy(page.recall.memory, ledger, clock) }),
        ...(first.served === undefined ? {} : { served: first.served }),
        election: createElection(config, {
          clients,
          env: io.env,
          clock,
          random: Math.random,
          makeId: randomUUID,
          observer,
        }),
        openSenders,
      },
      io.signal,
    );
    observer.notice(`stopped: ${lineOf(tally, `${summary.pending} still owed`)}`, { ...summary });
    if (summary.lost > 0)
      observer.error(
        `${counted(summary.lost, "delivery was known to memory only and is", "deliveries were known to memory only and are")} lost: the ledger could not be written until the end`,
      );
    return summary;
  } finally {
    over.abort();
    stopLive?.();
    client.close();
    clients.close();
  }
}

/** What the page brings along costs memory, which those without it need not pay. */
async function openWebSite(config: Config, ports: WebThreadPorts): Promise<WebSite> {
  const { WebThread } = await import("../app/web-thread.ts");
  return new WebThread(config, ports);
}

/** 0; 2 when a source could not be read; 3 when something is dead or lost; 4 when another replica may lead. */
export function exitCodeOf(summary: Summary): ExitCode {
  if (summary.deposed !== null) return EXIT.deposed;
  if (summary.problems.length > 0) return EXIT.usage;
  return summary.dead > 0 || summary.lost > 0 ? EXIT.failed : EXIT.ok;
}

function lineOf({ received, delivered, folded, dead }: Tally, pending: string): string {
  const digests = folded > 0 ? `, ${folded} told in digests` : "";
  return `${received} received, ${delivered} delivered${digests}, ${pending}, ${dead} dead`;
}
