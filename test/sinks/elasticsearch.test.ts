import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import elasticsearch from "../../sinks/elasticsearch.ts";
import { documentOf, idOf, indexOf, type Naming } from "../../sinks/elasticsearch/document.ts";
import type { Alert } from "../../src/event/alert.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { openSink } from "../../src/sink/open.ts";
import { secretsOf } from "../../src/sink/redact.ts";
import { HOSTILE } from "../fixtures/hostile.ts";
import { type SearchContract, startSearchContract } from "../support/elasticsearch-contract.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor, problemsWith } from "../support/messages.ts";
import { becameOf, openRoad } from "../support/road.ts";
import { quietIo, sinkFrom } from "../support/sinks.ts";

const never = new AbortController().signal;
const NAMING: Naming = { mode: "index", index: "heapster", useNamespace: false, clusterName: null };

/** Read from kube-eventer's sinks/elasticsearch/driver.go (EsSinkPoint) and common/elasticsearch/elasticsearch.go. */
describe("a document", () => {
  it("is kube-eventer's", () => {
    expect(documentOf(NAMING, anEvent())).toEqual({
      Count: 12,
      Metadata: {
        name: "web-7d4b9c.17a1",
        namespace: "shop",
        uid: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
        resourceVersion: "81234",
        creationTimestamp: "2026-11-20T08:00:00Z",
      },
      InvolvedObject: {
        kind: "Pod",
        namespace: "shop",
        name: "web-7d4b9c",
        uid: "0c0ffee0-1111-2222-3333-444455556666",
        apiVersion: "v1",
        fieldPath: "spec.containers{web}",
      },
      Source: { component: "kubelet", host: "node-1" },
      FirstOccurrenceTimestamp: "2026-11-20T08:00:00Z",
      LastOccurrenceTimestamp: "2026-11-20T08:05:30Z",
      Message: "Back-off restarting failed container web in pod web-7d4b9c",
      Reason: "BackOff",
      Type: "Warning",
      EventTags: {
        eventID: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
        cluster_name: "prod-a",
        pod_id: "0c0ffee0-1111-2222-3333-444455556666",
        pod_name: "web-7d4b9c",
        hostname: "node-1",
      },
    });
  });

  it("about anything but a pod has no tag of a pod's", () => {
    const event = anEvent({
      object: { kind: "Node", namespace: null, name: "node-3", uid: null, fieldPath: null },
      reporter: { host: null, component: null },
      cluster: "",
    });
    expect(documentOf(NAMING, event)).toMatchObject({
      InvolvedObject: { kind: "Node", name: "node-3", apiVersion: "v1" },
      Source: {},
      EventTags: { eventID: event.uid, cluster_name: "default", hostname: "" },
    });
    expect(documentOf(NAMING, event)["EventTags"]).not.toHaveProperty("pod_id");
    const named = { ...NAMING, clusterName: "shop-cn" };
    expect(documentOf(named, event)).toMatchObject({ EventTags: { cluster_name: "shop-cn" } });
  });

  it("of a data stream has its time in @timestamp", () => {
    const event = anEvent({ lastSeen: "2026-11-20T08:05:30.123456Z" });
    expect(documentOf({ ...NAMING, mode: "data_stream" }, event)).toMatchObject({
      "@timestamp": "2026-11-20T08:05:30.123456Z",
    });
    expect(documentOf(NAMING, event)).not.toHaveProperty("@timestamp");
  });

  it("has a name by uid and version, and none longer than 512 bytes", () => {
    expect(idOf(anEvent())).toBe("6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11-81234");
    expect(idOf(anEvent({ resourceVersion: "81235" }))).not.toBe(idOf(anEvent()));
  });

  it("has one for each occurrence of an event without a version, as a file may have it", () => {
    const ids = [1, 2, 2].map((count) => idOf(anEvent({ uid: "u", resourceVersion: "", count })));
    expect(ids).toEqual(["u-count-1", "u-count-2", "u-count-2"]);
  });

  it.each([
    [{}, {}, "heapster-2026.11.20"],
    [{ useNamespace: true }, {}, "heapster-shop-2026.11.20"],
    [{ useNamespace: true }, { eventNamespace: "" }, "heapster-2026.11.20"],
    [{ index: "k8s" }, { lastSeen: "2027-01-02T23:59:59.9Z" }, "k8s-2027.01.02"],
    [{ mode: "data_stream", index: "logs-k8s-default" }, {}, "logs-k8s-default"],
  ] as const)("with %j, of %j, goes to %s", (naming, changes, index) => {
    expect(indexOf({ ...NAMING, ...naming }, anEvent(changes))).toBe(index);
  });
});

