import { permanent, retryable, type SinkProblem, type Verdict } from "../../src/sink/index.ts";
import { quoted } from "./columns.ts";
import type { Dsn } from "./dsn.ts";

/** An error of the driver, as far as anyone looks at it. */
export interface DriverError {
  /** `ER_…` of the server, `PROTOCOL_…` and `HANDSHAKE_…` of the driver, `E…` of the system. */
  readonly code: string;
  /** The server's number; `null`: the server did not say it. */
  readonly errno: number | null;
  readonly message: string;
}

export interface Failure {
  /**
   * What it is about: the connection (gone; another may work), the same once more (`again`), one row among many,
   * the table's form, which is to be looked at again, or the whole arrangement.
   */
  readonly about: "connection" | "again" | "row" | "form" | "arrangement";
  readonly verdict: Verdict;
  /** What only a person changes; `null`: may pass by itself. */
  readonly problem: SinkProblem | null;
}

export interface Place {
  readonly dsn: Dsn;
  readonly table: string;
}

/** Whose certificate it is was not believed; the names are Node's. */
const CERTIFICATE = /CERT|SIGNATURE|SSL|TLS|ALTNAME/;
/** The system, the resolver or the driver lost the way to the server. */
const GONE = /^(E[A-Z]{3,}|EAI_[A-Z]+|PROTOCOL_[A-Z_]+|HANDSHAKE_[A-Z_]+)$/;
const CLOSED = /closed state|closed connection|socket has been ended|Connection lost/i;

/** Of the server, https://mariadb.com/docs/server/reference/error-codes and https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html. */
const SHUTTING_DOWN = new Set([1053, 1077, 1152, 1184, 1927, 2006, 2013, 4031]);
const BUSY = new Set([
  1021, 1030, 1037, 1038, 1040, 1041, 1114, 1135, 1158, 1159, 1160, 1161, 1203, 1226, 1461,
]);
const ONCE_MORE = new Set([1205, 1213]);
const LOGIN = new Set([1045, 1130, 1250, 1251, 1524, 1698, 1820, 1862, 1873, 3118, 4151]);
const READ_ONLY = new Set([1290, 1792, 1836]);
const ROW = new Set([1048, 1153, 1264, 1265, 1292, 1300, 1366, 1406, 1690, 3854]);
const FORM = new Set([1054, 1136, 1146, 1364, 1412, 1615]);

/** What an error means, for rows that are to be written and for the start. */
export function failureOf(error: DriverError, place: Place): Failure {
  const { dsn, table } = place;
  const { errno, code } = error;
  const said = `${code}: ${error.message}`.slice(0, 300);
  const wait = (about: Failure["about"], hint: string | null, message = said): Failure => ({
    about,
    verdict: retryable("server", hint === null ? message : `${message}; ${hint}`),
    problem: hint === null ? null : { message, hint },
  });
  const whole = `${quoted(dsn.database)}.*`;
  const account = accountOf(dsn);

  if (errno === null || SHUTTING_DOWN.has(errno)) return withoutServer(code, said, dsn, errno);
  if (ONCE_MORE.has(errno)) return { ...wait("again", null), verdict: retryable("server", said) };
  if (BUSY.has(errno)) return wait("arrangement", null);
  if (errno === 1049)
    return wait(
      "arrangement",
      `CREATE DATABASE ${quoted(dsn.database)} CHARACTER SET utf8mb4; or mend the database in the DSN`,
      `there is no database ${dsn.database} on ${whereOf(dsn)}`,
    );
  if (errno === 1044)
    return wait(
      "arrangement",
      `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON ${whole} TO ${account};`,
      `${account} may not use the database ${dsn.database} (or there is none of this name)`,
    );
  if (LOGIN.has(errno))
    return wait(
      "arrangement",
      `mend user and password in the DSN, or: ALTER USER ${account} IDENTIFIED BY '…';`,
      `${whereOf(dsn)} lets nobody in as ${account}: ${said}`,
    );
  if (errno === 1142 || errno === 1143 || errno === 1227) {
    const command =
      /^([A-Z][A-Z, ]*?) command denied/.exec(error.message)?.[1] ?? "SELECT, INSERT, UPDATE";
    const on = /CREATE|DROP/.test(command) ? whole : `${quoted(dsn.database)}.${quoted(table)}`;
    return wait(
      "arrangement",
      `GRANT ${command} ON ${on} TO ${account};`,
      `${account} may not ${command} ${/CREATE|DROP/.test(command) ? `tables in the database ${dsn.database}` : `in the table ${table}`}`,
    );
  }
  if (READ_ONLY.has(errno))
    return wait(
      "arrangement",
      "name the primary in the DSN, or on this server: SET GLOBAL read_only = OFF;",
      `${whereOf(dsn)} is read-only: ${said}`,
    );
  if (errno === 1129)
    return wait(
      "arrangement",
      "on the server: FLUSH HOSTS;",
      `${whereOf(dsn)} has blocked us: ${said}`,
    );
  if (FORM.has(errno)) return wait("form", null);
  if (ROW.has(errno))
    return {
      about: "row",
      verdict: permanent(errno === 1153 ? "tooLarge" : "rejected", said),
      problem: null,
    };
  return { about: "row", verdict: retryable("unknown", said), problem: null };
}

function withoutServer(code: string, said: string, dsn: Dsn, errno: number | null): Failure {
  if (code === "HANDSHAKE_NO_SSL_SUPPORT") {
    const message = `${whereOf(dsn)} speaks no TLS`;
    const hint =
      "give the server a certificate (ssl_cert, ssl_key), or take tls and ca out of the sink";
    return {
      about: "arrangement",
      verdict: retryable("tls", `${message}; ${hint}`),
      problem: { message, hint },
    };
  }
  if (CERTIFICATE.test(code) && (!GONE.test(code) || code.includes("SSL"))) {
    const message = `the certificate of ${whereOf(dsn)} is not trusted: ${said}`;
    const hint = "name the CA that signed it with ca=FILE, and the host as the certificate does";
    return {
      about: "arrangement",
      verdict: retryable("tls", `${message}; ${hint}`),
      problem: { message, hint },
    };
  }
  const gone = errno !== null || GONE.test(code) || CLOSED.test(said);
  return {
    about: "connection",
    verdict: retryable(gone ? "network" : "unknown", `${whereOf(dsn)}: ${said}`),
    problem: null,
  };
}

export function whereOf({ socket, host, port }: Dsn): string {
  return socket ?? (host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`);
}

export function accountOf({ user }: Dsn): string {
  return `'${user.replaceAll("'", "''")}'@'%'`;
}
