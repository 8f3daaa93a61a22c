import { type Received, type Reply, startInbox } from "./inbox.ts";
import { type Gateway, refusedByAws } from "./sigv4.ts";

export interface SearchOptions {
  readonly user: string;
  readonly password: string;
  /** As `encoded` in the answer that made it. */
  readonly apiKey: string;
  readonly pipelines: readonly string[];
  /** Names for which a template makes a data stream. */
  readonly streams: readonly string[];
  /** It is a domain of Amazon OpenSearch Service, which lets in who signs. */
  readonly aws?: Gateway;
}

export interface StoredDocument {
  readonly index: string;
  readonly id: string;
  readonly pipeline: string | null;
  readonly source: Readonly<Record<string, unknown>>;
}

export interface SearchContract {
  readonly url: string;
  readonly documents: readonly StoredDocument[];
  /** Index → its aliases; a data stream has none. */
  readonly indices: ReadonlyMap<string, ReadonlySet<string>>;
  /** Method and path of all that came. */
  readonly asked: readonly string[];
  /** Answers every request so, or those that it does not let pass. */
  refuse(how: Reply | ((request: Received) => Reply | null) | null): void;
  /** Says this of documents, in an answer with HTTP 200. */
  refuseItems(how: (id: string) => Refusal | null): void;
  /** What GET / says of itself. */
  version: Readonly<Record<string, unknown>>;
  close(): Promise<void>;
}

/** One account, and nothing beside it. */
export const CRIER_ALONE: SearchOptions = {
  user: "crier",
  password: "fedcba98",
  apiKey: "",
  pipelines: [],
  streams: [],
};

interface Refusal {
  readonly status: number;
  readonly error: unknown;
}

const failure = (status: number, type: string, reason: string): Reply => ({
  status,
  body: { error: { root_cause: [{ type, reason }], type, reason }, status },
});

