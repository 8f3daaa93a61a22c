import {
  accepted,
  permanent,
  retryable,
  type SinkProblem,
  type Verdict,
} from "../../src/sink/index.ts";
import { MongoTrouble, type Place, type Privilege } from "./driver.ts";

/** https://www.mongodb.com/docs/manual/reference/error-codes/; 8000 is Atlas' own. */
const LOGIN = new Set([11, 18, 8000]);
const UNAUTHORIZED = 13;
const DUPLICATE_KEY = 11_000;
const ID = "_id_";
const VALIDATION = 121;
/** BadValue, InvalidBSON, BSONObjectTooLarge, KeyTooLong and their elder kin. */
const UNWANTED = new Set([2, 22, 10_334, 17_280, 17_419, 17_420]);

const LOST = /ServerSelection|Network|PoolCleared|Closed|NotConnected|WaitQueueTimeout/;
const UNREADABLE = /MongoParseError|InvalidArgument|MongoAPIError|MissingCredentials|^URIError$/;
const TLS =
  /^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|HOSTNAME_MISMATCH|INVALID_CA)/;
const FILE = /^(ENOENT|EACCES|EISDIR|ENOTDIR)$/;

/** What is wrong with one of many documents. */
export function documentVerdict({ code, message }: MongoTrouble): Verdict {
  const said = `MongoDB: ${code} ${message}`.slice(0, 300);
  if (code === DUPLICATE_KEY) {
    const [, index = ID] =
      /^E11000 duplicate key error collection: \S+ index: (\S+)/.exec(message) ?? [];
    // The occurrence is there already.
    if (index === ID) return accepted;
    return permanent(
      "rejected",
      `${said}; drop the unique index ${index}: an event has a document for each time it occurred`,
    );
  }
  if (code === VALIDATION)
    return permanent("rejected", `${said}; the collection's validator takes no such document`);
  if (code !== null && UNWANTED.has(code)) return permanent("rejected", said);
  return retryable("server", said);
}

export interface Trouble {
  readonly verdict: Verdict;
  /** What only a person can change; `null`: it may pass. */
  readonly problem: SinkProblem | null;
}

/** What keeps anything from being written. */
export function troubleOf(error: unknown, { database, collection }: Place): Trouble {
  if (!(error instanceof MongoTrouble)) throw error;
  const { code, kind, system } = error;
  // The driver's own words for a document that no server would take.
  if (/larger than the maximum size/i.test(error.message))
    return { verdict: permanent("tooLarge", `MongoDB: ${error.message}`), problem: null };
  const number = code === null ? "" : `${code} `;
  const message = `MongoDB: ${number}${error.message}`.slice(0, 300);
  const person = (reason: "auth" | "tls" | "config", hint: string) => ({
    verdict: retryable(reason, `${message}; ${hint}`),
    problem: { message, hint },
  });
  if (code !== null && LOGIN.has(code))
    return person("auth", "check the user and password, and authSource= where the user is kept");
  if (code === UNAUTHORIZED)
    return person("auth", `grant the user readWrite on ${database}, or insert on ${collection}`);
  if (system !== null && FILE.test(system))
    return person("tls", "mount the file that the connection string names, or mend its path");
  if (system !== null && TLS.test(system))
    return person(
      "tls",
      "name the CA's file in tlsCAFile=, and a client certificate in tlsCertificateKeyFile= where the server asks for one",
    );
  if (UNREADABLE.test(kind)) return person("config", "mend the connection string");
  if (/MissingDependency/.test(kind))
    return person("config", "authenticate with SCRAM or X.509; this program has no other means");
  // Whether a server is too old shows as it is looked for.
  if (/Compatibility/.test(kind) || /reports maximum wire version/.test(error.message))
    return person("config", "MongoDB 4.4 or later is needed");
  const isAway = LOST.test(kind) || system !== null;
  return { verdict: retryable(isAway ? "network" : "server", message), problem: null };
}

/** What is missing of the user's rights, by what the server says of them; `null`: nothing. */
export function missingRight(
  privileges: readonly Privilege[],
  { database, collection }: Place,
): SinkProblem | null {
  const may = privileges.some(({ resource = {}, actions = [] }) => {
    const { db, collection: named, anyResource } = resource;
    const covers =
      anyResource === true ||
      (db !== undefined &&
        named !== undefined &&
        (db === "" || db === database) &&
        (named === "" || named === collection));
    return covers && (actions.includes("insert") || actions.includes("anyAction"));
  });
  if (may) return null;
  return {
    message: `MongoDB: the user may not insert into ${database}.${collection}`,
    hint: `grant the user readWrite on ${database}, or insert on ${collection}`,
  };
}
