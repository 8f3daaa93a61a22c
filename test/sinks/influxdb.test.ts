import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import influxdb from "../../sinks/influxdb.ts";
import { judge } from "../../sinks/influxdb/answers.ts";
import type { Alert } from "../../src/event/alert.ts";
import { secretsOf } from "../../src/sink/redact.ts";
import { HOSTILE } from "../fixtures/hostile.ts";
import { anEvent } from "../support/events.ts";
import { type InfluxContract, startInfluxContract } from "../support/influxdb-contract.ts";
import { readLines } from "../support/line-protocol.ts";
import { aMessage, problemsWith, requestOf } from "../support/messages.ts";
import { becameOf, openRoad } from "../support/road.ts";
import { sinkFrom } from "../support/sinks.ts";

const url = "http://influxdb:8086";
const pointOf = (given: Record<string, unknown>, ...args: Parameters<typeof anEvent>) =>
  pointOfMessage(given, aMessage({ event: anEvent(...args) }));

function pointOfMessage(given: Record<string, unknown>, message: ReturnType<typeof aMessage>) {
  const [point, ...others] = readLines(requestOf(influxdb, { url, ...given }, message).body);
  if (point === undefined || others.length > 0) throw new Error(`${others.length} more points`);
  return point;
}

/** Read from kube-eventer's sinks/influxdb/influxdb.go, eventToPoint and eventToPointWithFields. */
describe("a point", () => {
  it("has kube-eventer's measurement, tags and fields", () => {
    const { fields, ...point } = pointOf({});
    expect(point).toEqual({
      measurement: "log/events",
      tags: {
        uid: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
        pod_id: "0c0ffee0-1111-2222-3333-444455556666",
        pod_name: "web-7d4b9c",
        hostname: "node-1",
        cluster_name: "prod-a",
      },
      time: "1795161930000000012",
    });
    const { value, ...others } = fields;
    expect(others).toEqual({
      kind: "Pod",
      type: "Warning",
      nameSpace: "shop",
      podName: "web-7d4b9c",
      reason: "BackOff",
      message: "Back-off restarting failed container web in pod web-7d4b9c",
      firstTimestamp: "2026-11-20T08:00:00Z",
      lastTimestamp: "2026-11-20T08:05:30Z",
    });
    expect(JSON.parse(value ?? "")).toEqual({
      metadata: {
        name: "web-7d4b9c.17a1",
        namespace: "shop",
        uid: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
        resourceVersion: "81234",
        creationTimestamp: "2026-11-20T08:00:00Z",
      },
      involvedObject: {
        kind: "Pod",
        namespace: "shop",
        name: "web-7d4b9c",
        uid: "0c0ffee0-1111-2222-3333-444455556666",
        apiVersion: "v1",
        fieldPath: "spec.containers{web}",
      },
      reason: "BackOff",
      message: "Back-off restarting failed container web in pod web-7d4b9c",
      source: { component: "kubelet", host: "node-1" },
      firstTimestamp: "2026-11-20T08:00:00Z",
      lastTimestamp: "2026-11-20T08:05:30Z",
      count: 12,
      type: "Warning",
      eventTime: null,
      reportingComponent: "kubelet",
      reportingInstance: "node-1",
    });
  });

  it("has its tags and one field with `withfields`", () => {
    expect(pointOf({ withfields: true, clusterName: "shop-cn" })).toEqual({
      measurement: "events",
      tags: {
        uid: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
        pod_id: "0c0ffee0-1111-2222-3333-444455556666",
        object_name: "web-7d4b9c",
        type: "Warning",
        kind: "Pod",
        component: "kubelet",
        reason: "BackOff",
        namespace_name: "shop",
        hostname: "node-1",
        cluster_name: "shop-cn",
      },
      fields: { message: "Back-off restarting failed container web in pod web-7d4b9c" },
      time: "1795161930000000012",
    });
  });

  it("about anything but a pod has no tag of a pod's, and none that is empty", () => {
    const node = { kind: "Node", namespace: null, name: "node-3", uid: null };
    const event = { object: node, reporter: { host: null }, cluster: "" };
    expect(pointOf({}, event).tags).toEqual({
      uid: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
      cluster_name: "default",
    });
    expect(pointOf({}, event).fields).toMatchObject({ kind: "Node", nameSpace: "" });
    expect(Object.keys(pointOf({ withfields: true }, event).tags)).not.toContain("pod_id");
  });

  it("is told from the next occurrence within the second, and is itself each time", () => {
    const times = [11, 12, 13].map((count) => pointOf({}, { count }).time);
    expect(new Set(times).size).toBe(3);
    expect(pointOf({}, { count: 12 })).toEqual(pointOf({}, { count: 12 }));
  });

  it.each([
    ["2026-11-20T08:05:30Z", 1, "1795161930000000001"],
    ["2026-11-20T08:05:30.5Z", 2, "1795161930500000002"],
    ["2026-11-20T08:05:30.123456Z", 999, "1795161930123456999"],
    ["2026-11-20T08:05:30.123456Z", 1000, "1795161930123456000"],
  ])("of %s, seen %i times, is at %s", (lastSeen, count, time) => {
    expect(pointOf({}, { lastSeen, count }).time).toBe(time);
  });

  it("is made of a gap, too, and of a digest where one is asked for", () => {
    expect(pointOfMessage({}, aMessage({ event: null })).fields).toMatchObject({
      kind: "Cluster",
      reason: "HistoryGap",
      message:
        "Events between 2026-11-20T08:00:00Z and 2026-11-20T08:07:00Z could not be seen: not running, or cut off, for longer than the cluster keeps events.",
    });
    const alert: Alert = {
      kind: "digest",
      cluster: "prod-a",
      total: 37,
      from: "2026-11-20T08:00:00Z",
      to: "2026-11-20T08:05:30Z",
      lines: [],
      moreKinds: 0,
    };
    expect(pointOfMessage({}, aMessage({ event: null, alert })).fields).toMatchObject({
      reason: "Digest",
      message: "37 events between 2026-11-20T08:00:00Z and 2026-11-20T08:05:30Z.",
    });
  });
});

