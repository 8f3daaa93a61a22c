import { defineSink, type OptionsOf, s, Secret } from "../src/sink/index.ts";
import { nodesOf, signingOf, signingProblems } from "./elasticsearch/signing.ts";
import { type Target, Writer } from "./elasticsearch/writer.ts";

const NAME = /^(?![-_+])[^A-Z\s\\/*?"<>|,#:]{1,180}$/u;

const options = s
  .object({
    url: s
      .secretUrl(
        {
          description:
            "A node of the cluster, or what stands before it; http is allowed to any host. For a private authority set NODE_EXTRA_CA_CERTS.",
          example: "https://elasticsearch.example.com:9200",
        },
        true,
      )
      .optional(),
    nodes: s
      .list({
        description:
          "Several nodes, in place of the URL: when one does not answer, the next attempt goes to the next.",
        example: ["https://es-0.example.com:9200"],
      })
      .prefault([]),
    mode: s
      .oneOf(["index", "data_stream"], {
        description:
          "With `index` an index for each day, as kube-eventer has it; with `data_stream` the data stream of the name that the option `index` says, for which a template must be there.",
      })
      .default("index"),
    index: s
      .text({
        description:
          "Where daily indices' names begin (`NAME-2026.11.20`), or the name of the data stream.",
      })
      .regex(NAME, "is no name of an index; expected small letters, digits, dots and dashes")
      .default("heapster"),
    useNamespace: s
      .bool({ description: "Daily indices for each namespace: `NAME-NAMESPACE-2026.11.20`." })
      .default(false),
    alias: s
      .bool({
        description:
          "Keep the alias `NAME-events` on each daily index, as kube-eventer does; needs the index privilege manage.",
      })
      .default(true),
    esUserName: s
      .text({
        description: "The user, for basic authentication.",
        example: "crier",
        aliases: ["username"],
      })
      .optional(),
    esUserSecret: s
      .secret({ description: "The user's password.", aliases: ["password"] })
      .optional(),
    apiKey: s
      .headerSecret({
        description: "An API key, as `encoded` in the answer that made it, or as ID:KEY.",
      })
      .optional(),
    sigv4: s
      .bool({
        description:
          "Sign each request with AWS Signature Version 4, for Amazon OpenSearch Service and OpenSearch Serverless. Without it: where the host is one of AWS' own and there is an access key, but neither user nor API key.",
      })
      .optional(),
    accessKeyId: s
      .headerSecret({
        description: "The ID of the AWS access key to sign with.",
        example: "AKIA0123456789ABCDEF",
        env: "AWS_ACCESS_KEY_ID",
      })
      .optional(),
    accessKeySecret: s
      .secret({
        description: "The secret of that access key.",
        aliases: ["secretAccessKey"],
        env: "AWS_SECRET_ACCESS_KEY",
      })
      .optional(),
    securityToken: s
      .headerSecret({
        description: "The token that belongs to a temporary access key.",
        aliases: ["sessionToken"],
        env: { name: "AWS_SESSION_TOKEN", besides: "accessKeyId" },
      })
      .optional(),
    region: s
      .text({
        description: "The AWS region to sign for, where the host's name does not tell it.",
        example: "eu-central-1",
        env: "AWS_REGION",
      })
      .optional(),
    service: s
      .oneOf(["es", "aoss"], {
        description:
          "The AWS service to sign for, where the host's name does not tell it: `es` is Amazon OpenSearch Service, `aoss` OpenSearch Serverless, which needs a collection of the type search. Without it `es`.",
      })
      .optional(),
    pipeline: s
      .text({ description: "An ingest pipeline for the documents.", example: "k8s-events" })
      .optional(),
    clusterName: s
      .text({
        description:
          "The document's `EventTags.cluster_name`; without it the cluster's own name, or `default` where it has none.",
        example: "prod-a",
      })
      .optional(),
  })
  .superRefine((given, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    const { url, nodes, esUserName, esUserSecret, apiKey } = given;
    if (url === undefined && nodes.length === 0)
      problem("url", "is missing; expected http://HOST:9200, or several `nodes`");
    const [first] = nodes;
    if (url !== undefined && first !== undefined)
      problem("nodes", "and an address are both given; expected either");
    const addresses = [
      ...(url instanceof Secret ? [["url", url.reveal()] as const] : []),
      ...nodes.map((node) => ["nodes", node] as const),
    ];
    for (const [name, text] of addresses) {
      const parsed = URL.parse(text);
      if (parsed === null || !/^https?:$/.test(parsed.protocol))
        problem(name, "has what is no URL; expected http://HOST:9200");
      else if (parsed.username !== "" || parsed.password !== "")
        problem(name, "has a user in it; give `esUserName` and `esUserSecret` instead");
      else if (parsed.search !== "") problem(name, "has a query; expected http://HOST:9200");
    }
    if ((esUserName === undefined) !== (esUserSecret === undefined))
      problem(
        esUserName === undefined ? "esUserName" : "esUserSecret",
        "is missing; a user has a name and a password",
      );
    if (apiKey !== undefined && esUserName !== undefined)
      problem("apiKey", "and a user are both given; expected either");
    for (const [name, message] of signingProblems(given)) problem(name, message);
    if (given.mode === "data_stream" && given.useNamespace)
      problem("useNamespace", "is for daily indices; a data stream has one name");
  });

export default defineSink({
  type: "elasticsearch",
  title: "Elasticsearch",
  summary:
    "Elasticsearch 7 and later, and OpenSearch: one document for each occurrence, in kube-eventer's daily indices or in a data stream; what is sent again is already there.",
  docs: "https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk",
  facts: {
    kind: "search",
    auth: "basic, API key, or AWS Signature Version 4; TLS",
    idempotency:
      "`_id` from UID and version, `create` only: what is there already counts as accepted",
    batch: "1,000 documents a bulk request; a verdict for each",
    testedAgainst:
      "OpenSearch 2.19 with its security plugin; for Elasticsearch and AWS' signature a server that goes by the documentation, and AWS' own signature vectors",
  },
  options,
  defaultLevel: "Normal",
  isRecord: true,
  uri: {
    target: "url",
    keep: [],
    yieldsTo: "nodes",
    ignored: {
      ver: "what is sent is the same for Elasticsearch 7 and later and for OpenSearch; older ones are not written to",
      maxRetries: "what is owed is tried again until `give_up_after`",
      healthCheck: "a server that is away is waited for",
      startupHealthcheckTimeout: "a server that is away is waited for",
      sniff: "name the nodes to be asked by `nodes`",
      bulkWorkers: "how much is under way at once, `concurrency` says",
    },
  },
  example: {
    uri: "elasticsearch:https://elasticsearch.example.com:9200?index=heapster&es_user_name=crier&es_user_secret=fedcba9876543210&cluster_name=prod-a",
    yaml: {
      url: "https://elasticsearch.example.com:9200",
      index: "heapster",
      esUserName: "crier",
      esUserSecret: "fedcba9876543210",
      clusterName: "prod-a",
    },
  },
  // Documents are the event's own words.
  blocks: () => ({}),
  // They share requests.
  limits: () => ({ rates: [], concurrency: 1000, body: null, blocks: {}, throttledMs: 5000 }),
  create: (given, io) => new Writer(targetOf(given), io),
});

function targetOf(given: OptionsOf<typeof options>): Target {
  const { url, nodes, mode, index, useNamespace, alias, pipeline = null } = given;
  const { clusterName = null } = given;
  return {
    nodes: nodesOf({ url, nodes }).map((node) => node.replace(/\/+$/, "")),
    authorization: authorizationOf(given),
    signing: signingOf(given),
    mode,
    index,
    useNamespace,
    clusterName,
    pipeline,
    alias: alias ? `${index}-events` : null,
  };
}

function authorizationOf(given: OptionsOf<typeof options>): string | null {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const { apiKey, esUserName, esUserSecret } = given;
  if (apiKey !== undefined) {
    const key = apiKey.reveal();
    return `ApiKey ${key.includes(":") ? base64(key) : key}`;
  }
  return esUserName === undefined
    ? null
    : `Basic ${base64(`${esUserName}:${esUserSecret?.reveal() ?? ""}`)}`;
}
