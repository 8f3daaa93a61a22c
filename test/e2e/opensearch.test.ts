import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Alert } from "../../src/event/alert.ts";
import { HOSTILE } from "../fixtures/hostile.ts";
import { Crier, until } from "../support/crier.ts";
import { anEvent } from "../support/events.ts";
import { OpenSearch, opensearchJars, WRITER } from "../support/opensearch.ts";
import { becameOf, becomesOf, openRoad } from "../support/road.ts";

const found = await opensearchJars();
const why = "missing" in found ? ` (skipped: ${found.missing})` : "";
const LOGIN = `esUserName=${WRITER.user}&esUserSecret=${WRITER.password}`;

/** The elasticsearch sink against an OpenSearch of the test's own, with its security plugin: Maven brings it, a JDK runs it. */
describe.skipIf("missing" in found)(`OpenSearch${why}`, () => {
  let db: OpenSearch;
  beforeAll(async () => {
    db = await OpenSearch.start("jars" in found ? found.jars : "");
    await db.make("PUT", "/_index_template/k8s", {
      index_patterns: ["logs-k8s*"],
      data_stream: {},
      priority: 200,
    });
  });
  afterAll(() => db.destroy());

  const roadTo = (query: string) => openRoad(`elasticsearch:${db.url}?${LOGIN}&${query}`);
  const deliver = (query: string, ...alerts: (Alert | undefined)[]) =>
    becomesOf(() => roadTo(query), alerts);
  const about = (...args: Parameters<typeof anEvent>): Alert => ({
    kind: "event",
    event: anEvent(...args),
  });

  it("has kube-eventer's document in the day's index and behind its alias", async () => {
    expect(await deliver("index=heapster", undefined)).toEqual(["delivered after 0"]);
    expect(await db.documents("heapster-events")).toMatchObject([
      {
        _index: "heapster-2026.11.20",
        _id: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11-81234",
        _source: {
          Count: 12,
          Metadata: { name: "web-7d4b9c.17a1", namespace: "shop" },
          InvolvedObject: { kind: "Pod", namespace: "shop", name: "web-7d4b9c" },
          Source: { component: "kubelet", host: "node-1" },
          FirstOccurrenceTimestamp: "2026-11-20T08:00:00Z",
          LastOccurrenceTimestamp: "2026-11-20T08:05:30Z",
          Message: "Back-off restarting failed container web in pod web-7d4b9c",
          Reason: "BackOff",
          Type: "Warning",
          EventTags: {
            eventID: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
            cluster_name: "prod-a",
            hostname: "node-1",
            pod_id: "0c0ffee0-1111-2222-3333-444455556666",
            pod_name: "web-7d4b9c",
          },
        },
      },
    ]);
    const { json } = await db.ask("GET", "/heapster-2026.11.20/_mapping");
    expect(json).toMatchObject({
      "heapster-2026.11.20": {
        mappings: {
          properties: {
            Count: { type: "long" },
            FirstOccurrenceTimestamp: { type: "date" },
            LastOccurrenceTimestamp: { type: "date" },
          },
        },
      },
    });
  });

  it("has indices for days, and for namespaces if it is told so, all behind one alias", async () => {
    const query = "index=heapster-of&use_namespace=true";
    await deliver(
      query,
      about({ resourceVersion: "1" }),
      about({ resourceVersion: "2", lastSeen: "2026-11-21T00:00:01Z" }),
      about({ resourceVersion: "3", eventNamespace: "pay" }),
    );
    const documents = await db.documents("heapster-of-events");
    expect(documents.map(({ _index }) => _index)).toEqual([
      "heapster-of-shop-2026.11.20",
      "heapster-of-shop-2026.11.21",
      "heapster-of-pay-2026.11.20",
    ]);
  });

  it("gets the alias on an index of another's making", async () => {
    await db.make("PUT", "/heapster-old-2026.11.20");
    expect(await deliver("index=heapster-old", undefined)).toEqual(["delivered after 0"]);
    expect(await db.documents("heapster-old-events")).toHaveLength(1);
  });

  it.each(["index=heapster-again", "mode=data_stream&index=logs-k8s-again"])(
    "%s has each occurrence once, whatever is sent again",
    async (query) => {
      const versions = ["1", "2", "2", "3", "1"];
      const alerts = versions.map((resourceVersion) => about({ resourceVersion }));
      expect(await deliver(query, ...alerts)).toEqual(versions.map(() => "delivered after 0"));
      const [, name = ""] = /index=([^&]*)/.exec(query) ?? [];
      const documents = await db.documents(name.startsWith("logs") ? name : `${name}-events`);
      expect(documents.map(({ _id }) => _id.split("-").at(-1))).toEqual(["1", "2", "3"]);
    },
  );

  it("has a data stream, which is made by its template", async () => {
    await deliver("mode=data_stream&index=logs-k8s-default", undefined);
    const [document] = await db.documents("logs-k8s-default");
    expect(document?._index).toMatch(/^\.ds-logs-k8s-default-000001$/);
    expect(document?._source).toMatchObject({
      "@timestamp": "2026-11-20T08:05:30Z",
      Reason: "BackOff",
    });
    const { json } = await db.ask("GET", "/_data_stream/logs-k8s-default");
    expect(json).toMatchObject({ data_streams: [{ timestamp_field: { name: "@timestamp" } }] });
  });

  it("takes some of a bulk request and refuses the others: each has its own verdict", async () => {
    await db.make("PUT", "/mapped-2026.11.20", {
      mappings: { properties: { Source: { properties: { host: { type: "ip" } } } } },
    });
    const road = roadTo("index=mapped");
    const events = Array.from({ length: 20 }, (_, n) =>
      anEvent({
        uid: `mapped-${n}`,
        reporter: { host: n % 7 === 3 ? "node-1" : `10.0.0.${n}` },
      }),
    );
    await Promise.all(events.map((event) => road.owe({ kind: "event", event })));
    await road.attempts(20);
    const rows = road.history.deliveries({});
    expect(rows.filter(({ state }) => state === "delivered")).toHaveLength(17);
    const dead = rows.filter(({ state }) => state === "dead");
    expect(dead).toHaveLength(3);
    for (const { reason, detail } of dead) {
      expect(reason).toBe("rejected");
      expect(detail).toMatch(
        /^HTTP 400: mapper_parsing_exception: .*\[Source\.host\].*the index maps a field in another way/,
      );
    }
    expect(await db.documents("mapped-events")).toHaveLength(17);
  });

  it("keeps every hostile text as it is, in its field", async () => {
    const alerts = HOSTILE.map(({ text }, index) =>
      about({
        resourceVersion: `9${String(index).padStart(3, "0")}`,
        message: text,
        reason: text,
        object: { name: text, kind: text },
        reporter: { host: text },
      }),
    );
    const outcomes = await deliver("index=heapster-hostile", ...alerts);
    expect(outcomes.filter((outcome) => outcome !== "delivered after 0")).toEqual([]);
    const documents = await db.documents("heapster-hostile-events");
    for (const [index, { name, text }] of HOSTILE.entries())
      expect(documents[index]?._source, name).toMatchObject({
        Message: text,
        Reason: text,
        InvolvedObject: { name: text, kind: text },
        EventTags: { hostname: text },
      });
  });

  it.each([
    [
      "a user that it does not know",
      "esUserName=crier&esUserSecret=wrong000&index=heapster",
      /^dead after 1, auth: HTTP 401: Unauthorized; check `apiKey`, or `esUserName` and `esUserSecret`/,
    ],
    [
      "a user that may not write there",
      `${LOGIN}&index=other`,
      /^dead after 1, auth: HTTP 403: security_exception: no permissions for \[indices:admin\/create.*; check `apiKey`.*OpenSearch: cluster_composite_ops, and for the index write, create_index/,
    ],
    [
      "a pipeline that is not there",
      `${LOGIN}&index=heapster&pipeline=none`,
      /^dead after 1, config: .*pipeline with id \[none\] does not exist; create the pipeline, or check `pipeline`$/,
    ],
    [
      "an index where a template makes data streams",
      `${LOGIN}&index=logs-k8s`,
      /^dead after 1, config: .*creates data streams only.*set `mode` to data_stream, or another `index`$/,
    ],
  ])("refuses %s, and the next step is told", async (_, query, expected) => {
    const road = openRoad(`elasticsearch:${db.url}?${query}`);
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toMatch(expected);
  });

  it("says which limit of the index there is", async () => {
    await db.make("PUT", "/heapster-few-2026.11.20", {
      settings: { "index.mapping.total_fields.limit": 5 },
    });
    const [outcome] = await deliver("index=heapster-few", undefined);
    expect(outcome).toMatch(
      /^dead after 1, config: .*Limit of total fields \[5\] has been exceeded.*raise index.mapping.total_fields.limit/,
    );
  });

  it("is waited for while an index is read-only, as a full disk makes it", async () => {
    await db.make("PUT", "/heapster-full-2026.11.20");
    const block = (on: boolean | null) =>
      db.make("PUT", "/heapster-full-2026.11.20/_settings", {
        "index.blocks.read_only_allow_delete": on,
      });
    const road = roadTo("index=heapster-full&alias=false");
    // So that the sink has its index behind it.
    await road.owe(about({ count: 1 }));
    await road.attempts(1);
    await block(true);
    await road.owe(about({ count: 2, resourceVersion: "2" }));
    await road.attempts(2);
    const [waits] = road.history.deliveries({ state: "pending" });
    expect(waits?.detail).toMatch(/cluster_block_exception.*the disk is full/);
    await block(null);
    await road.clock.advance(10_000);
    await road.attempts(3);
    expect(await db.documents("heapster-full-2026.11.20")).toHaveLength(2);
  });

  it("is waited for while the cluster has as many shards as it may", async () => {
    const shards = (most: number | null) =>
      db.make("PUT", "/_cluster/settings", {
        persistent: { "cluster.max_shards_per_node": most },
      });
    const road = roadTo("index=heapster-more");
    await shards(1);
    await road.owe();
    await road.attempts(1);
    await shards(null);
    expect(becameOf(road)).toMatch(
      /^again in 0.5 s after 1, server: HTTP 400: .*maximum shards open.*raise cluster.max_shards_per_node$/,
    );
    await road.clock.advance(1000);
    await road.attempts(2);
    expect(becameOf(road)).toMatch(/^delivered/);
  });

  it("that is away when the program starts is waited for, and gets each event once", async () => {
    const dir = mkdtempSync(path.join(tmpdir(), "kube-crier-e2e-"));
    const file = path.join(dir, "events.json");
    const items = [1, 2, 3].map((n) => ({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `e${n}`, namespace: "shop", uid: `late-${n}`, resourceVersion: `${n}` },
      involvedObject: { kind: "Pod", name: "web" },
      reason: "Late",
      message: "",
      type: "Normal",
      lastTimestamp: "2026-11-20T08:00:00Z",
    }));
    writeFileSync(file, JSON.stringify({ kind: "List", apiVersion: "v1", items }));
    await db.kill();
    const program = new Crier([
      "run",
      `--source=file:${file}`,
      `--data-dir=${dir}/ledger`,
      `--sink=elasticsearch:${db.url}?${LOGIN}&index=heapster-late`,
    ]);
    try {
      await program.says("connection was refused");
      await db.up();
      expect(await program.ended()).toBe(0);
      const documents = await db.documents("heapster-late-events");
      expect(documents.map(({ _id }) => _id)).toEqual(["late-1-1", "late-2-2", "late-3-3"]);
      expect(program.stderr).not.toContain(WRITER.password);
    } finally {
      await program.destroy();
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it("that dies while it writes has each occurrence once when it is back", async () => {
    const road = roadTo("index=heapster-killed");
    const many = Array.from({ length: 3000 }, (_, n) => anEvent({ uid: `killed-${n}` }));
    const owed = Promise.all(many.map((event) => road.owe({ kind: "event", event })));
    await road.attempts(500);
    await db.kill();
    await owed;
    await db.up();
    await until(async () => {
      await road.clock.advance(60_000);
      return road.history.deliveries({ state: "pending" }).length === 0 ? true : undefined;
    }, "all to be delivered");
    await db.make("POST", "/heapster-killed-events/_refresh");
    const { json } = await db.ask("GET", "/heapster-killed-events/_count");
    expect(json).toMatchObject({ count: 3000 });
  });
});
