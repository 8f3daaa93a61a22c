import type { Clock, SinkCheck, SinkProblem } from "../../src/sink/index.ts";
import { createTable, quoted } from "./columns.ts";
import { connect, type Connection } from "./driver.ts";
import { failureOf, whereOf } from "./errors.ts";
import { LayoutError, findTable, layoutOf, type Target } from "./table.ts";
import { tryInsert } from "./statements.ts";
import { troubleOf } from "./trouble.ts";

/** A server that is slow to answer, or a table that somebody has locked, is waited for by the lane and not by the start. */
const PATIENCE_MS = 3_000;

/** What keeps rows from being written and would not pass by itself; writes nothing. */
export async function checkTarget(
  target: Target,
  retains: boolean,
  clock: Clock,
  signal: AbortSignal,
): Promise<SinkCheck> {
  let connection: Connection | null = null;
  const ended = new AbortController();
  const stop = () => ended.abort();
  signal.addEventListener("abort", stop, { once: true });
  const late = clock.sleep(PATIENCE_MS, ended.signal).then((): SinkCheck => {
    connection?.destroy();
    return { problems: [], away: `${whereOf(target.dsn)} gives no answer in ${PATIENCE_MS} ms` };
  });
  const looked = async (): Promise<SinkCheck> => {
    try {
      connection = await connect({ ...target, timeoutMs: PATIENCE_MS });
      return answered(await problemsAt(connection, target, retains));
    } catch (error) {
      if (error instanceof LayoutError) return answered(error.problems);
      const { problem, verdict } = troubleOf(error, target);
      if (problem !== null || verdict.kind === "accepted")
        return answered(problem === null ? [] : [problem]);
      return { problems: [], away: verdict.detail };
    } finally {
      await connection?.end();
    }
  };
  const check = await Promise.race([looked(), late]);
  ended.abort();
  signal.removeEventListener("abort", stop);
  return check;
}

function answered(problems: readonly SinkProblem[]): SinkCheck {
  return { problems, away: null };
}

async function problemsAt(
  connection: Connection,
  target: Target,
  retains: boolean,
): Promise<readonly SinkProblem[]> {
  const { table } = target;
  const [[readOnly] = []] = await connection.query("SELECT @@GLOBAL.read_only");
  const found = await findTable(connection, table);
  if (found === null) {
    // The server judges a statement when it is prepared; it is not run.
    await connection.prepare(createTable(table));
    if (isOn(readOnly)) await refuseUnlessPrivileged(connection, target);
    return [];
  }
  const layout = layoutOf(target, found);
  await connection.query(tryInsert(table, layout));
  if (!retains) return [];
  if (layout.age === null)
    return [
      {
        message: `retention is asked for, and table ${table} has neither an index on its times nor id and update_time to tell a row's age by`,
        hint: "kube-crier mysql migrate adds them; or take retention out of the sink",
      },
    ];
  await connection.query(`DELETE FROM ${quoted(table)} WHERE 1 = 0`);
  return [];
}

/** Some accounts may write even then: only they can tell, by a statement that changes nothing of anybody's. */
async function refuseUnlessPrivileged(connection: Connection, target: Target): Promise<void> {
  const error = { code: "ER_OPTION_PREVENTS_STATEMENT", errno: 1290, message: "read_only is ON" };
  const { problem } = failureOf(error, target);
  const grants = (await connection.query("SHOW GRANTS")).flat().join("\n");
  if (
    !/\b(SUPER|READ_ONLY ADMIN|READ ONLY ADMIN|CONNECTION_ADMIN|ALL PRIVILEGES ON \*\.\*)/.test(
      grants,
    )
  )
    throw new LayoutError(problem === null ? [] : [problem]);
}

function isOn(cell: string | number | null | undefined): boolean {
  return cell === 1 || cell === "1" || cell === "ON";
}
