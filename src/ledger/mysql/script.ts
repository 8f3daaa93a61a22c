import type { Alert } from "../../event/alert.ts";
import { ATTEMPTS_KEPT, type Attempt, type Delivery, type Outcome } from "../../event/delivery.ts";
import type { KubeEvent } from "../../event/event.ts";
import type { Checkpoint } from "../../source/source.ts";
import { ANSWERED, BEGUN } from "../rows.ts";
import { witnessText } from "../witness.ts";
import { cut, keyHash, number, SERVER_NOW, text } from "./literal.ts";
import { storedJson } from "./stored.ts";

/** A pending delivery, and its number in the tables. */
export interface Owed {
  readonly seq: number;
  readonly delivery: Delivery;
}

export interface Take {
  /** `null` where there is no occurrence behind it (a digest, a gap without one). */
  readonly event: KubeEvent | null;
  readonly seq: number;
  readonly receivedAt: number;
  readonly suppressed: string | null;
  readonly owed: readonly Owed[];
  /** Owed even if the occurrence is already there: it was decided while the database could not be asked. */
  force: boolean;
}

export interface Settle {
  readonly id: string;
  /** `null`: its number is not known any more. */
  readonly seq: number | null;
  readonly outcome: Outcome;
  /** All attempts it has had; those to add where its number is not known. */
  readonly attempts: number;
  /** What became of the attempts that are not written yet, oldest first. */
  readonly tries: readonly Tried[];
}

/** As an attempt is kept; `reason` null: it delivered. */
export type Tried = Omit<Attempt, "reason" | "detail"> & {
  readonly reason: Attempt["reason"] | null;
  readonly detail: string | null;
};

export interface Fold {
  readonly ids: readonly string[];
  readonly digest: Owed;
  readonly at: number;
}

export interface Batch {
  readonly takes: readonly Take[];
  readonly folds: readonly Fold[];
  readonly settles: readonly Settle[];
  readonly attempts: readonly {
    readonly sink: string;
    readonly at: number;
    readonly id: string | null;
  }[];
  readonly checkpoints: readonly Checkpoint[];
}

/** A request stays far below what the smallest server takes (`max_allowed_packet`, 4 MB in MySQL 5.7). */
const REQUEST_MAX = 1_000_000;

/**
 * One transaction as requests, each of several statements. All of it may be said again when no answer came: numbers and ids are ours,
 * and what is there already stays as it is. The last statement answers which of the occurrences are new.
 */
export function transaction(batch: Batch, holder: string): readonly (readonly string[])[] {
  const { takes, folds, settles, attempts, checkpoints } = batch;
  const owed = takes.flatMap((take) => take.owed.map((one) => [one, take] as const));
  const folded = new Set(folds.flatMap(({ ids }) => ids));
  // What was folded after it failed had that attempt; an answer that comes after the fold finds no number, and changes nothing.
  const isBefore = ({ id, seq }: Settle) => seq !== null && folded.has(id);
  const statements = [
    "START TRANSACTION",
    ...inserts(
      "INSERT INTO kube_crier_occurrence (seq, key_hash, received_at, namespace, kind, name, reason, suppressed, event) VALUES ",
      takes.flatMap((take) => (take.event === null ? [] : occurrence(take, take.event))),
      " ON DUPLICATE KEY UPDATE seq = seq",
    ),
    ...inserts(
      "INSERT INTO kube_crier_delivery (seq, id, sink, occurrence, alert, state, attempts, owed_at, not_before) VALUES ",
      [
        ...owed.map(([one, take]) => deliveryOf(one, take)),
        ...folds.map(({ digest }) => deliveryOf(digest, null)),
      ],
      " ON DUPLICATE KEY UPDATE seq = seq",
    ),
    ...orphans(owed.flatMap(([one, { force, event }]) => (force || event === null ? [] : one.seq))),
    ...settles.filter(isBefore).map(settlement),
    ...folds.flatMap(({ ids, digest, at }) =>
      inserts(
        `UPDATE kube_crier_delivery SET state = 'folded', settled_at = ${number(at)}, sent = NULL, folded_into = ${text(digest.delivery.id)} WHERE state = 'pending' AND id IN (`,
        ids.map((id) => text(id)),
        ")",
      ),
    ),
    ...inserts(
      `UPDATE kube_crier_delivery SET sent = ${BEGUN} WHERE state = 'pending' AND id IN (`,
      attempts.flatMap(({ id }) => (id === null ? [] : [text(id)])),
      ")",
    ),
    ...settles.filter((one) => !isBefore(one)).map(settlement),
    ...tried(settles),
    ...inserts(
      "INSERT INTO kube_crier_attempt (sink, at) VALUES ",
      attempts.map(({ sink, at }) => `(${text(sink)}, ${number(at)})`),
      "",
    ),
    ...checkpoints.map(
      ({ scope, cluster, resourceVersion, at, witness }) =>
        `INSERT INTO kube_crier_checkpoint (scope, cluster, resource_version, at, witness) VALUES (${text(scope)}, ${text(cluster)}, ${text(resourceVersion)}, ${number(at)}, ${text(witnessText(witness))})
         ON DUPLICATE KEY UPDATE cluster = VALUES(cluster), resource_version = VALUES(resource_version), at = VALUES(at), witness = VALUES(witness)`,
    ),
    fence(holder),
    "COMMIT",
    fresh(takes.flatMap(({ event, seq }) => (event === null ? [] : seq))),
  ];
  return pieces(statements);
}

