import type { Alert, GapAlert } from "../event/alert.ts";
import { isCanary } from "../event/canary.ts";
import type { KubeEvent } from "../event/event.ts";
import { gapEvent } from "../event/gap.ts";
import type { DropReason } from "../event/reason.ts";
import type { AskUntold, Entry, Outbox } from "../ledger/ledger.ts";
import type { Observer } from "../observe/observer.ts";
import type { Checkpoint, Gap, Source, SourceItem } from "../source/source.ts";
import { type DigestTally, Found } from "./found.ts";
import type { Routed } from "./route.ts";

export interface PumpPorts {
  readonly outbox: Pick<Outbox, "add" | "checkpoints">;
  readonly untold: AskUntold;
  readonly route: (event: KubeEvent) => Routed;
  readonly observer: Observer;
  /** The cluster's name, for gap alerts. */
  readonly cluster: string;
  /** Every sink is told of a gap. */
  readonly sinks: readonly string[];
  /** Sinks that take no digests: they get what is old singly, too. */
  readonly singly: ReadonlySet<string>;
  /** What no filter matched is kept as well, for history. */
  readonly keepsAll?: boolean;
  readonly makeTally: () => DigestTally;
  /** Called for each occurrence that the ledger has taken. */
  readonly taken?: (event: KubeEvent) => void;
  /** Called when the source has caught up with now. */
  readonly synced: (source: string) => void;
}

/** An entry, and what counts on its being new. */
interface Decided {
  readonly entry: Entry;
  readonly taken: () => void;
  /** What only a digest is to tell, and may be written without having been told; `null`: nothing. */
  readonly untold: Untold | null;
}

interface Untold {
  readonly event: KubeEvent;
  readonly sinks: readonly string[];
  /** Called where it was not told. */
  readonly tell: () => void;
}

/**
 * The one loop that moves events: takes what is ready, decides, and asks for more only when the ledger holds what is owed.
 * Ends when the source ends or `signal` aborts; an error of the source is the caller's to see.
 */
export async function pump(source: Source, ports: PumpPorts, signal: AbortSignal): Promise<void> {
  const found = new Found(ports.makeTally);
  for await (const batch of source.batches(ports.outbox.checkpoints(), signal)) {
    for (const part of parts(batch)) {
      const { decided, checkpoints } = sort(source.name, part, found, ports);
      if (decided.length === 0 && checkpoints.length === 0) continue;
      const entries = decided.map(({ entry }) => entry);
      const taken = await ports.outbox.add(entries, checkpoints, signal);
      const untold: Untold[] = [];
      for (const [index, what] of taken.entries()) {
        const one = decided[index];
        if (what === "enqueued") one?.taken();
        else if (one?.entry.alert.kind === "event") {
          ports.observer.eventDropped("duplicate");
          if (one.untold !== null) untold.push(one.untold);
        }
      }
      if (untold.length === 0) continue;
      const isUntold = await ports.untold(untold);
      for (const [index, one] of untold.entries()) if (isUntold[index] === true) one.tell();
    }
    if (batch.some((item) => item.kind === "synced")) {
      ports.observer.sourceSynced(source.name);
      ports.synced(source.name);
    }
  }
}

/** What a list has brought is known once the ledger has taken it: its end begins a part. */
function parts(batch: readonly SourceItem[]): readonly (readonly SourceItem[])[] {
  const starts = batch.flatMap((item, index) =>
    item.kind === "relisted" && index > 0 ? index : [],
  );
  return [0, ...starts].map((start, index) => batch.slice(start, starts[index]));
}

/** Events to entries, checkpoints to the last of each scope. */
function sort(
  name: string,
  items: readonly SourceItem[],
  found: Found,
  ports: PumpPorts,
): { decided: Decided[]; checkpoints: Checkpoint[] } {
  const decided: Decided[] = [];
  const checkpoints = new Map<string, Checkpoint>();
  for (const item of items) {
    switch (item.kind) {
      case "event": {
        const { event, checkpoint } = item;
        ports.observer.eventReceived(name, event);
        const routed = ports.route(event);
        if (routed.kind === "drop") decided.push(...dropped(event, routed.reason, ports));
        else decided.push(decide(item, routed.sinks, found, ports));
        if (checkpoint !== null) checkpoints.set(checkpoint.scope, checkpoint);
        break;
      }
      case "checkpoint":
        checkpoints.set(item.checkpoint.scope, item.checkpoint);
        break;
      case "relisted":
        decided.push(...summaries(name, item.gap, found, ports));
        break;
      case "synced":
        break;
    }
  }
  return { decided, checkpoints: [...checkpoints.values()] };
}

/** What nobody wants, and what is to be kept of it. */
function dropped(
  event: KubeEvent,
  reason: DropReason,
  { observer, keepsAll = false }: PumpPorts,
): readonly Decided[] {
  if (!keepsAll || reason === "canary") {
    observer.eventDropped(reason);
    return [];
  }
  const entry = { event, alert: { kind: "event", event }, sinks: [], suppressed: reason } as const;
  return [{ entry, taken: () => observer.eventDropped(reason), untold: null }];
}

function decide(
  { event, listed, unfinished }: SourceItem & { kind: "event" },
  wanted: readonly string[],
  found: Found,
  { observer, singly, taken }: PumpPorts,
): Decided {
  const alert: Alert = { kind: "event", event };
  // A canary is waited for, however old it is, and nothing that a digest should tell of.
  const isOld = listed === "old" && !isCanary(event);
  const folded = isOld ? wanted.filter((sink) => !singly.has(sink)) : [];
  const sinks = folded.length === 0 ? wanted : wanted.filter((sink) => singly.has(sink));
  const note = () => {
    if (folded.length > 0) found.old(event, folded);
    else if (listed !== undefined && !isCanary(event)) found.single();
  };
  const untold =
    unfinished === true && folded.length > 0
      ? { event, sinks: folded, tell: () => found.known(event, folded) }
      : null;
  if (sinks.length === 0 && folded.length > 0)
    return {
      untold,
      entry: { event, alert, sinks, suppressed: "tooOld" },
      taken: () => {
        observer.eventDropped("tooOld");
        note();
      },
    };
  return {
    untold,
    entry: { event, alert, sinks },
    taken: () => {
      observer.eventEnqueued(sinks, Date.parse(event.lastSeen));
      note();
      taken?.(event);
    },
  };
}

/** What to say of a list: the gap that remains, and what is too old to be told singly. */
function summaries(
  name: string,
  gap: Gap | null,
  found: Found,
  { observer, cluster, sinks: all }: PumpPorts,
): readonly Decided[] {
  const { recovered, tooOld, digests } = found.take();
  const owed = (event: KubeEvent | null, alert: Alert, sinks: readonly string[]): Decided => ({
    entry: { event, alert, sinks },
    taken: () => observer.noticeOwed(sinks),
    untold: null,
  });
  const told = digests.map(([sink, digest]) => owed(null, digest, [sink]));
  if (gap === null) {
    if (recovered > 0) observer.sourceRelisted(name, recovered, tooOld);
    return told;
  }
  const { since, until, cause, listed } = gap;
  const counts = listed ? { recovered, tooOld } : {};
  const alert: GapAlert = { kind: "gap", cluster, since, until, cause, ...counts };
  observer.sourceGap(name, alert);
  const event = gapEvent(alert, `gap/${name}/${cause}/${since}/${until}`);
  // Where to begin is what `replay` says: no chat needs to be told, but whoever looks finds it.
  return [owed(event, alert, cause === "firstStart" ? [] : all), ...told];
}