const ACCESS = {
  user: "crier",
  password: "fedcba98",
  apiKey: Buffer.from("id0:key01234567").toString("base64"),
  pipelines: ["k8s"],
  streams: ["logs-k8s-default", "streamed-2026.11.20"],
};
const USER = "esUserName=crier&esUserSecret=fedcba98";

let server: SearchContract;
let client: HttpClient;
beforeAll(() => {
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(async () => {
  server = await startSearchContract(ACCESS);
});
afterEach(() => server.close());
afterAll(() => client.close());

const about = (...args: Parameters<typeof anEvent>): Alert => ({
  kind: "event",
  event: anEvent(...args),
});
const outcome = async (query: string, alert?: Alert, base = server.url) => {
  const road = openRoad(`elasticsearch:${base}?${query}`);
  await road.owe(alert);
  await road.attempts(1);
  return becameOf(road);
};
/** One sink for several messages. */
const opened = (given: Record<string, unknown>) => {
  const options = optionsFor(elasticsearch, {
    url: server.url,
    esUserName: "crier",
    esUserSecret: "fedcba98",
    ...given,
  });
  return openSink(elasticsearch, options, { client, timeoutMs: 5000, ...quietIo() });
};

describe("a server that goes by the documentation", () => {
  it("has the document in its index, and the index in its alias", async () => {
    expect(await outcome(USER)).toBe("delivered after 0");
    expect(server.documents).toEqual([
      {
        index: "heapster-2026.11.20",
        id: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11-81234",
        pipeline: null,
        source: documentOf(NAMING, anEvent()),
      },
    ]);
    expect([...server.indices]).toEqual([["heapster-2026.11.20", new Set(["heapster-events"])]]);
  });

  it("is asked about an index once, however many events there are at once", async () => {
    const sink = opened({});
    const verdicts = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        sink.tell(aMessage({ event: anEvent({ resourceVersion: String(n) }) }), 0, never),
      ),
    );
    expect(verdicts.map(({ verdict }) => verdict.kind)).toEqual(Array(50).fill("accepted"));
    expect(server.documents).toHaveLength(50);
    expect(server.asked.filter((one) => !one.endsWith("/_bulk"))).toEqual([
      "PUT /heapster-2026.11.20",
    ]);
    expect(server.asked.length).toBeLessThan(10);
  });

  it("refuses some of many: each has its own verdict, and none is sent twice", async () => {
    const sink = opened({});
    const refused = { status: 400, error: { type: "mapper_parsing_exception", reason: "no" } };
    server.refuseItems((id) => (Number(id.split("-").at(-1)) % 7 === 3 ? refused : null));
    await sink.tell(aMessage({ event: anEvent({ resourceVersion: "5" }) }), 0, never);
    const before = server.asked.length;
    const verdicts = await Promise.all(
      Array.from({ length: 21 }, (_, n) =>
        sink.tell(aMessage({ event: anEvent({ resourceVersion: String(n) }) }), 0, never),
      ),
    );
    // 3, 10 and 17; the fifth was there already.
    expect(
      verdicts.flatMap(({ verdict }, index) => (verdict.kind === "permanent" ? [index] : [])),
    ).toEqual([3, 10, 17]);
    expect(verdicts.filter(({ verdict }) => verdict.kind === "accepted")).toHaveLength(18);
    expect(server.documents).toHaveLength(18);
    expect(server.asked.length - before).toBe(1);
  });

  it("gets in halves what is too much for one request", async () => {
    const sink = opened({ alias: false });
    let most = 0;
    server.refuse(({ body }) => {
      const count = body.split("\n").length >> 1;
      if (count > 4) return { status: 413, body: "" };
      most = Math.max(most, count);
      return null;
    });
    const verdicts = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        sink.tell(aMessage({ event: anEvent({ resourceVersion: String(n) }) }), 0, never),
      ),
    );
    expect(verdicts.every(({ verdict }) => verdict.kind === "accepted")).toBe(true);
    expect(most).toBeGreaterThan(1);
    expect(server.documents).toHaveLength(20);
  });

  it("gets the alias on an index that is there already", async () => {
    await outcome(`${USER}&alias=false`);
    expect(server.indices.get("heapster-2026.11.20")).toEqual(new Set());
    await outcome(USER, about({ resourceVersion: "2" }));
    expect(server.indices.get("heapster-2026.11.20")).toEqual(new Set(["heapster-events"]));
  });

  it("has each occurrence once: what is there already counts as delivered", async () => {
    expect(await outcome(USER)).toBe("delivered after 0");
    expect(await outcome(USER)).toBe("delivered after 0");
    expect(await outcome(USER, about({ resourceVersion: "9", count: 13 }))).toBe(
      "delivered after 0",
    );
    expect(server.documents).toHaveLength(2);
  });

  it("takes an API key, in both forms", async () => {
    for (const key of [ACCESS.apiKey, "id0:key01234567"])
      expect(await outcome(`apiKey=${encodeURIComponent(key)}`)).toBe("delivered after 0");
  });

  it("has a data stream without an index or an alias being made", async () => {
    expect(await outcome(`${USER}&mode=data_stream&index=logs-k8s-default`)).toBe(
      "delivered after 0",
    );
    expect(await outcome(`${USER}&mode=data_stream&index=logs-k8s-default`)).toBe(
      "delivered after 0",
    );
    expect(server.documents).toMatchObject([
      { index: "logs-k8s-default", source: { "@timestamp": "2026-11-20T08:05:30Z" } },
    ]);
    expect(server.asked).toEqual(["POST /_bulk", "POST /_bulk"]);
  });

  it("runs the pipeline it is told", async () => {
    await outcome(`${USER}&pipeline=k8s`);
    expect(server.documents).toMatchObject([{ pipeline: "k8s" }]);
  });

  it("has a gap as a document, too", async () => {
    const gap: Alert = {
      kind: "gap",
      cluster: "prod-a",
      since: "2026-11-20T08:00:00Z",
      until: "2026-11-20T08:07:00Z",
      cause: "downtime",
    };
    expect(await outcome(`${USER}&use_namespace=true`, gap)).toBe("delivered after 0");
    expect(server.documents).toMatchObject([
      {
        index: "heapster-2026.11.20",
        source: { Reason: "HistoryGap", InvolvedObject: { kind: "Cluster", name: "prod-a" } },
      },
    ]);
  });

  it("keeps every hostile text as it is, in its field", async () => {
    const sink = opened({});
    for (const [index, { text, name }] of HOSTILE.entries()) {
      const event = anEvent({
        resourceVersion: String(index),
        message: text,
        reason: text,
        object: { name: text, kind: text },
        reporter: { host: text },
      });
      const { verdict } = await sink.tell(aMessage({ event }), 0, never);
      expect(verdict, name).toEqual({ kind: "accepted" });
      expect(server.documents.at(-1)?.source, name).toMatchObject({
        Message: text,
        Reason: text,
        InvolvedObject: { name: text, kind: text },
        EventTags: { hostname: text },
      });
    }
    expect(server.documents).toHaveLength(HOSTILE.length);
  });

  it("gets a message of two megabytes cut, and it is counted", async () => {
    let cuts = 0;
    const options = optionsFor(elasticsearch, {
      url: server.url,
      esUserName: "crier",
      esUserSecret: "fedcba98",
    });
    const io = { ...quietIo(), messageCut: () => void (cuts += 1) };
    const sink = openSink(elasticsearch, options, { client, timeoutMs: 5000, ...io });
    const event = anEvent({ message: "容".repeat(700_000) });
    await sink.tell(aMessage({ event }), 0, never);
    await sink.tell(aMessage(), 0, never);
    const { Message: message } = server.documents[0]?.source ?? {};
    expect(Buffer.byteLength(String(message))).toBeLessThanOrEqual(1_000_000);
    expect(cuts).toBe(1);
  });
});

