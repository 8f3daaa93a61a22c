const TABLE = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

/** Made with one partition; days are cut from it before anything of them is written. */
const days = (column: string) =>
  `PARTITION BY RANGE (${column}) (PARTITION rest VALUES LESS THAN MAXVALUE)`;

/**
 * What the history is looked up in, derived from the ledger and never needed to deliver: see src/history/mysql. `entry.id` is the
 * second it was last seen in, and its number in the ledger: one order for rows, words and pages. No rows of the ledger move, so that
 * a ledger of any size is brought to this version at once.
 */
export const HISTORY_TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS kube_crier_history (
    one    TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    turn   BIGINT UNSIGNED  NOT NULL,
    low    BIGINT UNSIGNED  NOT NULL,
    high   BIGINT UNSIGNED  NOT NULL,
    worded BIGINT UNSIGNED  NOT NULL,
    mark   VARCHAR(64)      NULL
  ) ${TABLE}`,
  "INSERT INTO kube_crier_history VALUES (1, 0, 0, 0, 0, NULL) ON DUPLICATE KEY UPDATE one = one",
  `CREATE TABLE IF NOT EXISTS kube_crier_history_class (
    id     INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    hash   BINARY(32)   NOT NULL,
    traits TEXT         NOT NULL,
    UNIQUE KEY once (hash)
  ) ${TABLE}`,
  `CREATE TABLE IF NOT EXISTS kube_crier_history_entry (
    id     BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    seq    BIGINT UNSIGNED NOT NULL,
    class  INT UNSIGNED    NOT NULL,
    object BIGINT UNSIGNED NOT NULL,
    KEY by_class (class, id),
    KEY by_object (object, id)
  ) ${TABLE} ${days("id")}`,
  `CREATE TABLE IF NOT EXISTS kube_crier_history_object (
    name VARCHAR(255)    NOT NULL,
    id   BIGINT UNSIGNED NOT NULL,
    day  BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (name, id, day)
  ) ${TABLE} ${days("day")}`,
  `CREATE TABLE IF NOT EXISTS kube_crier_history_count (
    level  SMALLINT UNSIGNED NOT NULL,
    bucket BIGINT UNSIGNED   NOT NULL,
    pairs  MEDIUMBLOB        NOT NULL,
    PRIMARY KEY (level, bucket)
  ) ${TABLE} ${days("bucket")}`,
  `CREATE TABLE IF NOT EXISTS kube_crier_history_segment (
    id      BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    low     BIGINT UNSIGNED NOT NULL,
    ids     MEDIUMBLOB      NOT NULL,
    classes MEDIUMBLOB      NOT NULL
  ) ${TABLE} ${days("id")}`,
  `CREATE TABLE IF NOT EXISTS kube_crier_history_word (
    gram    VARBINARY(12)   NOT NULL,
    segment BIGINT UNSIGNED NOT NULL,
    places  MEDIUMBLOB      NOT NULL,
    PRIMARY KEY (gram, segment)
  ) ${TABLE} ${days("segment")}`,
];

/** Each attempt: what became of it (`reason` NULL: it delivered), and how long it took. */
export const TRIES = `CREATE TABLE IF NOT EXISTS kube_crier_try (
    delivery BIGINT UNSIGNED NOT NULL,
    at       BIGINT          NOT NULL,
    took     INT UNSIGNED    NULL,
    reason   VARCHAR(32)     NULL,
    detail   MEDIUMTEXT      NULL,
    PRIMARY KEY (delivery, at)
  ) ${TABLE}`;
