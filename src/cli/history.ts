import type { DeliveryRow, History, HistoryFilter, HistoryRow } from "../ledger/ledger.ts";
import { type ConfigIssue, ConfigError } from "../config/config.ts";
import { isCanary } from "../event/canary.ts";
import type { DeliveryState } from "../event/delivery.ts";
import { parseDuration } from "../sink/schema.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { tellProblems } from "./problems.ts";
import { historyAt } from "./place.ts";
import type { HistoryOptions, Place } from "./program/commands.ts";
import { duration, shorten, table } from "./table.ts";

/** `kube-crier history`: what the ledger holds, newest first: what happened, and who was told. */
export function historyCommand(options: HistoryOptions, io: Io): Promise<ExitCode> {
  return guarded(io, async () => {
    const filter = filterOf(options, io);
    return withHistory(options, io, "read", (history) =>
      showHistory(history, filter, options.json === true, io),
    );
  });
}

/** `kube-crier dead list`: what was given up, why, and how to try again. */
export function deadListCommand(
  options: Place & { readonly sink?: string; readonly json?: true },
  io: Io,
): Promise<ExitCode> {
  return guarded(io, () =>
    withHistory(options, io, "read", (history) =>
      showDead(history, options.sink ?? null, options.json === true, io),
    ),
  );
}

/** `kube-crier dead retry`: owes dead letters again; a running kube-crier notices by itself. */
export function deadRetryCommand(
  ids: readonly string[],
  options: Place & { readonly sink?: string },
  io: Io,
): Promise<ExitCode> {
  return guarded(io, () =>
    withHistory(options, io, "write", (history) =>
      retryDead(history, ids, options.sink ?? null, io),
    ),
  );
}

/** `kube-crier dead discard`: puts dead letters away that nobody needs. */
export function deadDiscardCommand(
  ids: readonly string[],
  options: Place & { readonly sink?: string },
  io: Io,
): Promise<ExitCode> {
  return guarded(io, () =>
    withHistory(options, io, "write", async (history) => {
      const count = await history.discard(ids, options.sink ?? null);
      return tellChanged(count, ids, "discarded", io);
    }),
  );
}

async function showHistory(
  history: History,
  filter: HistoryFilter,
  json: boolean,
  io: Io,
): Promise<ExitCode> {
  const rows = await history.events(filter);
  if (json) {
    for (const row of rows)
      io.stdout.write(
        `${JSON.stringify({ ...row, receivedAt: new Date(row.receivedAt).toISOString(), deliveries: row.deliveries.map(plain) })}\n`,
      );
    return EXIT.ok;
  }
  if (rows.length === 0) {
    io.stderr.write(
      "nothing in the ledger fits; it keeps what was owed to a sink, for as long as --history says\n",
    );
    return EXIT.ok;
  }
  const columns = Math.max(20, (io.stdout.columns ?? 140) - 84);
  io.stdout.write(
    table(
      ["last seen", "n", "type", "reason", "object", "told", "message"],
      rows.map((row) => [
        row.event.lastSeen.slice(0, 19).replace("T", " "),
        String(row.event.count),
        row.event.type,
        shorten(row.event.reason, 24),
        shorten(objectOf(row), 40),
        toldTo(row),
        shorten(row.event.message, columns),
      ]),
    ),
  );
  return EXIT.ok;
}

async function showDead(
  history: History,
  sink: string | null,
  json: boolean,
  io: Io,
): Promise<ExitCode> {
  const rows = await history.deliveries({
    state: "dead",
    limit: 1000,
    ...(sink === null ? {} : { sink }),
  });
  if (json) {
    for (const row of rows) io.stdout.write(`${JSON.stringify(plain(row))}\n`);
    return EXIT.ok;
  }
  if (rows.length === 0) {
    io.stderr.write("no dead letters\n");
    return EXIT.ok;
  }
  const now = io.clock.now();
  io.stdout.write(
    table(
      ["id", "sink", "owed", "tries", "reason", "what", "detail"],
      rows.map((row) => [
        row.id,
        row.sink,
        `${duration(now - row.owedAt)} ago`,
        String(row.attempts),
        row.reason ?? "",
        shorten(whatOf(row), 48),
        shorten(row.detail ?? "", 80),
      ]),
    ),
  );
  io.stderr.write(
    `\n${rows.length} dead; "kube-crier dead retry [ID…]" owes them again, "dead discard" puts them away\n`,
  );
  return EXIT.ok;
}

