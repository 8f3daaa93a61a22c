import { defineSink, type OptionsOf, s, type SinkIo } from "../src/sink/index.ts";
import { type Access, ownKey } from "./aliyun/access.ts";
import { hasOwnKey, keyProblems, roleOptions } from "./aliyun/options.ts";
import { RoleAccess } from "./aliyun/role.ts";
import { type Logstore, Writer } from "./sls/writer.ts";

const DOCS =
  "https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-putlogs";
/** kube-eventer's documentation names it, and kube-eventer does not look at it. */
const ANYWHERE = /^(https?:\/\/)?sls\.aliyuncs\.com\/?$/i;

const options = s
  .object({
    endpoint: s
      .text({
        description:
          "The region's endpoint, instead of `regionId` and `internal`; the project is put before it.",
        example: "https://cn-hangzhou.log.aliyuncs.com",
        env: "SLS_ENDPOINT",
      })
      .regex(
        /^((https:\/\/)?[a-z0-9][a-z0-9.-]*(:\d+)?\/?|http:\/\/(localhost|127(\.\d{1,3}){3})(:\d+)?\/?)$/i,
        "is no endpoint; expected https://REGION.log.aliyuncs.com",
      )
      .optional(),
    project: s
      .text({ description: "The project.", example: "k8s-audit" })
      .regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, "is no name of a project"),
    logStore: s
      .text({ description: "The Logstore; it must exist.", example: "events" })
      .regex(/^[a-z0-9][a-z0-9_-]{0,61}[a-z0-9]$/, "is no name of a Logstore"),
    topic: s.text({ description: "The topic of every log." }).default(""),
    regionId: s
      .text({
        description:
          "The region's ID; without an endpoint needed beside an access key, else the instance is asked.",
        example: "cn-hangzhou",
        env: "RegionId",
      })
      .regex(/^[a-z0-9-]+$/, "is no ID of a region; expected one like cn-hangzhou")
      .optional(),
    internal: s
      .bool({
        description:
          "Through the region's internal network; `false` from outside of Alibaba Cloud.",
      })
      .default(true),
    accessKeyId: s
      .headerSecret({
        description:
          "The AccessKey ID of a RAM user that may log:PostLogStoreLogs. Without an access key an addon's token counts, or the RAM role of the instance.",
        example: "LTAI0123456789abcdef",
        env: "AccessKeyId",
      })
      .optional(),
    accessKeySecret: s
      .secret({
        description: "Its AccessKey secret.",
        example: "fedcba9876543210",
        env: "AccessKeySecret",
      })
      .optional(),
    securityToken: s
      .headerSecret({ description: "The token that belongs to a temporary AccessKey of STS." })
      .optional(),
    ...roleOptions(),
    label: s
      .list({
        description:
          "Fields to add to every log, a name and its value in turn; in a URI `label=NAME,VALUE`, repeated.",
        example: ["ClusterId", "prod-a"],
      })
      .prefault([]),
    compress: s
      .oneOf(["deflate", "none"], { description: "How requests are compressed." })
      .default("deflate"),
  })
  .superRefine((given, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    if (hasOwnKey(given) && endpointOf(given) === null && given.regionId === undefined)
      problem(
        "regionId",
        "is missing; expected the region, like cn-hangzhou, or its endpoint (the instance is asked for it only where no access key is given)",
      );
    if (given.label.length % 2 === 1)
      problem("label", "has a name without a value; expected NAME,VALUE");
    if (given.label.some((name, index) => index % 2 === 0 && name.trim() === ""))
      problem("label", "has an empty name; expected NAME,VALUE");
    keyProblems(given, problem);
  });

export default defineSink({
  type: "sls",
  title: "Alibaba Cloud Log Service",
  summary:
    "Alibaba Cloud Log Service (SLS): one log for each occurrence with kube-eventer's fields; many in one signed request.",
  docs: DOCS,
  facts: {
    kind: "logs",
    auth: "AccessKey (HMAC-SHA1 signature), STS token; an addon's token of ACK, the instance's RAM role",
    idempotency:
      "none: Log Service stores what is sent again; the event's UID and version are in `eventId`",
    batch: "1,000 logs a request",
    testedAgainst:
      "a server that checks signature, protobuf and limits as documented, and one that plays the metadata service",
  },
  options,
  defaultLevel: "Normal",
  isRecord: true,
  uri: { target: "endpoint", keep: [], nowhere: ANYWHERE },
  example: {
    uri: "sls:https://cn-hangzhou.log.aliyuncs.com?project=k8s-audit&log_store=events&access_key_id=LTAI0123456789abcdef&access_key_secret=fedcba9876543210&topic=prod-a",
    yaml: {
      endpoint: "https://cn-hangzhou.log.aliyuncs.com",
      project: "k8s-audit",
      logStore: "events",
      accessKeyId: "LTAI0123456789abcdef",
      accessKeySecret: "fedcba9876543210",
      topic: "prod-a",
    },
  },
  // Logs are the event's own words.
  blocks: () => ({}),
  limits: () => ({ rates: [], concurrency: 256, body: null, blocks: {}, throttledMs: 5000 }),
  create: (given, io) => new Writer(storeOf(given), accessOf(given, io), io),
});

interface Place {
  readonly endpoint?: string | undefined;
}

function endpointOf({ endpoint }: Place): URL | null {
  if (endpoint === undefined || ANYWHERE.test(endpoint)) return null;
  return URL.parse(/^https?:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`);
}

function accessOf(given: OptionsOf<typeof options>, io: SinkIo): Access {
  const { accessKeyId, accessKeySecret, securityToken, regionId, tokenFile } = given;
  const region = regionId ?? (endpointOf(given) === null ? null : "");
  if (!hasOwnKey(given)) {
    const { metadataService } = given;
    const action = "log:PostLogStoreLogs";
    return new RoleAccess({ tokenFile, metadataService, action, region, account: "" }, io);
  }
  const key = {
    id: accessKeyId?.reveal() ?? "",
    secret: accessKeySecret?.reveal() ?? "",
    token: securityToken?.reveal() ?? null,
  };
  return ownKey({ key, region: region ?? "", account: "" });
}

function storeOf(given: OptionsOf<typeof options>): Logstore {
  const { project, internal, label } = given;
  return {
    placeIn: (region) => {
      const own = `https://${region}${internal ? "-intranet" : ""}.log.aliyuncs.com`;
      const url = endpointOf(given) ?? new URL(own);
      const host = `${project}.${url.host}`;
      // An address has no subdomains: whom it is for stands in the header alone.
      const isAddress = /^(localhost|[\d.]+)$/.test(url.hostname);
      return {
        origin: isAddress ? url.origin : `${url.protocol}//${host}`,
        host: isAddress ? host : null,
      };
    },
    name: given.logStore,
    topic: given.topic,
    label: label.flatMap((name, index): [string, string][] =>
      index % 2 === 0 ? [[name, label[index + 1] ?? ""]] : [],
    ),
    compress: given.compress,
  };
}
