import type { Entry, Outbox } from "../ledger/ledger.ts";
import type { Observer } from "../observe/observer.ts";
import type { Checkpoint, Source, SourceItem } from "../source/source.ts";
import type { Routed } from "./route.ts";
import type { KubeEvent } from "../event/event.ts";

export interface PumpPorts {
  readonly outbox: Pick<Outbox, "add" | "checkpoints">;
  readonly route: (event: KubeEvent) => Routed;
  readonly observer: Observer;
  /** The cluster's name, for gap alerts. */
  readonly cluster: string;
  /** Every sink is told of a gap. */
  readonly sinks: readonly string[];
  /** Called when the source has caught up with now. */
  readonly synced: (source: string) => void;
}

/**
 * The one loop that moves events: takes what is ready, decides, and asks for more only when the ledger holds what is owed.
 * Ends when the source ends or `signal` aborts; an error of the source is the caller's to see.
 */
export async function pump(source: Source, ports: PumpPorts, signal: AbortSignal): Promise<void> {
  for await (const batch of source.batches(ports.outbox.checkpoints(), signal)) {
    const { entries, checkpoints } = sort(source.name, batch, ports);
    if (entries.length > 0 || checkpoints.length > 0) {
      const taken = await ports.outbox.add(entries, checkpoints, signal);
      taken.forEach((what, index) => {
        const entry = entries[index];
        if (entry === undefined) return;
        if (entry.event === null) ports.observer.noticeOwed(entry.sinks);
        else if (what === "duplicate") ports.observer.eventDropped("duplicate");
        else ports.observer.eventEnqueued(entry.sinks, Date.parse(entry.event.lastSeen));
      });
    }
    if (batch.some((item) => item.kind === "synced")) {
      ports.observer.sourceSynced(source.name);
      ports.synced(source.name);
    }
  }
}

/** Events to entries, checkpoints to the last of each scope. */
function sort(
  name: string,
  batch: readonly SourceItem[],
  ports: PumpPorts,
): { entries: Entry[]; checkpoints: Checkpoint[] } {
  const entries: Entry[] = [];
  const checkpoints = new Map<string, Checkpoint>();
  for (const item of batch) {
    switch (item.kind) {
      case "event": {
        ports.observer.eventReceived(name, item.event);
        const routed = ports.route(item.event);
        if (routed.kind === "drop") ports.observer.eventDropped(routed.reason);
        else
          entries.push({
            event: item.event,
            alert: { kind: "event", event: item.event },
            sinks: routed.sinks,
          });
        if (item.checkpoint !== null) checkpoints.set(item.checkpoint.scope, item.checkpoint);
        break;
      }
      case "checkpoint":
        checkpoints.set(item.checkpoint.scope, item.checkpoint);
        break;
      case "gap": {
        const { since, until, cause } = item;
        ports.observer.sourceGap(name, since, until, cause);
        entries.push({
          event: null,
          alert: { kind: "gap", cluster: ports.cluster, since, until, cause },
          sinks: ports.sinks,
        });
        break;
      }
      case "synced":
        break;
    }
  }
  return { entries, checkpoints: [...checkpoints.values()] };
}
