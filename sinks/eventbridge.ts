import { defineSink, type OptionsOf, s } from "../src/sink/index.ts";
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
        description: "The region's ID.",
        example: "cn-hangzhou",
        aliases: ["region"],
        env: { by: "provider", names: { aliyun: "RegionId", aws: "AWS_REGION" } },
      })
      .regex(/^[a-z]{2}[a-z0-9-]+$/, "is no ID of a region; expected one like cn-hangzhou"),
    accountId: s
      .text({
        description:
          "The ID of the Alibaba Cloud account, which its endpoint begins with; AWS needs none.",
        example: "1234567890123456",
        env: { by: "provider", names: { aliyun: "OwnerAccountId" } },
      })
      .regex(/^\d+$/, "is no ID of an account; expected digits")
      .optional(),
    accessKeyId: s.secret({
      description:
        "The ID of an access key that may put events on the bus. An instance's role, which kube-eventer falls back on, is not asked.",
      example: "LTAI0123456789abcdef",
      env: { by: "provider", names: { aliyun: "AccessKeyId", aws: "AWS_ACCESS_KEY_ID" } },
    }),
    accessKeySecret: s.secret({
      description: "The secret of that access key.",
      example: "fedcba9876543210",
      aliases: ["secretAccessKey"],
      env: { by: "provider", names: { aliyun: "AccessKeySecret", aws: "AWS_SECRET_ACCESS_KEY" } },
    }),
    securityToken: s
      .secret({
        description: "The token that belongs to a temporary access key.",
        aliases: ["sessionToken"],
        env: { by: "provider", names: { aws: "AWS_SESSION_TOKEN" }, besides: "accessKeyId" },
      })
      .optional(),
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
    if (
      given.provider === "aliyun" &&
      given.endpoint === undefined &&
      given.accountId === undefined
    )
      problem("accountId", "is missing; expected the account's ID, or the endpoint");
    if (given.provider === "aws" && given.source?.startsWith("aws."))
      problem("source", "begins with aws., which is AWS' own; expected another");
    for (const name of ["accessKeyId", "accessKeySecret"] as const)
      if (given[name].reveal() === "") problem(name, "is empty");
  });

export default defineSink({
  type: "eventbridge",
  title: "EventBridge",
  summary:
    "EventBridge of Alibaba Cloud or AWS: one event for each occurrence, several in one signed request, each with its own answer.",
  docs: "https://www.alibabacloud.com/help/en/eventbridge/putevents",
  facts: {
    kind: "stream",
    auth: "access key (Alibaba Cloud: HMAC-SHA1; AWS: Signature Version 4), temporary credentials",
    idempotency:
      "Alibaba Cloud: the same event ID; AWS gives each an ID of its own: the UID and version are in the detail",
    batch: "16 events (AWS: 10), each with its own answer; only what failed is sent again",
    testedAgainst:
      "a server that checks signature, clock, shape and limits as documented; the vendors' own signature vectors",
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
  create: (given, io) => new Publisher(busOf(given), io),
});

function busOf(given: OptionsOf<typeof options>): Bus {
  const { provider, regionId, accountId = "", clusterId } = given;
  return {
    provider,
    origin: (given.endpoint ?? `https://${hostOf(given)}`).replace(/\/$/, ""),
    regionId,
    accountId,
    eventBusName: given.eventBusName,
    source: given.source ?? (provider === "aws" ? "kube-crier" : "acs.cs"),
    clusterId: clusterId ?? null,
    key: {
      id: given.accessKeyId.reveal(),
      secret: given.accessKeySecret.reveal(),
      token: given.securityToken?.reveal() ?? null,
    },
  };
}

function hostOf({ provider, regionId, accountId, internal }: OptionsOf<typeof options>): string {
  if (provider === "aws")
    return `events.${regionId}.amazonaws.com${regionId.startsWith("cn-") ? ".cn" : ""}`;
  return `${accountId ?? ""}.eventbridge.${regionId}${internal ? "-vpc" : ""}.aliyuncs.com`;
}
