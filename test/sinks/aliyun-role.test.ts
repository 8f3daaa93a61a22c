import { writeFileSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import eventbridge from "../../sinks/eventbridge.ts";
import sls from "../../sinks/sls.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import { FakeClock } from "../support/clock.ts";
import { ROLE_KEY as KEY, startEventBridge } from "../support/eventbridge-contract.ts";
import { anEvent } from "../support/events.ts";
import { startInbox } from "../support/inbox.ts";
import { aMessage, problemsWith } from "../support/messages.ts";
import {
  fileOf,
  type MetadataService,
  NO_FILE,
  ROLE,
  startMetadata,
  tokenFile,
} from "../support/metadata.ts";
import { quietIo, sinkFrom } from "../support/sinks.ts";
import { PROJECT, type SlsServer, startSls, STORE } from "../support/sls-contract.ts";

/** The RAM role of the instance and the token of an addon, in place of an access key, for both of Alibaba Cloud's sinks. */
const NOW = "2026-11-20T08:05:31Z";
const HOUR = 3_600_000;
const NEXT = { id: "STS.NSnext", secret: "next-secret-0123456789", token: "CAISnext/token==" };
const never = new AbortController().signal;
const CREDENTIALS = [
  "PUT /latest/api/token",
  "GET /latest/meta-data/ram/security-credentials/",
  `GET /latest/meta-data/ram/security-credentials/${ROLE}`,
];

let clock: FakeClock;
let client: HttpClient;
beforeAll(() => {
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(() => {
  clock = new FakeClock(NOW);
});
afterAll(() => client.close());

async function slsServer(): Promise<SlsServer> {
  const server = await startSls(clock);
  onTestFinished(() => server.close());
  server.takes(KEY);
  return server;
}

function slsAt(
  server: { readonly url: string },
  metadata: { readonly url: string },
  changes: Readonly<Record<string, unknown>> = {},
  exchange = client,
) {
  const told: string[] = [];
  const options = sls.options.parse({
    endpoint: server.url,
    project: PROJECT,
    logStore: STORE,
    metadataService: metadata.url,
    tokenFile: NO_FILE,
    ...changes,
  });
  const io = {
    ...quietIo(),
    client: exchange,
    timeoutMs: 5000,
    clock,
    notice: (text: string) => void told.push(text),
    warning: (text: string) => void told.push(text),
  };
  const sink = openSink(sls, options, io);
  onTestFinished(() => sink.close());
  const tell = async (signal = never) =>
    (await sink.tell(aMessage({ event: anEvent() }), clock.now(), signal)).verdict;
  return { sink, tell, told };
}

async function busAt(
  metadata: MetadataService,
  changes: Readonly<Record<string, unknown>> = {},
  exchange = client,
) {
  const server = await startEventBridge("aliyun", NOW);
  onTestFinished(() => server.close());
  const options = eventbridge.options.parse({
    endpoint: server.url,
    clusterId: "c0123",
    metadataService: metadata.url,
    tokenFile: NO_FILE,
    ...changes,
  });
  const sink = openSink(eventbridge, options, {
    ...quietIo(),
    client: exchange,
    timeoutMs: 5000,
    clock,
  });
  onTestFinished(() => sink.close());
  const tell = async () =>
    (await sink.tell(aMessage({ event: anEvent() }), clock.now(), never)).verdict;
  return { server, sink, tell };
}

/** A client for which every host that is not loopback is this server; the metadata service stays itself. */
function redirected(to: string, urls: string[]): HttpClient {
  return {
    ...client,
    exchange: (request, options) => {
      const url = new URL(request.url);
      if (url.hostname === "127.0.0.1") return client.exchange(request, options);
      urls.push(request.url);
      return client.exchange(
        {
          ...request,
          url: to + url.pathname,
          headers: { ...request.headers, host: `${PROJECT}.${new URL(to).host}` },
        },
        options,
      );
    },
  };
}

describe("the RAM role of the instance", () => {
  it.each(["normal", "both", "hardened"] as const)(
    "signs for Log Service, its token with it: the metadata service in mode %s",
    async (mode) => {
      const [server, metadata] = [await slsServer(), await startMetadata(KEY, { mode })];
      expect(await slsAt(server, metadata).tell()).toEqual({ kind: "accepted" });
      expect(server.groups).toHaveLength(1);
      expect(server.inbox.requests[0]?.headers).toMatchObject({
        "x-acs-security-token": KEY.token,
        authorization: expect.stringContaining(`LOG ${KEY.id}:`),
      });
      expect(metadata.asked()).toEqual(CREDENTIALS);
    },
  );

  it("signs for EventBridge, with the instance's region and account", async () => {
    const metadata = await startMetadata(KEY, { mode: "hardened" });
    const { server, tell } = await busAt(metadata);
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(server.events[0]).toMatchObject({
      subject: expect.stringContaining("acs:cs:cn-hangzhou:1234567890123456:c0123/"),
    });
    expect(server.inbox.requests[0]?.headers).toMatchObject({
      "x-acs-accesskey-id": KEY.id,
      "x-acs-security-token": KEY.token,
    });
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(metadata.asked()).toHaveLength(5);
  });

  it("has the region and account of its own endpoints asked for", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    const urls: string[] = [];
    const open = slsAt(server, metadata, { endpoint: undefined }, redirected(server.url, urls));
    expect(await open.tell()).toEqual({ kind: "accepted" });
    expect(urls).toEqual([
      `https://${PROJECT}.cn-hangzhou-intranet.log.aliyuncs.com/logstores/${STORE}/shards/lb`,
    ]);
    const bus = await busAt(metadata, { endpoint: undefined }, redirected(server.url, urls));
    await bus.tell();
    expect(urls[1]).toBe(
      "https://1234567890123456.eventbridge.cn-hangzhou-vpc.aliyuncs.com/openapi/putEvents",
    );
  });

  it("is asked for once, however many wait for the first answer", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    const { tell, sink } = slsAt(server, metadata);
    const verdicts = await Promise.all([tell(), sink.check(never), tell(), tell()]);
    expect(verdicts.filter((one) => one !== null && "kind" in one)).toEqual([
      { kind: "accepted" },
      { kind: "accepted" },
      { kind: "accepted" },
    ]);
    expect(metadata.asked()).toEqual(CREDENTIALS);
    const bus = await busAt(await startMetadata(KEY));
    await Promise.all([bus.tell(), bus.tell(), bus.tell()]);
    expect(bus.server.events).toHaveLength(3);
  });

  it("is asked again ten minutes before its credentials end, and not before", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    const { tell } = slsAt(server, metadata);
    await tell();
    await clock.advance(6 * HOUR - 11 * 60_000);
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(metadata.asked()).toEqual(CREDENTIALS);

    Object.assign(metadata.gives, { key: NEXT, expires: "2026-11-20T20:05:31Z" });
    server.takes(NEXT);
    await clock.advance(60_000);
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(metadata.asked()).toEqual([...CREDENTIALS, ...CREDENTIALS]);
    expect(server.groups).toHaveLength(3);
    // None was refused first.
    expect(server.inbox.requests).toHaveLength(3);
  });

  it("is asked again when its credentials are refused before their time", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    const { tell } = slsAt(server, metadata);
    await tell();
    metadata.gives.key = NEXT;
    server.takes(NEXT);
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(server.groups).toHaveLength(2);
    expect(metadata.asked()).toHaveLength(6);
  });

  it("is tried again later where the freshest credentials are refused, and nothing secret is told", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    server.takes(NEXT);
    expect(await slsAt(server, metadata).tell()).toEqual({
      kind: "retryable",
      reason: "auth",
      detail: expect.stringMatching(
        /^the RAM role's credentials, asked for anew, are refused: Unauthorized The security token/,
      ),
    });
    // Once: the same credentials would be refused again.
    expect(server.inbox.requests).toHaveLength(1);

    const bus = await busAt(metadata);
    const body = {
      code: "StsAccessIdExpired",
      message: `expired: ${KEY.id} ${KEY.token} ${encodeURIComponent(KEY.token)}`,
    };
    bus.server.instead({ status: 403, body });
    expect(await bus.tell()).toEqual({
      kind: "retryable",
      reason: "auth",
      detail: expect.stringMatching(/refused: .*expired: <redacted> <redacted> <redacted>/),
    });
  });

  it("is not asked anew for what a policy does not allow", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    const body = { errorCode: "Unauthorized", errorMessage: "denied by sts or ram" };
    server.instead({ status: 401, body });
    expect(await slsAt(server, metadata).tell()).toMatchObject({
      kind: "permanent",
      reason: "auth",
      detail: expect.stringContaining("or the RAM role, log:PostLogStoreLogs"),
    });
    expect(metadata.asked()).toEqual(CREDENTIALS);
  });
});

