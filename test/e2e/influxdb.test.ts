import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Alert } from "../../src/event/alert.ts";
import { HOSTILE } from "../fixtures/hostile.ts";
import { anEvent } from "../support/events.ts";
import { findInfluxd, findInfluxd18, Influxd } from "../support/influxd.ts";
import { becameOf, becomesOf, openRoad } from "../support/road.ts";

/** The influxdb sink against servers of the test's own; skips, and says why, where one cannot be had. */
const old = findInfluxd();
const late = await findInfluxd18();
for (const found of [old, late])
  if ("missing" in found) process.stderr.write(`test/e2e/influxdb: skipped: ${found.missing}\n`);

const SERVERS = [
  ["InfluxDB 1.6", old],
  ["InfluxDB 1.8", late],
] as const;

async function aServer(program: string): Promise<Influxd> {
  const db = await Influxd.start(program);
  await db.query("CREATE DATABASE k8s");
  await db.query("CREATE USER crier WITH PASSWORD 'fedcba98'");
  await db.query("GRANT WRITE ON k8s TO crier");
  return db;
}

const about = (...args: Parameters<typeof anEvent>): Alert => ({
  kind: "event",
  event: anEvent(...args),
});

describe.each(
  SERVERS.flatMap(([name, found]) => ("program" in found ? [[name, found.program] as const] : [])),
)("%s", (_, program) => {
  let db: Influxd;
  beforeAll(async () => {
    db = await aServer(program);
  });
  afterAll(() => db.destroy());

  const roadTo = (query: string) => openRoad(`influxdb:${db.url}?user=crier&${query}`);
  const deliver = (query: string, ...alerts: (Alert | undefined)[]) =>
    becomesOf(() => roadTo(query), alerts);

  it("gives back what was written, tag by tag and field by field", async () => {
    expect(await deliver("pw=fedcba98", undefined)).toEqual(["delivered after 0"]);
    const [row] = await db.query(`SELECT * FROM "log/events"`, "k8s");
    const { value, ...others } = row ?? {};
    expect(others).toEqual({
      time: 1795161930000000000,
      uid: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
      pod_id: "0c0ffee0-1111-2222-3333-444455556666",
      pod_name: "web-7d4b9c",
      hostname: "node-1",
      cluster_name: "prod-a",
      kind: "Pod",
      type: "Warning",
      nameSpace: "shop",
      podName: "web-7d4b9c",
      reason: "BackOff",
      message: "Back-off restarting failed container web in pod web-7d4b9c",
      firstTimestamp: "2026-11-20T08:00:00Z",
      lastTimestamp: "2026-11-20T08:05:30Z",
    });
    expect(JSON.parse(String(value))).toMatchObject({ count: 12, reason: "BackOff" });
  });

  it("has each occurrence once, whatever is sent again, and each of a second", async () => {
    const times = [1, 2, 2, 3, 1].map((count) => about({ uid: "again", count }));
    await deliver("pw=fedcba98&withfields=true", ...times);
    const rows = await db.query(`SELECT message FROM events WHERE uid = 'again'`, "k8s");
    expect(rows).toHaveLength(3);
  });

  it("keeps every hostile text in its place", async () => {
    const events = HOSTILE.map(({ text }, index) =>
      about({
        uid: `hostile-${index}`,
        message: text,
        reason: text,
        object: { name: text, kind: text },
        reporter: { host: text },
      }),
    );
    const outcomes = await deliver("pw=fedcba98", ...events);
    expect(outcomes.filter((outcome) => outcome !== "delivered after 0")).toEqual([]);
    for (const [index, { name, text }] of HOSTILE.entries()) {
      const rows = await db.query(
        `SELECT value, message FROM "log/events" WHERE uid = 'hostile-${index}'`,
        "k8s",
      );
      expect(rows, name).toHaveLength(1);
      expect(JSON.parse(String(rows[0]?.["value"])), name).toMatchObject({ message: text });
      const shown = text.toWellFormed().replaceAll(/\r\n|[\r\n]/g, " ");
      expect(rows[0]?.["message"], name).toBe(shown);
    }
    const tags = await deliver("pw=fedcba98&withfields=true", ...events);
    expect(tags.filter((outcome) => outcome !== "delivered after 0")).toEqual([]);
    const keys = await db.query(`SHOW TAG KEYS FROM events`, "k8s");
    expect(keys.map((row) => row["tagKey"])).toEqual([
      "cluster_name",
      "component",
      "hostname",
      "kind",
      "namespace_name",
      "object_name",
      "pod_id",
      "reason",
      "type",
      "uid",
    ]);
  });

  it("takes a message of a megabyte, cut to what a string may hold", async () => {
    const message = '\u0001容"'.repeat(200_000);
    expect(await deliver("pw=fedcba98", about({ uid: "huge", message }))).toEqual([
      "delivered after 0",
    ]);
    const [row] = await db.query(`SELECT message FROM "log/events" WHERE uid = 'huge'`, "k8s");
    expect(Buffer.byteLength(String(row?.["message"]))).toBeLessThanOrEqual(65_536);
  });

  it("writes to the retention policy it is told", async () => {
    await db.query("CREATE RETENTION POLICY year ON k8s DURATION 520w REPLICATION 1");
    await deliver("pw=fedcba98&retention_policy=year", about({ uid: "kept" }));
    const rows = await db.query(`SELECT kind FROM "year"."log/events" WHERE uid = 'kept'`, "k8s");
    expect(rows).toHaveLength(1);
  });

  it("has one that it does not take harm no other", async () => {
    await db.query("CREATE RETENTION POLICY hour ON k8s DURATION 1h REPLICATION 1");
    const road = roadTo("pw=fedcba98&retention_policy=hour");
    const lastSeen = new Date().toISOString();
    const events = Array.from({ length: 20 }, (_, n) =>
      anEvent({ uid: `shared-${n}`, ...(n === 7 ? {} : { lastSeen }) }),
    );
    await Promise.all(events.map((event) => road.owe({ kind: "event", event })));
    await road.attempts(20);
    const states = road.history.deliveries({}).map(({ state }) => state);
    expect(states.filter((state) => state === "dead")).toHaveLength(1);
    const rows = await db.query(`SELECT kind, uid FROM "hour"."log/events"`, "k8s");
    expect(rows).toHaveLength(19);
  });

  it.each([
    ["pw=wrong", /^dead after 1, auth: HTTP 401: authorization failed; check `user` and `pw`/],
    [
      "pw=fedcba98&db=other",
      /^dead after 1, (auth|config): HTTP 40[34]: .*(not authorized|not found).*; (check `user`|create it)/,
    ],
    ["pw=fedcba98&retention_policy=none", /^dead after 1, config: .*check `retentionPolicy`$/],
  ])("refuses %s, and the next step is told", async (query, expected) => {
    const [outcome] = await deliver(query, undefined);
    expect(outcome).toMatch(expected);
  });

  it("refuses a database that is not there, and the next step is told", async () => {
    const road = openRoad(`influxdb:${db.url}?user=admin&pw=admin-0123&db=nowhere`);
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toBe(
      'dead after 1, config: HTTP 404: database not found: "nowhere"; create it (CREATE DATABASE), or check `db`',
    );
  });

  it("says when something else writes the field with another type", async () => {
    await db.query("CREATE DATABASE taken");
    await db.query("GRANT WRITE ON taken TO crier");
    await fetch(`${db.url}/write?db=taken&u=admin&p=admin-0123`, {
      method: "POST",
      body: "log/events value=1 1795161930000000000",
    });
    const [outcome] = await deliver("pw=fedcba98&db=taken", undefined);
    expect(outcome).toMatch(/^dead after 1, rejected: .*give the events a database of their own$/);
  });

  it("is waited for while it is away, and gets what is owed when it is back", async () => {
    const road = roadTo("pw=fedcba98");
    await db.kill();
    await road.owe(about({ uid: "waited" }));
    await road.attempts(1);
    expect(becameOf(road)).toMatch(/^again in 0.5 s after 1, network: the connection was refused/);
    await db.up();
    await road.clock.advance(1000);
    await road.attempts(2);
    expect(becameOf(road)).toMatch(/^delivered/);
    const rows = await db.query(`SELECT kind FROM "log/events" WHERE uid = 'waited'`, "k8s");
    expect(rows).toHaveLength(1);
  });
});

