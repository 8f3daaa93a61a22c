/** Where the database is and as whom to go there; what a DSN says, whichever of its forms it was written in. */
export interface Dsn {
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number;
  /** A Unix socket in place of host and port; `null`: TCP. */
  readonly socket: string | null;
  readonly database: string;
  readonly tls: TlsMode;
}

/** As the Go driver has them: `preferred` encrypts where the server can, `skip-verify` does not ask whose certificate it is. */
export type TlsMode = (typeof TLS_MODES)[number];

const TLS_MODES = ["false", "preferred", "skip-verify", "true"] as const;
const PORT = 3306;
const GO_SOCKET = "/tmp/mysql.sock";
const FORMS =
  "expected mysql:?USER:PASSWORD@tcp(HOST:PORT)/DATABASE or mysql://USER:PASSWORD@HOST:PORT/DATABASE";

/**
 * What the Go driver is told about its own conversions, and what is always so here (utf8mb4, UTC): accepted, so that kube-eventer's
 * DSN works as it stands. https://github.com/go-sql-driver/mysql#parameters
 */
const OF_THE_GO_DRIVER = new Set(
  "allowallfiles allownativepasswords allowoldpasswords charset checkconnliveness clientfoundrows collation columnswithalias connectionattributes interpolateparams loc maxallowedpacket multistatements parsetime readtimeout rejectreadonly timetruncate writetimeout".split(
    " ",
  ),
);

type Outcome<T> = T | { readonly problem: string };

/** @returns the DSN in its one form, a URL; the problem never quotes what was given: half of it is a password */
export function normalDsn(text: string): { readonly text: string } | { readonly problem: string } {
  const dsn = readDsn(text);
  return "problem" in dsn ? dsn : { text: dsnText(dsn) };
}

/**
 * Reads `?user:pass@tcp(host:port)/db?charset=utf8`, `user:pass@unix(/path)/db`, and `mysql://user:pass@host/db`. As in Go the
 * password ends at the last @ and is taken as it stands; in a URL it is percent-encoded.
 */
export function readDsn(text: string): Outcome<Dsn> {
  const whole = text.trim().replace(/^mysql:(?=[?/])/, "");
  const url = /^(?:mariadb:)?\/\/(?:(.*)@)?([^@/?]*)\/([^/?]*)(?:\?(.*))?$/s.exec(whole);
  if (url !== null) {
    const [, login, address = "", database = "", query = ""] = url;
    return assembled(loginOf(login ?? "", decoded), tcp(address), decoded(database), query);
  }
  if (/^(?:[a-z]+:)?\/\//i.test(whole))
    return { problem: `is a URL without HOST/DATABASE; ${FORMS}` };
  const [left, right] = atLast(whole.replace(/^\?/, ""), "/");
  if (right === null) return { problem: `has no /DATABASE; ${FORMS}` };
  const [database = "", query = ""] = splitOnce(right, "?");
  const [before, after] = atLast(left, "@");
  const login = after === null ? "" : before;
  return assembled(loginOf(login, asItIs), goAddress(after ?? before), database, query);
}

/** The one form, from which `readDsn` reads the same again. */
export function dsnText(dsn: Dsn): string {
  const { user, password, host, port, socket, database, tls } = dsn;
  const login = `${encodeURIComponent(user)}${password === "" ? "" : `:${encodeURIComponent(password)}`}`;
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const query = new URLSearchParams({
    ...(socket === null ? {} : { socket }),
    ...(tls === "false" ? {} : { tls }),
  }).toString();
  return `mysql://${login === "" ? "" : `${login}@`}${address}/${encodeURIComponent(database)}${query === "" ? "" : `?${query}`}`;
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly socket: string | null;
}

function assembled(
  login: { readonly user: string; readonly password: string },
  address: Outcome<Address>,
  database: string,
  query: string,
): Outcome<Dsn> {
  if ("problem" in address) return address;
  if (database === "") return { problem: `names no database; ${FORMS}` };
  let tls: TlsMode = "false";
  let { socket } = address;
  for (const [name, value] of new URLSearchParams(query)) {
    const plain = name.replaceAll(/[_-]/g, "").toLowerCase();
    if (plain === "tls") {
      const mode = TLS_MODES.find((known) => known === value.toLowerCase());
      if (mode === undefined) return { problem: `has an unknown tls; expected ${list(TLS_MODES)}` };
      tls = mode;
    } else if (plain === "socket") socket = value;
    else if (!OF_THE_GO_DRIVER.has(plain))
      return {
        problem: `has a parameter${value !== "" && /^\w{1,40}$/.test(name) ? ` "${name}"` : ""} that is not known here; take it out`,
      };
  }
  return { ...login, ...address, socket, database, tls };
}

function goAddress(text: string): Outcome<Address> {
  if (text === "") return tcp("");
  const match = /^([a-z0-9]+)(?:\((.*)\))?$/is.exec(text);
  if (match === null) return { problem: `has no tcp(HOST:PORT) behind the last @; ${FORMS}` };
  const [, net = "", inside] = match;
  if (net === "unix") return { host: "localhost", port: PORT, socket: inside ?? GO_SOCKET };
  if (net === "tcp" || net === "tcp4" || net === "tcp6") return tcp(inside ?? "");
  return {
    problem: `names the network "${net.slice(0, 20)}"; expected tcp(HOST:PORT) or unix(PATH)`,
  };
}

function tcp(text: string): Outcome<Address> {
  const match = /^(\[[0-9a-f:.%]+\]|[^:[\]\s]*)(?::(\d*))?$/i.exec(text);
  if (match === null) return { problem: `has an address that is not HOST:PORT; ${FORMS}` };
  const [, name = "", digits = ""] = match;
  const port = digits === "" ? PORT : Number(digits);
  if (port < 1 || port > 65_535) return { problem: "has a port outside 1 to 65535" };
  const host = name.replace(/^\[(.*)\]$/, "$1");
  return { host: host === "" ? "127.0.0.1" : host, port, socket: null };
}

function loginOf(text: string, value: (text: string) => string) {
  const [user = "", password = ""] = splitOnce(text, ":");
  return { user: value(user), password: value(password) };
}

const asItIs = (text: string): string => text;

/** A lone % is what it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function splitOnce(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function atLast(text: string, mark: string): readonly [string, string | null] {
  const at = text.lastIndexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

function list(values: readonly string[]): string {
  return values.join(", ");
}
