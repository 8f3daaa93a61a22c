import { type ConfigIssue, ConfigError } from "../config/config.ts";
import type { EventRow, Filter } from "../history/history.ts";
import { momentOf } from "../history/sqlite/indexer.ts";
import { storedKey } from "../ledger/key.ts";
import type { HistoryFilter } from "../ledger/ledger.ts";
import type { Io } from "./io.ts";
import { historyAt } from "./place.ts";
import type { HistoryOptions } from "./program/commands.ts";

/** What only the embedded ledger has an index for. */
const EMBEDDED = [
  "until",
  "cluster",
  "type",
  "component",
  "kept",
  "why",
  "search",
  "follow",
] as const;
/** One value of each can be asked of a database. */
const SINGLE = {
  namespaces: "namespace",
  kinds: "kind",
  names: "name",
  reasons: "reason",
  sinks: "sink",
  states: "state",
} as const satisfies Partial<Record<keyof Filter, keyof HistoryFilter>>;

/**
 * What a ledger in MySQL holds, by arrival.
 * @throws ConfigError for what it cannot be asked
 */
export async function rowsInDatabase(
  options: HistoryOptions,
  filter: Filter,
  limit: number,
  io: Io,
): Promise<readonly EventRow[]> {
  const issues: ConfigIssue[] = EMBEDDED.filter((flag) => options[flag] !== undefined).map(
    (flag) => ({
      where: `--${flag}`,
      message: "cannot be asked of a ledger in MySQL",
      hint: "leave it out, or ask the database itself",
    }),
  );
  const asked: Record<string, string> = {};
  for (const [field, flag] of Object.entries(SINGLE) as [keyof typeof SINGLE, string][]) {
    const [value, ...more] = filter[field];
    if (more.length > 0 || value?.endsWith("*") === true)
      issues.push({
        where: `--${flag}`,
        message: "of a ledger in MySQL one exact value can be asked",
        hint: "give one, without *",
      });
    else if (value !== undefined) asked[flag] = value;
  }
  if (issues.length > 0) throw new ConfigError(issues);
  const history = await historyAt(options, io, "read");
  try {
    const since = filter.from === null ? {} : { since: filter.from };
    const rows = await history.events({ ...(asked as HistoryFilter), ...since, limit });
    return rows.map((row) => ({
      ...row,
      id: storedKey(row.event),
      at: momentOf(row.event.lastSeen, row.receivedAt),
    }));
  } finally {
    await history.close();
  }
}
