import { hash } from "node:crypto";
import type { KubeEvent } from "../../event/event.ts";
import { cut, number } from "../../ledger/mysql/literal.ts";
import { readEvent } from "../../ledger/readable.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import { type Traits, traitsOf } from "../match.ts";
import { searched } from "../words.ts";
import type { Classes } from "./classes.ts";
import { idOf } from "./ids.ts";

/** Rows read at once: their events are in memory together. */
export const READ = 1_000;
/** Names are kept as far as the ledger looks them up. */
const NAME_MAX = 255;

/** What the index is to know of an occurrence. */
export interface Taken {
  readonly seq: number;
  readonly id: number;
  readonly at: number;
  readonly class: number;
  readonly object: number;
  readonly name: string;
  readonly text: string;
}

/** When it was last seen; a clock that is ahead of ours must not put it before everything else for good. */
export function momentOf(lastSeen: string, receivedAt: number): number {
  const at = Date.parse(lastSeen);
  return Number.isNaN(at) ? receivedAt : Math.max(0, Math.min(at, receivedAt));
}

/** The same for the same object, so that nobody has to give numbers to objects. */
export function objectId({ kind, namespace, name }: KubeEvent["object"]): number {
  return Number.parseInt(hash("sha256", JSON.stringify([name, kind, namespace])).slice(0, 13), 16);
}

export function storedName(name: string): string {
  return cut(name, NAME_MAX);
}

/** Occurrences that a condition on `o` finds, in the order it says. */
export async function readTaken(
  session: Session,
  classes: Classes,
  where: string,
): Promise<readonly Taken[]> {
  const rows = await session.query(
    `SELECT o.seq, o.received_at, o.suppressed, o.event FROM kube_crier_occurrence o WHERE ${where}`,
  );
  if (rows.length === 0) return [];
  const seqs = rows.map(([seq]) => Number(seq));
  const owed = await session.query(
    `SELECT DISTINCT occurrence, sink FROM kube_crier_delivery FORCE INDEX (by_occurrence)
     WHERE occurrence BETWEEN ${number(Math.min(...seqs))} AND ${number(Math.max(...seqs))}`,
  );
  const sinks = Map.groupBy(owed, ([seq]) => Number(seq));
  const traits: Traits[] = [];
  const made = rows.map(([seq, receivedAt, suppressed, json]) => {
    const event = readEvent(json, Number(receivedAt));
    const at = momentOf(event.lastSeen, Number(receivedAt));
    const of = (sinks.get(Number(seq)) ?? []).map(([, sink]) => String(sink)).toSorted();
    traits.push(traitsOf(event, typeof suppressed === "string" ? suppressed : null, of));
    return {
      seq: Number(seq),
      id: idOf(at, Number(seq)),
      at,
      object: objectId(event.object),
      name: storedName(event.object.name),
      text: searched(event),
    };
  });
  const ids = await classes.idsOf(session, traits);
  return made.map((one, index) => ({ ...one, class: ids[index] ?? 0 }));
}