describe("an access key that is given", () => {
  it("is all there is: nobody is asked, not even for a refused one", async () => {
    const server = await startSls(clock);
    onTestFinished(() => server.close());
    const metadata = await startMetadata(KEY);
    const own = {
      accessKeyId: "LTAI0123456789abcdef",
      accessKeySecret: "fedcba9876543210",
      tokenFile: tokenFile(KEY, "2026-11-20T14:05:31Z"),
    };
    const { tell, sink } = slsAt(server, metadata, own);
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(await sink.check(never)).toEqual({ problems: [], away: null });
    server.takes(NEXT);
    expect(await tell()).toMatchObject({ kind: "permanent", reason: "auth" });
    const bus = await busAt(metadata, {
      accessKeyId: "AKID0123456789abcdef",
      accessKeySecret: "fedcba9876543210",
      regionId: "eu-central-1",
      accountId: "42",
    });
    expect(await bus.tell()).toEqual({ kind: "accepted" });
    expect(await bus.sink.check(never)).toBeNull();
    expect(metadata.asked()).toEqual([]);
  });
});

describe("the token that ACK mounts for an addon", () => {
  it.each(["0123456789abcdef", "0123456789abcdef01234567", "0123456789abcdef0123456789abcdef"])(
    "signs, and the metadata service is not asked: a keyring of %s",
    async (keyring) => {
      const [server, metadata] = [await slsServer(), await startMetadata(NEXT)];
      const file = tokenFile(KEY, "2026-11-20T14:05:31Z", keyring);
      expect(await slsAt(server, metadata, { tokenFile: file }).tell()).toEqual({
        kind: "accepted",
      });
      expect(metadata.asked()).toEqual([]);
    },
  );

  it("has its region from the instance, once", async () => {
    const metadata = await startMetadata(KEY);
    const { tell } = await busAt(metadata, { tokenFile: tokenFile(KEY, "2026-11-20T08:35:31Z") });
    expect(await tell()).toEqual({ kind: "accepted" });
    await clock.advance(21 * 60_000);
    await tell();
    expect(metadata.asked()).toEqual([
      "PUT /latest/api/token",
      "GET /latest/meta-data/region-id",
      "GET /latest/meta-data/owner-account-id",
    ]);
  });

  it("is read again when it was renewed", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    const file = tokenFile(KEY, "2026-11-20T08:35:31Z");
    const { tell } = slsAt(server, metadata, { tokenFile: file });
    await tell();
    writeFileSync(file, readFileSync(tokenFile(NEXT, "2026-11-20T12:00:00Z")));
    expect(await tell()).toEqual({ kind: "accepted" });
    server.takes(NEXT);
    await clock.advance(20 * 60_000);
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(server.groups).toHaveLength(3);
  });

  it("that has ended is waited for, with what to look at", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    const file = tokenFile(KEY, "2026-11-20T08:00:00Z");
    const { sink, tell } = slsAt(server, metadata, { tokenFile: file });
    const said = `the addon's token in ${file} ended at 2026-11-20T08:00:00.000Z, and it is 2026-11-20T08:05:31.000Z here; look why ACK does not renew the Secret it is mounted from, or set this machine's clock`;
    expect(await sink.check(never)).toEqual({ problems: [], away: said });
    expect(await tell()).toEqual({ kind: "retryable", reason: "auth", detail: said });
  });

  it.each([
    ["no JSON", "{"],
    ["no token", "{}"],
    [
      "another keyring",
      JSON.stringify({
        "access.key.id": "AAAA",
        "access.key.secret": "s3cr3t-in-the-file",
        "security.token": "AAAA",
        expiration: "2026-11-20T14:05:31Z",
        keyring: "short",
      }),
    ],
  ])("is refused with its form: %s", async (_, text) => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY)];
    const { tell } = slsAt(server, metadata, { tokenFile: fileOf(text) });
    const verdict = await tell();
    expect(verdict).toMatchObject({
      kind: "retryable",
      detail: expect.stringMatching(/cannot be decoded; expected JSON with access\.key\.id, /),
    });
    expect(JSON.stringify(verdict)).not.toContain("s3cr3t");
    expect(metadata.asked()).toEqual([]);
  });
});