const LOGIN =
  "check `apiKey`, or `esUserName` and `esUserSecret`; to write takes the index privileges create_doc, auto_configure and, for the alias, manage (OpenSearch: cluster_composite_ops, and for the index write, create_index and manage_aliases)";

describe("what a server refuses, with the next step", () => {
  it.each([
    [
      "esUserName=crier&esUserSecret=wrong000",
      `dead after 1, auth: HTTP 401: security_exception: unable to authenticate user for REST request; ${LOGIN}`,
    ],
    [
      `${USER}&pipeline=none`,
      "dead after 1, config: HTTP 400: illegal_argument_exception: pipeline with id [none] does not exist; create the pipeline, or check `pipeline`",
    ],
    [
      `${USER}&index=streamed`,
      /^dead after 1, config: HTTP 400: .*creates data streams only.*set `mode` to data_stream, or another `index`$/,
    ],
  ])("%s", async (query, expected) => {
    expect(await outcome(query)).toMatch(expected);
  });

  it.each([
    [
      429,
      { type: "es_rejected_execution_exception", reason: "rejected execution of coordinating" },
      /^paused for 5 s after 0: HTTP 429: es_rejected_execution_exception: rejected execution/,
    ],
    [
      429,
      {
        type: "cluster_block_exception",
        reason:
          "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];",
      },
      /^again in 0.5 s after 1, server: .*the disk is full/,
    ],
    [
      403,
      {
        type: "cluster_block_exception",
        reason: "index [x] blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];",
      },
      /^again in 0.5 s after 1, server: .*the disk is full/,
    ],
    [
      400,
      {
        type: "validation_exception",
        reason:
          "Validation Failed: 1: this action would add [2] shards, but this cluster currently has [1000]/[1000] maximum normal shards open;",
      },
      /^again in 0.5 s after 1, server: .*raise cluster.max_shards_per_node$/,
    ],
    [
      503,
      { type: "unavailable_shards_exception", reason: "primary shard is not active" },
      /^again in 0.5 s after 1, server: HTTP 503: unavailable_shards_exception/,
    ],
    [
      400,
      {
        type: "document_parsing_exception",
        reason: "failed to parse field [Count] of type [date]",
        caused_by: { type: "x", reason: "bad date" },
      },
      /^dead after 1, rejected: .*\[date\]: bad date; the index maps a field in another way/,
    ],
    [
      400,
      {
        type: "illegal_argument_exception",
        reason: "Limit of total fields [1000] has been exceeded",
      },
      /^dead after 1, config: .*total_fields.limit/,
    ],
    [
      404,
      {
        type: "index_not_found_exception",
        reason: "no such index [x] and [action.auto_create_index]",
      },
      /^dead after 1, config: .*allow it in action.auto_create_index$/,
    ],
    [
      403,
      { type: "security_exception", reason: "action [indices:data/write/bulk[s]] is unauthorized" },
      /^dead after 1, auth: .*index privileges create_doc/,
    ],
    [
      400,
      { type: "new_exception", reason: "?" },
      "dead after 1, rejected: HTTP 400: new_exception: ?",
    ],
    [
      400,
      "as Elasticsearch 1 said it",
      "dead after 1, rejected: HTTP 400: as Elasticsearch 1 said it",
    ],
  ])("of one document, inside HTTP 200: %i %j", async (status, error, expected) => {
    server.refuseItems(() => ({ status, error }));
    expect(await outcome(USER)).toMatch(expected);
  });

  it.each([
    [
      200,
      "<html>Sign in</html>",
      /^again in 0.5 s after 1, server: HTTP 200, but not Elasticsearch's own answer: <html>/,
    ],
    [
      200,
      { took: 1, errors: false, items: [] },
      /^again in 0.5 s after 1, server: HTTP 200, but not/,
    ],
    [413, "", /^dead after 1, tooLarge: HTTP 413; raise http.max_content_length/],
    [502, "<html>", /^again in 0.5 s after 1, server: HTTP 502: <html>$/],
    [302, "", /^dead after 1, rejected: HTTP 302$/],
    [429, "", /^paused for 5 s/],
  ])("as a whole: %i %j", async (status, body, expected) => {
    server.refuse({ status, body });
    expect(await outcome(`${USER}&alias=false`)).toMatch(expected);
  });

  it("waits as long as it is asked", async () => {
    server.refuse({ status: 429, headers: { "retry-after": "7" }, body: "" });
    expect(await outcome(USER)).toMatch(/^paused for 7 s/);
  });

  it("forgets an index that could not be made, and makes it with the next attempt", async () => {
    const sink = opened({});
    server.refuse({ status: 503, body: "" });
    expect((await sink.tell(aMessage(), 0, never)).verdict.kind).toBe("retryable");
    server.refuse(null);
    expect((await sink.tell(aMessage(), 0, never)).verdict.kind).toBe("accepted");
    expect(server.indices.get("heapster-2026.11.20")).toEqual(new Set(["heapster-events"]));
  });

  it("shows no secret when the server echoes all it was sent", async () => {
    server.refuse({ status: 400, body: `fedcba98 ${Buffer.from("crier:fedcba98").toString()}` });
    const { verdict } = await opened({}).tell(aMessage(), 0, never);
    expect(JSON.stringify(verdict)).not.toContain("fedcba98");
  });
});

