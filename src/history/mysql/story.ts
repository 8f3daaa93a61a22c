import { hash } from "node:crypto";
import { number } from "../../ledger/mysql/literal.ts";
import type { Session } from "../../ledger/mysql/session.ts";
import {
  type EventBrief,
  type EventStory,
  EVERYTHING,
  type Filter,
  type Tail,
  type Visible,
} from "../history.ts";
import { isVisible } from "../match.ts";
import type { Indexer } from "./indexer.ts";
import { fitting, type Numbered, readFitting, readRows } from "./rows.ts";
import { objectId } from "./taken.ts";

/** Of each kind, the newest. */
const BRIEFS = 50;
const LOOKED_AT = 500;
const ID = /^(\d{12})\/(.+)$/s;

/** What stands in the ledger's index of keys for an id of ours: when its Event was first seen, and the rest. */
function keyOf(id: string): { readonly first: string; readonly whole: string } | null {
  const [, seconds, key] = ID.exec(id) ?? [];
  if (seconds === undefined || key === undefined) return null;
  const first = (Number(seconds) % 2 ** 32).toString(16).padStart(8, "0");
  return { first, whole: first + hash("sha256", key).slice(0, 56) };
}

/** One event with its other counts and with what else befell its object; `null`: there is none, or not for this asker. */
export async function storyOf(
  session: Session,
  id: string,
  visible: Visible,
): Promise<EventStory | null> {
  const key = keyOf(id);
  if (key === null) return null;
  const [found] = await session.query(
    `SELECT seq FROM kube_crier_occurrence WHERE key_hash = X'${key.whole}'`,
  );
  const seq = Number(found?.[0]);
  if (found === undefined) return null;
  const row = (await readFitting(session, [seq], EVERYTHING, visible)).get(seq);
  if (row?.id !== id) return null;
  const { event } = row;
  // It was first seen in the same second, and befell the same object.
  const [same, others] = await Promise.all([
    readRows(
      session,
      `o.key_hash BETWEEN X'${key.first.padEnd(64, "0")}' AND X'${key.first.padEnd(64, "f")}' ORDER BY o.seq DESC LIMIT ${LOOKED_AT}`,
    ),
    ofObject(session, objectId(event.object)),
  ]);
  const all = [...new Map([...same, ...others].map((one) => [one.seq, one.row])).values()]
    .filter((other) => other.id !== id && isVisible(other.event.eventNamespace, visible))
    .toSorted((a, b) => b.at - a.at);
  return {
    row,
    occurrences: all
      .filter((other) => other.event.uid === event.uid)
      .toSorted((a, b) => b.event.count - a.event.count)
      .slice(0, BRIEFS)
      .map(brief),
    object: all
      .filter(
        (other) =>
          other.event.uid !== event.uid &&
          // Names are given again in other clusters.
          other.event.cluster === event.cluster &&
          objectId(other.event.object) === objectId(event.object),
      )
      .slice(0, BRIEFS)
      .map(brief),
  };
}

async function ofObject(session: Session, object: number): Promise<readonly Numbered[]> {
  const entries = await session.query(
    `SELECT seq FROM kube_crier_history_entry FORCE INDEX (by_object) WHERE object = ${number(object)} ORDER BY id DESC LIMIT ${LOOKED_AT}`,
  );
  if (entries.length === 0) return [];
  const seqs = entries.map(([seq]) => number(Number(seq))).join(", ");
  return readRows(session, `o.seq IN (${seqs})`);
}

export function brief({ id, at, event }: Numbered["row"]): EventBrief {
  const { type, reason, message, count, firstSeen, lastSeen, eventNamespace } = event;
  return { id, at, event: { type, reason, message, count, firstSeen, lastSeen, eventNamespace } };
}

/** Where Events are stored, by what the index has seen; what the house itself tells of is stored nowhere. */
export async function homesOf(
  session: Session,
  { classes }: Indexer,
  visible: Visible,
): Promise<readonly string[]> {
  await classes.load(session);
  const homes = new Set(Array.from(classes.all(), ([, { home }]) => home));
  return [...homes].filter((home) => home !== "" && isVisible(home, visible)).toSorted();
}

/** What arrived after `mark`, straight from the ledger: as it comes, whatever the index is at. */
export async function tailOf(
  session: Session,
  filter: Filter,
  mark: number | null,
  limit: number,
  visible: Visible,
): Promise<Tail> {
  const [row] = await session.query("SELECT MAX(seq) FROM kube_crier_occurrence");
  const newest = Number(row?.[0] ?? 0);
  if (mark === null) return { rows: [], mark: newest };
  // Another ledger has taken the place of that one, and counts from the beginning.
  const from = newest < mark ? 0 : mark;
  const rows = await readRows(
    session,
    `o.seq > ${number(from)} ORDER BY o.seq LIMIT ${number(limit)}`,
  );
  const fit = await fitting(session, rows, filter, visible);
  return {
    rows: rows.flatMap(({ seq }) => fit.get(seq) ?? []),
    mark: rows.at(-1)?.seq ?? from,
  };
}
