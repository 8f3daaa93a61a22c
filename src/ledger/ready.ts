import type { Delivery } from "../event/delivery.ts";

/** What one sink's queue may hold: characters of messages, and so many more for the rest of each event. */
const ROOM = 1_000_000;
const EVENT_CHARACTERS = 1_000;
/** Read from the store at once, where more is asked for than is here. */
export const READ_AHEAD = 32;

interface Queue {
  /** Due, by id, in the order in which they fell due: the beginning of what the store has. */
  readonly deliveries: Map<string, Delivery>;
  /** The store has nothing due but these. */
  whole: boolean;
  /** When the next one falls due that is not here; `null`: none. Holds where `whole` does. */
  laterAt: number | null;
  characters: number;
}

/**
 * What the store has due, as far as memory knows it: what was just written need not be read back. It never knows better than the store;
 * in doubt it is told to forget.
 */
export class Ready {
  readonly #queues = new Map<string, Queue>();

  /** The first `max` of a sink that are not in `except`; `null`: the store has to be asked. */
  take(
    sink: string,
    now: number,
    max: number,
    except: ReadonlySet<string>,
  ): readonly Delivery[] | null {
    const queue = this.#queues.get(sink);
    // What falls due anew has its place in an order that the store knows.
    if (queue === undefined || (queue.laterAt !== null && queue.laterAt <= now)) return null;
    const found: Delivery[] = [];
    for (const delivery of queue.deliveries.values()) {
      if (found.length === max) return found;
      if (!except.has(delivery.id)) found.push(delivery);
    }
    return found.length === max || queue.whole ? found : null;
  }

  /** When the next one falls due that is not due at `now`; undefined: the store has to be asked. */
  laterThan(sink: string, now: number): number | null | undefined {
    const queue = this.#queues.get(sink);
    if (queue?.whole !== true) return undefined;
    const [first] = queue.deliveries.values();
    if (first !== undefined && first.notBefore > now) return undefined;
    return queue.laterAt === null || queue.laterAt > now ? queue.laterAt : undefined;
  }

  /**
   * What the store answered: its first due deliveries.
   * @param laterAt when the next one falls due, if they are all; undefined where there may be more
   */
  read(sink: string, deliveries: readonly Delivery[], laterAt: number | null | undefined): void {
    const queue: Queue = { deliveries: new Map(), whole: true, laterAt: null, characters: 0 };
    this.#queues.set(sink, queue);
    for (const delivery of deliveries) if (!put(queue, delivery)) return;
    queue.whole = laterAt !== undefined;
    queue.laterAt = laterAt ?? null;
  }

  /** Written, and due at once. */
  added(delivery: Delivery): void {
    const queue = this.#queues.get(delivery.sink);
    if (queue?.whole !== true) return;
    put(queue, delivery);
  }

  /** @param dueAt when it is due again; `null`: never */
  settled(id: string, dueAt: number | null): void {
    for (const queue of this.#queues.values()) {
      const delivery = queue.deliveries.get(id);
      if (delivery === undefined) continue;
      queue.deliveries.delete(id);
      queue.characters -= charactersOf(delivery);
      if (dueAt !== null && queue.whole) queue.laterAt = Math.min(queue.laterAt ?? dueAt, dueAt);
      return;
    }
    // Whose it is only the store knows.
    if (dueAt !== null) this.forget();
  }

  forget(): void {
    this.#queues.clear();
  }
}

/** At its end, if there is room: without it the store has more than is here. */
function put(queue: Queue, delivery: Delivery): boolean {
  const characters = charactersOf(delivery);
  if (queue.characters + characters > ROOM) {
    queue.whole = false;
    queue.laterAt = null;
    return false;
  }
  queue.deliveries.set(delivery.id, delivery);
  queue.characters += characters;
  return true;
}

function charactersOf({ alert }: Delivery): number {
  return EVENT_CHARACTERS + (alert.kind === "event" ? alert.event.message.length : 0);
}