describe("what goes wrong with the metadata service", () => {
  it("is a problem where no role is attached: which policy it needs is said", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY, { role: null })];
    const message = `no access key is given, and the metadata service at ${metadata.url} has no RAM role for this instance`;
    const { sink, tell } = slsAt(server, metadata);
    expect(await sink.check(never)).toEqual({
      problems: [
        {
          message,
          hint: "attach a RAM role with a policy that allows log:PostLogStoreLogs to the cluster's nodes, or give `access_key_id` and `access_key_secret`",
        },
      ],
      away: null,
    });
    expect(await tell()).toMatchObject({ kind: "permanent", reason: "auth" });
    const bus = await busAt(metadata);
    const found = await bus.sink.check(never);
    expect(found?.problems[0]?.hint).toContain("allows eventbridge:PutEvents");
    expect(server.inbox.requests).toEqual([]);
  });

  it("is waited for at the start where nobody answers in time", async () => {
    const [server, silent] = [await slsServer(), await startInbox()];
    onTestFinished(() => silent.close());
    silent.reply("hang");
    const { sink } = slsAt(server, silent);
    const checking = sink.check(never);
    await silent.received(1);
    await clock.advance(2000);
    await silent.received(2);
    await clock.advance(2000);
    expect(await checking).toEqual({
      problems: [],
      away: `the metadata service at ${silent.url} does not answer: nothing within 2000 ms; give \`access_key_id\` and \`access_key_secret\` where this is no ECS instance`,
    });
  });

  it("is waited for where nobody listens", async () => {
    const [server, gone] = [await slsServer(), await startInbox()];
    await gone.close();
    const { sink, tell } = slsAt(server, gone);
    const found = await sink.check(never);
    expect(found?.problems).toEqual([]);
    expect(found?.away).toMatch(/does not answer: the connection was refused/);
    expect(await tell()).toMatchObject({ kind: "retryable", reason: "network" });
  });

  it("may be that a pod gets no token: the normal mode is tried", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY, { noToken: "reset" })];
    expect(await slsAt(server, metadata).tell()).toEqual({ kind: "accepted" });
    metadata.gives.mode = "hardened";
    const found = await slsAt(server, metadata).sink.check(never);
    expect(found?.away).toMatch(
      /answers HTTP 403 to ram\/security-credentials\/, and gave no token for its hardened mode; give/,
    );
  });

  it.each([
    [
      "an error",
      { status: 500, body: "s3cr3t" },
      /answers HTTP 500 to ram\/security-credentials\/Kube/,
    ],
    [
      "none",
      { status: 404, body: "s3cr3t" },
      /has no credentials for the RAM role KubernetesWorkerRole/,
    ],
    [
      "no JSON",
      { status: 200, body: "s3cr3t" },
      /cannot be read; expected Code Success with AccessKeyId/,
    ],
    [
      "a failure",
      { status: 200, body: { Code: "Failed", AccessKeyId: "s3cr3t" } },
      /cannot be read; expected/,
    ],
    ["a flood", { status: 200, body: "s3cr3t".repeat(20_000) }, /with a flood/],
    [
      "a redirect",
      { status: 302, headers: { location: "http://127.0.0.1:1/s3cr3t" }, body: "" },
      /HTTP 302/,
    ],
    [
      "a key that no header holds",
      {
        status: 200,
        body: {
          AccessKeyId: "a\nb",
          AccessKeySecret: "s3cr3t",
          SecurityToken: "t",
          Expiration: "2026-11-20T14:05:31Z",
        },
      },
      /cannot be read; expected/,
    ],
  ])("is said without what it answered: %s", async (_, instead, detail) => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY, { instead })];
    const { sink, tell, told } = slsAt(server, metadata);
    const verdict = await tell();
    expect(verdict).toMatchObject({ detail: expect.stringMatching(detail) });
    const found = await sink.check(never);
    expect(JSON.stringify([verdict, found, told])).not.toContain("s3cr3t");
    expect(server.inbox.requests).toEqual([]);
  });

  it.each([
    [null, /^the metadata service has no region-id; give `region_id`$/],
    [
      "<html>sign in</html>",
      /^the metadata service answers region-id with something else; give `region_id`$/,
    ],
  ])("may be that it does not say where the instance is: %s", async (region, detail) => {
    const metadata = await startMetadata(KEY, { region });
    const { tell, server } = await busAt(metadata);
    expect(await tell()).toMatchObject({
      kind: "retryable",
      detail: expect.stringMatching(detail),
    });
    metadata.gives.region = "cn-hangzhou";
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(server.events).toHaveLength(1);
    const told = await busAt(metadata, { regionId: "cn-beijing", accountId: "7" });
    await told.tell();
    expect(told.server.events[0]?.["subject"]).toMatch(/^acs:cs:cn-beijing:7:c0123\//);
  });

  it("may be credentials that have ended", async () => {
    const expires = "2026-11-20T08:05:31Z";
    const [server, metadata] = [await slsServer(), await startMetadata(KEY, { expires })];
    expect(await slsAt(server, metadata).tell()).toMatchObject({
      kind: "retryable",
      detail: expect.stringMatching(/ended at 2026-11-20T08:05:31.000Z, .*; set this machine's/),
    });
  });

  it("may be a role with a name that is none", async () => {
    const [server, metadata] = [await slsServer(), await startMetadata(KEY, { role: "../../x y" })];
    expect(await slsAt(server, metadata).tell()).toMatchObject({
      kind: "retryable",
      detail: expect.stringMatching(/names no RAM role; attach/),
    });
  });

  it("is no reason to hold up a stop, nor one that others wait for", async () => {
    const [server, silent] = [await slsServer(), await startInbox()];
    onTestFinished(() => silent.close());
    silent.reply("hang");
    const { sink, tell } = slsAt(server, silent);
    const stop = new AbortController();
    const [first, other] = [sink.check(stop.signal), tell()];
    const asked = await silent.received(1);
    stop.abort();
    expect((await first)?.away).toMatch(/^ended while waiting/);
    asked.answer({ status: 404 });
    await sink.close();
    expect(await other).toMatchObject({ kind: "retryable" });
    await asked.closed;
  });
});