describe("several nodes", () => {
  it("take turns when one does not answer", async () => {
    const away = await startSearchContract(ACCESS);
    await away.close();
    const sink = opened({ url: undefined, nodes: [away.url, server.url] });
    const first = await sink.tell(aMessage(), 0, never);
    expect(first.verdict).toMatchObject({ kind: "retryable", reason: "network" });
    const second = await sink.tell(aMessage(), 0, never);
    expect(second.verdict).toEqual({ kind: "accepted" });
  });

  it("take turns when a proxy finds nothing behind it", async () => {
    const proxy = await startSearchContract(ACCESS);
    proxy.refuse({ status: 502, body: "" });
    const sink = opened({ url: undefined, nodes: [proxy.url, server.url] });
    expect((await sink.tell(aMessage(), 0, never)).verdict.kind).toBe("retryable");
    expect((await sink.tell(aMessage(), 0, never)).verdict.kind).toBe("accepted");
    await proxy.close();
  });
});

describe("the check at the start", () => {
  const check = (given: Record<string, unknown> = {}) => opened(given).check(never);

  it.each([
    { number: "7.17.0" },
    { number: "8.19.2" },
    { number: "9.2.0" },
    { number: "1.3.20", distribution: "opensearch" },
    { number: "3.1.0", distribution: "opensearch" },
  ])("is content with %j", async (version) => {
    server.version = version;
    expect(await check()).toEqual({ problems: [], away: null });
  });

  it("says when the server is too old", async () => {
    server.version = { number: "6.8.23" };
    expect(await check()).toEqual({
      problems: [
        {
          message: "the server is Elasticsearch 6.8.23",
          hint: "Elasticsearch 7 or newer is needed, or OpenSearch",
        },
      ],
      away: null,
    });
  });

  it("says when the password is wrong, and waits for a server that is away", async () => {
    expect((await check({ esUserSecret: "wrong000" }))?.problems).toEqual([
      {
        message: "HTTP 401: security_exception: unable to authenticate user for REST request",
        hint: LOGIN,
      },
    ]);
    server.refuse({ status: 503, body: "" });
    expect(await check()).toEqual({ problems: [], away: "HTTP 503" });
    await server.close();
    expect((await check())?.away).toMatch(/^the connection was (refused|reset)/);
  });

  it("does not mind a key that may only write", async () => {
    server.refuse({ status: 403, body: { error: { type: "security_exception", reason: "no" } } });
    expect(await check()).toEqual({ problems: [], away: null });
  });
});

