import { type ConfigIssue, ConfigError } from "../config/config.ts";
import { csvHead, csvRow } from "../history/csv.ts";
import type {
  Ask,
  Cursor,
  EventPage,
  EventRow,
  HistoryReader,
  Refine,
} from "../history/history.ts";
import { type Field, parseQuery, type Query, QueryError } from "../history/parse.ts";
import { eventsTable, jsonLine } from "./event-rows.ts";
import { guarded } from "./history.ts";
import { EXIT, type ExitCode, type Io, READER_GONE } from "./io.ts";
import { readable, readerAt } from "./place.ts";
import type { HistoryOptions } from "./program/commands.ts";

/** A person waits this long, and is then told how far it came. */
const DEADLINE_MS = 30_000;
const FOLLOW_MS = 1_000;
const NOTHING =
  "nothing in the ledger fits; it keeps what was owed to a sink, for as long as --history says\n";
/** Rows of one question; more are asked for page by page. */
const PAGE = 500;

/** The fields of a query that have a flag of another name. */
const FLAGS: Partial<Record<Field, keyof HistoryOptions>> = {
  to: "until",
  ns: "namespace",
  q: "search",
};
const ASKED = [
  "since",
  "to",
  "cluster",
  "ns",
  "kind",
  "name",
  "reason",
  "type",
  "component",
  "sink",
  "state",
  "kept",
  "why",
  "q",
] as const satisfies readonly Field[];

/** `kube-crier history`: what the ledger holds, newest first: what happened, and who was told. */
export function historyCommand(options: HistoryOptions, io: Io): Promise<ExitCode> {
  return guarded(io, async () => {
    const { query, limit } = queryOf(options, io.clock.now());
    const reader = await readerAt(options, io);
    const ask = { visible: "all", deadlineMs: DEADLINE_MS, signal: io.signal } as const;
    try {
      await show({ reader, ask, query, limit, print: printerOf(options, io), io }, options);
      return EXIT.ok;
    } catch (error) {
      if (io.signal.aborted) return io.signal.reason === READER_GONE ? EXIT.ok : EXIT.interrupted;
      throw readable(options, error);
    } finally {
      await reader.close();
    }
  });
}

interface Showing {
  readonly reader: HistoryReader;
  readonly ask: Ask;
  readonly query: Query;
  readonly limit: number;
  readonly print: Printer;
  readonly io: Io;
}

async function show(showing: Showing, options: HistoryOptions): Promise<void> {
  const { reader, ask, query, print, io } = showing;
  if (options.follow === true) {
    // Where it began is asked first, so that what arrives meanwhile is not missed.
    const { mark } = await reader.tail(query.filter, null, 1, ask);
    const { rows, refine } = await pagesOf(showing, null);
    print.rows(rows.toReversed());
    tellRefine(refine, io);
    await follow(showing, mark, new Set(rows.map(({ id }) => id)));
    return;
  }
  const { refine } = await pagesOf(showing, (rows) => print.rows(rows));
  tellRefine(refine, io);
  if (print.printed === 0 && refine === null) io.stderr.write(NOTHING);
}

interface Printer {
  rows(rows: readonly EventRow[]): void;
  readonly printed: number;
}

/** What is printed at once stands in one table. */
function printerOf({ json, csv }: HistoryOptions, io: Io): Printer {
  let printed = 0;
  let isHeaded = csv !== true;
  return {
    rows: (rows) => {
      // Not before there is an answer: what is no table is not to be taken for an empty one.
      if (!isHeaded) io.stdout.write(csvHead());
      isHeaded = true;
      if (json === true) io.stdout.write(rows.map(jsonLine).join(""));
      else if (csv === true) io.stdout.write(rows.map(csvRow).join(""));
      else if (rows.length > 0)
        io.stdout.write(eventsTable(rows, printed === 0, io.stdout.columns ?? 140));
      printed += rows.length;
    },
    get printed() {
      return printed;
    },
  };
}

/** Page after page, up to the limit; each is handed over as it comes, or all are answered where nobody takes them. */
async function pagesOf(
  { reader, ask, query, limit }: Showing,
  each: ((rows: readonly EventRow[]) => void) | null,
): Promise<{ readonly rows: readonly EventRow[]; readonly refine: Refine | null }> {
  const rows: EventRow[] = [];
  let left = limit;
  let before: Cursor | null = null;
  for (;;) {
    const page: EventPage = await reader.events(query.filter, Math.min(PAGE, left), before, ask);
    if (each === null) rows.push(...page.rows);
    else each(page.rows);
    left -= page.rows.length;
    before = page.next;
    if (left <= 0) return { rows, refine: null };
    if (before === null || page.refine !== null) return { rows, refine: page.refine };
  }
}

/** What arrives after `begin`, but for what has been shown. */
async function follow(
  { reader, ask, query, print, io }: Showing,
  begin: number,
  shown: ReadonlySet<string>,
): Promise<void> {
  let mark = begin;
  while (!io.signal.aborted) {
    const tail = await reader.tail(query.filter, mark, PAGE, ask);
    const fresh = tail.rows.filter(({ id }) => !shown.has(id));
    if (fresh.length > 0) print.rows(fresh);
    if (tail.mark - mark < PAGE) await io.clock.sleep(FOLLOW_MS, io.signal);
    ({ mark } = tail);
  }
}

function tellRefine(refine: Refine | null, io: Io): void {
  if (refine === null) return;
  const since = refine.since === null ? "" : ` ${new Date(refine.since).toISOString()}`;
  io.stderr.write(
    refine.cause === "deadline"
      ? `looked back as far as${since} within ${DEADLINE_MS / 1000} s; narrow it with --since, --namespace or --reason\n`
      : `what the ledger took before${since} is not indexed yet, and may be missing; ask again\n`,
  );
}

/** @throws ConfigError with every flag that cannot be read */
function queryOf(options: HistoryOptions, now: number): { query: Query; limit: number } {
  const params = new URLSearchParams();
  for (const field of ASKED) {
    const value = options[FLAGS[field] ?? (field as keyof HistoryOptions)];
    if (typeof value === "string") params.set(field, value);
  }
  const issues: ConfigIssue[] = [];
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    issues.push({
      where: "--limit",
      message: `"${options.limit}" is not a number`,
      hint: "expected a whole number above 0",
    });
  if (options.json === true && options.csv === true)
    issues.push({
      where: "--csv",
      message: "and --json do not go together",
      hint: "give one of them",
    });
  try {
    const query = parseQuery(params, now);
    if (issues.length === 0) return { query, limit };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    for (const { field, found, expected, example } of error.problems) {
      const flag = `--${FLAGS[field as Field] ?? field}`;
      issues.push({
        where: flag,
        message: `"${found}" cannot be read`,
        hint: `expected ${expected}, like ${flag}=${example}`,
      });
    }
  }
  throw new ConfigError(issues);
}
