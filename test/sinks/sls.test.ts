import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import sls from "../../sinks/sls.ts";
import { encodeGroup, encodeLog } from "../../sinks/sls/protobuf.ts";
import { authorization } from "../../sinks/sls/sign.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, problemsWith } from "../support/messages.ts";
import { becameOf, openRoad } from "../support/road.ts";
import { bare, quietIo, sinkFrom } from "../support/sinks.ts";
import {
  KEY_ID,
  KEY_SECRET,
  PROJECT,
  type SlsServer,
  startSls,
  STORE,
} from "../support/sls-contract.ts";

const never = new AbortController().signal;
const given = {
  project: PROJECT,
  logStore: STORE,
  accessKeyId: KEY_ID,
  accessKeySecret: KEY_SECRET,
};

let clock: FakeClock;
let server: SlsServer;
let client: HttpClient;
beforeAll(() => {
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(async () => {
  clock = new FakeClock("2026-11-20T08:05:31Z");
  server = await startSls(clock);
  onTestFinished(() => server.close());
});
afterAll(() => client.close());

function open(changes: Readonly<Record<string, unknown>> = {}, timeoutMs = 5000) {
  const cuts: string[] = [];
  const options = sls.options.parse({ endpoint: server.url, ...given, ...changes });
  const sink = openSink(sls, options, {
    ...quietIo(),
    client,
    timeoutMs,
    clock,
    messageCut: () => void cuts.push("cut"),
  });
  onTestFinished(() => sink.close());
  const tell = async (changes: Parameters<typeof anEvent>[0] = {}, signal = never) =>
    (await sink.tell(aMessage({ event: anEvent(changes) }), clock.now(), signal)).verdict;
  return { sink, tell, cuts };
}

const stored = () => server.groups.flatMap(({ logs }) => logs);
const uriAt = ({ url }: SlsServer, more = "") =>
  `sls:${url}?project=${PROJECT}&logStore=${STORE}&accessKeyId=${KEY_ID}&accessKeySecret=${KEY_SECRET}${more}`;

describe("the signature", () => {
  // The documentation's key pair and requests, with what the vendor's own client for Node (aliyun/aliyun-log-nodejs-sdk) makes of them.
  const key = {
    id: "bq2sjzesjmo86kq35behupbq",
    secret: "4fdO2fTDDnZPU/L7CHNdemB2Nsk=",
    token: null,
  };
  const common = { "x-log-apiversion": "0.6.0", "x-log-signaturemethod": "hmac-sha1" };
  const put = {
    ...common,
    date: "Mon, 09 Nov 2015 06:03:03 GMT",
    "content-md5": "1DD45FA4A70A9300CC9FE7305AF2C494",
    "content-length": "52",
    "content-type": "application/x-protobuf",
    "x-log-bodyrawsize": "50",
    "x-log-compresstype": "lz4",
  };

  it("is the documentation's for a request without a body", () => {
    const headers = { ...common, date: "Mon, 09 Nov 2015 06:11:16 GMT" };
    const resource = "/logstores?logstoreName=&offset=0&size=1000";
    expect(authorization(key, "GET", resource, headers)).toBe(
      "LOG bq2sjzesjmo86kq35behupbq:jEYOTCJs2e88o+y5F4/S5IsnBJQ=",
    );
  });

  it("is the documentation's for PutLogs", () => {
    expect(authorization(key, "POST", "/logstores/test-logstore", put)).toBe(
      "LOG bq2sjzesjmo86kq35behupbq:XWLGYHGg2F2hcfxWxMLiNkGki6g=",
    );
  });

  it("covers the token of temporary credentials", () => {
    const token =
      "CAISiwJ1q6Ft5B2yfSjIr5D7Et3+35R02JuKR1P1lk40dt1giPfK1Dz2IHhLdXNrAuEXs/w0mmBQ7v8TlqZdVplOWU3Da+B364xK7Q75jHw5B0zwv9I+k5SANTW5KXyShb3/AYjQSNfaZY3eCTTtnTNyxr3XbCirW0ffX7SClZ9gaKZ8PGD6F00kYu1bPQx/ssQXGGLMPPK2SH7Qj3HXEVBjt3gX6wo9y9zmnZHNukGH3QOqkbVM9t6rGPX+MZkwZqUYesyuwel7epDG1CNt8BVQ/M909vccpmad5YrMUgQJuEvWa7KNo8caKgJmI7M3AbBFp/WlyKMn5raOydSrkE8cePtSVynP+g0hR0dZ+YgagAEFdb+5rO1e+OZ3kcmPKF5Zh2Sni+vF1qzKA/SElND5koQQV6uvVCweKnfzCPMKjY0OXWmfgtcwOTyJ4ABGsTGnILzBNRD/+Gdqe7wclZrj0aDUkTdFf8k7SudZuO9KOPBe8mS3pJoMs1p67mWA/J4Wn0dottbprb5EQOBRxUC6bw==";
    const temporary = {
      id: "STS.NSNYgJ2KUoYaEuDrNazRLg2a6",
      secret: "56Xqw2THF5vTHTNkGWR6uGRKXToKWMi2eLFjppPNV8RR",
      token,
    };
    const headers = { ...put, "x-acs-security-token": token };
    expect(authorization(temporary, "POST", "/logstores/test-logstore", headers)).toBe(
      "LOG STS.NSNYgJ2KUoYaEuDrNazRLg2a6:G3R03b6PwVI+zUaLtqezsBDL/j8=",
    );
  });
});

describe("the encoding", () => {
  it("is Protocol Buffers', byte for byte", () => {
    // By hand from https://protobuf.dev/programming-guides/encoding: 08 = field 1 varint, 12 = field 2 bytes, 25 = field 4 fixed32.
    const log = encodeLog({ time: 300, nanoseconds: 1, contents: [["k", "é"]] });
    expect(log.toString("hex")).toBe("08ac0212070a016b1202c3a92501000000");
    const group = encodeGroup({ logs: [log], topic: "t", source: "" });
    expect(group.toString("hex")).toBe(`0a11${log.toString("hex")}1a0174`);
  });

  it("takes every time there will be and any length", () => {
    const log = encodeLog({ time: 4_294_967_295, nanoseconds: 999_999_999, contents: [] });
    expect(log.toString("hex")).toBe("08ffffffff0f25ffc99a3b");
    const long = encodeGroup({ logs: [Buffer.alloc(200)], topic: "", source: "" });
    expect(long.subarray(0, 3).toString("hex")).toBe("0ac801");
  });
});

describe("what Log Service stores", () => {
  it("are kube-eventer's fields, the event as JSON among them", async () => {
    const event = anEvent();
    expect(
      await open({ topic: "prod-a", label: ["ClusterId", "c1", "RegionId", "r1"] }).tell(),
    ).toEqual({ kind: "accepted" });
    const [group] = server.groups;
    expect(group?.topic).toBe("prod-a");
    const [log] = group?.logs ?? [];
    const { eventId = "", ...others } = log?.fields ?? {};
    expect(others).toEqual({
      hostname: event.reporter.host ?? "",
      level: "Warning",
      pod_id: event.object.uid ?? "",
      pod_name: event.object.name,
      ClusterId: "c1",
      RegionId: "r1",
    });
    expect(log?.time).toBe(Math.floor(Date.parse(event.lastSeen) / 1000));
    // As Go's MarshalIndent with one space.
    expect(eventId).toMatch(/^\{\n "metadata": \{\n  "name": /);
    expect(JSON.parse(eventId)).toMatchObject({
      metadata: { uid: event.uid },
      involvedObject: { kind: "Pod", name: event.object.name, namespace: event.object.namespace },
      reason: event.reason,
      message: event.message,
      type: "Warning",
      count: event.count,
    });
  });

  it("names no pod where there is none", async () => {
    await open().tell({ object: { kind: "Node", namespace: null, name: "node-3", uid: "u" } });
    expect(Object.keys(stored()[0]?.fields ?? {})).toEqual(["eventId", "hostname", "level"]);
  });

  it("keeps the fraction of the second", async () => {
    await open().tell({ lastSeen: "2026-11-20T08:05:30.123Z" });
    expect(stored()[0]).toMatchObject({ time: 1_795_161_930, nanoseconds: 123_000_000 });
  });

  it("tells of a gap as an event of its own", async () => {
    const { sink } = open();
    await sink.tell(aMessage({ event: null }), clock.now(), never);
    expect(JSON.parse(stored()[0]?.fields["eventId"] ?? "")).toMatchObject({
      reason: "HistoryGap",
      involvedObject: { kind: "Cluster", name: "prod-a" },
    });
  });

  it.each(["deflate", "none"])("comes in whole with compress=%s", async (compress) => {
    const message = '"\\\n\t\u0001容器 👩‍👩‍👧 </script>';
    expect(await open({ compress }).tell({ message })).toEqual({ kind: "accepted" });
    expect(JSON.parse(stored()[0]?.fields["eventId"] ?? "")).toMatchObject({ message });
  });

  it("is cut, and that is counted, where it is beyond what a log may hold", async () => {
    const { tell, cuts } = open({ compress: "none" });
    for (const unit of ["x", "容", "\u0001"])
      expect(await tell({ message: unit.repeat(1_500_000) })).toEqual({ kind: "accepted" });
    expect(cuts).toHaveLength(3);
    for (const { fields } of stored())
      expect(Buffer.byteLength(fields["eventId"] ?? "")).toBeLessThan(1024 * 1024);
  });
});

describe("where it goes", () => {
  const originOf = (changes: Readonly<Record<string, unknown>>) => {
    const urls: string[] = [];
    const definition = { ...given, ...changes };
    const sink = openSink(sls, sls.options.parse(definition), {
      ...quietIo(),
      timeoutMs: 1000,
      client: {
        exchange: (request) => {
          urls.push(new URL(request.url).host);
          return Promise.reject(new Error("no network in a test"));
        },
        close: () => undefined,
      },
    });
    return sink.tell(aMessage(), clock.now(), never).then(() => urls[0]);
  };

  it.each([
    [{ regionId: "cn-hangzhou" }, "k8s-audit.cn-hangzhou-intranet.log.aliyuncs.com"],
    [{ regionId: "cn-hangzhou", internal: false }, "k8s-audit.cn-hangzhou.log.aliyuncs.com"],
    [
      { endpoint: "https://sls.aliyuncs.com", regionId: "eu-central-1", internal: "false" },
      "k8s-audit.eu-central-1.log.aliyuncs.com",
    ],
    [{ endpoint: "cn-beijing-vpc.log.aliyuncs.com" }, "k8s-audit.cn-beijing-vpc.log.aliyuncs.com"],
  ])("is, for %j, %s", async (changes, host) => {
    expect(await originOf(changes)).toBe(host);
  });

  it("is said by kube-eventer's own URI", () => {
    const uri = `sls:https://sls.aliyuncs.com?project=my-project&logStore=my-store&topic=k8s-cluster-dev&label=Key1,Value1&label=Key2,Value2&regionId=cn-hangzhou&accessKeyId=${KEY_ID}&accessKeySecret=${KEY_SECRET}&internal=false`;
    const { sink, warnings } = sinkFrom(uri);
    expect(warnings).toEqual([]);
    expect(bare(sink)).toMatchObject({
      options: {
        project: "my-project",
        logStore: "my-store",
        topic: "k8s-cluster-dev",
        regionId: "cn-hangzhou",
        internal: false,
        label: ["Key1", "Value1", "Key2", "Value2"],
      },
      labels: [],
    });
  });
});

describe("what stands in the environment", () => {
  const optionsOf = (uri: string, env: Readonly<Record<string, string>>) =>
    bare(sinkFrom(uri, env).sink.options);
  const key = { AccessKeyId: "of-env", AccessKeySecret: "secret-of-env" };

  it("is the access key and the region, as in kube-eventer's Deployment", () => {
    const uri = "sls:https://sls.aliyuncs.com?project=my-project&logStore=my-store";
    expect(optionsOf(uri, { ...key, RegionId: "cn-beijing" })).toMatchObject({
      regionId: "cn-beijing",
      accessKeyId: { secret: "of-env" },
      accessKeySecret: { secret: "secret-of-env" },
    });
  });

  it.each(["sls:https://sls.aliyuncs.com?", "sls:https://sls.aliyuncs.com&", "sls:?"])(
    "is the endpoint in SLS_ENDPOINT, which %s does not hide",
    (start) => {
      const options = optionsOf(`${start}project=my-project&logStore=my-store`, {
        ...key,
        SLS_ENDPOINT: "cn-beijing-intranet.log.aliyuncs.com",
      });
      expect(options).toMatchObject({ endpoint: "cn-beijing-intranet.log.aliyuncs.com" });
      expect(options).not.toHaveProperty("regionId");
    },
  );

  it("yields to what the URI says", () => {
    const uri = `sls:https://cn-hangzhou.log.aliyuncs.com?project=my-project&logStore=my-store&accessKeyId=${KEY_ID}&accessKeySecret=${KEY_SECRET}`;
    expect(optionsOf(uri, { ...key, SLS_ENDPOINT: "elsewhere.example.com" })).toMatchObject({
      endpoint: "https://cn-hangzhou.log.aliyuncs.com",
      accessKeyId: { secret: KEY_ID },
    });
  });
});

describe("many at once", () => {
  it("go in one request, and those that come meanwhile in the next", async () => {
    const { tell } = open();
    const first = Array.from({ length: 50 }, (_, n) => tell({ uid: `a${n}` }));
    await server.inbox.received(1);
    const second = Array.from({ length: 30 }, (_, n) => tell({ uid: `b${n}` }));
    expect(new Set(await Promise.all([...first, ...second]))).toEqual(
      new Set([{ kind: "accepted" }]),
    );
    expect(server.groups.map(({ logs }) => logs.length)).toEqual([50, 30]);
  });

  it("keep to what a request may hold", async () => {
    const { tell } = open();
    const long = { message: "x".repeat(140_000) };
    await Promise.all(Array.from({ length: 40 }, () => tell(long)));
    expect(stored()).toHaveLength(40);
    expect(server.groups.length).toBeGreaterThan(1);
    await Promise.all(Array.from({ length: 2100 }, () => tell()));
    expect(Math.max(...server.groups.map(({ logs }) => logs.length))).toBeLessThanOrEqual(1000);
  });

  it("lose none to the one that is refused", async () => {
    const { tell } = open();
    const told = await Promise.all(
      Array.from({ length: 9 }, (_, n) =>
        tell({ uid: `u${n}`, ...(n === 4 ? { lastSeen: "2026-11-01T00:00:00Z" } : {}) }),
      ),
    );
    expect(told.map(({ kind }) => kind)).toEqual([
      ...Array<string>(4).fill("accepted"),
      "permanent",
      ...Array<string>(4).fill("accepted"),
    ]);
    expect(told[4]).toEqual({
      kind: "permanent",
      reason: "rejected",
      detail:
        "InvalidTimestamp Invalid timestamps are in logs.; Log Service takes what is at most 7 days old",
    });
    expect(stored()).toHaveLength(8);
  });

  it("are all told when Log Service is busy, and none is halved", async () => {
    const { tell } = open();
    server.instead({ status: 500, body: { errorCode: "InternalServerError", errorMessage: "x" } });
    const told = await Promise.all([tell(), tell(), tell()]);
    for (const verdict of told)
      expect(verdict).toMatchObject({ kind: "retryable", reason: "server" });
    expect(server.inbox.requests).toHaveLength(1);
  });

  it("wait for none that has gone", async () => {
    const { tell } = open();
    server.instead("hang");
    const stop = new AbortController();
    const gone = tell({}, stop.signal);
    const request = await server.inbox.received(1);
    const next = tell({ uid: "next" });
    stop.abort();
    expect(await gone).toMatchObject({ kind: "retryable" });
    await request.closed;
    expect(await next).toEqual({ kind: "accepted" });
  });

  it("are told when it is closed, and nothing is sent afterwards", async () => {
    const { tell, sink } = open();
    server.instead("hang");
    const sent = tell();
    await server.inbox.received(1);
    const queued = tell();
    await sink.close();
    expect(await sent).toMatchObject({ kind: "retryable", reason: "network" });
    expect(await queued).toMatchObject({ kind: "retryable", reason: "network" });
    expect(await tell()).toMatchObject({ kind: "retryable", reason: "network" });
    expect(server.inbox.requests).toHaveLength(1);
  });
});

describe("what Log Service answers", () => {
  const refusal = (status: number, errorCode: string, errorMessage: string) =>
    ({
      status,
      headers: { "x-log-requestid": "5B0" },
      body: { errorCode, errorMessage },
    }) as const;

  it.each([
    [
      refusal(403, "WriteQuotaExceed", "Write quota is exceeded"),
      "paused for 5 s after 0: WriteQuotaExceed Write quota is exceeded",
    ],
    [
      refusal(403, "ShardWriteQuotaExceed", "shard write quota is exceeded"),
      "paused for 5 s after 0: ShardWriteQuotaExceed shard write quota is exceeded; split the Logstore's shards where it stays so",
    ],
    [{ status: 403, body: "Project write QPS Exceed" }, "paused for 5 s after 0: WriteQuotaExceed"],
    [
      refusal(503, "ServerBusy", "The server is busy"),
      "again in 0.5 s after 1, server: ServerBusy The server is busy",
    ],
    [
      refusal(400, "PostBodyInvalid", "Protobuffer content cannot be parsed."),
      "dead after 1, rejected: PostBodyInvalid Protobuffer content cannot be parsed.",
    ],
    [
      refusal(400, "RequestTimeExpired", "Request time has been expired"),
      "again in 0.5 s after 1, auth: RequestTimeExpired Request time has been expired; this machine's clock is more than 15 minutes off",
    ],
    [
      { status: 200, body: "<html>Sign in to the network</html>" },
      "again in 0.5 s after 1, server: HTTP 200, but not the platform's own answer: <html>Sign in to the network</html>",
    ],
    [{ status: 413, body: "" }, "dead after 1, tooLarge: HTTP 413"],
  ])("%j: %s", async (reply, expected) => {
    const road = openRoad(uriAt(server));
    server.instead(reply);
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toBe(expected);
  });

  it.each([
    [
      { accessKeySecret: "wrong-secret" },
      "auth",
      /^SignatureNotMatch .*; check `access_key_secret`$/,
    ],
    [{ accessKeyId: "LTAIwrong" }, "auth", /^Unauthorized .*; check the access key, and grant it/],
    [{ project: "no-such" }, "config", /^ProjectNotExist .*; check `project`/],
    [{ logStore: "no-such" }, "config", /^LogStoreNotExist .*; check `log_store`; it must exist$/],
  ])("to %j is a refusal that says what to do", async (changes, reason, detail) => {
    expect(await open(changes).tell()).toMatchObject({
      kind: "permanent",
      reason,
      detail: expect.stringMatching(detail),
    });
    expect(stored()).toEqual([]);
  });

  it("is not waited for beyond the timeout", async () => {
    server.instead("hang");
    expect(await open({}, 50).tell()).toMatchObject({ kind: "retryable", reason: "timeout" });
  });
});

describe("the look before the first event", () => {
  it("finds nothing wrong where the Logstore is, and stores nothing", async () => {
    expect(await open().sink.check(never)).toEqual({ problems: [], away: null });
    expect(server.groups).toEqual([]);
  });

  it("names what only a person can change", async () => {
    expect(await open({ logStore: "no-such" }).sink.check(never)).toEqual({
      problems: [
        {
          message: "Log Service: LogStoreNotExist logstore /logstores/no-such dose not exist",
          hint: "check `log_store`; it must exist",
        },
      ],
      away: null,
    });
  });

  it("asks nothing of a key that may only write", async () => {
    const body = { errorCode: "Unauthorized", errorMessage: "no log:GetLogStore" };
    server.instead({ status: 401, body });
    expect(await open().sink.check(never)).toEqual({ problems: [], away: null });
  });

  it("waits for a Log Service that is away", async () => {
    server.instead("reset");
    const found = await open().sink.check(never);
    expect(found?.problems).toEqual([]);
    expect(found?.away).toMatch(/^the connection was reset/);
  });
});

describe("its options", () => {
  it.each([
    [{ endpoint: undefined }, "regionId: is missing"],
    [{ endpoint: "https://sls.aliyuncs.com" }, "regionId: is missing"],
    [{ endpoint: "http://cn-hangzhou.log.aliyuncs.com" }, "endpoint: is no endpoint"],
    [{ regionId: "cn hangzhou" }, "regionId: is no ID of a region"],
    [{ project: "My_Project" }, "project: is no name of a project"],
    [{ logStore: "a/../b" }, "logStore: is no name of a Logstore"],
    [{ label: ["ClusterId"] }, "label: has a name without a value"],
    [{ label: ["", "c1"] }, "label: has an empty name"],
    [{ accessKeySecret: "" }, "accessKeySecret: is empty"],
  ])("refuse %j", (changes, problem) => {
    const endpoint = "https://cn-hangzhou.log.aliyuncs.com";
    expect(problemsWith(sls, { endpoint, ...given, ...changes })).toEqual([
      expect.stringContaining(problem),
    ]);
  });
});