describe("the options", () => {
  it("of a kube-eventer URI mean what they meant", () => {
    const { sink, warnings } = sinkFrom(
      "elasticsearch:?nodes=http://foo.com:9200&nodes=http://bar.com:9200&index=events&esUserName=elastic&esUserSecret=secret12&use_namespace=true&pipeline=k8s&cluster_name=c&ver=7&sniff=false&maxRetries=5&healthCheck=true&startupHealthcheckTimeout=1&bulkWorkers=5",
    );
    expect(sink.options).toMatchObject({
      nodes: ["http://foo.com:9200", "http://bar.com:9200"],
      index: "events",
      useNamespace: true,
      pipeline: "k8s",
      clusterName: "c",
      esUserName: "elastic",
    });
    expect(secretsOf(sink.options)).toContain("secret12");
    expect(warnings.map(({ where, message }) => `${where}: ${message}`)).toEqual(
      ["ver", "sniff", "maxRetries", "healthCheck", "startupHealthcheckTimeout", "bulkWorkers"].map(
        (name) => `--sink #1: ${name} of kube-eventer changes nothing here`,
      ),
    );
  });

  it.each([
    [{}, "url: is missing; expected http://HOST:9200, or several `nodes`"],
    [
      { url: "http://a", nodes: ["http://b"] },
      "nodes: and an address are both given; expected either",
    ],
    [{ nodes: ["es:9200"] }, "nodes: has what is no URL; expected http://HOST:9200"],
    [
      { nodes: ["http://elastic:pw@es:9200"] },
      "nodes: has a user in it; give `esUserName` and `esUserSecret` instead",
    ],
    [{ url: "http://es:9200?a=b" }, "url: has a query; expected http://HOST:9200"],
    [
      { url: "http://es", esUserName: "a" },
      "esUserSecret: is missing; a user has a name and a password",
    ],
    [
      { url: "http://es", esUserName: "a", esUserSecret: "b", apiKey: "c" },
      "apiKey: and a user are both given; expected either",
    ],
    [
      { url: "http://es", mode: "data_stream", useNamespace: true },
      "useNamespace: is for daily indices; a data stream has one name",
    ],
  ])("%j cannot be: %s", (given, problem) => {
    expect(problemsWith(elasticsearch, given)).toEqual([problem]);
  });

  it.each(["Events", "_events", "a b", "a,b", "*", ""])("%j is no name of an index", (index) => {
    expect(problemsWith(elasticsearch, { url: "http://es", index })).toEqual([
      "index: is no name of an index; expected small letters, digits, dots and dashes",
    ]);
  });
});
