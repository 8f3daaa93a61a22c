import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import eventbridge from "../../sinks/eventbridge.ts";
import { acsSignature, acsStringToSign } from "../../sinks/eventbridge/sign.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import { FakeClock } from "../support/clock.ts";
import { KEY_ID, REGION, SECRET, startEventBridge } from "../support/eventbridge-contract.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, problemsWith } from "../support/messages.ts";
import { becameOf, openRoad } from "../support/road.ts";
import { bare, quietIo, sinkFrom } from "../support/sinks.ts";

const never = new AbortController().signal;
const PROVIDERS = ["aliyun", "aws"] as const;
const NOW = "2026-11-20T08:05:31Z";
const given = {
  regionId: REGION,
  accountId: "1234567890123456",
  accessKeyId: KEY_ID,
  accessKeySecret: SECRET,
  eventBusName: "k8s",
  clusterId: "c0123",
};

let client: HttpClient;
beforeAll(() => {
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
afterAll(() => client.close());

async function open(
  provider: (typeof PROVIDERS)[number],
  changes: Readonly<Record<string, unknown>> = {},
  timeoutMs = 5000,
) {
  const server = await startEventBridge(provider, NOW);
  onTestFinished(() => server.close());
  const clock = new FakeClock(NOW);
  const cuts: string[] = [];
  const options = { ...given, provider, endpoint: server.url, ...changes };
  const sink = openSink(eventbridge, eventbridge.options.parse(options), {
    ...quietIo(),
    client,
    timeoutMs,
    clock,
    messageCut: () => void cuts.push("cut"),
  });
  onTestFinished(() => sink.close());
  const tell = async (about: Parameters<typeof anEvent>[0] = {}, signal = never) =>
    (await sink.tell(aMessage({ event: anEvent(about) }), clock.now(), signal)).verdict;
  return { server, sink, tell, clock, cuts };
}

describe("Alibaba Cloud's signature", () => {
  // The tests of the vendor's own library, aliyun/alibabacloud-eventbridge-sdk, util/ts/test/client.spec.ts.
  it("is over what the vendor's library says", () => {
    const headers = {
      accept: "application/json",
      "content-md5": "md5",
      "content-type": "application/json",
      date: "date",
      "x-acs-custom-key": "any value",
    };
    expect(acsStringToSign("GET", "/", { accept: "application/json" })).toBe("GET\n\n\n\n/");
    expect(acsStringToSign("GET", "/", headers)).toBe(
      "GET\nmd5\napplication/json\ndate\nx-acs-custom-key:any value\n/",
    );
  });

  it("is what the vendor's library makes", () => {
    expect(acsSignature("stringtosign", "secret")).toBe("OmuTAr79tpI6CRoAdmzKRq5lHs0=");
  });
});

describe("what is published", () => {
  it("on Alibaba Cloud is kube-eventer's CloudEvent, with an ID that stays the same", async () => {
    const { server, tell } = await open("aliyun");
    const event = anEvent();
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(server.events).toEqual([
      {
        id: `${event.uid}-${event.resourceVersion}`,
        source: "acs.cs",
        specversion: "1.0",
        type: "cs:k8s:PodRelatedEvent",
        datacontenttype: "application/json",
        subject: `acs:cs:${REGION}:1234567890123456:c0123/apis/${event.object.apiVersion}/namespaces/${event.object.namespace}/pods/${event.object.name}`,
        time: event.lastSeen,
        data: expect.objectContaining({ reason: event.reason, message: event.message }) as unknown,
        aliyuneventbusname: "k8s",
      },
    ]);
    await tell();
    expect(server.events[1]?.["id"]).toBe(server.events[0]?.["id"]);
  });

  it("on Alibaba Cloud has an ID for each occurrence of an event without a version", async () => {
    const { server, tell } = await open("aliyun");
    for (const count of [1, 2]) await tell({ uid: "u", resourceVersion: "", count });
    expect(server.events.map(({ id }) => id)).toEqual(["u-count-1", "u-count-2"]);
  });

  it.each([
    ["Ingress", "ingresses"],
    ["NetworkPolicy", "networkpolicies"],
    ["Endpoints", "endpoints"],
    ["Node", "nodes"],
  ])("names the resource of a %s: %s", async (kind, resource) => {
    const { server, tell } = await open("aliyun");
    await tell({ object: { kind } });
    expect(server.events[0]).toMatchObject({
      type: `cs:k8s:${kind}RelatedEvent`,
      subject: expect.stringContaining(`/${resource}/`),
    });
  });

  it("is cut to what Alibaba Cloud's fields hold", async () => {
    const { server, tell } = await open("aliyun");
    const object = {
      kind: "K".repeat(63),
      name: "n".repeat(253),
      apiVersion: `${"g".repeat(253)}/v1`,
    };
    expect(await tell({ uid: "a/b:c", object })).toEqual({ kind: "accepted" });
    expect(server.events[0]).toMatchObject({ id: expect.stringMatching(/^a-b-c-/) });
  });

  it("on AWS is an entry for the bus, the event in its detail", async () => {
    const { server, tell } = await open("aws");
    const event = anEvent();
    expect(await tell()).toEqual({ kind: "accepted" });
    const [{ Detail, ...entry } = { Detail: "" }] = server.events;
    expect(entry).toEqual({
      Time: Math.floor(Date.parse(event.lastSeen) / 1000),
      Source: "kube-crier",
      DetailType: "Kubernetes Event",
      EventBusName: "k8s",
    });
    expect(JSON.parse(String(Detail))).toMatchObject({
      cluster: "c0123",
      metadata: { uid: event.uid },
      reason: event.reason,
      message: event.message,
    });
  });

  it.each(PROVIDERS)("on %s may be signed with temporary credentials", async (provider) => {
    const { server, tell } = await open(provider, { securityToken: "t0ken-t0ken" });
    expect(await tell()).toEqual({ kind: "accepted" });
    const name = provider === "aws" ? "x-amz-security-token" : "x-acs-security-token";
    expect(server.inbox.requests[0]?.headers[name]).toBe("t0ken-t0ken");
  });

  it.each(PROVIDERS)("on %s names the cluster and the source it is told", async (provider) => {
    const { server, tell } = await open(provider, { clusterId: undefined, source: "prod.k8s" });
    await tell({ cluster: "prod-a" });
    expect(JSON.stringify(server.events[0])).toMatch(/prod-a/);
    expect(JSON.stringify(server.events[0])).toMatch(/"[Ss]ource":"prod\.k8s"/);
  });

  it.each(PROVIDERS)("on %s arrives whole, whatever it says, or cut to size", async (provider) => {
    const { server, tell, cuts } = await open(provider);
    const message = '"\\\n\t\u0001容器 👩‍👩‍👧 </script>';
    await tell({ message });
    const [entry] = server.events;
    const data =
      provider === "aws" ? (JSON.parse(String(entry?.["Detail"])) as unknown) : entry?.["data"];
    expect(data).toMatchObject({ message });
    expect(cuts).toEqual([]);
    for (const unit of ["x", "容", "\\", "\u0001"])
      expect(await tell({ message: unit.repeat(400_000) })).toEqual({ kind: "accepted" });
    expect(cuts).toHaveLength(4);
  });
});

describe("several at once", () => {
  it.each([
    ["aliyun", 16],
    ["aws", 10],
  ] as const)("go to %s in requests of %i", async (provider, most) => {
    const { server, tell } = await open(provider);
    const told = await Promise.all(
      Array.from({ length: most + 3 }, (_, n) => tell({ uid: `u${n}` })),
    );
    expect(new Set(told.map(({ kind }) => kind))).toEqual(new Set(["accepted"]));
    expect(server.inbox.requests).toHaveLength(2);
    expect(server.events).toHaveLength(most + 3);
  });

  it.each(PROVIDERS)("keep to the size of a request of %s", async (provider) => {
    const { server, tell } = await open(provider);
    await Promise.all(
      Array.from({ length: 9 }, (_, n) => tell({ uid: `u${n}`, message: "x".repeat(50_000) })),
    );
    expect(server.events).toHaveLength(9);
  });

  it.each([
    ["aliyun", "EventBusNotExist", "config", /^EventBusNotExist no; check `event_bus_name`/],
    ["aws", "MalformedDetail", "rejected", /^MalformedDetail no$/],
    ["aws", "NotAuthorizedForSourceException", "config", /the bus does not allow this `source`$/],
  ] as const)("of %s each hear of their own: %s", async (provider, code, reason, detail) => {
    const { server, tell } = await open(provider);
    server.refuse("uid-of-the-bad-one", code, "no");
    const told = await Promise.all(["u1", "uid-of-the-bad-one", "u3"].map((uid) => tell({ uid })));
    expect(told.map(({ kind }) => kind)).toEqual(["accepted", "permanent", "accepted"]);
    expect(told[1]).toMatchObject({ reason, detail: expect.stringMatching(detail) });
    // Only the failed one may be sent again.
    expect(server.inbox.requests).toHaveLength(1);
  });

  it("are tried again one by one where AWS failed with one", async () => {
    const { server, tell } = await open("aws");
    server.refuse("u2", "InternalFailure", "try again");
    server.refuse("u3", "ThrottlingException", "slow down");
    const told = await Promise.all(["u1", "u2", "u3"].map((uid) => tell({ uid })));
    expect(told.map(({ kind }) => kind)).toEqual(["accepted", "retryable", "throttled"]);
  });
});

describe("what is answered", () => {
  it.each([
    [
      "aliyun",
      { accessKeySecret: "wrong-secret" },
      /^SignatureDoesNotMatch .*; check `access_key_secret`/,
    ],
    [
      "aws",
      { accessKeySecret: "wrong-secret" },
      /^InvalidSignatureException .*; check `access_key_secret`/,
    ],
    ["aws", { regionId: "us-east-1" }, /^InvalidSignatureException /],
  ] as const)("by %s to %j says what to do", async (provider, changes, detail) => {
    const { server, tell } = await open(provider, changes);
    expect(await tell()).toEqual({
      kind: "permanent",
      reason: "auth",
      detail: expect.stringMatching(detail) as string,
    });
    expect(server.events).toEqual([]);
  });

  it.each([
    [
      "aliyun",
      429,
      { code: "TooManyRequests", message: "flow limiter" },
      "paused for 5 s after 0: TooManyRequests flow limiter",
    ],
    [
      "aliyun",
      403,
      { code: "ServiceAccessDenied", message: "not enabled" },
      "dead after 1, config: ServiceAccessDenied not enabled; activate EventBridge for the account",
    ],
    ["aliyun", 500, "oops", "again in 0.5 s after 1, server: HTTP 500: oops"],
    [
      "aliyun",
      200,
      "<html>",
      "again in 0.5 s after 1, server: HTTP 200, but not the platform's own answer: <html>",
    ],
    ["aliyun", 200, { FailedEntryCount: 0 }, "delivered after 0"],
    [
      "aws",
      400,
      { __type: "ThrottlingException", message: "Rate exceeded" },
      "paused for 5 s after 0: ThrottlingException Rate exceeded",
    ],
    [
      "aws",
      400,
      { __type: "com.amazonaws.events#ExpiredTokenException", message: "expired" },
      "dead after 1, auth: ExpiredTokenException expired; the `security_token` is no longer good",
    ],
    ["aws", 413, "", "dead after 1, tooLarge: HTTP 413"],
    [
      "aws",
      200,
      { FailedEntryCount: 1, Entries: [] },
      'again in 0.5 s after 1, server: HTTP 200, but not the platform\'s own answer: {"FailedEntryCount":1,"Entries":[]}',
    ],
  ] as const)("by %s with %i %j: %s", async (provider, status, body, expected) => {
    const { server } = await open(provider);
    const road = openRoad(
      `eventbridge:${server.url}?provider=${provider}&regionId=${REGION}&accessKeyId=${KEY_ID}&accessKeySecret=${SECRET}`,
    );
    server.instead({ status, body });
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toBe(expected);
  });

  it.each([
    ["aliyun", -20, /^SignatureDoesNotMatch .*; this machine's clock is 20 minutes ahead of the/],
    ["aliyun", 20, /^SignatureDoesNotMatch .*; this machine's clock is 20 minutes behind the/],
    ["aws", 6, /^InvalidSignatureException Signature expired: .*clock is 6 minutes behind the/],
    ["aws", -6, /^InvalidSignatureException Signature not yet current: .*6 minutes ahead of the/],
  ] as const)(
    "by %s %i minutes away blames the clock, and passes",
    async (provider, off, detail) => {
      const { server, tell } = await open(provider);
      server.setClock(Date.parse(NOW) + off * 60_000);
      expect(await tell()).toEqual({
        kind: "retryable",
        reason: "auth",
        detail: expect.stringMatching(detail) as string,
      });
      server.setClock(Date.parse(NOW));
      expect(await tell()).toEqual({ kind: "accepted" });
    },
  );

  it("of an expired signature blames the clock where the answer has no date", async () => {
    const { server, tell } = await open("aws");
    const headers = { date: "" };
    const body = { __type: "InvalidSignatureException", message: "Signature expired: 2014 …" };
    server.instead({ status: 400, headers, body });
    expect(await tell()).toMatchObject({
      kind: "retryable",
      detail: expect.stringMatching(/this machine's clock and the platform's differ: set it$/),
    });
  });

  it.each(PROVIDERS)("by %s is not waited for beyond the timeout", async (provider) => {
    const { server, tell } = await open(provider, {}, 50);
    server.instead("hang");
    expect(await tell()).toMatchObject({ kind: "retryable", reason: "timeout" });
  });

  it("has no secret in it, whatever is echoed", async () => {
    const { server, tell } = await open("aws");
    const { authorization = "" } = server.inbox.requests[0]?.headers ?? {};
    server.instead({ status: 400, body: `${SECRET} ${KEY_ID} ${authorization}` });
    expect(JSON.stringify(await tell())).not.toMatch(/fedcba|AKID/);
  });
});

describe("where it goes", () => {
  const hostOf = async (changes: Readonly<Record<string, unknown>>) => {
    const hosts: string[] = [];
    const sink = openSink(eventbridge, eventbridge.options.parse({ ...given, ...changes }), {
      ...quietIo(),
      timeoutMs: 1000,
      client: {
        exchange: (request) => {
          hosts.push(request.url);
          return Promise.reject(new Error("no network in a test"));
        },
        close: () => undefined,
      },
    });
    await sink.tell(aMessage(), 0, never);
    return hosts[0];
  };

  it.each([
    [
      { regionId: "cn-hangzhou" },
      "https://1234567890123456.eventbridge.cn-hangzhou-vpc.aliyuncs.com/openapi/putEvents",
    ],
    [
      { regionId: "cn-hangzhou", internal: "false" },
      "https://1234567890123456.eventbridge.cn-hangzhou.aliyuncs.com/openapi/putEvents",
    ],
    [{ provider: "aws" }, "https://events.eu-central-1.amazonaws.com/"],
    [{ provider: "aws", regionId: "cn-north-1" }, "https://events.cn-north-1.amazonaws.com.cn/"],
    [{ endpoint: "https://bus.example.com/" }, "https://bus.example.com/openapi/putEvents"],
  ])("is, for %j, %s", async (changes, url) => {
    expect(await hostOf(changes)).toBe(url);
  });

  it("is said with kube-eventer's options", () => {
    const uri = `eventbridge:?clusterId=c0123&regionId=cn-hangzhou&accessKeyId=${KEY_ID}&accessKeySecret=${SECRET}&eventBusName=k8s&internal=false&accountId=1234567890123456`;
    const { sink, warnings } = sinkFrom(uri);
    expect(warnings).toEqual([]);
    expect(bare(sink)).toMatchObject({
      options: {
        provider: "aliyun",
        clusterId: "c0123",
        regionId: "cn-hangzhou",
        eventBusName: "k8s",
        internal: false,
      },
    });
  });

  const optionsOf = (uri: string, env: Readonly<Record<string, string>>) =>
    bare(sinkFrom(uri, env).sink.options);
  const ALIYUN_ENV = {
    RegionId: "cn-beijing",
    OwnerAccountId: "42",
    AccessKeyId: "of-aliyun",
    AccessKeySecret: "secret-of-aliyun",
    EventBusName: "ops",
    ClusterId: "c9",
  };
  const AWS_ENV = {
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "of-aws",
    AWS_SECRET_ACCESS_KEY: "secret-of-aws",
    AWS_SESSION_TOKEN: "token-of-aws",
  };

  it("is taken from kube-eventer's environment variables", () => {
    expect(optionsOf("eventbridge:", { ...ALIYUN_ENV, ...AWS_ENV })).toMatchObject({
      provider: "aliyun",
      regionId: "cn-beijing",
      accountId: "42",
      accessKeyId: { secret: "of-aliyun" },
      accessKeySecret: { secret: "secret-of-aliyun" },
      eventBusName: "ops",
      clusterId: "c9",
      internal: true,
    });
  });

  it("is taken from the environment variables of AWS' own tools", () => {
    expect(optionsOf("eventbridge:?provider=aws", { ...ALIYUN_ENV, ...AWS_ENV })).toMatchObject({
      regionId: "us-east-1",
      accessKeyId: { secret: "of-aws" },
      accessKeySecret: { secret: "secret-of-aws" },
      securityToken: { secret: "token-of-aws" },
      eventBusName: "default",
    });
  });

  it("is what the option says, and never one key with another's token", () => {
    const uri = "eventbridge:?provider=aws&regionId=eu-west-1&accessKeyId=mine&accessKeySecret=own";
    const options = optionsOf(uri, AWS_ENV);
    expect(options).toMatchObject({ regionId: "eu-west-1", accessKeyId: { secret: "mine" } });
    expect(options).not.toHaveProperty("securityToken");
  });

  it.each([
    [{ accountId: undefined }, "accountId: is missing"],
    [{ accountId: "my-account" }, "accountId: is no ID"],
    [{ regionId: "Frankfurt" }, "regionId: is no ID of a region"],
    [{ provider: "aws", source: "aws.k8s" }, "source: begins with aws."],
    [{ endpoint: "http://bus.example.com" }, "endpoint: is no endpoint"],
    [{ accessKeyId: "" }, "accessKeyId: is empty"],
  ])("is refused: %j", (changes, problem) => {
    expect(problemsWith(eventbridge, { ...given, ...changes })).toEqual([
      expect.stringContaining(problem),
    ]);
  });
});
