import { describe, expect, it } from "vitest";
import { numberText, PHRASES } from "../../../src/template/phrases.ts";
import { knownWords, REASONS, splitWords } from "../../../src/template/reasons.ts";
import { dateText, localTime, spanText, timeTeller } from "../../../src/template/times.ts";

const NOW = Date.parse("2026-11-20T08:06:00Z");

describe("times", () => {
  const shanghai = timeTeller("zh", "Asia/Shanghai", NOW);
  const berlin = timeTeller("en", "Europe/Berlin", NOW);

  it.each([
    ["2026-11-20T08:05:30Z", "16:05:30", "09:05:30"],
    ["2026-11-20T08:05:30.123456Z", "16:05:30", "09:05:30"],
    ["2026-11-19T15:59:59Z", "11月19日 23:59:59", "19 Nov 16:59:59"],
    ["2026-11-19T16:00:00Z", "00:00:00", "19 Nov 17:00:00"],
    ["2025-12-31T23:30:00Z", "1月1日 07:30:00", "1 Jan 00:30:00"],
    ["2025-06-01T00:00:00Z", "2025年6月1日 08:00:00", "1 Jun 2025 02:00:00"],
    ["never", "never", "never"],
  ])("%s is %s in Shanghai and %s in Berlin", (iso, zh, en) => {
    expect(shanghai.moment(iso)).toBe(zh);
    expect(berlin.moment(iso)).toBe(en);
  });

  it("ranges repeat no date", () => {
    expect(berlin.range("2026-11-20T02:02:00Z", "2026-11-20T02:09:00Z")).toBe("03:02–03:09");
    expect(berlin.range("2026-11-18T02:02:00Z", "2026-11-18T02:09:00Z")).toBe("18 Nov 03:02–03:09");
    expect(berlin.range("2026-11-18T02:02:00Z", "2026-11-20T02:09:00Z")).toBe(
      "18 Nov 03:02 – 03:09",
    );
    expect(berlin.range("x", "2026-11-20T02:09:00Z")).toBe("x–2026-11-20T02:09:00Z");
  });

  it("midnight is 00, in a zone with half an hour and one that changes its clock", () => {
    expect(localTime(Date.parse("2026-11-19T18:30:00Z"), "Asia/Kolkata")).toEqual({
      year: 2026,
      month: 11,
      day: 20,
      time: "00:00:00",
    });
    expect(localTime(Date.parse("2026-07-01T00:00:00Z"), "Europe/Berlin").time).toBe("02:00:00");
    expect(localTime(Date.parse("2026-12-01T00:00:00Z"), "Europe/Berlin").time).toBe("01:00:00");
  });

  it("dates", () => {
    const today = localTime(NOW, "UTC");
    expect(dateText(today, today, "en")).toBe("20 Nov");
    expect(dateText(today, today, "zh")).toBe("11月20日");
  });

  it.each([
    [0, "", ""],
    [999, "", ""],
    [-5000, "", ""],
    [1000, "1 s", "1 秒"],
    [330_000, "5 min 30 s", "5 分 30 秒"],
    [300_000, "5 min", "5 分"],
    [7_500_000, "2 h 5 min", "2 小时 5 分"],
    [7_201_000, "2 h", "2 小时"],
    [273_600_000, "3 d 4 h", "3 天 4 小时"],
    [Number.NaN, "", ""],
  ])("%i ms last %j", (ms, en, zh) => {
    expect(spanText(ms, "en")).toBe(en);
    expect(spanText(ms, "zh")).toBe(zh);
  });
});

