import type { Clock } from "../clock.ts";
import { type Config, ConfigError, type EffectiveOption } from "../config/config.ts";
import type { LaneStatus } from "../delivery/status.ts";
import { UnreadableError } from "../history/history.ts";
import type { History } from "../ledger/ledger.ts";
import { CHAT_STYLE } from "../simulate/bubble.ts";
import { readEvents } from "../source/file/read.ts";
import { drawSent } from "../simulate/preview.ts";
import type { AuditTrail } from "../web/auth/audit.ts";
import { Refusal } from "../web/auth/refusal.ts";
import { DEADLINE_MS, type Desk } from "../web/page/desk.ts";
import type { SinkStatus } from "../web/page/sinks-page.ts";
import { type Trouble, troubleText } from "../web/page/troubles.ts";
import { knownNamespaces } from "./known-namespaces.ts";
import { exampleAlerts } from "./examples.ts";
import { orMemory } from "./fallback.ts";
import { previewTemplate } from "./preview.ts";
import { openReader } from "./reader.ts";
import type { Recall } from "./recall.ts";
import { templateText } from "./templates.ts";
import type { Texts } from "./texts.ts";

/** What runs, as far as it has begun: the page is served before most of it. */
export interface Live {
  /** What a person may change; `null`: the ledger is not open, or another replica has it. */
  readonly history: () => Pick<History, "retry" | "discard"> | null;
  /** `null`: nothing is sent to it (yet). */
  readonly lane: (sink: string, now: number) => LaneStatus | null;
  /** Of a replica that stands by: who leads, as far as it is known; `null`: it does not stand by. */
  readonly standby: () => { readonly leader: string | null } | null;
  /** Sources that have not caught up since the start. */
  readonly waitingFor: () => readonly string[];
  /** What is wrong with canaries, a line each. */
  readonly canaries: () => readonly string[];
}

export interface DeskPorts {
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly recall: Recall;
  readonly live: Live;
  /** The user's own templates; `null`: not read yet. */
  readonly texts: () => Texts | null;
  /** Each option as it counts, and where it comes from. */
  readonly options: () => readonly EffectiveOption[];
  /** Brings what is told of the program up to date. Absent: it runs in this thread. */
  readonly fresh?: () => Promise<void>;
}

/** What the page and the API are made from, over what runs. @param signal ends with the server */
export function openDesk(
  config: Config,
  { clock, audit, recall, live, texts, options, fresh }: DeskPorts,
  signal: AbortSignal,
): { readonly desk: Desk; readonly close: () => Promise<void> } {
  const stored = openReader(config, recall.arrived, clock);
  const { reader, unread } = orMemory(stored, {
    memory: recall.memory,
    now: () => clock.now(),
    unwrittenSince: () =>
      recall.troubles().find((trouble) => trouble.kind === "ledger")?.since ?? null,
  });
  const ask = { visible: "all", deadlineMs: DEADLINE_MS, signal } as const;
  const sinks = () =>
    config.sinks.map(({ name, definition }): SinkStatus => {
      const lane = live.lane(name, clock.now()) ?? IDLE;
      const { latency, lastError } = recall.lately(name);
      return { name, type: definition.type, ...lane, latency, lastError };
    });
  const namespaces = knownNamespaces(reader, recall.namespaces, ask, clock);
  const desk: Desk = {
    reader,
    config,
    options,
    readEvents: (text) => readEvents(text, config.cluster, new Date(clock.now()).toISOString()),
    clock,
    audit,
    signal,
    chatStyle: CHAT_STYLE,
    sinks,
    watchingSince: () => (live.standby() === null ? recall.since() : null),
    // Whoever follows is asked for their rights long after their request.
    namespaces: fresh === undefined ? namespaces : () => fresh().then(namespaces),
    troubles: (lang) => {
      const now = clock.now();
      const away = unread();
      return [
        ...(away === null ? [] : [{ kind: "unread", ...away } as const]),
        ...troublesOf(live, recall, sinks()),
      ].map((one) => troubleText(one, lang, config.timezone, now));
    },
    delivery: async (id) => (await reader.delivery(id, ask))?.row ?? null,
    async settleDead(id, act, visible) {
      const history = live.history();
      if (history === null) throw new Refusal(503, `nothing can be changed now: ${whyNot(live)}`);
      const changed = await unlessAway(() =>
        act === "retry"
          ? history.retry([id], null, clock.now(), visible)
          : history.discard([id], null, visible),
      );
      if (changed === 0)
        throw new Refusal(
          409,
          "this delivery is no dead letter, or none any more: somebody may have been faster; load the page anew",
        );
    },
    async preview(name, text, alert) {
      const sink = config.sinks.find((one) => one.name === name);
      const now = clock.now();
      const [example] = exampleAlerts(config.cluster, now);
      if (sink === undefined || example === undefined) throw new Refusal(404, "no such sink");
      const previewed = await previewTemplate(config, sink, text, alert ?? example, now);
      const looks = previewed.looks.map(({ lang, preview, text: made, problem }) => ({
        lang,
        text: made,
        problem: problem ?? (preview?.kind === "refused" ? preview.message : null),
        drawn: preview?.kind === "shown" ? preview.drawn : null,
      }));
      return { ...previewed, looks };
    },
    drawSent({ sink, sent }) {
      const type = config.sinks.find(({ name }) => name === sink)?.definition.type;
      return type === undefined || sent === null ? null : drawSent(type, sent, clock.now());
    },
    templateText: (name) => {
      const sink = config.sinks.find((one) => one.name === name);
      return sink === undefined ? "" : templateText(sink, texts());
    },
  };
  return { desk, close: () => reader.close() };
}

/** Of a sink that nothing is sent to yet. */
const IDLE: LaneStatus = { state: "open", until: null, inFlight: 0, budget: null };

function troublesOf(live: Live, recall: Recall, sinks: readonly SinkStatus[]): readonly Trouble[] {
  const standby = live.standby();
  const sources = live.waitingFor();
  const troubles: Trouble[] = [];
  if (standby !== null) troubles.push({ kind: "standby", ...standby });
  const remembered = recall.troubles();
  troubles.push(...remembered);
  const failing = new Set(remembered.flatMap((one) => (one.kind === "source" ? one.source : [])));
  const behind = sources.filter((source) => !failing.has(source));
  if (standby === null && behind.length > 0) troubles.push({ kind: "behind", sources: behind });
  for (const detail of live.canaries()) troubles.push({ kind: "canary", detail });
  for (const { name, state, until, lastError } of sinks)
    if (state === "broken")
      troubles.push({
        kind: "sink",
        sink: name,
        since: recall.lately(name).awaySince,
        until,
        detail: lastError?.detail ?? null,
      });
  return troubles;
}

function whyNot(live: Live): string {
  const standby = live.standby();
  if (standby === null) return "the ledger is not open yet; try again in a moment";
  return standby.leader === null
    ? "this replica stands by, and nobody is known to lead"
    : `this replica stands by; ask ${standby.leader}, which leads`;
}

/** A disk that takes nothing, or a database that is away, is nobody's fault. */
async function unlessAway<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConfigError || (error instanceof Error && error.name === "StorageError"))
      throw new UnreadableError(`nothing can be changed now: ${error.message}`, { cause: error });
    throw error;
  }
}
