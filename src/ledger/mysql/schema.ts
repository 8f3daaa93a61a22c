import { ConfigError } from "../../config/config.ts";
import { HISTORY_TABLES, TRIES } from "./history-tables.ts";
import { AwayError, type Session } from "./session.ts";
import { nameOf } from "./target.ts";

const TABLE = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

/** The one row that says what the ledger is: its version, and whose it is. Made before anything else. */
export const LEDGER = [
  `CREATE TABLE IF NOT EXISTS kube_crier_ledger (
    one     TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    version INT UNSIGNED     NOT NULL,
    term    BIGINT           NULL,
    holder  VARCHAR(64)      NOT NULL,
    seen_at BIGINT           NOT NULL,
    beat    BIGINT           NOT NULL,
    changed BIGINT           NOT NULL
  ) ${TABLE}`,
  "INSERT INTO kube_crier_ledger VALUES (1, 0, NULL, '', 0, 0, 0) ON DUPLICATE KEY UPDATE one = one",
] as const;

/**
 * Numbered, forward only: entry n brings version n to n + 1; what was released is never changed. A database commits each change of a
 * table by itself, so each statement of a step must bear being run again. Times are milliseconds since the epoch; `seq` is counted by
 * the one process that holds the ledger, so that a write whose answer was lost can be repeated.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE IF NOT EXISTS kube_crier_occurrence (
      seq         BIGINT UNSIGNED NOT NULL PRIMARY KEY,
      key_hash    BINARY(32)      NOT NULL,
      received_at BIGINT          NOT NULL,
      namespace   VARCHAR(255)    NULL,
      kind        VARCHAR(255)    NOT NULL,
      name        VARCHAR(255)    NOT NULL,
      reason      VARCHAR(255)    NOT NULL,
      suppressed  VARCHAR(32)     NULL,
      event       MEDIUMTEXT      NOT NULL,
      UNIQUE KEY once (key_hash)
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS kube_crier_delivery (
      seq         BIGINT UNSIGNED NOT NULL PRIMARY KEY,
      id          VARCHAR(64)     NOT NULL,
      sink        VARCHAR(255)    NOT NULL,
      occurrence  BIGINT UNSIGNED NULL,
      alert       MEDIUMTEXT      NULL,
      state       VARCHAR(16)     NOT NULL,
      attempts    INT UNSIGNED    NOT NULL,
      owed_at     BIGINT          NOT NULL,
      not_before  BIGINT          NOT NULL,
      settled_at  BIGINT          NULL,
      reason      VARCHAR(32)     NULL,
      detail      MEDIUMTEXT      NULL,
      sent        MEDIUMTEXT      NULL,
      answer      MEDIUMTEXT      NULL,
      folded_into VARCHAR(64)     NULL,
      UNIQUE KEY by_id (id),
      KEY by_state (state, sink, not_before, owed_at, seq),
      KEY by_occurrence (occurrence, settled_at)
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS kube_crier_checkpoint (
      scope            VARCHAR(512) NOT NULL PRIMARY KEY,
      cluster          VARCHAR(255) NOT NULL,
      resource_version VARCHAR(255) NOT NULL,
      at               BIGINT       NOT NULL,
      witness          TEXT         NULL
    ) ${TABLE}`,
    `CREATE TABLE IF NOT EXISTS kube_crier_attempt (
      seq  BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
      sink VARCHAR(255)    NOT NULL,
      at   BIGINT          NOT NULL,
      KEY by_time (at, sink)
    ) ${TABLE}`,
  ],
  // New tables alone: nothing that is there is written again or locked, and no further right is needed.
  [TRIES, ...HISTORY_TABLES],
];

export const TABLES = ["ledger", "occurrence", "delivery", "checkpoint", "attempt", "try"].map(
  (name) => `kube_crier_${name}`,
);

/** Two that start at once make the tables one after the other. */
const WAIT_SECONDS = 30;

/**
 * Makes the tables what this program knows.
 * @throws ConfigError where a newer program has made them; AwayError where they cannot be made
 */
export async function migrate(session: Session, steps = MIGRATIONS): Promise<void> {
  const { database } = session.target.dsn;
  const lock = `kube_crier_migrate.${database}`.slice(0, 64);
  const [[got] = []] = await session.rows("SELECT GET_LOCK(?, ?)", [lock, WAIT_SECONDS]);
  if (Number(got) !== 1)
    throw new AwayError("another kube-crier is changing the ledger's tables", null, null);
  try {
    if ((await versionOf(session)) === null)
      for (const statement of LEDGER) await session.query(statement);
    const found = (await versionOf(session)) ?? 0;
    refuseNewer(session, found, steps.length);
    for (const [index, step] of steps.entries()) {
      if (index < found) continue;
      for (const statement of step) await session.query(statement);
      await session.rows("UPDATE kube_crier_ledger SET version = ? WHERE one = 1", [index + 1]);
    }
  } finally {
    await session.rows("SELECT RELEASE_LOCK(?)", [lock]).catch(() => undefined);
  }
}

/** `null`: there is no ledger. */
export async function versionOf(session: Session): Promise<number | null> {
  const tables = await session.rows(
    "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'kube_crier_ledger'",
  );
  if (tables.length === 0) return null;
  const [row] = await session.rows("SELECT version FROM kube_crier_ledger WHERE one = 1");
  return row === undefined ? null : Number(row[0]);
}

export function refuseNewer(session: Session, found: number, known = MIGRATIONS.length): void {
  if (found <= known) return;
  throw new ConfigError([
    {
      where: `--ledger ${nameOf(session.target)}`,
      message: `the ledger has version ${found}, this program knows up to ${known}`,
      hint: "run the newer kube-crier that wrote it, or give another database",
    },
  ]);
}