describe("what a stranger wrote", () => {
  const oneLine = (text: string) => text.toWellFormed().replaceAll(/\r\n|[\r\n]/g, " ");

  it.each(HOSTILE.map(({ name, text }) => [name, text] as const))(
    "stays in its field: %s",
    (_, text) => {
      const { fields, tags } = pointOf({}, { message: text, reason: text });
      expect(fields["message"]).toBe(oneLine(text));
      expect(fields["reason"]).toBe(oneLine(text));
      expect(JSON.parse(fields["value"] ?? "")).toMatchObject({ message: text });
      expect(Object.keys(fields)).toHaveLength(9);
      expect(Object.keys(tags)).toHaveLength(5);
    },
  );

  it.each(HOSTILE.map(({ name, text }) => [name, text] as const))(
    "makes no tag of its own: %s",
    (_, text) => {
      const point = pointOf(
        { withfields: true, clusterName: text },
        { reason: text, type: text, object: { name: text, kind: text }, reporter: { host: text } },
      );
      for (const name of Object.keys(point.tags)) {
        expect(name).toMatch(
          /^(uid|pod_id|object_name|type|kind|component|reason|namespace_name|hostname|cluster_name)$/,
        );
      }
      expect(Object.keys(point.fields)).toEqual(["message"]);
    },
  );

  it.each([
    ["a comma, a space and an equals sign", "a,b c=d", "a,b c=d"],
    ["a tag after a backslash", "x\\,uid=forged", "x/,uid=forged"],
    ["a backslash at the end", "x\\", "x/"],
    [
      "a line end and a second point",
      "x\nevents,uid=forged message=1",
      "x events,uid=forged message=1",
    ],
    ["quotes", `"x"`, `"x"`],
    ["Chinese", "拉取镜像失败", "拉取镜像失败"],
  ])("is a tag as it stands where the protocol can say it: %s", (_, reason, expected) => {
    expect(pointOf({ withfields: true }, { reason }).tags["reason"]).toBe(expected);
  });

  it.each([
    ["quotes", '"'],
    ["control characters", "\u0001"],
    ["Chinese", "容"],
    ["emoji", "👩‍👩‍👧"],
    ["lone surrogates", "\ud83d"],
  ])("is cut to the 64 KB of a string, and the JSON stays whole: %s", (_, unit) => {
    const long = unit.repeat(200_000);
    const { fields } = pointOf(
      {},
      { message: long, reason: long, action: long, object: { name: long } },
    );
    const { message } = JSON.parse(fields["value"] ?? "") as { message: string };
    expect(message).toMatch(/… \(\d+ of \d+ characters\)$/);
    expect(fields["message"]?.endsWith("…")).toBe(true);
    const { tags } = pointOf({ withfields: true }, { reason: long });
    expect(Buffer.byteLength(tags["reason"] ?? "")).toBeLessThanOrEqual(1024);
  });

  it("keeps a message of ten kilobytes whole", () => {
    const message = "x".repeat(10_240);
    const { fields } = pointOf({}, { message });
    expect(fields["message"]).toBe(message);
    expect(JSON.parse(fields["value"] ?? "")).toMatchObject({ message });
  });
});

