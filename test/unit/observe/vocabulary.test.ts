import { describe, expect, it } from "vitest";
import { remember } from "../../../src/app/recall.ts";
import type { Observer } from "../../../src/observe/observer.ts";
import { house, seriesOf } from "./support.ts";
import { anEvent } from "../../support/events.ts";

/** What an observation says and counts: its lines without the time, and the series it moved, buckets aside. */
async function effectOf(observe: (observer: Observer) => void) {
  const { lines, metrics, observer, tally } = house();
  const before = await seriesOf(metrics);
  observe(observer);
  const moved: Record<string, number> = {};
  for (const [series, value] of await seriesOf(metrics))
    if (value !== before.get(series) && !series.includes("_bucket{"))
      moved[series] = value - (before.get(series) ?? 0);
  const counted = Object.fromEntries(Object.entries(tally).filter(([, count]) => count !== 0));
  const said = lines.map(({ time, level, msg, ...fields }) => {
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    return [level, msg, fields];
  });
  return { said, moved, counted };
}

const SINCE = "2026-11-20T07:00:00Z";
const UNTIL = "2026-11-20T08:00:00Z";
const NOW = Date.parse("2026-11-20T08:00:00Z") / 1000;

interface Effect {
  readonly said?: readonly (readonly [string, string, object])[];
  readonly moved?: Readonly<Record<string, number>>;
  readonly counted?: Readonly<Record<string, number>>;
}

/** Series that are there with a canary only. */
const FROM_ITS_START = {
  'canary_ok{source="kubernetes"}': 0,
  'canary_missed_total{source="kubernetes"}': 0,
  'canary_writes_failed_total{source="kubernetes"}': 0,
  'canary_seconds_count{source="kubernetes"}': 0,
  'canary_seconds_sum{source="kubernetes"}': 0,
};

