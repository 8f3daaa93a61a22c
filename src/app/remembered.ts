import type { Clock } from "../clock.ts";
import type { Memory } from "../history/memory.ts";
import type { Outbox } from "../ledger/ledger.ts";
import type { Ledger } from "../ledger/open.ts";

/** The ledger, with what goes in and comes out of it remembered for a page that is served. */
export function rememberedBy(memory: Memory, ledger: Ledger, clock: Clock): Ledger {
  return { ...ledger, outbox: rememberedOutbox(memory, ledger.outbox, clock) };
}

function rememberedOutbox(memory: Memory, outbox: Outbox, clock: Clock): Outbox {
  return {
    async add(entries, checkpoints, signal) {
      const taken = await outbox.add(entries, checkpoints, signal);
      const now = clock.now();
      for (const [index, entry] of entries.entries())
        if (taken[index] === "enqueued") memory.take(entry, now);
      return taken;
    },
    due(sink, now, max, except) {
      const found = outbox.due(sink, now, max, except);
      for (const delivery of found) memory.due(delivery);
      return found;
    },
    settle(id, outcome) {
      memory.settle(id, outcome);
      outbox.settle(id, outcome);
    },
    fold(sink, ids, digest, now) {
      const folded = outbox.fold(sink, ids, digest, now);
      memory.fold(ids, folded.id, now);
      return folded;
    },
    checkpoints: () => outbox.checkpoints(),
    pending: (sink, now) => outbox.pending(sink, now),
    nextAt: (sink, now) => outbox.nextAt(sink, now),
    written: () => outbox.written(),
    onAdded: (sink, callback) => outbox.onAdded(sink, callback),
    recentAttempts: (sink, since) => outbox.recentAttempts(sink, since),
    attempting: (sink, at, id) => outbox.attempting(sink, at, id),
    throttledUntil: (sink, now) => outbox.throttledUntil(sink, now),
  };
}