/** https://docs.influxdata.com/influxdb/v1/tools/api/#influxdb-20-api-compatibility-endpoints */
const program = "program" in late ? late.program : "";

describe.skipIf(program === "")("the API of InfluxDB 2 that InfluxDB 1.8 has", () => {
  let db: Influxd;
  beforeAll(async () => {
    db = await aServer(program);
    await db.query("CREATE RETENTION POLICY year ON k8s DURATION 520w REPLICATION 1");
    await db.query("CREATE RETENTION POLICY hour ON k8s DURATION 1h REPLICATION 1");
  });
  afterAll(() => db.destroy());

  const roadTo = (bucket: string, token = "crier:fedcba98", rest = "") =>
    openRoad(
      `influxdb:${db.url}?org=platform&bucket=${bucket}&token=${encodeURIComponent(token)}${rest}`,
    );

  it("gives back what was written, and has each occurrence once", async () => {
    // What is sent again, by somebody who does not know that it was.
    for (const counts of [[1, 2], [1]]) {
      const road = roadTo("k8s");
      for (const count of counts) await road.owe(about({ uid: "v2", count }));
      await road.attempts(counts.length);
      const states = road.history.deliveries({}).map(({ state }) => state);
      expect(states).toEqual(counts.map(() => "delivered"));
    }
    const rows = await db.query(`SELECT * FROM "log/events" WHERE uid = 'v2'`, "k8s");
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ kind: "Pod", reason: "BackOff", cluster_name: "prod-a" });
  });

  it.each(["", "&withfields=true"])("takes every hostile text%s", async (rest) => {
    const road = roadTo("k8s", undefined, rest);
    for (const [index, { text }] of HOSTILE.entries()) {
      const alert = about({
        uid: `h-${index}`,
        message: text,
        reason: text,
        object: { name: text },
      });
      await road.owe(alert);
    }
    await road.attempts(HOSTILE.length);
    const outcomes = road.history.deliveries({}).map(({ state }) => state);
    expect(new Set(outcomes)).toEqual(new Set(["delivered"]));
    const from = rest === "" ? `"log/events"` : "events";
    const rows = await db.query(`SELECT message, uid FROM ${from} WHERE uid =~ /^h-/`, "k8s");
    expect(rows).toHaveLength(HOSTILE.length);
  });

  it("writes to the retention policy that the bucket names", async () => {
    const road = roadTo("k8s/year");
    await road.owe(about({ uid: "kept" }));
    await road.attempts(1);
    const rows = await db.query(`SELECT kind FROM "year"."log/events" WHERE uid = 'kept'`, "k8s");
    expect(rows).toHaveLength(1);
  });

  it("has one that it does not take harm no other", async () => {
    const road = roadTo("k8s/hour");
    const lastSeen = new Date().toISOString();
    const events = Array.from({ length: 20 }, (_, n) =>
      anEvent({ uid: `shared-${n}`, ...(n === 7 ? {} : { lastSeen }) }),
    );
    await Promise.all(events.map((event) => road.owe({ kind: "event", event })));
    await road.attempts(20);
    const states = road.history.deliveries({}).map(({ state }) => state);
    expect(states.filter((state) => state === "dead")).toHaveLength(1);
    expect(await db.query(`SELECT kind, uid FROM "hour"."log/events"`, "k8s")).toHaveLength(19);
  });

  it.each([
    ["k8s", "crier:wrong-0123456789", /^dead after 1, auth: HTTP 401: .*`token` for InfluxDB 2/],
    [
      "nowhere",
      "admin:admin-0123",
      /^dead after 1, config: HTTP 404: database not found: "nowhere"/,
    ],
    ["k8s/none", undefined, /^dead after 1, config: HTTP 500: retention policy not found: none/],
  ])("refuses %s as %s, and the next step is told", async (bucket, token, expected) => {
    const road = roadTo(bucket, token);
    await road.owe();
    await road.attempts(1);
    expect(becameOf(road)).toMatch(expected);
    expect(becameOf(road)).not.toMatch(/wrong-0123456789|fedcba98/);
  });
});
