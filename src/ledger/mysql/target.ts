import type { ConnectOptions } from "../../../sinks/mysql/driver.ts";
import { dsnText, readDsn } from "../../../sinks/mysql/dsn.ts";

/** Where the ledger is, and how to get there. */
export type LedgerTarget = Omit<ConnectOptions, "timeoutMs" | "scripts">;

const FILES = ["ca", "cert", "key"] as const;
const FORM =
  "expected mysql://USER:PASSWORD@HOST:PORT/DATABASE, with ?tls=true, ca=FILE, cert=FILE and key=FILE where they are needed";

/** Reads `mysql://user:pass@host:3306/db?tls=true&ca=/etc/mysql-tls/ca.crt`; the problem never quotes it: it holds a password. */
export function readLedgerUrl(url: string): LedgerTarget | { readonly problem: string } {
  if (!/^(mysql|mariadb):\/\//i.test(url.trim()))
    return { problem: `is no URL of a MySQL database; ${FORM}` };
  const at = url.indexOf("?");
  const query = new URLSearchParams(at < 0 ? "" : url.slice(at + 1));
  const file = (name: (typeof FILES)[number]) => {
    const path = query.get(name);
    query.delete(name);
    return path === null || path === "" ? null : path;
  };
  const [ca, cert, key] = FILES.map(file);
  const rest = query.size === 0 ? "" : `?${query.toString()}`;
  const dsn = readDsn(`${at < 0 ? url : url.slice(0, at)}${rest}`);
  if ("problem" in dsn)
    return { problem: dsn.problem.replace(/; expected mysql:\?.*$/s, `; ${FORM}`) };
  if ((cert === null) !== (key === null)) return { problem: "has one of cert and key; give both" };
  return { dsn, ca: ca ?? null, cert: cert ?? null, key: key ?? null };
}

/** The URL in its one form, for the schema of the option. */
export function normalLedgerUrl(
  url: string,
): { readonly text: string } | { readonly problem: string } {
  const target = readLedgerUrl(url);
  if ("problem" in target) return target;
  const normal = dsnText(target.dsn);
  const files = new URLSearchParams(
    FILES.flatMap((name): [string, string][] =>
      target[name] === null ? [] : [[name, target[name]]],
    ),
  ).toString();
  if (files === "") return { text: normal };
  return { text: `${normal}${normal.includes("?") ? "&" : "?"}${files}` };
}

/** As messages name it: without whom it is opened as. */
export function nameOf({ dsn }: LedgerTarget): string {
  const { socket, host, port, database } = dsn;
  return `mysql://${socket ?? `${host.includes(":") ? `[${host}]` : host}:${port}`}/${database}`;
}
