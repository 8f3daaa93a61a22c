import { type Query, QueryError } from "../../history/parse.ts";
import type { GuardedEnv } from "../auth/caller.ts";
import type { Hono } from "../server.ts";
import { csvParts } from "./csv-stream.ts";
import type { Desk } from "./desk.ts";
import { askFor, readerFor, readQuery } from "./frame.ts";
import { drawReport } from "./report.ts";

const REPORT_ROWS = 1_000;
/** As many as a spreadsheet opens without complaint, and as long as a person waits for them. */
const CSV_BOUNDS = { rows: 100_000, ms: 60_000 };
const CSV_PAGE = 1_000;

/** The filtered view as a file to take along. */
export function mountExports(app: Hono<GuardedEnv>, desk: Desk, style: string): void {
  app.get("/events.csv", async (c) => {
    const params = new URL(c.req.url).searchParams;
    const query = asked(params, desk);
    const ask = await askFor(c, desk, query);
    // The page's own length is for the page; a length that somebody asks for counts.
    const bounds = params.has("limit") ? { ...CSV_BOUNDS, rows: query.limit } : CSV_BOUNDS;
    const read = (before: Query["before"], left: number) =>
      desk.reader.events(query.filter, Math.min(left, CSV_PAGE), before, ask);
    const first = await read(query.before, bounds.rows);
    const parts = csvParts(first, read, bounds, () => desk.clock.now());
    c.header("content-disposition", 'attachment; filename="kube-crier-events.csv"');
    return c.body(encoded(parts), 200, {
      "content-type": "text/csv; charset=utf-8; header=present",
    });
  });

  app.get("/report", async (c) => {
    const params = new URL(c.req.url).searchParams;
    const query = asked(params, desk);
    const ask = await askFor(c, desk, query);
    const [found, timeline] = await Promise.all([
      desk.reader.events(query.filter, REPORT_ROWS, null, ask),
      desk.reader.timeline(query.filter, query.timeline, ask),
    ]);
    c.header("content-disposition", 'attachment; filename="kube-crier-report.html"');
    const { cluster } = desk.config;
    const reader = readerFor(c, desk);
    const { from, to } = query.filter;
    return c.html(drawReport({ cluster, params, from, to, page: found, timeline, style, reader }));
  });
}

/** None is made ahead of the reader. */
function encoded(parts: AsyncGenerator<string, void, undefined>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await parts.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        await parts.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** @throws QueryError */
function asked(params: URLSearchParams, desk: Desk): Query {
  const { query, problems } = readQuery(params, desk);
  if (query === null) throw new QueryError(problems);
  return query;
}
