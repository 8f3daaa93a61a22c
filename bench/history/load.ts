import { createWriteStream, rmSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { KubeEvent } from "../../src/event/event.ts";
import { keyHash } from "../../src/ledger/mysql/literal.ts";
import { numberAt } from "../../src/history/mysql/ids.ts";
import type { Mariadb } from "../../test/support/mariadb.ts";
import { Happenings, seeded } from "./events.ts";

/** With `historyKeeps: all` and a filter for Warnings: the chat is told of these, the rest is kept alone. */
export function toldOf({ type, object }: KubeEvent): readonly string[] {
  if (type !== "Warning") return [];
  return object.kind === "Node" ? ["ding-oncall", "nodes"] : ["ding-oncall"];
}

/** Numbers an occurrence can have before its place in a second comes again; deliveries have twice as many. */
export const BASE = 2 ** 20;
const OWED = 2 * BASE;
const CHUNK = 32_768;
const DAY_MS = 86_400_000;

export interface Load {
  readonly server: Mariadb;
  readonly database: string;
  /** How often the same days are told: each time some days earlier. */
  readonly times: number;
  readonly days: number;
  /** When the last of it happened. */
  readonly until: number;
}

/** A history of `BASE` events by a seed, with what was owed of each, as files that the server reads. */
export async function loadBase({ server, database, times, days, until }: Load): Promise<void> {
  const happenings = new Happenings(7);
  const random = seeded(8);
  const span = days * DAY_MS;
  let owed = OWED * (times - 1);
  let loading: Promise<unknown> = Promise.resolve();
  for (let from = 0; from < BASE; from += CHUNK) {
    const files = ["occurrence", "delivery"].map((table) =>
      path.join(server.dir, `${table}-${from}`),
    );
    const [occurrences = "", deliveries = ""] = files;
    const [one, two] = [createWriteStream(occurrences), createWriteStream(deliveries)];
    for (let n = from; n < from + CHUNK; n += 1) {
      const at = Math.floor(until - span + (n / BASE) * span);
      const event = happenings.next(at);
      const sinks = toldOf(event);
      const seq = BASE * (times - 1) + n;
      const { namespace, kind, name } = event.object;
      one.write(
        line([
          seq,
          keyHash(event).slice(2, -1),
          at + 120,
          namespace,
          kind,
          name,
          event.reason,
          sinks.length === 0 ? "noSink" : null,
          JSON.stringify(event),
        ]),
      );
      for (const sink of sinks) {
        owed += 1;
        const id = `00000000-0000-4000-8000-${owed.toString(16).padStart(12, "0")}`;
        const dead = random() < 0.001;
        two.write(
          line([
            owed,
            id,
            sink,
            seq,
            null,
            dead ? "dead" : "delivered",
            dead ? 1 : 0,
            at + 120,
            at + 120,
            at + 520,
            dead ? "rejected" : null,
            dead ? "HTTP 400: 310000 keywords not in content" : null,
            dead ? null : "",
            dead ? null : 'HTTP 200: {"errcode":0,"errmsg":"ok"}',
            null,
          ]),
        );
      }
      if (n % 1_000 === 999) await nextTurn();
    }
    await Promise.all([one, two].map((stream) => once(stream.end(), "finish")));
    await loading;
    loading = server
      .sql(
        `START TRANSACTION;
         LOAD DATA INFILE '${occurrences}' INTO TABLE kube_crier_occurrence CHARACTER SET utf8mb4 (seq, @hash, received_at, namespace, kind, name, reason, suppressed, event) SET key_hash = UNHEX(@hash);
         LOAD DATA INFILE '${deliveries}' INTO TABLE kube_crier_delivery CHARACTER SET utf8mb4;
         COMMIT`,
        database,
      )
      .finally(() => files.forEach((file) => rmSync(file)));
    loading.catch(() => undefined);
  }
  await loading;
}

/** The same days again, `earlier` times some days before: with times, numbers and ids of their own. */
export async function copyLedger(
  { server, database, times, days, until }: Load,
  earlier: number,
): Promise<void> {
  const ms = earlier * days * DAY_MS;
  const top = BASE * (times - 1);
  // An Event was first seen at most some days before it was last seen.
  const dates = Array.from({ length: days + 2 }, (_, day) => until - day * DAY_MS);
  const moved = dates.reduceRight(
    (text, at) => `REPLACE(${text}, '"${dateOf(at)}T', '"${dateOf(at - ms)}T')`,
    "event",
  );
  const each = async (statement: (from: number, to: number) => string) => {
    for (let from = top; from < top + BASE; from += CHUNK)
      await server.sql(statement(from, from + CHUNK), database);
  };
  await Promise.all([
    each(
      (from, to) => `INSERT INTO kube_crier_occurrence
         SELECT seq - ${earlier * BASE}, UNHEX(CONCAT(LPAD(HEX(CAST(CONV(LEFT(HEX(key_hash), 8), 16, 10) AS UNSIGNED) - ${ms / 1000}), 8, '0'), RIGHT(HEX(key_hash), 56))),
           received_at - ${ms}, namespace, kind, name, reason, suppressed, ${moved}
         FROM kube_crier_occurrence WHERE seq >= ${from} AND seq < ${to}`,
    ),
    each(
      (from, to) => `INSERT INTO kube_crier_delivery
         SELECT seq - ${earlier * OWED}, CONCAT(LPAD(${earlier}, 8, '0'), SUBSTR(id, 9)), sink, occurrence - ${earlier * BASE}, alert, state, attempts,
           owed_at - ${ms}, not_before - ${ms}, settled_at - ${ms}, reason, detail, sent, answer, folded_into
         FROM kube_crier_delivery WHERE occurrence >= ${from} AND occurrence < ${to}`,
    ),
  ]);
}

/** And what they are looked up in, as it would be made of them. */
export async function copyIndex(
  { server, database, days, until }: Load,
  earlier: number,
): Promise<void> {
  const off = numberAt(earlier * days * DAY_MS);
  const [from, to] = [numberAt(until - days * DAY_MS), numberAt(until)];
  for (const [table, column, columns] of [
    ["entry", "id", `id - ${off}, seq - ${earlier * BASE}, class, object`],
    ["object", "day", `name, id, day - ${off}`],
    ["count", "bucket", `level, bucket - ${off}, pairs`],
    ["segment", "id", `id - ${off}, low - ${off}, ids, classes`],
    ["word", "segment", `gram, segment - ${off}, places`],
  ])
    await server.sql(
      `INSERT INTO kube_crier_history_${table} SELECT ${columns} FROM kube_crier_history_${table} WHERE ${column} >= ${from} AND ${column} < ${to}`,
      database,
    );
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** As LOAD DATA reads it. */
function line(values: readonly (string | number | null)[]): string {
  return `${values
    .map((one) =>
      one === null
        ? "\\N"
        : String(one).replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll("\n", "\\n"),
    )
    .join("\t")}\n`;
}
