import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import elasticsearch from "../../sinks/elasticsearch.ts";
import { placeOf, signed } from "../../sinks/elasticsearch/aws.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import { secretsOf } from "../../src/sink/redact.ts";
import { FakeClock } from "../support/clock.ts";
import { startSearchContract } from "../support/elasticsearch-contract.ts";
import { anEvent } from "../support/events.ts";
import { startInbox } from "../support/inbox.ts";
import { aMessage, problemsWith } from "../support/messages.ts";
import { type Gateway, hasSignatureV4 } from "../support/sigv4.ts";
import { bare, quietIo, sinkFrom } from "../support/sinks.ts";

const never = new AbortController().signal;
const NOW = Date.parse("2026-11-20T08:05:31Z");
const ACCOUNT = {
  keyId: "AKIA0123456789ABCDEF",
  secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  region: "eu-central-1",
  service: "es",
  token: null,
};
const GIVEN = {
  sigv4: true,
  accessKeyId: ACCOUNT.keyId,
  accessKeySecret: ACCOUNT.secret,
  region: ACCOUNT.region,
};

let client: HttpClient;
beforeAll(() => {
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
afterAll(() => client.close());

/** A domain of Amazon OpenSearch Service, and a sink before it. */
async function domain(
  changes: Readonly<Record<string, unknown>> = {},
  account: Partial<Gateway> = {},
) {
  const aws: Gateway = { ...ACCOUNT, now: NOW, isOver: false, ...account };
  const nobody = { user: "-", password: "-", apiKey: "-" };
  const server = await startSearchContract({ ...nobody, pipelines: ["k8s"], streams: [], aws });
  onTestFinished(() => server.close());
  const clock = new FakeClock(new Date(NOW).toISOString());
  const options = elasticsearch.options.parse({ url: server.url, ...GIVEN, ...changes });
  const sink = openSink(elasticsearch, options, {
    ...quietIo(),
    client,
    timeoutMs: 5000,
    clock,
  });
  onTestFinished(() => sink.close());
  const tell = async (about: Parameters<typeof anEvent>[0] = {}) =>
    (await sink.tell(aMessage({ event: anEvent(about) }), clock.now(), never)).verdict;
  return { server, sink, tell, aws, clock };
}

describe("a domain of Amazon OpenSearch Service", () => {
  it("gets index, alias and document, each request signed", async () => {
    const { server, tell, sink } = await domain();
    expect(await sink.check(never)).toEqual({ problems: [], away: null });
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(server.documents).toHaveLength(1);
    expect(server.indices.get("heapster-2026.11.20")).toEqual(new Set(["heapster-events"]));
    expect(server.asked).toEqual(["GET /", "PUT /heapster-2026.11.20", "POST /_bulk"]);
  });

  it("gets the alias on an index that is there already", async () => {
    const { server, tell } = await domain();
    (server.indices as Map<string, Set<string>>).set("heapster-2026.11.20", new Set());
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(server.indices.get("heapster-2026.11.20")).toEqual(new Set(["heapster-events"]));
    expect(server.asked).toContain("POST /_aliases");
  });

  it("gets many documents in one signed request", async () => {
    const { server, tell } = await domain({ alias: false });
    const verdicts = await Promise.all(
      Array.from({ length: 25 }, (_, n) => tell({ resourceVersion: String(n) })),
    );
    expect(verdicts).toEqual(verdicts.map(() => ({ kind: "accepted" })));
    expect(server.documents).toHaveLength(25);
    expect(server.asked.length).toBeLessThan(5);
  });

  it("gets every text and every name of an index", async () => {
    const { server, tell } = await domain({ index: "événements'(k8s)" });
    expect(await tell({ message: "容器 \u0000\n👩‍👩‍👧" })).toEqual({ kind: "accepted" });
    expect(server.documents).toMatchObject([
      { index: "événements'(k8s)-2026.11.20", source: { Message: "容器 \u0000\n👩‍👩‍👧" } },
    ]);
  });

  it("takes temporary credentials", async () => {
    const token = "t0ken-of-the-session";
    const { tell } = await domain({ securityToken: token }, { token });
    expect(await tell()).toEqual({ kind: "accepted" });
  });

  it("is OpenSearch Serverless, too", async () => {
    const { tell } = await domain({ service: "aoss" }, { service: "aoss" });
    expect(await tell()).toEqual({ kind: "accepted" });
  });

  // AWS ignores the query of a POST that is signed.
  it("runs the pipeline", async () => {
    const { server, tell } = await domain({ pipeline: "k8s" });
    expect(await tell()).toEqual({ kind: "accepted" });
    expect(server.documents).toMatchObject([{ pipeline: "k8s" }]);
  });

  it("behind a path gets requests signed for that path", async () => {
    const inbox = await startInbox();
    onTestFinished(() => inbox.close());
    inbox.reply({ status: 503 });
    const { tell } = await domain({ url: `${inbox.url}/search/`, alias: false });
    await tell();
    const [request] = inbox.requests;
    expect(request?.url).toBe("/search/_bulk");
    expect(request && hasSignatureV4(request, ACCOUNT)).toBe(true);
  });

  it("gets a new signature with each attempt", async () => {
    const { server, tell, clock, aws } = await domain({ alias: false });
    server.refuse({ status: 503, body: "" });
    expect(await tell()).toMatchObject({ kind: "retryable" });
    server.refuse(null);
    await clock.advance(20 * 60_000);
    aws.now += 20 * 60_000;
    expect(await tell()).toEqual({ kind: "accepted" });
  });
});

describe("what AWS refuses, with the next step", () => {
  it.each([
    [
      { accessKeySecret: "wrong-wrong-wrong" },
      {},
      /signature we calculated does not match .*; check `accessKeySecret`, and that no proxy/,
    ],
    [
      { accessKeyId: "AKIAFFFFFFFFFFFFFFFF" },
      {},
      /token included in the request is invalid\.; check `accessKeyId`, and the `securityToken`/,
    ],
    [{ securityToken: "of another key" }, {}, /is invalid\.; check `accessKeyId`/],
    [{}, { isOver: true }, /is expired; the temporary credentials are over: start again with new/],
    [
      { region: "us-east-1" },
      {},
      /Credential should be scoped to a valid Region, not 'us-east-1'\.; check `region`/,
    ],
    [{ service: "aoss" }, {}, /scoped to correct service: 'es'\.; check `region` and `service`/],
    [
      { sigv4: false },
      {},
      /User: anonymous is not authorized .*; the request is not signed: set `sigv4`/,
    ],
  ])("%j %j", async (changes, account, detail) => {
    const { tell, sink } = await domain(changes, account);
    expect(await tell()).toEqual({
      kind: "permanent",
      reason: "auth",
      detail: expect.stringMatching(detail) as string,
    });
    const found = await sink.check(never);
    expect(found?.problems).toEqual([
      {
        message: expect.stringMatching(/^HTTP 403: /) as string,
        hint: expect.stringMatching(/./) as string,
      },
    ]);
  });

  it.each([
    [6, /Signature expired: 20261120T080531Z .*; set this machine's clock$/],
    [-6, /Signature not yet current: .*; set this machine's clock$/],
  ])("a clock that is %i minutes behind is waited for", async (minutes, detail) => {
    const { tell, aws, sink } = await domain({}, { now: NOW + minutes * 60_000 });
    const expected = { detail: expect.stringMatching(detail) as string };
    expect(await tell()).toEqual({ kind: "retryable", reason: "auth", ...expected });
    expect(await sink.check(never)).toEqual({
      problems: [],
      away: expect.stringMatching(detail) as string,
    });
    aws.now = NOW;
    expect(await tell()).toEqual({ kind: "accepted" });
  });

  const FORBIDDEN = { status: 403, error: { reason: "403 Forbidden", type: "Forbidden" } };
  it.each([
    [
      {
        Message:
          "User: arn:aws:sts::111122223333:assumed-role/fn is not authorized to perform: es:ESHttpPut because no identity-based policy allows the es:ESHttpPut action",
      },
      /allow es:ESHttpGet, es:ESHttpPost and es:ESHttpPut to this key/,
    ],
    [
      {
        error: {
          type: "security_exception",
          reason:
            "no permissions for [indices:data/write/bulk] and User [name=arn:aws:iam::111122223333:user/crier, backend_roles=[], requestedTenant=null]",
        },
        status: 403,
      },
      /map this ARN to a role of the domain/,
    ],
    [FORBIDDEN, /OpenSearch Serverless: allow aoss:APIAccessAll/],
  ])("%j", async (body, hint) => {
    const { server, tell, sink } = await domain();
    server.refuse({ status: 403, body });
    expect(await tell()).toMatchObject({
      kind: "permanent",
      reason: "auth",
      detail: expect.stringMatching(hint) as string,
    });
    // Who may not ask may write all the same.
    expect(await sink.check(never)).toEqual({ problems: [], away: null });
  });

  it("a collection that takes no IDs", async () => {
    const { server, tell } = await domain();
    server.refuseItems(() => ({
      status: 400,
      error: {
        type: "illegal_argument_exception",
        reason: "Document ID is not supported in create/index operation request",
      },
    }));
    expect(await tell()).toMatchObject({
      kind: "permanent",
      reason: "config",
      detail: expect.stringMatching(/a collection of the type search only$/) as string,
    });
  });

  it("without a secret in it, whatever is echoed", async () => {
    const token = "t0ken-of-the-session";
    const { server, tell } = await domain({ securityToken: token }, { token });
    server.refuse(({ headers }) => ({
      status: 403,
      body: { message: `${ACCOUNT.secret} ${token} ${headers.authorization}` },
    }));
    const verdict = JSON.stringify(await tell());
    expect(verdict).not.toContain(ACCOUNT.secret);
    expect(verdict).not.toContain(token);
    expect(verdict).not.toContain(ACCOUNT.keyId);
  });
});

describe("the signature", () => {
  // Made by botocore 1.44.5 (SigV4Auth) of the same request, key and time.
  it.each([
    [
      "PUT",
      "https://x.eu-central-1.es.amazonaws.com/%C3%A9v%C3%A9'(k8s)*!-2026",
      '{"a":"容器"}',
      "17dbd3b28f32be551c2ccacda81d7f98c40b15cf8419866672c02e8c5d5bff38",
    ],
    [
      "GET",
      "https://x.eu-central-1.es.amazonaws.com/",
      "",
      "d764bfcd8f616587828630dc0b25d14acee1c716c66c410c6a59bda81b6a8ac0",
    ],
    [
      "POST",
      "https://a.us-east-1.aoss.amazonaws.com/_bulk",
      "{}\n",
      "ffdc95947832aa8b58cfb7d1f7750384b48ec18e060ae3ea055cd015c59d3a87",
    ],
  ])("of %s %s is botocore's", (method, url, body, signature) => {
    const headers = body === "" ? {} : { "content-type": "application/json" };
    const key = { id: ACCOUNT.keyId, secret: ACCOUNT.secret, token: "tok/en==" };
    const signing = { key, region: null, service: null };
    const made = signed({ method, url, headers, body }, signing, NOW).headers;
    expect(made["authorization"]?.endsWith(`Signature=${signature}`)).toBe(true);
  });
});

describe("the name of a host", () => {
  it.each([
    ["https://search-shop-x1.eu-central-1.es.amazonaws.com", "eu-central-1", "es"],
    ["https://vpc-shop-x1.us-gov-west-1.es.amazonaws.com:443/", "us-gov-west-1", "es"],
    ["https://shop.cn-north-1.es.amazonaws.com.cn", "cn-north-1", "es"],
    ["https://search-shop-x1.aos.us-east-1.on.aws", "us-east-1", "es"],
    ["https://a1b2.ap-southeast-2.aoss.amazonaws.com", "ap-southeast-2", "aoss"],
  ])("%s tells region and service", (url, region, service) => {
    expect(placeOf(url)).toEqual({ region, service });
  });

  it.each([
    "https://search.example.com",
    "https://eu-central-1.es.amazonaws.com.example.com",
    "http://127.0.0.1:9200",
    "https://xes.amazonaws.com",
  ])("%s tells nothing", (url) => {
    expect(placeOf(url)).toBeNull();
  });
});

const AWS_HOST = "https://search-shop-x1.eu-central-1.es.amazonaws.com";
const ENV = {
  AWS_ACCESS_KEY_ID: ACCOUNT.keyId,
  AWS_SECRET_ACCESS_KEY: ACCOUNT.secret,
  AWS_SESSION_TOKEN: "t0ken-of-the-session",
  AWS_REGION: "us-east-1",
};

/** The first request of a sink as the command line makes it, for which there is no network. */
async function requestOf(uri: string, env: Readonly<Record<string, string>>) {
  const { sink, warnings } = sinkFrom(uri, env);
  const seen: { url: string; authorization: string; token: string | undefined }[] = [];
  const open = openSink(elasticsearch, sink.options, {
    ...quietIo(),
    timeoutMs: 1000,
    client: {
      exchange: ({ url, headers }) => {
        const { authorization = "", "x-amz-security-token": token } = headers;
        seen.push({ url, authorization, token });
        return Promise.reject(new Error("no network in a test"));
      },
      close: () => undefined,
    },
  });
  await open.check(never);
  return { ...seen[0], options: sink.options, warnings };
}

describe("who signs, and for where", () => {
  it.each([
    // An environment variable may be of another region's: the host tells its own.
    [`elasticsearch:${AWS_HOST}?sigv4`, "eu-central-1/es"],
    [`elasticsearch:${AWS_HOST}?sigv4=true&index=k8s`, "eu-central-1/es"],
    [`elasticsearch:${AWS_HOST}`, "eu-central-1/es"],
    [`elasticsearch:?nodes=${AWS_HOST}&sniff=false&ver=7`, "eu-central-1/es"],
    ["elasticsearch:https://search.example.com?sigv4", "us-east-1/es"],
    ["elasticsearch:https://search.example.com?sigv4&region=eu-west-3", "eu-west-3/es"],
    ["elasticsearch:https://search.example.com?sigv4&service=aoss", "us-east-1/aoss"],
    ["elasticsearch:https://a1.eu-west-1.aoss.amazonaws.com", "eu-west-1/aoss"],
  ])("%s, with AWS' environment variables: %s", async (uri, scope) => {
    const { authorization, token } = await requestOf(uri, ENV);
    expect(authorization).toContain(`Credential=${ACCOUNT.keyId}/`);
    expect(authorization).toContain(`/${scope}/aws4_request`);
    expect(token).toBe("t0ken-of-the-session");
  });

  it.each([
    ["elasticsearch:http://es.logging:9200", ""],
    ["elasticsearch:http://es.logging:9200?sigv4=false", ""],
    [`elasticsearch:${AWS_HOST}?sigv4=false`, ""],
    [`elasticsearch:${AWS_HOST}?esUserName=crier&esUserSecret=fedcba98`, "Basic "],
    [`elasticsearch:?nodes=${AWS_HOST}&nodes=https://es.example.com`, ""],
  ])("%s is not signed", async (uri, begins) => {
    const { authorization, token } = await requestOf(uri, ENV);
    expect(authorization?.startsWith(begins)).toBe(true);
    expect(authorization).not.toContain("AWS4");
    expect(token).toBeUndefined();
  });

  it("never signs with one key and another's token, and keeps both secret", async () => {
    const uri = `elasticsearch:${AWS_HOST}?accessKeyId=AKIAMINE&secret_access_key=mine-mine`;
    const { authorization, token, options } = await requestOf(uri, ENV);
    expect(authorization).toContain("Credential=AKIAMINE/");
    expect(token).toBeUndefined();
    expect(secretsOf(options)).toEqual(expect.arrayContaining(["AKIAMINE", "mine-mine"]));
    expect(bare(options)).toMatchObject({ accessKeySecret: { secret: "mine-mine" } });
    expect(JSON.stringify(options)).not.toContain("mine-mine");
  });

  it.each([
    [{ apiKey: "c" }, ["sigv4: and an API key are both given; expected either"]],
    [{ esUserName: "a", esUserSecret: "b" }, ["sigv4: and a user are both given; expected either"]],
    [
      { accessKeyId: undefined, accessKeySecret: "" },
      [
        "accessKeyId: is missing; expected an access key's, here or in AWS_ACCESS_KEY_ID (a role of the pod's is not asked for one)",
        "accessKeySecret: is missing; expected it here or in AWS_SECRET_ACCESS_KEY",
      ],
    ],
    [
      { region: undefined },
      [
        "region: is missing, and the host's name does not tell it; expected one like eu-central-1, here or in AWS_REGION",
      ],
    ],
    [{ region: undefined, url: AWS_HOST }, []],
    [{ region: undefined, url: AWS_HOST, sigv4: undefined }, []],
    [
      { sigv4: undefined, url: AWS_HOST, accessKeySecret: undefined },
      ["accessKeySecret: is missing; expected it here or in AWS_SECRET_ACCESS_KEY"],
    ],
  ])("%j: %j", (changes, problems) => {
    const given = { url: "https://search.example.com", ...GIVEN, ...changes };
    expect(problemsWith(elasticsearch, given)).toEqual(problems);
  });
});
