import { type Query, QueryError, type QueryProblem } from "../../history/parse.ts";
import { callerOf } from "../auth/caller.ts";
import { Refusal } from "../auth/refusal.ts";
import type { Desk } from "./desk.ts";
import type { Outlet, Sight, Writing } from "./follower.ts";
import { type C, askerOf, visibleFor } from "./frame.ts";
import type { TailHub } from "./tail.ts";

/** Followers at once; of one person. */
export const MOST = 1_000;
export const MOST_OF_ONE = 500;
/** What waits for a client that does not read: more is not kept for it. */
const BUFFER_BYTES = 128 * 1024;
/** How long somebody who was let go may take for the rest. */
const CUT_MS = 10_000;

/** The answer to somebody who follows: what arrives, as server-sent events, until they or we go. */
export async function follow(
  c: C,
  desk: Desk,
  hub: TailHub,
  query: Query,
  writing: Writing,
): Promise<Response> {
  const after = placeOf(c);
  const visible = await visibleFor(c, desk, query);
  const asker = askerOf(c);
  if (hub.size >= MOST)
    throw new Refusal(503, `${MOST} follow already; try again later`, { "Retry-After": "10" });
  if (hub.sizeOf(asker) >= MOST_OF_ONE)
    throw new Refusal(429, `you follow ${MOST_OF_ONE} times already; end some of them`, {
      "Retry-After": "10",
    });
  const look = () => lookAgain(c, desk, query);
  c.header("content-type", "text/event-stream");
  c.header("cache-control", "no-store");
  // nginx would keep it back.
  c.header("x-accel-buffering", "no");
  // Nothing comes behind it.
  c.header("connection", "close");
  // Of HEAD nobody reads the body: it would be followed for ever, and take the place of somebody.
  if (c.req.method === "HEAD") return c.body(null);
  const { filter } = query;
  return c.body(
    streamOf((outlet) => hub.follow({ asker, filter, visible, writing, after, look, outlet }), {
      ended: () => void cutUnlessTaken(c, desk),
    }),
  );
}

/**
 * Where the reader was: a browser that connects again says it in a header, a page in its address.
 * @throws QueryError
 */
function placeOf(c: C): number | null {
  const header = c.req.header("last-event-id");
  const told = header ?? c.req.query("after") ?? "";
  if (told === "") return null;
  if (/^\d{1,15}$/.test(told)) return Number(told);
  const problem: QueryProblem = {
    field: header === undefined ? "after" : "Last-Event-ID",
    found: told,
    expected: "the id of the last message that you have",
    example: "81234",
  };
  throw new QueryError([problem]);
}

async function lookAgain(c: C, desk: Desk, query: Query): Promise<Sight> {
  try {
    const caller = await c.get("again")();
    if (caller === null || caller.identity.name !== callerOf(c).identity.name)
      return { kind: "refused", refusal: new Refusal(401, "you are not signed in any more") };
    c.set("caller", caller);
    return { kind: "sees", visible: await visibleFor(c, desk, query) };
  } catch (error) {
    if (!(error instanceof Refusal) || error.status === 503 || error.status === 429)
      return { kind: "unknown" };
    return { kind: "refused", refusal: error };
  }
}

/** Whoever takes nothing any more keeps neither what was written last nor a connection. */
async function cutUnlessTaken(c: C, { clock }: Pick<Desk, "clock">): Promise<void> {
  const { outgoing } = c.env;
  const closed = new AbortController();
  outgoing.once("close", () => closed.abort());
  if (!outgoing.closed) await clock.sleep(CUT_MS, closed.signal);
  if (!outgoing.closed) outgoing.destroy();
}

function streamOf(
  begin: (outlet: Outlet) => () => void,
  { ended }: { readonly ended: () => void },
): ReadableStream<Uint8Array> {
  const client = { leave: () => {} };
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        client.leave = begin({
          hasRoom: () => (controller.desiredSize ?? 0) > 0,
          write: (chunk) => controller.enqueue(chunk),
          end: () => {
            controller.close();
            ended();
          },
        });
      },
      cancel: () => client.leave(),
    },
    { highWaterMark: BUFFER_BYTES, size: (chunk) => chunk.byteLength },
  );
}