/**
 * Fails where another has the ledger, and all of its transaction with it; until the commit nobody else can take it. It stands last,
 * so that who takes it waits for no longer than that.
 */
export function fence(holder: string): string {
  return `UPDATE kube_crier_ledger SET beat = IF(holder = ${text(holder)}, beat + 1, NULL), seen_at = ${SERVER_NOW} WHERE one = 1`;
}

/** The clock was set back: what waits for a moment waits no longer than it would have. */
export function waitsSetBack(now: number, ms: number): string {
  return `UPDATE kube_crier_delivery SET not_before = GREATEST(${number(now)}, not_before - ${number(ms)}) WHERE state = 'pending' AND not_before > ${number(now)}`;
}

function occurrence({ seq, receivedAt, suppressed }: Take, event: KubeEvent): string {
  const { namespace, kind, name } = event.object;
  return `(${[
    number(seq),
    keyHash(event),
    number(receivedAt),
    text(namespace === null ? null : cut(namespace, 255)),
    text(cut(kind, 255)),
    text(cut(name, 255)),
    text(cut(event.reason, 255)),
    text(suppressed),
    text(storedJson(event)),
  ].join(", ")})`;
}

function deliveryOf({ seq, delivery }: Owed, take: Take | null): string {
  const event = take?.event ?? null;
  const { id, sink, alert, attempts, owedAt, notBefore } = delivery;
  // The number that it has, whoever wrote it first.
  const known = (of: KubeEvent) =>
    take?.force === true
      ? `(SELECT o.seq FROM kube_crier_occurrence o WHERE o.key_hash = ${keyHash(of)})`
      : number(take?.seq ?? null);
  return `(${[
    number(seq),
    text(id),
    text(sink),
    event === null ? "NULL" : known(event),
    text(ownAlert(alert, event)),
    "'pending'",
    number(attempts),
    number(owedAt),
    number(notBefore),
  ].join(", ")})`;
}

/** A delivery of a single occurrence has no alert of its own: it is the occurrence's event. */
function ownAlert(alert: Alert, event: KubeEvent | null): string | null {
  return event !== null && alert.kind === "event" ? null : storedJson(alert);
}

/** Of an occurrence that was there before nothing is owed. */
function orphans(seqs: readonly number[]): readonly string[] {
  if (seqs.length === 0) return [];
  return [
    `DELETE d FROM kube_crier_delivery d LEFT JOIN kube_crier_occurrence o ON o.seq = d.occurrence
     WHERE d.seq BETWEEN ${number(Math.min(...seqs))} AND ${number(Math.max(...seqs))} AND d.occurrence IS NOT NULL AND o.seq IS NULL`,
  ];
}