describe("the request", () => {
  const sent = (given: Record<string, unknown>) => requestOf(influxdb, given, aMessage());

  it("is InfluxDB 1's with kube-eventer's defaults where nothing is said", () => {
    expect(sent({})).toMatchObject({
      method: "POST",
      url: "http://localhost:8086/write?db=k8s&precision=ns",
      headers: { authorization: `Basic ${Buffer.from("root:root").toString("base64")}` },
    });
  });

  it("names user, database and retention policy", () => {
    const given = {
      url,
      user: "crier",
      pw: "pässwörd:x",
      db: "events & more",
      retentionPolicy: "a b",
    };
    const { url: where, headers } = sent(given);
    expect(Object.fromEntries(new URL(where).searchParams)).toEqual({
      db: "events & more",
      rp: "a b",
      precision: "ns",
    });
    expect(headers["authorization"]).toBe(
      `Basic ${Buffer.from("crier:pässwörd:x").toString("base64")}`,
    );
  });

  it("is InfluxDB 2's with a bucket", () => {
    const { url: where, headers } = sent({
      url,
      org: "platform",
      bucket: "events",
      token: "t0ken",
    });
    expect(where).toBe(`${url}/api/v2/write?org=platform&bucket=events&precision=ns`);
    expect(headers["authorization"]).toBe("Token t0ken");
  });

  it.each(["https://proxy.example.com/influx", "https://proxy.example.com/influx/"])(
    "goes below the path of %s",
    (base) => expect(sent({ url: base }).url).toMatch(/\.com\/influx\/write\?db=k8s/),
  );
});

describe("the options", () => {
  it("of a kube-eventer URI mean what they meant", () => {
    const { sink, warnings } = sinkFrom(
      "influxdb:http://monitoring-influxdb:80/?user=eventer&pw=secret1&db=k8s2&withfields=true&cluster_name=prod-b&concurrency=4&insecuressl=true&retention=0&disable_counter_metrics=true",
    );
    expect(sink.options).toMatchObject({
      user: "eventer",
      db: "k8s2",
      withfields: true,
      clusterName: "prod-b",
    });
    expect(secretsOf(sink.options)).toContain("secret1");
    expect(sink.definition.type).toBe("influxdb");
    expect(warnings.map(({ message, hint }) => `${message}: ${hint}`)).toEqual([
      "insecuressl of kube-eventer changes nothing here: the server's certificate is always checked; for a private authority set NODE_EXTRA_CA_CERTS",
      "retention of kube-eventer changes nothing here: kube-eventer never used it; `retention_policy` names one to write to",
      "disable_counter_metrics of kube-eventer changes nothing here: kube-eventer never used it",
    ]);
  });

  it.each([
    [
      { url: "http://user:pw@h:1" },
      "url: has a user in it; give `user` and `pw` (or `token`) instead",
    ],
    [{ url: "http://h:1?db=k8s" }, "url: has a query; expected http://HOST:PORT"],
    [{ url: "ftp://h" }, "url: has the scheme ftp; expected https"],
    [{ token: "t" }, "token: is of InfluxDB 2; give `bucket`, too"],
    [{ org: "o" }, "org: is of InfluxDB 2; give `bucket`, too"],
    [{ bucket: "b", token: "t" }, "org: is missing; a bucket is in an organization"],
    [{ bucket: "b", org: "o" }, "token: is missing; InfluxDB 2 takes nothing without one"],
    [
      { bucket: "b", org: "o", token: "t", retentionPolicy: "x" },
      "retentionPolicy: is of InfluxDB 1; in InfluxDB 2 the bucket has it",
    ],
  ])("%j cannot be: %s", (given, problem) => {
    expect(problemsWith(influxdb, given)).toEqual([problem]);
  });
});

const ACCESS = {
  user: "crier",
  password: "fedcba98",
  databases: ["k8s"],
  token: "0123456789abcdef",
  org: "platform",
  buckets: ["events"],
};
const V1 = "user=crier&pw=fedcba98";
const V2 = "org=platform&bucket=events&token=0123456789abcdef";

