import { ConfigError, type ConfigIssue } from "../../config/config.ts";
import type { CheckReport, Finding } from "../care.ts";
import { commonLaws, type Law } from "../laws.ts";
import { MysqlHistory } from "./history.ts";
import { missingRights } from "./probe.ts";
import { openReader, told } from "./reader.ts";
import { LEDGER, refuseNewer, versionOf } from "./schema.ts";
import { AwayError, Session } from "./session.ts";
import { type LedgerTarget, nameOf } from "./target.ts";

const EXAMPLES = 3;

/** In the words of a file's. */
const LAWS: readonly Law[] = [
  ...commonLaws("kube_crier_"),
  {
    what: "deliveries of events that are not there",
    from: "kube_crier_delivery d LEFT JOIN kube_crier_occurrence o ON o.seq = d.occurrence",
    id: "d.id",
    broken: "d.occurrence IS NOT NULL AND o.seq IS NULL",
  },
  {
    what: "events that are not JSON, or not those of their key",
    from: "kube_crier_occurrence o",
    id: "o.seq",
    broken:
      "NOT JSON_VALID(o.event) OR LEFT(SHA2(JSON_UNQUOTE(JSON_EXTRACT(o.event, '$.key')), 256), 56) <> LOWER(RIGHT(HEX(o.key_hash), 56))",
  },
];

/**
 * Looks at every row of a ledger; `run` may go on writing meanwhile.
 * @throws ConfigError where there is none that could be looked at
 */
export async function checkMysqlLedger(target: LedgerTarget): Promise<CheckReport> {
  const session = await openReader(target);
  try {
    return await told(target, async () => {
      const version = (await versionOf(session)) ?? 0;
      const count = async (table: string) =>
        Number((await session.query(`SELECT COUNT(*) FROM kube_crier_${table}`))[0]?.[0]);
      const [[bytes, free] = []] = await session.query(
        `SELECT SUM(DATA_LENGTH + INDEX_LENGTH), SUM(DATA_FREE) FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'kube\\_crier\\_%'`,
      );
      const findings: Finding[] = [];
      for (const law of LAWS) findings.push(...(await broken(session, law)));
      return {
        contents: {
          version,
          bytes: Number(bytes),
          freeBytes: Number(free),
          events: await count("occurrence"),
          attempts: await count("attempt"),
          checkpoints: await count("checkpoint"),
          deliveries: await new MysqlHistory(session).counts(),
        },
        findings,
      };
    });
  } finally {
    await session.end();
  }
}

async function broken(
  session: Session,
  { what, from, id, broken: where }: Law,
): Promise<readonly Finding[]> {
  const rows = await session.query(`SELECT ${id} FROM ${from} WHERE ${where} LIMIT ${EXAMPLES}`);
  if (rows.length === 0) return [];
  const [[count] = []] = await session.query(`SELECT COUNT(*) FROM ${from} WHERE ${where}`);
  return [{ what, count: Number(count), examples: rows.map(([name]) => String(name)) }];
}

/**
 * What a start would say of the database, without a change to it; `away`: why it would have to be waited for.
 * @param signal that it should look no further: the connection is cut
 */
export async function lookAtMysql(
  target: LedgerTarget,
  signal?: AbortSignal,
): Promise<{ readonly issues: readonly ConfigIssue[]; readonly away: string | null }> {
  const where = `--ledger ${nameOf(target)}`;
  const session = new Session(target);
  const stop = () => session.destroy();
  const isOver = () => signal?.aborted ?? false;
  if (isOver()) return { issues: [], away: null };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const version = await versionOf(session);
    if (version === null) {
      // The server judges a statement when it is prepared; it is not run.
      await session.prepare(LEDGER[0]);
      return { issues: [], away: null };
    }
    refuseNewer(session, version);
    const problems = await missingRights(session);
    return { issues: problems.map((problem) => ({ where, ...problem })), away: null };
  } catch (error) {
    if (isOver()) return { issues: [], away: null };
    if (error instanceof ConfigError) return { issues: error.issues, away: null };
    if (!(error instanceof AwayError)) throw error;
    const { problem, message } = error;
    if (problem === null) return { issues: [], away: message };
    return { issues: [{ where, ...problem }], away: null };
  } finally {
    signal?.removeEventListener("abort", stop);
    session.destroy();
  }
}
