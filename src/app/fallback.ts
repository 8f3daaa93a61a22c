import {
  type Ask,
  type EventPage,
  type Filter,
  type HistoryReader,
  UnreadableError,
} from "../history/history.ts";
import type { Awaitable } from "../ledger/ledger.ts";
import type { Newest } from "./recall.ts";

/** What the store has been unable to say, since when; `null`: it answers. */
export interface Unread {
  readonly since: number;
  readonly detail: string;
}

export interface FallbackPorts {
  readonly memory: Newest;
  readonly now: () => number;
  /** Since when what arrives is written nowhere; `null`: it is written. */
  readonly unwrittenSince: () => number | null;
}

/**
 * The history, and what memory has where the store cannot be read, or lacks what could not be written: events and their stories. Other
 * questions are the store's alone.
 */
export function orMemory(
  reader: HistoryReader,
  { memory, now, unwrittenSince }: FallbackPorts,
): { readonly reader: HistoryReader; readonly unread: () => Unread | null } {
  const state: { unread: Unread | null } = { unread: null };
  const asked = async <T>(
    answer: Promise<T>,
    instead: (error: UnreadableError) => Awaitable<T>,
  ): Promise<T> => {
    try {
      const value = await answer;
      state.unread = null;
      return value;
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      state.unread = { since: state.unread?.since ?? now(), detail: error.message };
      return await instead(error);
    }
  };
  return {
    unread: () => state.unread,
    reader: {
      ...reader,
      async events(filter, limit, before, ask) {
        const page = await asked(reader.events(filter, limit, before, ask), () =>
          memory.events(filter, limit, before, ask.visible),
        );
        const since = unwrittenSince();
        return since === null || before !== null || state.unread !== null
          ? page
          : withUnwritten(page, memory, filter, limit, ask, since);
      },
      async event(id, ask) {
        const story = await asked(reader.event(id, ask), async (error) => {
          const known = await memory.event(id, ask.visible);
          // It may be there all the same: that cannot be said now.
          if (known === null) throw error;
          return known;
        });
        return story ?? (unwrittenSince() === null ? null : memory.event(id, ask.visible));
      },
    },
  };
}

/** The newest page of a store that can be read and not written. */
async function withUnwritten(
  page: EventPage,
  memory: Newest,
  filter: Filter,
  limit: number,
  { visible }: Ask,
  since: number,
): Promise<EventPage> {
  const stored = new Set(page.rows.map(({ id }) => id));
  const { rows } = await memory.events(filter, limit, null, visible, since);
  const fresh = rows.filter(({ id }) => !stored.has(id));
  return { ...page, rows: [...fresh, ...page.rows].toSorted((a, b) => b.at - a.at) };
}