describe("phrases", () => {
  const { en, zh } = PHRASES;

  it("how often", () => {
    expect(en.times(12, 330_000, "16:05:30")).toBe("12 × in 5 min 30 s · last 16:05:30");
    expect(zh.times(12, 330_000, "16:05:30")).toBe("12 次，持续 5 分 30 秒，最近 16:05:30");
    expect(en.times(1, 0, "16:05:30")).toBe("once · 16:05:30");
    expect(zh.times(1, 0, "16:05:30")).toBe("1 次，16:05:30");
    expect(en.times(1200, 0, "16:05:30")).toBe("1,200 × · last 16:05:30");
    expect(zh.times(1200, 0, "16:05:30")).toBe("1,200 次，最近 16:05:30");
  });

  it.each([
    ["Pod", 1, "web (1 pod)", "web（1 个 Pod）"],
    ["Pod", 3, "web (3 pods)", "web（3 个 Pod）"],
    ["Ingress", 2, "web (2 ingresses)", "web（2 个 Ingress）"],
    ["NetworkPolicy", 2, "web (2 networkpolicies)", "web（2 个 NetworkPolicy）"],
    ["Endpoints", 1, "web (1 endpoints)", "web（1 个 Endpoints）"],
    ["Endpoints", 2, "web (2 endpoints)", "web（2 个 Endpoints）"],
    ["Gateway", 2, "web (2 gateways)", "web（2 个 Gateway）"],
    ["", 2, "web (2 objects)", "web（2 个 对象）"],
  ])("how many of kind %j: %i", (kind, count, english, chinese) => {
    expect(en.objects("web", count, kind)).toBe(english);
    expect(zh.objects("web", count, kind)).toBe(chinese);
  });

  it("what is left out", () => {
    expect(en.moreKinds(14)).toBe("and 14 more kinds");
    expect(en.moreKinds(1)).toBe("and 1 more kind");
    expect(en.moreKinds(0)).toBe("");
    expect(zh.moreKinds(14)).toBe("以及另外 14 类");
    expect(zh.moreKinds(0)).toBe("");
  });

  it("gaps", () => {
    expect(en.gapTimes(420_000, "10:09:00")).toBe("7 min · until 10:09:00");
    expect(en.gapTimes(0, "10:09:00")).toBe("until 10:09:00");
    expect(zh.gapTimes(420_000, "10:09:00")).toBe("持续 7 分，至 10:09:00");
    expect(zh.gapTimes(0, "10:09:00")).toBe("至 10:09:00");
    for (const cause of ["downtime", "otherCluster", "futureVersion", "lostLedger"] as const) {
      expect(en.gapCause(cause)).toMatch(/^Events of this time may be missing: .+\.$/);
      expect(zh.gapCause(cause)).toMatch(/^这段时间的事件可能缺失：\p{Script=Han}.+。$/u);
    }
  });

  it("numbers have their thousands apart", () => {
    expect(numberText(1234567)).toBe("1,234,567");
  });
});

describe("reasons in words", () => {
  const about = (reason: string, message = "", kind = "Pod") => ({
    reason,
    message,
    object: { kind },
  });

  it.each([
    [
      "BackOff",
      "Back-off restarting failed container",
      "Back-off restarting container",
      "容器反复崩溃",
    ],
    ["BackOff", 'Back-off pulling image "web:v2"', "Back-off pulling image", "镜像反复拉取失败"],
    ["Failed", 'Failed to pull image "web:v2": not found', "Image pull failed", "镜像拉取失败"],
    ["Failed", "Error: ImagePullBackOff", "Image pull failed", "镜像拉取失败"],
    ["Failed", "Error: failed to create containerd task", "Container failed", "容器启动失败"],
    ["Unhealthy", "Liveness probe failed: timeout", "Liveness probe failed", "存活探针失败"],
    ["Unhealthy", "Readiness probe failed: 503", "Readiness probe failed", "就绪探针失败"],
    ["Unhealthy", "Startup probe errored", "Startup probe failed", "启动探针失败"],
    ["Unhealthy", "something else", "Health check failed", "健康检查失败"],
    ["FailedScheduling", "0/3 nodes are available", "No node fits", "无法调度"],
    ["NodeNotReady", "", "Node not ready", "节点未就绪"],
  ])("%s, %s", (reason, message, en, zh) => {
    expect(knownWords("en", about(reason, message))).toBe(en);
    expect(knownWords("zh", about(reason, message))).toBe(zh);
  });

  it("a container's reason is not said of other objects", () => {
    expect(knownWords("en", about("Failed", "", "Job"))).toBeNull();
    expect(knownWords("zh", about("BackOff", "", "Job"))).toBeNull();
  });

  it.each(["NobodyKnowsThis", "", "constructor", "toString", "__proto__"])(
    "%j has none",
    (reason) => {
      expect(knownWords("en", about(reason))).toBeNull();
    },
  );

  it("are short enough for a title with a name, and in the right script", () => {
    expect(Object.keys(REASONS).length).toBeGreaterThan(60);
    for (const [reason, { en, zh }] of Object.entries(REASONS)) {
      expect(en.length, reason).toBeLessThanOrEqual(34);
      expect(en, reason).toMatch(/^[A-Z][ -~]+[a-zA-Z]$/);
      expect(zh, reason).toMatch(/\p{Script=Han}/u);
      expect(zh, reason).not.toMatch(/[,;:!?().]/);
      expect(zh, reason).not.toMatch(/\p{Script=Han} \p{Script=Han}/u);
    }
  });

  it.each([
    ["FailedToFetchURL", "Failed to fetch URL"],
    ["OOMKilling", "OOM killing"],
    ["NodeHasInsufficientPID", "Node has insufficient PID"],
    ["HTTP2Error", "HTTP2 error"],
    ["Failed", "Failed"],
    ["already said", "already said"],
    ["snake_case", "snake_case"],
    ["容器", "容器"],
    ["", ""],
  ])("an unknown reason is taken apart: %s", (reason, expected) => {
    expect(splitWords(reason)).toBe(expected);
  });
});
