import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import mysql from "../../sinks/mysql.ts";
import type { KubeEvent } from "../../src/event/event.ts";
import type { DirectSink, SinkIo } from "../../src/sink/index.ts";
import { haveMariadb, Mariadb } from "./mariadb.ts";
import { aMessage, optionsFor } from "./messages.ts";
import { quietIo } from "./sinks.ts";

export const never: AbortSignal = new AbortController().signal;
export const accepted = { kind: "accepted" } as const;
export const uid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** As kube-eventer's repository has it, but for the character set, which is the database's. */
export const KUBE_EVENTER = `CREATE TABLE kube_event (
  id BIGINT(20) NOT NULL PRIMARY KEY AUTO_INCREMENT COMMENT 'id',
  namespace VARCHAR(64) NOT NULL DEFAULT '', kind VARCHAR(255) NOT NULL DEFAULT '', name VARCHAR(255) NOT NULL DEFAULT '',
  type VARCHAR(64) NOT NULL DEFAULT '', reason VARCHAR(255) NOT NULL DEFAULT '', message VARCHAR(255) NOT NULL DEFAULT '',
  event_id VARCHAR(64) NOT NULL DEFAULT '', first_occurrence_time VARCHAR(255) NOT NULL DEFAULT '', last_occurrence_time VARCHAR(255) NOT NULL DEFAULT '',
  update_time TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)`;

/** One MariaDB for a file of tests, a database of its own for each test, and sinks that are closed when it has ended. */
export class MysqlBench {
  #db: Mariadb | null = null;
  #made = 0;
  #sinks: DirectSink[] = [];
  /** Notices and warnings of the sinks of this test. */
  told: string[] = [];
  cuts = 0;

  constructor() {
    beforeAll(async () => {
      if (haveMariadb) this.#db = await Mariadb.start();
    });
    afterAll(() => this.#db?.destroy());
    beforeEach(async () => {
      this.#made += 1;
      this.told = [];
      this.cuts = 0;
      if (haveMariadb) await this.db.sql(`CREATE DATABASE ${this.name} CHARACTER SET utf8mb4`);
    });
    afterEach(async () => {
      await Promise.all(this.#sinks.splice(0).map((sink) => sink.close()));
    });
  }

  get db(): Mariadb {
    if (this.#db === null) throw new Error("there is no MariaDB");
    return this.#db;
  }

  /** The test's database. */
  get name(): string {
    return `t${this.#made}`;
  }

  dsn(user = "root"): string {
    return `${user}@tcp(127.0.0.1:${this.db.port})/${this.name}`;
  }

  sink(given: Record<string, unknown> = {}, io: Partial<SinkIo> = {}): DirectSink {
    if (mysql.transport !== "direct") throw new Error("mysql speaks no HTTP");
    const tell = (message: string) => void this.told.push(message);
    const sink = mysql.create(optionsFor(mysql, { dsn: this.dsn(), ...given }), {
      ...quietIo(),
      notice: tell,
      warning: tell,
      messageCut: () => (this.cuts += 1),
      ...io,
    });
    this.#sinks.push(sink);
    return sink;
  }

  sql(text: string) {
    return this.db.sql(text, this.name);
  }

  rows(columns = "*", order = "id") {
    return this.sql(`SELECT ${columns} FROM kube_event ORDER BY ${order}`);
  }

  async count(): Promise<number> {
    const found = await this.rows("COUNT(*) AS n", "1").catch(() => [{ n: 0 }]);
    return Number(found[0]?.["n"]);
  }

  /** What `check` says is wrong, each with its remedy. */
  async problems(sink: DirectSink): Promise<string> {
    const problems = (await sink.check?.(never))?.problems ?? [];
    return problems.map(({ message, hint }) => `${message} → ${hint}`).join("\n");
  }
}

export function deliver(sink: DirectSink, ...events: readonly KubeEvent[]) {
  return Promise.all(
    events.map((event) => sink.deliver(aMessage({ event, id: event.key }), never)),
  );
}

/** As the lane does: what was not accepted is delivered again, until it is. */
export async function deliverAll(
  sink: DirectSink,
  events: readonly KubeEvent[],
  between: () => Promise<void>,
): Promise<number> {
  let rounds = 0;
  let left = events;
  while (left.length > 0) {
    rounds += 1;
    const verdicts = await deliver(sink, ...left);
    for (const verdict of verdicts) expect(verdict.kind).toMatch(/accepted|retryable/);
    left = left.filter((_, index) => verdicts[index]?.kind !== "accepted");
    if (left.length > 0) await between();
  }
  return rounds;
}
