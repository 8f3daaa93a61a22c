import type { Checkpoint } from "../../source/source.ts";
import { witnessOf } from "../witness.ts";
import { number, text } from "./literal.ts";
import type { Session } from "./session.ts";

/** Attempts are only remembered for rate budgets; no window is longer than a day. */
const ATTEMPTS_MS = 25 * 3_600_000;
const ATTEMPTS_MAX = 1_000;

export interface SinkStart {
  readonly total: number;
  readonly oldestOwedAt: number | null;
  readonly throttledUntil: number | null;
  readonly attempts: number[];
}

/** What is in memory from the start. */
export interface Loaded {
  readonly lastOccurrence: number;
  readonly lastDelivery: number;
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly sinks: ReadonlyMap<string, SinkStart>;
}

/** How much is pending, by sink: one look through an index that holds nothing else. */
export async function countPending(
  session: Session,
): Promise<ReadonlyMap<string, Pick<SinkStart, "total" | "oldestOwedAt">>> {
  const rows = await session.query(
    "SELECT sink, COUNT(*), MIN(owed_at) FROM kube_crier_delivery FORCE INDEX (by_state) WHERE state = 'pending' GROUP BY sink",
  );
  return new Map(
    rows.map(([sink, total, oldest]) => [
      String(sink),
      { total: Number(total), oldestOwedAt: Number(oldest) },
    ]),
  );
}

export async function load(session: Session, now: number): Promise<Loaded> {
  const last = async (table: string) => {
    const [[seq] = []] = await session.query(`SELECT COALESCE(MAX(seq), 0) FROM ${table}`);
    return Number(seq);
  };
  const checkpoints = await session.query(
    "SELECT scope, cluster, resource_version, at, witness FROM kube_crier_checkpoint",
  );
  const pending = await countPending(session);
  const throttled = new Map(
    (
      await session.query(
        `SELECT sink, MAX(not_before) FROM kube_crier_delivery WHERE state = 'pending' AND reason = 'throttled' AND not_before > ${number(now)} GROUP BY sink`,
      )
    ).map(([sink, until]) => [String(sink), Number(until)]),
  );
  const attempts = await readAttempts(session, now - ATTEMPTS_MS);
  const names = new Set([...pending.keys(), ...attempts.keys()]);
  return {
    lastOccurrence: await last("kube_crier_occurrence"),
    lastDelivery: await last("kube_crier_delivery"),
    checkpoints: new Map(
      checkpoints.map(([scope, cluster, resourceVersion, at, witness]) => [
        String(scope),
        {
          scope: String(scope),
          cluster: String(cluster),
          resourceVersion: String(resourceVersion),
          at: Number(at),
          ...witnessOf(witness),
        },
      ]),
    ),
    sinks: new Map(
      [...names].map((sink) => [
        sink,
        {
          total: pending.get(sink)?.total ?? 0,
          oldestOwedAt: pending.get(sink)?.oldestOwedAt ?? null,
          throttledUntil: throttled.get(sink) ?? null,
          attempts: attempts.get(sink) ?? [],
        },
      ]),
    ),
  };
}

async function readAttempts(session: Session, since: number): Promise<Map<string, number[]>> {
  const sinks = await session.query(
    `SELECT DISTINCT sink FROM kube_crier_attempt WHERE at >= ${number(since)}`,
  );
  const attempts = new Map<string, number[]>();
  for (const [sink] of sinks) {
    const rows = await session.query(
      `SELECT at FROM kube_crier_attempt WHERE sink = ${text(String(sink))} AND at >= ${number(since)} ORDER BY at DESC LIMIT ${ATTEMPTS_MAX}`,
    );
    attempts.set(String(sink), rows.map(([at]) => Number(at)).toReversed());
  }
  return attempts;
}
