import { describe, expect, it } from "vitest";
import { GAP_CAUSES } from "../../../src/event/alert.ts";
import { DROP_REASONS, FAILURE_REASONS, type FailureReason } from "../../../src/event/reason.ts";
import { type Observer, RESUME_CAUSES } from "../../../src/observe/observer.ts";
import { house, seriesOf } from "./support.ts";

describe("what comes and goes", () => {
  it("a pause ends: the series falls, and it is said", async () => {
    const { observer, metrics, lines } = house();
    observer.lanePaused("ding", 0, "-");
    observer.laneResumed("ding");
    expect((await seriesOf(metrics)).get('lane_paused{sink="ding"}')).toBe(0);
    expect(lines.at(-1)).toMatchObject({ level: "info", msg: "ding: goes on", sink: "ding" });
  });

  it("the disk comes back: the series rises, and it is said how much is safe", async () => {
    const { observer, metrics, lines } = house();
    observer.ledgerTrouble("the disk is full");
    observer.ledgerRecovered(41);
    expect((await seriesOf(metrics)).get("ledger_writable")).toBe(1);
    expect(lines.at(-1)).toMatchObject({
      level: "info",
      msg: "the ledger can be written again; 41 held changes are safe now",
      written: 41,
    });
  });

  it("a canary goes missing and comes back, one that is late proves nothing, each source's by itself", async () => {
    const { observer, metrics } = house();
    for (const source of ["kubernetes", "file"]) observer.canaryStarted(source, "a canary");
    const ok = async (source = "kubernetes") =>
      (await seriesOf(metrics)).get(`canary_ok{source="${source}"}`);
    observer.canaryArrived("file", 1, true);
    expect(await ok(), "nothing is known yet").toBe(0);
    observer.canaryArrived("kubernetes", 1, true);
    expect(await ok()).toBe(1);
    observer.canaryMissed("kubernetes", "ding has not accepted it", true);
    expect(await ok()).toBe(0);
    observer.canaryArrived("kubernetes", 400, false);
    expect(await ok()).toBe(0);
    observer.canaryArrived("kubernetes", 2, true);
    expect(await ok()).toBe(1);
    expect(await ok("file")).toBe(1);
  });

  it("a canary that cannot be written is said once, and again once it had arrived; each source's by itself", () => {
    const { observer, lines } = house();
    for (const source of ["kubernetes", "file"]) observer.canaryStarted(source, "a canary");
    lines.length = 0;
    observer.canaryUnwritten("kubernetes", "403", 0);
    observer.canaryUnwritten("kubernetes", "403", 0);
    observer.canaryUnwritten("file", "403", 0);
    observer.canaryArrived("kubernetes", 1, true);
    observer.canaryUnwritten("kubernetes", "403", 0);
    observer.canaryUnwritten("file", "403", 0);
    expect(lines.map(({ level, source }) => `${String(level)} ${String(source)}`)).toEqual([
      "warn kubernetes",
      "debug kubernetes",
      "warn file",
      "debug kubernetes",
      "warn kubernetes",
      "debug file",
    ]);
  });

  it.each<[string, (o: Observer) => void]>([
    ["is lost", (o) => o.leadershipLost("it was taken")],
    ["is given back", (o) => o.leaseReleased(null)],
    ["could not be given back", (o) => o.leaseReleased("no answer")],
  ])("a Lease %s: the series that says who leads falls", async (_, end) => {
    const { observer, metrics } = house();
    const series = async (name: string) => (await seriesOf(metrics)).get(name);
    observer.electionStarted("default/kube-crier", "pod-a");
    observer.leaderSeen("pod-b", 6);
    expect([await series("leader"), await series("lease_term")]).toEqual([0, 6]);
    observer.leadershipWon("pod-a", 7);
    expect([await series("leader"), await series("lease_term")]).toEqual([1, 7]);
    end(observer);
    expect([await series("leader"), await series("lease_term")]).toEqual([0, 7]);
  });

  it("the templates are mended: the series falls, and it is said", async () => {
    const { observer, metrics, lines } = house();
    observer.templatesStale(["a.hbs:1:2: no such field"]);
    observer.templatesChanged();
    expect((await seriesOf(metrics)).get("templates_stale")).toBe(0);
    expect(lines.at(-1)).toMatchObject({ level: "info" });
  });

  it("one of a thing is said in the singular", () => {
    const { observer, lines } = house();
    observer.ledgerHeld(1);
    observer.ledgerRecovered(1);
    observer.folded("ding", 1);
    observer.ledgerReplaced("torn", "/data/aside", 1);
    expect(lines.map(({ msg }) => msg)).toEqual([
      "holding 1 delivery in memory: it would not survive an end of the process",
      "the ledger can be written again; 1 held change is safe now",
      "ding: 1 delivery exceeds the rate budget and goes out as one digest",
      "the ledger is damaged: torn; it lies now at /data/aside, and a new one is in use; the 1 delivery it still owed will not be told",
    ]);
  });

  it("holding in memory is said again when it begins again", async () => {
    const { observer, metrics, lines } = house();
    for (const count of [5, 2, 0, 9, 10]) observer.ledgerHeld(count);
    expect(lines.map(({ msg }) => String(msg).split(" in ")[0])).toEqual([
      "holding 5 deliveries",
      "holding 9 deliveries",
    ]);
    expect((await seriesOf(metrics)).get("ledger_held_deliveries")).toBe(10);
  });

  it("a source's failures are quiet after the first, until it has been back; each source by itself", () => {
    const { observer, lines } = house();
    const fail = (source: string) => observer.sourceFailed(source, "server", "HTTP 500", 0);
    fail("kubernetes");
    fail("kubernetes");
    fail("file");
    observer.sourceSynced("kubernetes");
    fail("kubernetes");
    observer.sourceResumed("kubernetes", "server");
    observer.sourceResumed("kubernetes", "closed");
    expect(lines.map(({ level, source }) => `${String(level)} ${String(source)}`)).toEqual([
      "warn kubernetes",
      "debug kubernetes",
      "warn file",
      "info kubernetes",
      "warn kubernetes",
      "info kubernetes",
      "debug kubernetes",
    ]);
  });

  it("a burst of garbage is over after a quiet minute, each source's by itself", async () => {
    const { observer, lines, clock } = house();
    const garbage = (source: string) => observer.sourceGarbage(source, "?");
    garbage("kubernetes");
    garbage("file");
    expect(lines.length).toBe(2);
    for (let n = 0; n < 5; n += 1) {
      await clock.advance(60_000);
      garbage("kubernetes");
    }
    expect(lines.length, "a minute apart is one burst").toBe(2);
    await clock.advance(60_001);
    garbage("kubernetes");
    expect(lines.length).toBe(3);
  });

  it.each(Object.entries(FAILURE_REASONS) as [FailureReason, string][])(
    "a dead letter for %s says what that means: %s",
    (reason, meaning) => {
      const { observer, lines } = house();
      observer.dead("ding", "d1", reason, "detail");
      expect(lines[0]?.["msg"]).toBe(
        `ding: given up (${meaning}): detail; see "kube-crier dead list"`,
      );
    },
  );
});

