import { describe, expect, it } from "vitest";
import { FAILURE_REASONS } from "../../../src/event/reason.ts";
import { jsonLog, textLog } from "../../../src/observe/log.ts";
import { createMetrics } from "../../../src/observe/metrics.ts";
import { createObserver } from "../../../src/observe/observe.ts";
import { redact } from "../../../src/observe/redact.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";

function house() {
  const lines: string[] = [];
  const metrics = createMetrics("1.2.3", ["kubernetes"], ["ding", "hook"]);
  const clock = new FakeClock();
  const { observer, tally } = createObserver(
    jsonLog("debug", { write: (text) => lines.push(text) }),
    metrics,
    clock,
  );
  return {
    lines,
    metrics,
    clock,
    observer,
    tally,
    parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** The value of one series in the Prometheus text. */
function value(text: string, series: string): number {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  if (line === undefined) throw new Error(`no series ${series}`);
  return Number(line.slice(series.length + 1));
}

describe("metrics", () => {
  it("are all there at zero before anything happened, so that rate() works from the first minute", async () => {
    const text = await house().metrics.text();
    for (const series of [
      'kube_crier_events_received_total{type="Normal"}',
      'kube_crier_events_filtered_total{reason="globalFilter"}',
      'kube_crier_events_filtered_total{reason="noSink"}',
      'kube_crier_events_suppressed_total{reason="duplicate"}',
      "kube_crier_events_enqueued_total",
      'kube_crier_deliveries_total{sink="ding",outcome="delivered"}',
      'kube_crier_source_resumes_total{source="kubernetes",cause="expired"}',
    ])
      expect(value(text, series), series).toBe(0);
    for (const reason of Object.keys(FAILURE_REASONS))
      expect(value(text, `kube_crier_deliveries_dead_total{sink="hook",reason="${reason}"}`)).toBe(
        0,
      );
  });

  it("show the conservation law: received = filtered + suppressed + enqueued", async () => {
    const { observer, metrics, tally } = house();
    for (let index = 0; index < 10; index += 1)
      observer.eventReceived(
        "kubernetes",
        anEvent({ type: index % 2 === 0 ? "Normal" : "Warning" }),
      );
    for (let index = 0; index < 3; index += 1) observer.eventDropped("globalFilter");
    observer.eventDropped("noSink");
    observer.eventDropped("duplicate");
    for (let index = 0; index < 5; index += 1) observer.eventEnqueued(["ding"], 0);
    const text = await metrics.text();
    const sum = (name: string) =>
      text
        .split("\n")
        .filter((line) => line.startsWith(`kube_crier_events_${name}_total`))
        .reduce((total, line) => total + Number(line.split(" ").at(-1)), 0);
    expect(sum("received")).toBe(10);
    expect(sum("filtered") + sum("suppressed") + sum("enqueued")).toBe(10);
    expect(tally).toMatchObject({ received: 10, filtered: 4, suppressed: 1, enqueued: 5 });
  });

  it("keep the type label closed whatever the cluster says", async () => {
    const { observer, metrics } = house();
    for (const type of ["Info", "Unknown", "", "x".repeat(1000)])
      observer.eventReceived("kubernetes", anEvent({ type: type }));
    const text = await metrics.text();
    expect(value(text, 'kube_crier_events_received_total{type="other"}')).toBe(4);
    expect(text.match(/events_received_total\{/g)).toHaveLength(3);
  });

  it("ask the ledger what is pending at scrape time", async () => {
    const { metrics, clock } = house();
    metrics.measure({
      now: () => clock.now(),
      pending: (sink) =>
        sink === "ding"
          ? { total: 7, oldestOwedAt: clock.now() - 90_000 }
          : { total: 0, oldestOwedAt: null },
      ledgerBytes: () => 40_960,
    });
    const text = await metrics.text();
    expect(value(text, 'kube_crier_deliveries_pending{sink="ding"}')).toBe(7);
    expect(value(text, 'kube_crier_deliveries_oldest_seconds{sink="ding"}')).toBe(90);
    expect(value(text, 'kube_crier_deliveries_oldest_seconds{sink="hook"}')).toBe(0);
    expect(value(text, "kube_crier_ledger_bytes")).toBe(40_960);
  });

  it("count a dead letter once, with its reason, and log it with the next step", async () => {
    const { observer, metrics, parsed } = house();
    observer.dead("ding", "id-1", "auth", "errcode 310000: sign not match");
    const text = await metrics.text();
    expect(value(text, 'kube_crier_deliveries_dead_total{sink="ding",reason="auth"}')).toBe(1);
    expect(value(text, 'kube_crier_deliveries_total{sink="ding",outcome="dead"}')).toBe(1);
    expect(parsed()).toEqual([
      expect.objectContaining({
        level: "error",
        sink: "ding",
        reason: "auth",
        msg: expect.stringContaining("kube-crier dead list"),
      }),
    ]);
  });
});

describe("the log", () => {
  it("speaks once per burst of unreadable lines, and again after a quiet minute", async () => {
    const { observer, lines, clock, metrics } = house();
    for (let index = 0; index < 500; index += 1) observer.sourceGarbage("kubernetes", "{oops");
    expect(lines).toHaveLength(1);
    await clock.advance(61_000);
    observer.sourceGarbage("kubernetes", "{oops");
    expect(lines).toHaveLength(2);
    expect(
      value(await metrics.text(), 'kube_crier_source_garbage_total{source="kubernetes"}'),
    ).toBe(501);
  });

  it("says that the API server is away once, and that it is back once", () => {
    const { observer, parsed } = house();
    for (let index = 0; index < 20; index += 1)
      observer.sourceFailed("kubernetes", "network", "connect ECONNREFUSED", 800);
    observer.sourceResumed("kubernetes", "network");
    const said = parsed().filter((line) => line["level"] !== "debug");
    expect(said.map((line) => line["level"])).toEqual(["warn", "info"]);
  });

  it("shows readiness as a metric that falls while the source is away", async () => {
    const { observer, metrics } = house();
    const synced = async () =>
      value(await metrics.text(), 'kube_crier_source_synced{source="kubernetes"}');
    expect(await synced()).toBe(0);
    observer.sourceSynced("kubernetes");
    expect(await synced()).toBe(1);
    observer.sourceFailed("kubernetes", "network", "connect ECONNREFUSED", 800);
    expect(await synced()).toBe(0);
    observer.sourceResumed("kubernetes", "network");
    expect(await synced()).toBe(1);
  });

  it("writes one JSON object a line whatever a message contains", () => {
    const { observer, parsed } = house();
    observer.notice('a "quote"\nand a line\u2028break', { text: "x\ny" });
    expect(parsed()).toEqual([
      expect.objectContaining({
        level: "info",
        msg: 'a "quote"\nand a line\u2028break',
        text: "x\ny",
      }),
    ]);
  });

  it("prints for a person without JSON, and leaves out what is below its level", () => {
    const lines: string[] = [];
    const log = textLog("info", { write: (text) => lines.push(text) }, false);
    log.write("debug", "too much");
    log.write("warn", "look here", { sink: "ding" });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d warn: look here sink=ding\n$/);
    log.write("info", "all is well", { count: 3 });
    expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d all is well count=3\n$/);
  });

  it("is cut at its level, the same for programs and for people", () => {
    const levels = ["debug", "info", "warn", "error"] as const;
    for (const [index, level] of levels.entries()) {
      const [json, text]: [string[], string[]] = [[], []];
      const logs = [
        jsonLog(level, { write: (line) => json.push(line) }),
        textLog(level, { write: (line) => text.push(line) }, true),
      ];
      for (const log of logs) for (const at of levels) log.write(at, `a ${at} line`);
      const expected = levels.slice(index);
      expect(json.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
      expect(text.map((line) => / a (\w+) line/.exec(line)?.[1])).toEqual(expected);
    }
  });

  it.each([
    ["a line that nobody logged", "Pod shop/web\r\n08:00:00 error: leads no more", "\n"],
    ["the title of the window", "Pod shop/\u001B]0;owned\u0007web", "\u001B\u0007"],
    ["a cleared screen, in one byte", "Pod shop/\u009B2Jweb", "\u009B"],
    ["text that runs the other way", "Pod shop/\u202Etxt.exe", "\u202E"],
    ["what some programs take for a line's end", "Pod\u2028shop\u2029web", "\u2028\u2029"],
  ])("lets a stranger's object not write %s on a terminal", (_, name, steering) => {
    for (const colour of [false, true]) {
      const lines: string[] = [];
      const log = textLog("info", { write: (line) => lines.push(line) }, colour);
      const { observer } = createObserver(log, createMetrics("1", ["file"], []), new FakeClock());
      observer.sourceGarbage("file", `${name} is no Event`);
      observer.notice("中文日志 🚀", { object: name, all: [name] });
      expect(lines).toHaveLength(2);
      for (const line of lines) {
        expect(line.match(/\n/g)).toHaveLength(1);
        let told = line.trimEnd();
        for (const ours of ["[33m", "[36m", "[0m"]) told = told.replace(`\u001B${ours}`, "");
        for (const character of steering) expect(told).not.toContain(character);
      }
      expect(lines[0]).toContain("is no Event");
      expect(lines[1]).toContain("中文日志 🚀");
    }
  });
});

describe("redaction", () => {
  it.each([
    [
      "POST https://oapi.dingtalk.com/robot/send?access_token=abc123&sign=x%2By failed",
      ["abc123", "x%2By"],
    ],
    ["https://open.feishu.cn/open-apis/bot/v2/hook/0f9c-11aa refused", ["0f9c-11aa"]],
    ["https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a-91f6", ["693a-91f6"]],
    ["https://hooks.slack.com/services/T000/B000/XXXX gone", ["T000", "B000", "XXXX"]],
    ["authorization: Bearer eyJhbGciOi.J9", ["eyJhbGciOi.J9"]],
    ["token xoxb-123-456 is invalid", ["xoxb-123-456"]],
    ["https://user:pa55@host/path", ["pa55"]],
    ["mysql://crier:p@55:w0rd@db:3306/crier is away", ["p@55", "55:w0rd"]],
  ])("takes the secret out of %s", (text, secrets) => {
    const { observer, lines } = house();
    observer.warning(text, { url: text });
    for (const secret of secrets) {
      expect(redact(text)).not.toContain(secret);
      expect(lines.join("")).not.toContain(secret);
    }
  });

  it("takes it out of each of several problems that are told together", () => {
    const { observer, lines } = house();
    observer.templatesStale([
      "a.hbs:1: no field",
      "b.hbs:2: https://chat/send?access_token=abc123",
    ]);
    observer.error("twice", { nested: [["Bearer abc123"], 7] });
    expect(lines.join("")).not.toContain("abc123");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      problems: ["a.hbs:1: no field", "b.hbs:2: https://chat/send?access_token=<redacted>"],
    });
  });

  it("leaves ordinary text alone", () => {
    const text =
      'Get "http://10.0.0.1:8080/healthz?full=1": dial tcp: connection refused (key not found), ask "http://10.0.0.1:80", "ops@example.com" or http://10.0.0.1:80?mail=ops@example.com';
    expect(redact(text)).toBe(text);
  });
});
