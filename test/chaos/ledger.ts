import { crier } from "../support/crier.ts";
import type { LedgerDelivery, LedgerEvent } from "./books.ts";

export interface Ledger {
  readonly events: readonly LedgerEvent[];
  readonly deliveries: readonly LedgerDelivery[];
  /** Where `history`, `dead list` and `ledger export` do not say the same. */
  readonly contradictions: readonly string[];
}

interface HistoryRow {
  readonly event: LedgerEvent;
  readonly deliveries: readonly { readonly id: string; readonly state: string }[];
}

/** The ledger as the command line shows it. */
export async function readLedger(place: readonly string[]): Promise<Ledger> {
  const [exported, history, dead, check] = await Promise.all([
    lines<ExportRow>(["ledger", "export", ...place]),
    lines<HistoryRow>(["history", "--json", "--limit=1000000", ...place]),
    lines<{ readonly id: string }>(["dead", "list", "--json", ...place]),
    crier(["ledger", "check", ...place]),
  ]);
  const events = exported.flatMap((row) => (row.type === "event" ? [row.event] : []));
  const deliveries = exported.flatMap((row) => (row.type === "delivery" ? [row] : []));
  const states = deliveries
    .filter(({ event }) => event !== null)
    .map(({ id, state }) => `${id} ${state}`);
  const told = history.flatMap((row) => row.deliveries.map(({ id, state }) => `${id} ${state}`));
  return {
    events,
    deliveries,
    contradictions: [
      ...differ(
        "events of history",
        events.map(({ key }) => key),
        history.map(({ event }) => event.key),
      ),
      ...differ("deliveries of history", states, told),
      ...differ(
        "dead letters",
        deliveries.filter(({ state }) => state === "dead").map(({ id }) => id),
        dead.map(({ id }) => id),
      ),
      ...(check.code === 0 ? [] : [`ledger check ended with ${check.code}: ${check.stdout}`]),
    ],
  };
}

type ExportRow =
  | { readonly type: "ledger" | "attempt" }
  | { readonly type: "event"; readonly event: LedgerEvent }
  | ({ readonly type: "delivery" } & LedgerDelivery);

async function lines<T>(args: readonly string[]): Promise<readonly T[]> {
  const { code, stdout, stderr } = await crier(args);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}: ${stderr}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

function differ(
  what: string,
  exported: readonly string[],
  other: readonly string[],
): readonly string[] {
  const here = new Set(exported);
  const there = new Set(other);
  const only = [
    ...[...here].filter((one) => !there.has(one)),
    ...[...there].filter((one) => !here.has(one)),
  ];
  return only.length === 0
    ? []
    : [`${what}: export says ${here.size} and they say ${there.size}, differing in ${only[0]}`];
}