describe("its options", () => {
  const optionsOf = (uri: string, env: Readonly<Record<string, string>> = {}) =>
    sinkFrom(uri, env).sink.options;

  it("may be kube-eventer's documented URI alone", () => {
    expect(
      optionsOf(
        "sls:https://sls.aliyuncs.com?project=my-sls-project&logStore=my-sls-project-logstore&topic=k8s-cluster-dev&label=Key1,Value1",
      ),
    ).toMatchObject({
      tokenFile: "/var/addon/token-config",
      metadataService: "http://100.100.100.200",
    });
    expect(optionsOf("eventbridge:?clusterId=c0123")).toMatchObject({ provider: "aliyun" });
  });

  it.each([
    [{ metadataService: "http://metadata.example.com" }, "metadataService: is no metadata service"],
    [{ metadataService: "http://100.100.100.200/x" }, "metadataService: is no metadata service"],
    [{ accessKeyId: "LTAI0" }, "accessKeySecret: is missing; expected both parts"],
    [{ accessKeySecret: "s" }, "accessKeyId: is missing; expected both parts"],
  ])("refuse %j", (changes, problem) => {
    const given = { endpoint: "https://cn-hangzhou.log.aliyuncs.com", project: PROJECT };
    expect(problemsWith(sls, { ...given, logStore: STORE, ...changes })).toEqual([
      expect.stringContaining(problem),
    ]);
  });

  it("want a key for AWS, of which no role is asked", () => {
    expect(problemsWith(eventbridge, { provider: "aws", regionId: "eu-central-1" })).toEqual([
      expect.stringContaining("accessKeyId: is missing; expected an access key's"),
    ]);
  });
});