function settlement({ id, seq, outcome, attempts }: Settle): string {
  const one = seq === null ? `id = ${text(id)}` : `seq = ${number(seq)}`;
  const counted = `attempts = ${seq === null ? "attempts + " : ""}${number(attempts)}`;
  const set = (columns: string, states: string) =>
    `UPDATE kube_crier_delivery SET ${counted}, ${columns} WHERE ${one} AND state IN (${states})`;
  switch (outcome.kind) {
    case "delivered":
      // One that was given up while its request was under way, and arrived after all, did arrive.
      return set(
        `state = 'delivered', settled_at = ${number(outcome.at)}, sent = ${text(outcome.sent)}, answer = ${text(outcome.answer)}, reason = NULL, detail = NULL`,
        "'pending', 'dead'",
      );
    case "retry":
      return set(
        `not_before = ${number(outcome.notBefore)}, sent = ${ANSWERED}, reason = ${text(outcome.reason)}, detail = ${text(outcome.detail)}`,
        "'pending'",
      );
    case "dead":
      return set(
        `state = 'dead', settled_at = ${number(outcome.at)}, sent = NULL, reason = ${text(outcome.reason)}, detail = ${text(outcome.detail)}`,
        "'pending'",
      );
  }
}

const TRY = "INSERT INTO kube_crier_try (delivery, at, took, reason, detail)";
const AGAIN = " ON DUPLICATE KEY UPDATE at = kube_crier_try.at";

/** What became of each attempt. A delivery has one at a time: its moment tells it apart, however often this is said. */
function tried(settles: readonly Settle[]): readonly string[] {
  const values = ({ at, tookMs, reason, detail }: Tried) =>
    [number(at), number(tookMs), text(reason), text(detail)].join(", ");
  return [
    ...inserts(
      `${TRY} VALUES `,
      settles.flatMap(({ seq, tries }) =>
        seq === null ? [] : tries.map((one) => `(${number(seq)}, ${values(one)})`),
      ),
      AGAIN,
    ),
    ...settles.flatMap(({ id, seq, tries }) =>
      seq !== null
        ? []
        : tries.map(
            (one) =>
              `${TRY} SELECT seq, ${values(one)} FROM kube_crier_delivery WHERE id = ${text(id)}${AGAIN}`,
          ),
    ),
    ...settles.flatMap(({ seq, attempts }) =>
      seq === null || attempts <= ATTEMPTS_KEPT ? [] : forgotten(seq),
    ),
  ];
}

/** Of a delivery that fails for days the first attempt stays, and the last ones. */
function forgotten(seq: number): string {
  const of = `FROM kube_crier_try WHERE delivery = ${number(seq)}`;
  return `DELETE t FROM kube_crier_try t
    JOIN (SELECT at ${of} ORDER BY at DESC LIMIT ${ATTEMPTS_KEPT - 1}, 1000) old ON old.at = t.at
    JOIN (SELECT MIN(at) AS at ${of}) first ON first.at < t.at WHERE t.delivery = ${number(seq)}`;
}

function fresh(seqs: readonly number[]): string {
  if (seqs.length === 0) return "SELECT 1 LIMIT 0";
  return `SELECT seq FROM kube_crier_occurrence WHERE seq BETWEEN ${number(Math.min(...seqs))} AND ${number(Math.max(...seqs))}`;
}

/** Many values in few statements, none of them too long. */
export function inserts(head: string, values: readonly string[], tail: string): readonly string[] {
  return pieces(values).map((piece) => head + piece.join(", ") + tail);
}

export function pieces(texts: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [];
  let length = 0;
  for (const one of texts) {
    const last = all.at(-1);
    if (last === undefined || length + one.length > REQUEST_MAX) {
      all.push([one]);
      length = one.length;
    } else {
      last.push(one);
      length += one.length;
    }
  }
  return all;
}
