import { defineSink, type OptionsOf, s, type SinkIo } from "../src/sink/index.ts";
import { type Access, ownKey } from "./aliyun/access.ts";
import { hasOwnKey, keyProblems, roleOptions } from "./aliyun/options.ts";
import { RoleAccess } from "./aliyun/role.ts";
import { type Bus, Publisher } from "./eventbridge/publisher.ts";

const options = s
  .object({
    endpoint: s
      .text({
        description:
          "The endpoint, where it is another than the account's and region's own: a VPC endpoint, or a server that speaks the same.",
        example: "https://vpce-0123456789abcdef.events.eu-central-1.vpce.amazonaws.com",
      })
      .regex(
        /^(https:\/\/[a-z0-9][a-z0-9.-]*|http:\/\/(localhost|127(\.\d{1,3}){3}))(:\d+)?\/?$/i,
        "is no endpoint; expected https://HOST",
      )
      .optional(),
    provider: s
      .oneOf(["aliyun", "aws"], { description: "Whose EventBridge it is." })
      .default("aliyun"),
    regionId: s
      .text({
        description: "The region's ID; needed beside an access key, else the instance is asked.",
        example: "cn-hangzhou",
        aliases: ["region"],
        env: { by: "provider", names: { aliyun: "RegionId", aws: "AWS_REGION" } },
      })
      .regex(/^[a-z]{2}[a-z0-9-]+$/, "is no ID of a region; expected one like cn-hangzhou")
      .optional(),
    accountId: s
      .text({
        description:
          "The ID of the Alibaba Cloud account, which its endpoint begins with; needed beside an access key, else the instance is asked. AWS needs none.",
        example: "1234567890123456",
        env: { by: "provider", names: { aliyun: "OwnerAccountId" } },
      })
      .regex(/^\d+$/, "is no ID of an account; expected digits")
      .optional(),
    accessKeyId: s
      .headerSecret({
        description:
          "The ID of an access key that may put events on the bus. On Alibaba Cloud, without one, an addon's token counts, or the RAM role of the instance; AWS needs one.",
        example: "LTAI0123456789abcdef",
        env: { by: "provider", names: { aliyun: "AccessKeyId", aws: "AWS_ACCESS_KEY_ID" } },
      })
      .optional(),
    accessKeySecret: s
      .secret({
        description: "The secret of that access key.",
        example: "fedcba9876543210",
        aliases: ["secretAccessKey"],
        env: {
          by: "provider",
          names: { aliyun: "AccessKeySecret", aws: "AWS_SECRET_ACCESS_KEY" },
        },
      })
      .optional(),
    securityToken: s
      .headerSecret({
        description: "The token that belongs to a temporary access key.",
        aliases: ["sessionToken"],
        env: { by: "provider", names: { aws: "AWS_SESSION_TOKEN" }, besides: "accessKeyId" },
      })
      .optional(),
    ...roleOptions("Alibaba Cloud: "),
    eventBusName: s
      .text({
        description: "The event bus that takes the events.",
        env: { by: "provider", names: { aliyun: "EventBusName" } },
      })
      .default("default"),
    clusterId: s
      .text({
        description: "The cluster's ID in the events; without it the cluster's name.",
        example: "c0123456789abcdef",
        env: "ClusterId",
      })
      .optional(),
    source: s
      .text({
        description:
          "The source of the events, by which rules match: without it kube-eventer's `acs.cs` on Alibaba Cloud, `kube-crier` on AWS.",
        example: "prod.k8s",
      })
      .optional(),
    internal: s
      .bool({
        description: "Alibaba Cloud: through the region's VPC endpoint; `false` from outside.",
      })
      .default(true),
  })
  .superRefine((given, ctx) => {
    const problem = (path: string, message: string) =>
      ctx.addIssue({ code: "custom", path: [path], message });
    const isOwn = given.provider === "aws" || hasOwnKey(given);
    if (isOwn && given.regionId === undefined)
      problem(
        "regionId",
        "is missing; expected the region, like cn-hangzhou (the instance is asked for it only on Alibaba Cloud, and only where no access key is given)",
      );
    if (
      isOwn &&
      given.provider === "aliyun" &&
      given.endpoint === undefined &&
      given.accountId === undefined
    )
      problem(
        "accountId",
        "is missing; expected the account's ID, or the endpoint (the instance is asked for it only where no access key is given)",
      );
    if (given.provider === "aws" && given.source?.startsWith("aws."))
      problem("source", "begins with aws., which is AWS' own; expected another");
    if (given.provider === "aws" && !hasOwnKey(given))
      problem(
        "accessKeyId",
        "is missing; expected an access key's, here or in AWS_ACCESS_KEY_ID (a role of the pod's is not asked for one)",
      );
    keyProblems(given, problem);
  });