/** https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-indices-create: the rules for names. */
function nameProblem(name: string): string | null {
  if (name !== name.toLowerCase()) return "must be lowercase";
  if (/[\\/*?"<>| ,#:]/.test(name)) return "must not contain the following characters";
  if (/^[-_+]/.test(name)) return "must not start with '_', '-', or '+'";
  return Buffer.byteLength(name) > 255 ? "index name is too long" : null;
}

/**
 * Elasticsearch's HTTP API as far as a writer of documents meets it, by its documentation: `_bulk` with NDJSON and a status for each item, creating
 * indices, aliases, data streams that take `create` and `@timestamp` alone, authentication. OpenSearch documents the same.
 */
export async function startSearchContract(options: SearchOptions): Promise<SearchContract> {
  const documents = new Map<string, StoredDocument>();
  const indices = new Map<string, Set<string>>();
  const asked: string[] = [];
  let refusal: (request: Received) => Reply | null = () => null;
  let refusedItem: (id: string) => Refusal | null = () => null;

  const isAllowed = ({ headers }: Received) => {
    const basic = Buffer.from(`${options.user}:${options.password}`).toString("base64");
    return [`Basic ${basic}`, `ApiKey ${options.apiKey}`].includes(headers.authorization ?? "");
  };

  const create = (index: string, id: string, source: string, pipeline: string | null) => {
    const error = (status: number, type: string, reason: string) => ({
      _index: index,
      _id: id,
      status,
      error: { type, reason },
    });
    const refused = refusedItem(id);
    if (refused !== null) return { _index: index, _id: id, ...refused };
    if (pipeline !== null && !options.pipelines.includes(pipeline))
      return error(
        400,
        "illegal_argument_exception",
        `pipeline with id [${pipeline}] does not exist`,
      );
    const wrong = nameProblem(index);
    if (wrong !== null)
      return error(400, "invalid_index_name_exception", `Invalid index name [${index}], ${wrong}`);
    if (Buffer.byteLength(id) > 512)
      return error(400, "illegal_argument_exception", "id is too long, must be no longer than 512");
    const parsed = JSON.parse(source) as Record<string, unknown>;
    const isStream = options.streams.includes(index);
    if (isStream && typeof parsed["@timestamp"] !== "string")
      return error(
        400,
        "document_parsing_exception",
        "data stream timestamp field [@timestamp] is missing",
      );
    const key = JSON.stringify([index, id]);
    if (documents.has(key))
      return error(
        409,
        "version_conflict_engine_exception",
        `[${id}]: version conflict, document already exists (current version [1])`,
      );
    if (!isStream && !indices.has(index)) indices.set(index, new Set());
    documents.set(key, { index, id, pipeline, source: parsed });
    return { _index: index, _id: id, _version: 1, result: "created", status: 201 };
  };

  const bulk = (request: Received, query: URLSearchParams): Reply => {
    const type = request.headers["content-type"] ?? "";
    if (!/^application\/(x-nd)?json/.test(type))
      return failure(
        406,
        "media_type_header_exception",
        `Content-Type header [${type}] is not supported`,
      );
    if (!request.body.endsWith("\n"))
      return failure(
        400,
        "illegal_argument_exception",
        "The bulk request must be terminated by a newline [\\n]",
      );
    const lines = request.body.slice(0, -1).split("\n");
    if (lines.length % 2 === 1)
      return failure(400, "illegal_argument_exception", "Malformed action/metadata line");
    const items: { readonly create: { readonly status: number } }[] = [];
    for (let at = 0; at < lines.length; at += 2) {
      const action = JSON.parse(lines[at] ?? "") as {
        create?: { _index?: string; _id?: string; pipeline?: string };
      };
      const { _index: index, _id: id, pipeline } = action.create ?? {};
      if (index === undefined || id === undefined)
        return failure(400, "illegal_argument_exception", "Malformed action/metadata line");
      const chosen = pipeline ?? query.get("pipeline");
      items.push({ create: create(index, id, lines[at + 1] ?? "", chosen) });
    }
    const errors = items.some((item) => item.create.status >= 300);
    return { status: 200, body: { took: 3, errors, items } };
  };

  const putIndex = (request: Received, index: string): Reply => {
    const wrong = nameProblem(index);
    if (wrong !== null)
      return failure(
        400,
        "invalid_index_name_exception",
        `Invalid index name [${index}], ${wrong}`,
      );
    if (options.streams.includes(index))
      return failure(
        400,
        "illegal_argument_exception",
        `cannot create index with name [${index}], because it matches with template [t] that creates data streams only, use create data stream api instead`,
      );
    if (indices.has(index))
      return failure(400, "resource_already_exists_exception", `index [${index}/x] already exists`);
    const { aliases = {} } = JSON.parse(request.body) as { aliases?: Record<string, unknown> };
    indices.set(index, new Set(Object.keys(aliases)));
    return { status: 200, body: { acknowledged: true, shards_acknowledged: true, index } };
  };

  const addAliases = (request: Received): Reply => {
    const { actions } = JSON.parse(request.body) as {
      actions: { add: { index: string; alias: string } }[];
    };
    for (const { add } of actions) {
      const aliases = indices.get(add.index);
      if (aliases === undefined)
        return failure(404, "index_not_found_exception", `no such index [${add.index}]`);
      aliases.add(add.alias);
    }
    return { status: 200, body: { acknowledged: true } };
  };

  const inbox = await startInbox();
  const contract: SearchContract = {
    url: inbox.url,
    get documents() {
      return [...documents.values()];
    },
    indices,
    asked,
    refuse: (how) => {
      refusal = typeof how === "function" ? how : () => how;
    },
    refuseItems: (how) => {
      refusedItem = how;
    },
    version: { number: "9.2.0" },
    close: () => inbox.close(),
  };
  inbox.reply((request) => {
    const url = new URL(request.url, "http://server");
    asked.push(`${request.method} ${url.pathname}`);
    const refused = refusal(request);
    if (refused !== null) return refused;
    const { aws } = options;
    const turnedAway = aws === undefined ? null : refusedByAws(request, aws);
    if (turnedAway !== null) return turnedAway;
    // "The service ignores parameters passed in URLs for HTTP POST requests that are signed with Signature Version 4."
    if (aws !== undefined && request.method === "POST") url.search = "";
    if (aws === undefined && !isAllowed(request))
      return failure(401, "security_exception", "unable to authenticate user for REST request");
    if (request.method === "GET" && url.pathname === "/")
      return { status: 200, body: { version: contract.version, tagline: "You Know, for Search" } };
    if (request.method === "POST" && url.pathname === "/_bulk")
      return bulk(request, url.searchParams);
    if (request.method === "POST" && url.pathname === "/_aliases") return addAliases(request);
    if (request.method === "PUT")
      return putIndex(request, decodeURIComponent(url.pathname.slice(1)));
    return failure(405, "method_not_allowed", "Incorrect HTTP method");
  });
  return contract;
}
