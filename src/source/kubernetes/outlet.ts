import type { Clock } from "../../clock.ts";
import type { Channel } from "../channel.ts";
import type { SourceItem } from "../source.ts";
import { linkAbort } from "./deadline.ts";

/** How long a watch is held back by a full channel before it is let go. */
const PATIENCE_MS = 30_000;

/** Puts what a stream finds into the channel that all streams of a source share. */
export class Outlet {
  readonly #channel: Channel<SourceItem>;
  readonly #clock: Clock;

  constructor(channel: Channel<SourceItem>, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  /** Waits for room as long as it takes. Throws on abort. */
  async put(item: SourceItem, signal: AbortSignal): Promise<void> {
    while (!this.#channel.offer(item)) {
      signal.throwIfAborted();
      await this.#channel.room();
    }
  }

  /**
   * Waits for room only so long: a watch that is not read fills the buffers of the API server, which then ends it.
   * False: the item was not put. At once, without a promise, where there is room.
   */
  offer(item: SourceItem, signal: AbortSignal): boolean | Promise<boolean> {
    return this.#channel.offer(item) || this.#patiently(item, signal);
  }

  async #patiently(item: SourceItem, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    const unlink = linkAbort(signal, () => over.abort());
    const patience = this.#clock.sleep(PATIENCE_MS, over.signal).then(() => "late" as const);
    try {
      for (;;) {
        const room = this.#channel.room().then(() => "room" as const);
        if ((await Promise.race([room, patience])) === "late") return false;
        if (this.#channel.offer(item)) return true;
        if (signal.aborted) return false;
      }
    } finally {
      over.abort();
      unlink();
    }
  }
}