describe("the series", () => {
  it("are there at zero for every label value that can ever come", async () => {
    const series = await seriesOf(house().metrics);
    const expected = [
      ...["Normal", "Warning", "other"].map((type) => `events_received_total{type="${type}"}`),
      ...Object.keys(DROP_REASONS).map((reason) =>
        reason === "duplicate" || reason === "tooOld"
          ? `events_suppressed_total{reason="${reason}"}`
          : `events_filtered_total{reason="${reason}"}`,
      ),
      ...["ding", "hook"].flatMap((sink) => [
        `deliveries_enqueued_total{sink="${sink}"}`,
        `messages_cut_total{sink="${sink}"}`,
        `lane_paused{sink="${sink}"}`,
        `delivery_duration_seconds_count{sink="${sink}"}`,
        `delivery_age_seconds_count{sink="${sink}"}`,
        ...["delivered", "dead", "folded"].map(
          (outcome) => `deliveries_total{sink="${sink}",outcome="${outcome}"}`,
        ),
        ...Object.keys(FAILURE_REASONS).flatMap((reason) => [
          `deliveries_dead_total{sink="${sink}",reason="${reason}"}`,
          `delivery_attempts_failed_total{sink="${sink}",reason="${reason}"}`,
        ]),
      ]),
      ...["kubernetes", "file"].flatMap((source) => [
        `source_synced{source="${source}"}`,
        `source_last_event_timestamp_seconds{source="${source}"}`,
        `source_garbage_total{source="${source}"}`,
        `source_recovered_total{source="${source}"}`,
        ...Object.keys(RESUME_CAUSES).map(
          (cause) => `source_resumes_total{source="${source}",cause="${cause}"}`,
        ),
        ...Object.keys(GAP_CAUSES).map(
          (cause) => `source_gaps_total{source="${source}",cause="${cause}"}`,
        ),
      ]),
    ];
    for (const name of expected) expect(series.get(name), name).toBe(0);
    for (const name of ["ledger_failures_total", "ledger_replaced_total", "page_ended_total"])
      expect(series.get(name), name).toBe(0);
    expect(series.get("ledger_writable")).toBe(1);
    expect(series.get('build_info{version="1.2.3"}')).toBe(1);
  });

  it("have one name each for what is counted, and no other label than the closed ones", async () => {
    const text = await house().metrics.text();
    const labels = new Set(
      [...text.matchAll(/^kube_crier_\w+\{(.*?)\} /gm)].flatMap((match) =>
        [...(match[1] ?? "").matchAll(/(\w+)="/g)].map(([, label]) => label),
      ),
    );
    expect([...labels].toSorted((a = "", b = "") => a.localeCompare(b))).toEqual([
      "cause",
      "le",
      "outcome",
      "reason",
      "sink",
      "source",
      "type",
      "version",
    ]);
    for (const [, name] of text.matchAll(/^# HELP (kube_crier_\w+) \S/gm))
      expect(text).toContain(`# TYPE ${name} `);
  });

  it("of the ledger are asked for with each scrape, and the sum of what is pending is at hand", async () => {
    const { metrics, clock } = house();
    expect(metrics.pending(), "before there is a ledger").toBe(0);
    let total = 3;
    metrics.measure({
      now: () => clock.now(),
      pending: (sink) => ({ total: sink === "ding" ? total : 1, oldestOwedAt: clock.now() - 500 }),
      ledgerBytes: () => 7,
    });
    expect(metrics.pending()).toBe(4);
    expect((await seriesOf(metrics)).get('deliveries_pending{sink="ding"}')).toBe(3);
    total = 0;
    const series = await seriesOf(metrics);
    expect(series.get('deliveries_pending{sink="ding"}')).toBe(0);
    expect(series.get('deliveries_pending{sink="hook"}')).toBe(1);
    expect(series.get('deliveries_oldest_seconds{sink="hook"}')).toBe(0.5);
    expect(metrics.contentType).toContain("text/plain");
  });

  it.each([
    [4, 0.004],
    [60_000, 60],
    [1_800_000, 1_800],
  ])("a delivery %i ms old falls into the bucket up to it", async (ageMs, seconds) => {
    const { metrics, observer } = house();
    observer.delivered("ding", "d1", ageMs, 0);
    const buckets = [...(await seriesOf(metrics))].flatMap(([name, count]) => {
      const le = /^delivery_age_seconds_bucket\{le="([^"]+)",sink="ding"\}$/.exec(name)?.[1];
      return le === undefined || le === "+Inf" || count === 0 ? [] : [Number(le)];
    });
    expect(Math.min(...buckets)).toBeGreaterThanOrEqual(seconds);
    expect(buckets.length).toBeGreaterThan(0);
  });
});