const EFFECTS: readonly (readonly [string, (observer: Observer) => void, Effect])[] = [
  [
    "a warning that was received",
    (o) => o.eventReceived("kubernetes", anEvent({ type: "Warning" })),
    {
      moved: {
        'events_received_total{type="Warning"}': 1,
        'source_last_event_timestamp_seconds{source="kubernetes"}': NOW,
      },
      counted: { received: 1 },
    },
  ],
  [
    "something normal that was received from a file",
    (o) => o.eventReceived("file", anEvent({ type: "Normal" })),
    {
      moved: {
        'events_received_total{type="Normal"}': 1,
        'source_last_event_timestamp_seconds{source="file"}': NOW,
      },
      counted: { received: 1 },
    },
  ],
  [
    "an event that the global filter excluded",
    (o) => o.eventDropped("globalFilter"),
    { moved: { 'events_filtered_total{reason="globalFilter"}': 1 }, counted: { filtered: 1 } },
  ],
  [
    "an event that no sink wanted",
    (o) => o.eventDropped("noSink"),
    { moved: { 'events_filtered_total{reason="noSink"}': 1 }, counted: { filtered: 1 } },
  ],
  [
    "an occurrence that was already taken",
    (o) => o.eventDropped("duplicate"),
    { moved: { 'events_suppressed_total{reason="duplicate"}': 1 }, counted: { suppressed: 1 } },
  ],
  [
    "an event that is owed to both sinks",
    (o) => o.eventEnqueued(["ding", "hook"], 0),
    {
      moved: {
        events_enqueued_total: 1,
        'deliveries_enqueued_total{sink="ding"}': 1,
        'deliveries_enqueued_total{sink="hook"}': 1,
      },
      counted: { enqueued: 1 },
    },
  ],
  [
    "a gap that is owed to a sink",
    (o) => o.noticeOwed(["hook"]),
    { moved: { 'deliveries_enqueued_total{sink="hook"}': 1 } },
  ],
  [
    "a source that connects",
    (o) => o.sourceConnecting("kubernetes", "https://10.0.0.1:6443"),
    {
      said: [["info", "kubernetes: connecting to https://10.0.0.1:6443", { source: "kubernetes" }]],
    },
  ],
  [
    "a source that is far from the end of a long list",
    (o) => o.sourceListing("kubernetes", 34_500, 85_500),
    {
      said: [
        [
          "info",
          "kubernetes: 34500 of about 120000 events listed",
          { source: "kubernetes", read: 34_500, remaining: 85_500 },
        ],
      ],
    },
  ],
  [
    "a source whose server does not say how long the list is",
    (o) => o.sourceListing("kubernetes", 500, null),
    {
      said: [
        [
          "info",
          "kubernetes: 500 events listed",
          { source: "kubernetes", read: 500, remaining: null },
        ],
      ],
    },
  ],
  [
    "a source that has caught up",
    (o) => o.sourceSynced("kubernetes"),
    {
      said: [["info", "kubernetes: watching", { source: "kubernetes" }]],
      moved: { 'source_synced{source="kubernetes"}': 1 },
    },
  ],
  [
    "a source that fails",
    (o) => o.sourceFailed("kubernetes", "network", "connect ECONNREFUSED 10.0.0.1:6443", 1_250),
    {
      said: [
        [
          "warn",
          "kubernetes: connect ECONNREFUSED 10.0.0.1:6443; trying again in 1.3 s",
          { source: "kubernetes", cause: "network" },
        ],
      ],
    },
  ],
  [
    "a watch that is opened again as usual",
    (o) => o.sourceResumed("kubernetes", "closed"),
    {
      said: [
        [
          "debug",
          "kubernetes: watching again (the API server ended the watch as it does every 30 to 60 minutes)",
          { source: "kubernetes", cause: "closed" },
        ],
      ],
      moved: {
        'source_resumes_total{source="kubernetes",cause="closed"}': 1,
        'source_synced{source="kubernetes"}': 1,
      },
    },
  ],
  [
    "an unreadable line",
    (o) => o.sourceGarbage("kubernetes", "Unexpected token o"),
    {
      said: [
        [
          "warn",
          "kubernetes: an unreadable line on the stream was left out: Unexpected token o",
          { source: "kubernetes" },
        ],
      ],
      moved: { 'source_garbage_total{source="kubernetes"}': 1 },
    },
  ],
  [
    "a gap",
    (o) =>
      o.sourceGap("kubernetes", {
        kind: "gap",
        cluster: "prod-a",
        since: SINCE,
        until: UNTIL,
        cause: "otherCluster",
      }),
    {
      said: [
        [
          "warn",
          `kubernetes: what happened between ${SINCE} and ${UNTIL} may be incomplete: the checkpoint belongs to another cluster`,
          {
            source: "kubernetes",
            since: SINCE,
            until: UNTIL,
            cause: "otherCluster",
            recovered: 0,
            tooOld: 0,
          },
        ],
      ],
      moved: { 'source_gaps_total{source="kubernetes",cause="otherCluster"}': 1 },
    },
  ],
  [
    "a gap of which a list brought something back",
    (o) =>
      o.sourceGap("kubernetes", {
        kind: "gap",
        cluster: "prod-a",
        since: SINCE,
        until: UNTIL,
        cause: "expired",
        recovered: 37,
        tooOld: 12,
      }),
    {
      said: [
        [
          "warn",
          `kubernetes: what happened between ${SINCE} and ${UNTIL} may be incomplete: the resourceVersion expired, and the cluster has forgotten Events of before; 37 recovered by a relist (12 of them too old to be told singly), older ones unknown`,
          {
            source: "kubernetes",
            since: SINCE,
            until: UNTIL,
            cause: "expired",
            recovered: 37,
            tooOld: 12,
          },
        ],
      ],
      moved: {
        'source_gaps_total{source="kubernetes",cause="expired"}': 1,
        'source_recovered_total{source="kubernetes"}': 37,
      },
    },
  ],
  [
    "the first start, which is no trouble",
    (o) =>
      o.sourceGap("kubernetes", {
        kind: "gap",
        cluster: "prod-a",
        since: UNTIL,
        until: UNTIL,
        cause: "firstStart",
      }),
    {
      said: [
        [
          "info",
          `kubernetes: what happened before ${UNTIL} may be incomplete: nothing is known of an earlier run: the first start, or the ledger was lost`,
          {
            source: "kubernetes",
            since: UNTIL,
            until: UNTIL,
            cause: "firstStart",
            recovered: 0,
            tooOld: 0,
          },
        ],
      ],
      moved: { 'source_gaps_total{source="kubernetes",cause="firstStart"}': 1 },
    },
  ],
  [
    "a list that made up for a break",
    (o) => o.sourceRelisted("kubernetes", 37, 12),
    {
      said: [
        [
          "info",
          "kubernetes: listed again: 37 events had not been seen, 12 of them too old to be told singly; none is missing",
          { source: "kubernetes", recovered: 37, tooOld: 12 },
        ],
      ],
      moved: { 'source_recovered_total{source="kubernetes"}': 37 },
    },
  ],
  [
    "a file that is read to its end",
    (o) => o.sourceEnded("file"),
    { said: [["info", "file: read to its end", { source: "file" }]] },
  ],
  [
    "an attempt that failed and is made again",
    (o) => o.attemptFailed("ding", "d1", "server", "HTTP 502", 2_000, 40),
    {
      said: [
        [
          "warn",
          "ding: not delivered: HTTP 502; trying again in 2.0 s",
          { sink: "ding", id: "d1", reason: "server" },
        ],
      ],
      moved: {
        'delivery_attempts_failed_total{sink="ding",reason="server"}': 1,
        'delivery_duration_seconds_count{sink="ding"}': 1,
        'delivery_duration_seconds_sum{sink="ding"}': 0.04,
      },
    },
  ],
  [
    "an attempt that failed for good",
    (o) => o.attemptFailed("ding", "d1", "auth", "errcode 310000", null, 40),
    {
      said: [
        ["warn", "ding: not delivered: errcode 310000", { sink: "ding", id: "d1", reason: "auth" }],
      ],
      moved: {
        'delivery_attempts_failed_total{sink="ding",reason="auth"}': 1,
        'delivery_duration_seconds_count{sink="ding"}': 1,
        'delivery_duration_seconds_sum{sink="ding"}': 0.04,
      },
    },
  ],
  [
    "an attempt that failed for a bug",
    (o) => o.attemptFailed("ding", "d1", "unknown", "TypeError: x", 100, 0),
    {
      said: [
        [
          "error",
          "ding: not delivered: TypeError: x; trying again in 0.1 s",
          { sink: "ding", id: "d1", reason: "unknown" },
        ],
      ],
      moved: {
        'delivery_attempts_failed_total{sink="ding",reason="unknown"}': 1,
        'delivery_duration_seconds_count{sink="ding"}': 1,
      },
    },
  ],
  [
    "a delivery",
    (o) => o.delivered("hook", "d2", 1_500, 8),
    {
      said: [["debug", "hook: delivered", { sink: "hook", id: "d2", ageMs: 1_500, durationMs: 8 }]],
      moved: {
        'deliveries_total{sink="hook",outcome="delivered"}': 1,
        'delivery_duration_seconds_count{sink="hook"}': 1,
        'delivery_duration_seconds_sum{sink="hook"}': 0.008,
        'delivery_age_seconds_count{sink="hook"}': 1,
        'delivery_age_seconds_sum{sink="hook"}': 1.5,
      },
      counted: { delivered: 1 },
    },
  ],
  [
    "a dead letter",
    (o) => o.dead("hook", "d2", "expired", "not accepted within 60 min"),
    {
      said: [
        [
          "error",
          'hook: given up (older than the give-up age): not accepted within 60 min; see "kube-crier dead list"',
          { sink: "hook", id: "d2", reason: "expired" },
        ],
      ],
      moved: {
        'deliveries_total{sink="hook",outcome="dead"}': 1,
        'deliveries_dead_total{sink="hook",reason="expired"}': 1,
      },
      counted: { dead: 1 },
    },
  ],
  [
    "a digest: the folded end, the digest is owed",
    (o) => o.folded("ding", 31),
    {
      said: [
        [
          "info",
          "ding: 31 deliveries exceed the rate budget and go out as one digest",
          { sink: "ding", count: 31 },
        ],
      ],
      moved: {
        'deliveries_total{sink="ding",outcome="folded"}': 31,
        'deliveries_enqueued_total{sink="ding"}': 1,
      },
      counted: { folded: 31 },
    },
  ],
  [
    "a platform that asks to be left alone",
    (o) => o.lanePaused("ding", Date.parse(UNTIL), "errcode 130101: send too fast"),
    {
      said: [
        [
          "warn",
          "ding: paused until 2026-11-20T08:00:00.000Z: errcode 130101: send too fast",
          { sink: "ding" },
        ],
      ],
      moved: { 'lane_paused{sink="ding"}': 1 },
    },
  ],
  [
    "a message that was cut",
    (o) => o.messageCut("ding"),
    { moved: { 'messages_cut_total{sink="ding"}': 1 } },
  ],
  [
    "a disk that refuses",
    (o) => o.ledgerTrouble("the disk is full"),
    {
      said: [
        [
          "error",
          "the ledger cannot be written: the disk is full; delivering from memory and trying again",
          {},
        ],
      ],
      moved: { ledger_writable: -1, ledger_failures_total: 1 },
    },
  ],
  [
    "what is held meanwhile: said at its beginning only",
    (o) => {
      for (const count of [3, 40, 700]) o.ledgerHeld(count);
    },
    {
      said: [
        [
          "warn",
          "holding 3 deliveries in memory: they would not survive an end of the process",
          {},
        ],
      ],
      moved: { ledger_held_deliveries: 700 },
    },
  ],
  [
    "a damaged ledger in whose place a new one is",
    (o) => o.ledgerReplaced("not a database file", "/data/ledger.db.damaged-1", null),
    {
      said: [
        [
          "error",
          "the ledger is damaged: not a database file; it lies now at /data/ledger.db.damaged-1, and a new one is in use; what it still owed will not be told",
          { aside: "/data/ledger.db.damaged-1", owed: null },
        ],
      ],
      moved: { ledger_replaced_total: 1 },
    },
  ],
  [
    "a damaged ledger of which something can still be read",
    (o) => o.ledgerReplaced("torn", "/data/ledger.db.damaged-1", 12),
    {
      said: [
        [
          "error",
          "the ledger is damaged: torn; it lies now at /data/ledger.db.damaged-1, and a new one is in use; the 12 deliveries it still owed will not be told",
          { aside: "/data/ledger.db.damaged-1", owed: 12 },
        ],
      ],
      moved: { ledger_replaced_total: 1 },
    },
  ],
  [
    "a page whose thread ended",
    (o) => o.pageEnded("out of memory", 4_000),
    {
      said: [
        [
          "error",
          "the page is not served: its thread has ended: out of memory; it is begun again in 4 s, and what is owed is delivered meanwhile",
          {},
        ],
      ],
      moved: { page_ended_total: 1 },
    },
  ],
  [
    "templates that have changed",
    (o) => o.templatesChanged(),
    {
      said: [["info", "the templates have changed; the new ones are in use", {}]],
      moved: { 'template_reloads_total{outcome="changed"}': 1 },
    },
  ],
  [
    "templates that are broken now",
    (o) => o.templatesStale(["a.hbs:1:2: no such field", "sink b: there is no ConfigMap"]),
    {
      said: [
        [
          "error",
          "the templates have changed and cannot be used; the last good ones stay in use: a.hbs:1:2: no such field; sink b: there is no ConfigMap",
          { problems: ["a.hbs:1:2: no such field", "sink b: there is no ConfigMap"] },
        ],
      ],
      moved: { 'template_reloads_total{outcome="refused"}': 1, templates_stale: 1 },
    },
  ],
  [
    "a standby that sees another one lead, and then nobody",
    (o) => {
      o.electionStarted("crier/kube-crier", "pod-2_x");
      o.leaderSeen("pod-1_y", 3);
      o.leaderSeen(null, 3);
    },
    {
      said: [
        [
          "info",
          "candidate for the Lease crier/kube-crier as pod-2_x",
          { lease: "crier/kube-crier", identity: "pod-2_x" },
        ],
        ["info", "standby: pod-1_y leads, term 3", { holder: "pod-1_y", term: 3 }],
        ["info", "nobody leads, term 3", { holder: null, term: 3 }],
      ],
      moved: { leader: -1, lease_term: 3 },
    },
  ],
  [
    "a leader that gives the Lease back",
    (o) => {
      o.electionStarted("crier/kube-crier", "pod-2_x");
      o.leadershipWon("pod-2_x", 4);
      o.leaseReleased(null);
    },
    {
      said: [
        [
          "info",
          "candidate for the Lease crier/kube-crier as pod-2_x",
          { lease: "crier/kube-crier", identity: "pod-2_x" },
        ],
        ["info", "leading in term 4, as pod-2_x", { identity: "pod-2_x", term: 4 }],
        ["info", "the Lease is given back: a standby takes it at once", {}],
      ],
      moved: { leader: -1, lease_term: 4 },
    },
  ],
  [
    "a leader that cannot give it back",
    (o) => o.leaseReleased("no answer within 1 s"),
    {
      said: [
        [
          "warn",
          "the Lease could not be given back: no answer within 1 s; a standby takes it when it has run out",
          {},
        ],
      ],
      moved: { leader: -1 },
    },
  ],
  [
    "a leader that leads no more",
    (o) => o.leadershipLost("pod-1_y took the Lease"),
    {
      said: [
        [
          "error",
          "leads no more: pod-1_y took the Lease; nothing is sent or written from now on",
          {},
        ],
      ],
      moved: { leader: -1 },
    },
  ],
  [
    "a Lease that cannot be had for a while: said once in a burst",
    (o) => {
      o.leaseFailed("network", "no connection");
      o.leaseFailed("forbidden", "403");
      o.leaseAnswered();
      o.leaseAnswered();
      o.leaseFailed("server", "500");
    },
    {
      said: [
        [
          "warn",
          "the Lease cannot be read or written: no connection; tried again",
          { reason: "network" },
        ],
        ["debug", "the Lease cannot be read or written: 403; tried again", { reason: "forbidden" }],
        ["info", "the Lease can be read and written again", {}],
        ["warn", "the Lease cannot be read or written: 500; tried again", { reason: "server" }],
      ],
      moved: {
        'lease_failures_total{reason="network"}': 1,
        'lease_failures_total{reason="forbidden"}': 1,
        'lease_failures_total{reason="server"}': 1,
      },
    },
  ],
  [
    "a canary that begins, and arrives in time",
    (o) => {
      o.canaryStarted("kubernetes", "a canary every 300 s");
      o.canaryArrived("kubernetes", 0.25, true);
    },
    {
      said: [
        ["info", "kubernetes: a canary every 300 s", { source: "kubernetes" }],
        [
          "debug",
          "kubernetes: the canary arrived after 0.250 s",
          { source: "kubernetes", seconds: 0.25 },
        ],
      ],
      moved: {
        ...FROM_ITS_START,
        'canary_ok{source="kubernetes"}': 1,
        'canary_seconds_count{source="kubernetes"}': 1,
        'canary_seconds_sum{source="kubernetes"}': 0.25,
      },
    },
  ],
  [
    "a canary that is missed twice, comes late and then in time",
    (o) => {
      o.canaryStarted("kubernetes", "a canary");
      o.canaryMissed("kubernetes", "ops refused it", true);
      o.canaryMissed("kubernetes", "ops refused it", false);
      o.canaryArrived("kubernetes", 400, false);
      o.canaryBack("kubernetes", 401.4);
    },
    {
      said: [
        ["info", "kubernetes: a canary", { source: "kubernetes" }],
        [
          "error",
          "kubernetes: the canary did not arrive: ops refused it",
          { source: "kubernetes" },
        ],
        [
          "debug",
          "kubernetes: the canary did not arrive: ops refused it",
          { source: "kubernetes" },
        ],
        [
          "debug",
          "kubernetes: the canary arrived after 400.000 s, too late",
          { source: "kubernetes", seconds: 400 },
        ],
        [
          "info",
          "kubernetes: the canary arrives again, after 401 s",
          { source: "kubernetes", seconds: 401.4 },
        ],
      ],
      moved: {
        ...FROM_ITS_START,
        'canary_missed_total{source="kubernetes"}': 2,
        'canary_seconds_count{source="kubernetes"}': 1,
        'canary_seconds_sum{source="kubernetes"}': 400,
      },
    },
  ],
  [
    "a canary that the API server does not take: said once in a burst",
    (o) => {
      o.canaryStarted("kubernetes", "a canary");
      o.canaryUnwritten("kubernetes", "403 Forbidden", 1_000);
      o.canaryUnwritten("kubernetes", "403 Forbidden", 2_000);
    },
    {
      said: [
        ["info", "kubernetes: a canary", { source: "kubernetes" }],
        [
          "warn",
          "kubernetes: the canary could not be written: 403 Forbidden; trying again in 1.0 s",
          { source: "kubernetes" },
        ],
        [
          "debug",
          "kubernetes: the canary could not be written: 403 Forbidden; trying again in 2.0 s",
          { source: "kubernetes" },
        ],
      ],
      moved: {
        ...FROM_ITS_START,
        'canary_writes_failed_total{source="kubernetes"}': 2,
      },
    },
  ],
  ["nothing that is held", (o) => o.ledgerHeld(0), {}],
  [
    "a notice, a warning and an error of whoever starts the parts",
    (o) => {
      o.notice("listening", { url: "http://127.0.0.1:8080" });
      o.warning("careful");
      o.error("broken", { code: 7 });
    },
    {
      said: [
        ["info", "listening", { url: "http://127.0.0.1:8080" }],
        ["warn", "careful", {}],
        ["error", "broken", { code: 7 }],
      ],
    },
  ],
];

describe("each observation is said and counted", () => {
  it.each(EFFECTS)("%s", async (_, observe, { said = [], moved = {}, counted = {} }) => {
    expect(await effectOf(observe)).toEqual({ said, moved, counted });
    const withPage = (observer: Observer) => observe(remember(observer, () => 0).observer);
    expect(await effectOf(withPage), "with a page").toEqual({ said, moved, counted });
  });
});
