import { type Received, type Reply, startInbox } from "./inbox.ts";
import { type Point, readLines } from "./line-protocol.ts";

/** Who may write where. */
export interface ContractOptions {
  readonly user: string;
  readonly password: string;
  readonly databases: readonly string[];
  readonly token: string;
  readonly org: string;
  readonly buckets: readonly string[];
}

export interface InfluxContract {
  readonly url: string;
  /** What is stored: a point of the same measurement, tags and time is the same point. */
  readonly points: readonly Point[];
  /** Requests so far. */
  readonly requests: number;
  /** Says this instead of what it would. */
  refuse(reply: Reply | null): void;
  close(): Promise<void>;
}

/**
 * The write endpoints of InfluxDB 1 and 2 as documented: paths, parameters, authorization, line protocol, what makes a point the same point,
 * and the words of refusal. https://docs.influxdata.com/influxdb/v1/tools/api/ and https://docs.influxdata.com/influxdb/v2/api/
 */
export async function startInfluxContract(options: ContractOptions): Promise<InfluxContract> {
  const stored = new Map<string, Point>();
  let refusal: Reply | null = null;

  const v1 = (request: Received, query: URLSearchParams): Reply | null => {
    const { user, password, databases } = options;
    const expected = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    if (request.headers.authorization !== expected)
      return { status: 401, body: { error: "authorization failed" } };
    const db = query.get("db");
    if (db === null || db === "") return { status: 400, body: { error: "database is required" } };
    return databases.includes(db)
      ? null
      : { status: 404, body: { error: `database not found: "${db}"` } };
  };
  const v2 = (request: Received, query: URLSearchParams): Reply | null => {
    if (request.headers.authorization !== `Token ${options.token}`)
      return { status: 401, body: { code: "unauthorized", message: "unauthorized access" } };
    const missing = (message: string): Reply => ({
      status: 404,
      body: { code: "not found", message },
    });
    const org = query.get("org");
    if (org !== options.org) return missing(`organization name "${org}" not found`);
    const bucket = query.get("bucket") ?? "";
    return options.buckets.includes(bucket) ? null : missing(`bucket "${bucket}" not found`);
  };

  const answer = (request: Received): Reply => {
    if (refusal !== null) return refusal;
    const url = new URL(request.url, "http://server");
    const check = { "/write": v1, "/api/v2/write": v2 }[url.pathname];
    if (check === undefined) return { status: 404, body: "404 page not found\n" };
    if (request.method !== "POST") return { status: 405, body: { error: "Method Not Allowed" } };
    const denied = check(request, url.searchParams);
    if (denied !== null) return denied;
    if (url.searchParams.get("precision") !== "ns")
      return { status: 400, body: { error: "invalid precision" } };
    try {
      for (const point of readLines(request.body)) {
        const { measurement, tags, time } = point;
        const set = Object.keys(tags).toSorted((a, b) => (a < b ? -1 : 1));
        stored.set(JSON.stringify([measurement, set.map((key) => [key, tags[key]]), time]), point);
      }
    } catch (error) {
      return { status: 400, body: { error: (error as Error).message } };
    }
    return { status: 204 };
  };

  const inbox = await startInbox();
  inbox.reply(answer);
  return {
    url: inbox.url,
    get points() {
      return [...stored.values()];
    },
    get requests() {
      return inbox.requests.length;
    },
    refuse(reply) {
      refusal = reply;
    },
    close: () => inbox.close(),
  };
}