export default defineSink({
  type: "eventbridge",
  title: "EventBridge",
  summary:
    "EventBridge of Alibaba Cloud or AWS: one event for each occurrence, several in one signed request, each with its own answer.",
  docs: "https://www.alibabacloud.com/help/en/eventbridge/putevents",
  facts: {
    kind: "stream",
    auth: "access key (Alibaba Cloud: HMAC-SHA1; AWS: Signature Version 4), temporary credentials; on Alibaba Cloud an addon's token of ACK, the instance's RAM role",
    idempotency:
      "Alibaba Cloud: the same event ID; AWS gives each an ID of its own: the UID and version are in the detail",
    batch: "16 events (AWS: 10), each with its own answer; only what failed is sent again",
    testedAgainst:
      "a server that checks signature, clock, shape and limits as documented; the vendors' own signature vectors; a server that plays the metadata service",
  },
  options,
  defaultLevel: "Normal",
  isRecord: true,
  uri: { target: "endpoint", keep: [] },
  example: {
    uri: "eventbridge:?region_id=cn-hangzhou&account_id=1234567890123456&access_key_id=LTAI0123456789abcdef&access_key_secret=fedcba9876543210&event_bus_name=k8s&cluster_id=c0123456789abcdef",
    yaml: {
      regionId: "cn-hangzhou",
      accountId: "1234567890123456",
      accessKeyId: "LTAI0123456789abcdef",
      accessKeySecret: "fedcba9876543210",
      eventBusName: "k8s",
      clusterId: "c0123456789abcdef",
    },
  },
  // Events are the cluster's own words.
  blocks: () => ({}),
  limits: () => ({ rates: [], concurrency: 256, body: null, blocks: {}, throttledMs: 5000 }),
  create: (given, io) => new Publisher(busOf(given), accessOf(given, io), io),
});

type Given = OptionsOf<typeof options>;

function accessOf(given: Given, io: SinkIo): Access {
  const { accessKeyId, accessKeySecret, securityToken, tokenFile, metadataService } = given;
  if (given.provider === "aliyun" && !hasOwnKey(given)) {
    // Both stand in every event's subject.
    const { regionId: region = null, accountId: account = null } = given;
    const action = "eventbridge:PutEvents";
    return new RoleAccess({ tokenFile, metadataService, action, region, account }, io);
  }
  const key = {
    id: accessKeyId?.reveal() ?? "",
    secret: accessKeySecret?.reveal() ?? "",
    token: securityToken?.reveal() ?? null,
  };
  return ownKey({ key, region: given.regionId ?? "", account: given.accountId ?? "" });
}

function busOf(given: Given): Bus {
  const { provider, clusterId } = given;
  return {
    provider,
    originIn: ({ region, account }) =>
      (given.endpoint ?? `https://${hostOf(given, region, account)}`).replace(/\/$/, ""),
    eventBusName: given.eventBusName,
    source: given.source ?? (provider === "aws" ? "kube-crier" : "acs.cs"),
    clusterId: clusterId ?? null,
    isRole: provider === "aliyun" && !hasOwnKey(given),
  };
}

function hostOf({ provider, internal }: Given, region: string, account: string): string {
  if (provider === "aws")
    return `events.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
  return `${account}.eventbridge.${region}${internal ? "-vpc" : ""}.aliyuncs.com`;
}
