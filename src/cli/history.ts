import type { DeliveryRow, History } from "../ledger/ledger.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { tellProblems } from "./problems.ts";
import { historyAt } from "./place.ts";
import type { Place } from "./program/commands.ts";
import { duration, shorten, table } from "./table.ts";
import { counted } from "../observe/counted.ts";

/** More than a person reads; what is left out is said. */
const DEAD_SHOWN = 1_000;

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
      const sink = options.sink ?? null;
      const count = await history.discard(ids, sink);
      if (count === 0) await tellUnknown(history, sink, io);
      return tellChanged(count, ids, "discarded", io);
    }),
  );
}

async function showDead(
  history: History,
  sink: string | null,
  json: boolean,
  io: Io,
): Promise<ExitCode> {
  const rows = await history.deliveries({
    state: "dead",
    limit: DEAD_SHOWN,
    ...(sink === null ? {} : { sink }),
  });
  const all = rows.length < DEAD_SHOWN ? rows.length : await countDead(history, sink);
  const cut =
    all > rows.length
      ? `the newest ${rows.length} of ${all}; "kube-crier history --state=dead" goes back further\n`
      : "";
  if (json) {
    for (const row of rows) io.stdout.write(`${JSON.stringify(plain(row))}\n`);
    io.stderr.write(cut);
    return EXIT.ok;
  }
  if (rows.length === 0) {
    await tellUnknown(history, sink, io);
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
    `\n${cut}${all} dead; "kube-crier dead retry [ID…]" owes them again, "dead discard" puts them away\n`,
  );
  return EXIT.ok;
}

async function countDead(history: History, sink: string | null): Promise<number> {
  const counts = await history.counts();
  return [...counts]
    .filter(([name]) => sink === null || name === sink)
    .reduce((sum, [, { dead }]) => sum + dead, 0);
}

async function retryDead(
  history: History,
  ids: readonly string[],
  sink: string | null,
  io: Io,
): Promise<ExitCode> {
  const count = await history.retry(ids, sink, io.clock.now());
  if (count === 0) await tellUnknown(history, sink, io);
  return tellChanged(count, ids, "owed again", io);
}

/** A name that was mistyped has no dead letters either. It is not repeated: some give a sink's address, with its token. */
async function tellUnknown(history: History, sink: string | null, io: Io): Promise<void> {
  if (sink === null) return;
  const known = [...(await history.counts()).keys()];
  if (known.includes(sink)) return;
  const others = known.length === 0 ? "" : `; it has some to ${known.toSorted().join(", ")}`;
  io.stderr.write(`the ledger has no delivery to a sink of that name${others}\n`);
}

function tellChanged(count: number, ids: readonly string[], what: string, io: Io): ExitCode {
  if (ids.length > 0 && count < ids.length) {
    io.stderr.write(
      `${count} of ${ids.length} are dead letters and ${what}; see "kube-crier dead list" for the ids\n`,
    );
    return EXIT.failed;
  }
  io.stderr.write(`${counted(count, "delivery is", "deliveries are")} ${what}\n`);
  return EXIT.ok;
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
export function plain(row: DeliveryRow): Record<string, unknown> {
  const { alert, owedAt, settledAt, notBefore, tries, ...rest } = row;
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  return {
    ...rest,
    owedAt: iso(owedAt),
    settledAt: iso(settledAt),
    notBefore: iso(notBefore),
    tries: tries.map((one) => ({ ...one, at: iso(one.at) })),
    what: whatOf(row),
    alert: alert.kind === "event" ? { kind: "event", key: alert.event.key } : alert,
  };
}

export async function guarded(io: Io, work: () => Promise<ExitCode>): Promise<ExitCode> {
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
