import {
  accepted,
  fieldsOf,
  type HttpAnswer,
  type HttpBatch,
  permanent,
  retryable,
  statusVerdict,
  type Verdict,
} from "../../src/sink/index.ts";

/** AWS does not know who is asking. */
export const SIGNATURE =
  /signature we calculated|credential should be scoped|security token included in the request|missing authentication token|user: anonymous is not authorized/i;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html and what Amazon OpenSearch Service says. */
const AWS_HINTS: readonly Hint[] = [
  [
    /signature we calculated/i,
    "auth",
    "check `accessKeySecret`, and that no proxy on the way changes the request",
  ],
  [/credential should be scoped/i, "auth", "check `region` and `service`"],
  [
    /security token included in the request is expired/i,
    "auth",
    "the temporary credentials are over: start again with new ones, or give the key of a user, which stays good",
  ],
  [
    /security token included in the request/i,
    "auth",
    "check `accessKeyId`, and the `securityToken` that belongs to a temporary one",
  ],
  [/signature (expired|not yet current)/i, "clock", "set this machine's clock"],
  [
    /missing authentication token|user: anonymous is not authorized/i,
    "auth",
    "the request is not signed: set `sigv4`, with `accessKeyId` and `accessKeySecret`",
  ],
  [
    /is not authorized to perform: es:/i,
    "auth",
    "allow es:ESHttpGet, es:ESHttpPost and es:ESHttpPut to this key, in its own policy or the domain's",
  ],
  [
    /no permissions for .*User \[name=arn:aws/i,
    "auth",
    "map this ARN to a role of the domain that has cluster_composite_ops, and for the index write, create_index and manage_aliases",
  ],
  [
    /^Forbidden: 403 Forbidden$/,
    "auth",
    "OpenSearch Serverless: allow aoss:APIAccessAll in the key's policy, and the indices and aliases in the collection's data access policy",
  ],
  [
    /document ID is not supported/i,
    "config",
    "OpenSearch Serverless takes documents with an ID in a collection of the type search only",
  ],
];

type Hint = readonly [RegExp, "auth" | "config" | "rejected" | "wait" | "clock", string];

/**
 * What a server says, and what a person should do about it. `wait`: it may pass, or be cured while the events wait.
 * https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk and https://docs.opensearch.org/latest/api-reference/document-apis/bulk/
 */
const HINTS: readonly Hint[] = [
  ...AWS_HINTS,
  [
    /cluster_block_exception|flood.stage|read-only/i,
    "wait",
    "the index is read-only: most often the disk is full; free some, or raise the flood-stage watermark",
  ],
  [
    /maximum( normal)? shards open|maximum shards open/i,
    "wait",
    "the cluster has as many shards as it may: delete old indices, or raise cluster.max_shards_per_node",
  ],
  [
    /creates data streams only|matches.*data stream/i,
    "config",
    "a template makes data streams of this name: set `mode` to data_stream, or another `index`",
  ],
  [/pipeline with id \[.*\] does not exist/i, "config", "create the pipeline, or check `pipeline`"],
  [/invalid_index_name_exception/i, "config", "check `index`"],
  [
    /index_not_found_exception/i,
    "config",
    "the server makes no index by itself: create it, or allow it in action.auto_create_index",
  ],
  [
    /Limit of (total fields|mapping depth)/i,
    "config",
    "raise index.mapping.total_fields.limit, or give the events an index of their own",
  ],
  [
    /mapper_parsing_exception|document_parsing_exception|strict_dynamic_mapping_exception/i,
    "rejected",
    "the index maps a field in another way: give the events an index of their own, or mend its template",
  ],
];

/** The index cannot have a field of the document, or one more of them. */
export const UNMAPPED =
  /mapper_parsing_exception|document_parsing_exception|strict_dynamic_mapping_exception|can't merge|Limit of (total fields|mapping depth)/i;

const LOGIN =
  "check `apiKey`, or `esUserName` and `esUserSecret`; to write takes the index privileges create_doc, auto_configure and, for the alias, manage (OpenSearch: cluster_composite_ops, and for the index write, create_index and manage_aliases)";

/** kube-eventer's bulk processor takes as many. The answer has an item for each document, in their order. */
export const BULK: HttpBatch = {
  max: 1000,
  bytes: 2 * 1024 * 1024,
  join: (bodies) => bodies.join(""),
  split: (answer, count) => {
    const items = fieldsOf(answer.json)?.["items"];
    if (answer.status >= 300 || !Array.isArray(items) || items.length !== count) return null;
    return items.map((item: unknown) => {
      const json = { items: [item] };
      return { ...answer, json, text: JSON.stringify(json) };
    });
  },
};

/** What became of the one document of a bulk request: HTTP 200 says only that it was read. */
export function judgeBulk(answer: HttpAnswer): Verdict {
  if (answer.status < 200 || answer.status >= 300) return judgeWhole(answer);
  const items = fieldsOf(answer.json)?.["items"];
  const first = Array.isArray(items) ? fieldsOf(items[0]) : null;
  const item = fieldsOf(Object.values(first ?? {})[0]);
  const status = item?.["status"];
  if (item === null || typeof status !== "number")
    return retryable(
      "server",
      `HTTP ${answer.status}, but not Elasticsearch's own answer: ${answer.text.slice(0, 120)}`,
    );
  // Already there: an earlier attempt's answer was lost.
  if (status === 409) return accepted;
  const text = status < 300 ? "" : wordsOf(item["error"]);
  return judgeWhole({ ...answer, status, text }, text);
}

/** A request as a whole. */
export function judgeWhole(
  answer: HttpAnswer,
  words = saidIn(answer.json) || answer.text,
): Verdict {
  const verdict = statusVerdict(answer);
  if (verdict.kind === "accepted") return verdict;
  const detail = `HTTP ${answer.status}${words === "" ? "" : `: ${words.slice(0, 250)}`}`;
  const hint = HINTS.find(([pattern]) => pattern.test(words));
  if (hint !== undefined) {
    const [, reason, next] = hint;
    if (reason === "wait") return retryable("server", `${detail}; ${next}`);
    if (reason === "clock") return retryable("auth", `${detail}; ${next}`);
    return permanent(reason, `${detail}; ${next}`);
  }
  if (verdict.kind !== "permanent") return { ...verdict, detail };
  if (verdict.reason === "auth") return permanent("auth", `${detail}; ${LOGIN}`);
  return verdict.reason === "tooLarge"
    ? permanent("tooLarge", `${detail}; raise http.max_content_length, or the proxy's limit`)
    : permanent(verdict.reason, detail);
}

/** What AWS has before a domain says `message` or `Message`, the server itself `error`. */
function saidIn(json: unknown): string {
  const fields = fieldsOf(json);
  const message = fields?.["message"] ?? fields?.["Message"];
  return wordsOf(fields?.["error"]) || (typeof message === "string" ? message : "");
}

/** `type: reason`, and the cause where it says more. */
function wordsOf(error: unknown): string {
  if (typeof error === "string") return error;
  const fields = fieldsOf(error);
  if (fields === null) return "";
  const { type, reason } = fields;
  const cause = fieldsOf(fields["caused_by"])?.["reason"];
  const parts = [type, reason, cause].filter((part): part is string => typeof part === "string");
  return parts.join(": ");
}
