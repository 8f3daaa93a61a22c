import type { EventRow, Filter, Visible } from "../../history/history.ts";
import { type QueryProblem, QueryError } from "../../history/parse.ts";
import { type Html, streamSSE } from "../server.ts";
import type { Desk } from "./desk.ts";
import type { C } from "./frame.ts";
import type { TailHub } from "./tail.ts";

/** Proxies cut connections on which nothing moves, and who is gone without a word is noticed by it. */
const PING_MS = 15_000;
/** Rows that may wait for a reader who does not take them. Then the connection is cut, and who comes back goes on where it was. */
const WAITING_MAX = 1_000;

export interface Followed {
  readonly filter: Filter;
  readonly visible: Visible;
  /** Of each message. */
  readonly event: string;
  readonly draw: (row: EventRow) => Html | string;
}

/** What arrives, as server-sent events, until the reader leaves or the server ends. */
export function streamTail(
  c: C,
  { clock, signal }: Pick<Desk, "clock" | "signal">,
  hub: TailHub,
  { filter, visible, event, draw }: Followed,
): Response {
  const after = placeOf(c);
  return streamSSE(c, async (stream) => {
    const over = new AbortController();
    stream.onAbort(() => over.abort());
    const end = AbortSignal.any([over.signal, signal]);
    let waiting = 0;
    const send = async (message: () => Promise<unknown>): Promise<void> => {
      waiting += 1;
      if (waiting > WAITING_MAX && !end.aborted) {
        over.abort();
        c.env.incoming.socket.destroy();
      }
      if (end.aborted) return;
      await message().catch(() => over.abort());
      waiting -= 1;
    };
    const leave = hub.follow({
      filter,
      visible,
      after,
      show: (rows, mark) => {
        for (const row of rows)
          void send(() => stream.writeSSE({ event, data: draw(row), id: String(mark) }));
      },
    });
    while (!end.aborted) {
      await clock.sleep(PING_MS, end);
      if (!end.aborted) void send(() => stream.write(":\n\n"));
    }
    leave();
  });
}

/**
 * Where the reader was: a browser that connects again says it in a header, a page in its address.
 * @throws QueryError
 */
function placeOf(c: C): number | null {
  const told = c.req.header("last-event-id") ?? c.req.query("after") ?? "";
  if (told === "") return null;
  if (/^\d{1,15}$/.test(told)) return Number(told);
  const problem: QueryProblem = {
    field: "after",
    found: told,
    expected: "the id of the last message that you have",
    example: "81234",
  };
  throw new QueryError([problem]);
}
