import type {
  Ask,
  Cursor,
  DeliveryPage,
  DeliveryStory,
  EventPage,
  EventStory,
  Filter,
  HistoryReader,
  SinkCounts,
  Tail,
  Timeline,
  TimelineQuery,
  Visible,
} from "./history.ts";

/** What each question asks and gets: plain data, so that it can go to another thread. */
export interface Questions {
  events: {
    asks: { filter: Filter; limit: number; before: Cursor | null };
    gets: EventPage;
  };
  timeline: { asks: { filter: Filter; query: TimelineQuery }; gets: Timeline };
  event: { asks: { id: string }; gets: EventStory | null };
  delivery: { asks: { id: string }; gets: DeliveryStory | null };
  deliveries: {
    asks: {
      query: Parameters<HistoryReader["deliveries"]>[0];
      before: number | null;
    };
    gets: DeliveryPage;
  };
  sinks: { asks: object; gets: readonly SinkCounts[] };
  namespaces: { asks: object; gets: readonly string[] };
  tail: { asks: { filter: Filter; mark: number | null; limit: number }; gets: Tail };
}

export type Kind = keyof Questions;

export type Question = {
  [K in Kind]: {
    readonly kind: K;
    readonly visible: Visible;
    readonly deadlineMs: number;
    readonly asker?: string;
  } & Questions[K]["asks"];
}[Kind];

export type Answer = Questions[Kind]["gets"];

/** Whoever can answer questions one after the other. */
export interface Answering {
  answer(question: Question, signal: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

/** The reader over it. */
export function readerOf(answering: Answering): HistoryReader {
  const ask = <K extends Kind>(kind: K, asks: Questions[K]["asks"], { signal, ...who }: Ask) =>
    answering.answer({ kind, ...who, ...asks } as unknown as Question, signal) as Promise<
      Questions[K]["gets"]
    >;
  return {
    events: (filter, limit, before, who) => ask("events", { filter, limit, before }, who),
    timeline: (filter, query, who) => ask("timeline", { filter, query }, who),
    event: (id, who) => ask("event", { id }, who),
    delivery: (id, who) => ask("delivery", { id }, who),
    deliveries: (query, before, who) => ask("deliveries", { query, before }, who),
    sinks: (who) => ask("sinks", {}, who),
    namespaces: (who) => ask("namespaces", {}, who),
    tail: (filter, mark, limit, who) => ask("tail", { filter, mark, limit }, who),
    close: () => answering.close(),
  };
}