async function retryDead(
  history: History,
  ids: readonly string[],
  sink: string | null,
  io: Io,
): Promise<ExitCode> {
  const count = await history.retry(ids, sink, io.clock.now());
  return tellChanged(count, ids, "owed again", io);
}

function tellChanged(count: number, ids: readonly string[], what: string, io: Io): ExitCode {
  if (ids.length > 0 && count < ids.length) {
    io.stderr.write(
      `${count} of ${ids.length} are dead letters and ${what}; see "kube-crier dead list" for the ids\n`,
    );
    return EXIT.failed;
  }
  io.stderr.write(`${count} ${count === 1 ? "delivery is" : "deliveries are"} ${what}\n`);
  return EXIT.ok;
}

function objectOf({ event }: HistoryRow): string {
  const { kind, name, namespace } = event.object;
  return namespace === null ? `${kind} ${name}` : `${namespace}/${kind} ${name}`;
}

const MARKS = { delivered: "✓", pending: "…", dead: "✗", folded: "≡", discarded: "∅" } as const;

function told(row: DeliveryRow): string {
  return `${MARKS[row.state]}${row.sink}`;
}

/** A canary that was followed to the ledger alone is owed to nobody. */
function toldTo({ event, suppressed, deliveries }: HistoryRow): string {
  if (suppressed !== null) return `–${suppressed}`;
  if (deliveries.length === 0 && isCanary(event)) return "(canary)";
  return deliveries.map(told).join(" ");
}

function whatOf({ alert }: DeliveryRow): string {
  switch (alert.kind) {
    case "event":
      return `${alert.event.reason} ${alert.event.object.kind} ${alert.event.object.name}`;
    case "digest":
      return `digest of ${alert.total}`;
    case "gap":
      return `gap ${alert.since} to ${alert.until}`;
  }
}

/** Times as ISO-8601 for programs; the event stands once, in the row itself. */
function plain(row: DeliveryRow): Record<string, unknown> {
  const { alert, owedAt, settledAt, notBefore, ...rest } = row;
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    ...rest,
    owedAt: iso(owedAt),
    settledAt: iso(settledAt),
    notBefore: iso(notBefore),
    what: whatOf(row),
    alert: alert.kind === "event" ? { kind: "event", key: alert.event.key } : alert,
  };
}

async function guarded(io: Io, work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    return tellProblems(error, io);
  }
}

async function withHistory(
  place: Place,
  io: Io,
  mode: "read" | "write",
  work: (history: History) => Promise<ExitCode>,
): Promise<ExitCode> {
  const history = await historyAt(place, io, mode);
  try {
    return await work(history);
  } finally {
    await history.close();
  }
}

/** @throws ConfigError on a time or number that cannot be read */
function filterOf(options: HistoryOptions, io: Io): HistoryFilter {
  const issues: ConfigIssue[] = [];
  const since = options.since === undefined ? null : parseDuration(options.since);
  if (options.since !== undefined && since === null)
    issues.push({
      where: "--since",
      message: `"${options.since}" is not a duration`,
      hint: "expected a number with a unit, like 30m, 12h or 7d",
    });
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1)
    issues.push({
      where: "--limit",
      message: `"${options.limit}" is not a number`,
      hint: "expected a whole number above 0",
    });
  if (issues.length > 0) throw new ConfigError(issues);
  const { sink, namespace, kind, name, reason } = options;
  return {
    limit,
    ...(since === null ? {} : { since: io.clock.now() - since }),
    ...(options.state === undefined ? {} : { state: options.state as DeliveryState }),
    ...(sink === undefined ? {} : { sink }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(kind === undefined ? {} : { kind }),
    ...(name === undefined ? {} : { name }),
    ...(reason === undefined ? {} : { reason }),
  };
}