describe("a server that goes by the documentation", () => {
  let server: InfluxContract;
  beforeAll(async () => {
    server = await startInfluxContract(ACCESS);
  });
  beforeEach(() => server.refuse(null));
  afterAll(() => server.close());

  const roadTo = (query: string) => openRoad(`influxdb:${server.url}?${query}`);
  const outcome = async (query: string, alert?: Alert) => {
    const road = roadTo(query);
    await road.owe(alert);
    await road.attempts(1);
    return becameOf(road);
  };

  it.each([V1, V2, `${V1}&withfields=true`])("takes what is written with %s", async (query) => {
    expect(await outcome(query)).toBe("delivered after 0");
  });

  it("has each occurrence once, whatever is sent again", async () => {
    const before = server.points.length;
    for (const count of [1, 2, 2, 3, 1]) {
      const event = anEvent({ uid: "again", count });
      expect(await outcome(V1, { kind: "event", event })).toBe("delivered after 0");
    }
    expect(server.points.length - before).toBe(3);
  });

  it("gets what is owed together in few requests", async () => {
    const requests = server.requests;
    const points = server.points.length;
    const road = roadTo(V1);
    const events = Array.from({ length: 200 }, (_, n) => anEvent({ uid: `together-${n}` }));
    await Promise.all(events.map((event) => road.owe({ kind: "event", event })));
    await road.attempts(200);
    expect(server.points.length - points).toBe(200);
    expect(server.requests - requests).toBeLessThan(40);
  });

  const LOGIN = "check `user` and `pw` (`token` for InfluxDB 2), and that they may write there";
  it.each([
    ["user=crier&pw=wrong0000", `dead after 1, auth: HTTP 401: authorization failed; ${LOGIN}`],
    [
      "org=platform&bucket=events&token=wrong0000",
      `dead after 1, auth: HTTP 401: unauthorized access; ${LOGIN}`,
    ],
    [
      `${V1}&db=other`,
      'dead after 1, config: HTTP 404: database not found: "other"; create it (CREATE DATABASE), or check `db`',
    ],
    [
      "org=other&bucket=events&token=0123456789abcdef",
      'dead after 1, config: HTTP 404: organization name "other" not found; check `org`',
    ],
    [
      "org=platform&bucket=other&token=0123456789abcdef",
      'dead after 1, config: HTTP 404: bucket "other" not found; create the bucket, or check `bucket`',
    ],
  ])("refuses %s, and the next step is told", async (query, expected) => {
    expect(await outcome(query)).toBe(expected);
  });

  it.each([
    [
      400,
      { error: "partial write: max-values-per-tag limit exceeded (100000/100000): dropped=1" },
      /^dead after 1, config: HTTP 400: partial write.*; each event has a `uid` tag of its own: set `series` to kind, or max-values-per-tag = 0/,
    ],
    [
      400,
      { error: "partial write: max-series-per-database limit exceeded: (1000000) dropped=1" },
      /^dead after 1, config: .*set `series` to kind, or max-series-per-database = 0/,
    ],
    [
      400,
      { error: 'partial write: field type conflict: input field "value"' },
      /^dead after 1, rejected: .*give the events a database of their own$/,
    ],
    [
      400,
      { error: "partial write: points beyond retention policy dropped=1" },
      /^dead after 1, rejected: .*older than what the database keeps/,
    ],
    [
      422,
      { code: "unprocessable entity", message: "points beyond retention policy dropped=1" },
      /^dead after 1, rejected: HTTP 422: points beyond.*older than/,
    ],
    [
      500,
      { error: "retention policy not found: x" },
      /^dead after 1, config: .*check `retentionPolicy`$/,
    ],
    [403, { error: "no" }, /^dead after 1, auth: HTTP 403: no; check `user`/],
    [413, { error: "Request Entity Too Large" }, /^dead after 1, tooLarge: .*raise max-body-size/],
    [500, { error: "timeout" }, /^again in 0.5 s after 1, server: HTTP 500: timeout$/],
    [503, "", /^again in 0.5 s after 1, server: HTTP 503$/],
    [400, { error: "unable to parse" }, /^dead after 1, rejected: HTTP 400: unable to parse$/],
    [429, { message: "plan limit" }, /^paused for 5 s/],
  ])("HTTP %i %j", async (status, body, expected) => {
    server.refuse({ status, body });
    expect(await outcome(V1)).toMatch(expected);
  });

  it("is believed in a header where the body was lost", async () => {
    server.refuse({ status: 400, headers: { "x-influxdb-error": "bad timestamp" } });
    expect(await outcome(V1)).toBe("dead after 1, rejected: HTTP 400: bad timestamp");
  });

  it.each([
    [200, "<html><body>Sign in to the network</body></html>"],
    [203, "\n<!DOCTYPE html>"],
  ])("is not taken for written where a page came in between: HTTP %i", async (status, body) => {
    server.refuse({ status, headers: { "content-type": "text/html" }, body });
    expect(await outcome(V1)).toMatch(/not InfluxDB's own answer/);
  });

  it.each([
    [200, ""],
    [204, undefined],
    [200, "{}"],
  ])("is taken for written by servers that say it in other words: HTTP %i %j", (status, body) => {
    const text = body ?? "";
    expect(judge({ status, headers: {}, text, json: undefined })).toEqual({ kind: "accepted" });
  });
});
