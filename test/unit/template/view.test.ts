import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../../src/event/alert.ts";
import type { GapCause } from "../../../src/event/alert.ts";
import type { KubeEvent } from "../../../src/event/event.ts";
import { normalize } from "../../../src/event/normalize.wire.ts";
import { characterLength } from "../../../src/sink/text.ts";
import { buildView, partsOf } from "../../../src/template/build-view.ts";
import type { ViewOptions } from "../../../src/template/view-options.ts";
import { HOSTILE } from "../../fixtures/hostile.ts";
import { aDigest, aGap } from "../../support/alerts.ts";
import { anEvent } from "../../support/events.ts";

const options: ViewOptions = {
  id: "0d9f6f0e-5a5f-4f0c-9a43-3a1c2f7b9d10",
  lang: "en",
  timezone: "Asia/Shanghai",
  now: Date.parse("2026-11-20T08:06:00Z"),
  labels: ["team-a"],
  cluster: "",
};
const chinese: ViewOptions = { ...options, lang: "zh" };
const view = (event: KubeEvent, more: Partial<ViewOptions> = {}) =>
  buildView({ kind: "event", event }, { ...options, ...more });

const fixture = (file: string): unknown =>
  JSON.parse(
    readFileSync(path.resolve(import.meta.dirname, "../../fixtures/events", file), "utf8"),
  );
const eventer = fixture("kube-eventer.json") as Record<string, unknown>;
const captured = (name: string): KubeEvent => {
  const event = normalize(eventer[name], "prod-a", "2026-11-20T08:00:00Z");
  if (event === null) throw new Error(`no event ${name}`);
  return event;
};

describe("the view of an event", () => {
  it("in English", () => {
    const event = anEvent();
    expect(view(event)).toEqual({
      id: options.id,
      alertKind: "event",
      lang: "en",
      severity: "warning",
      mark: "🟠",
      cluster: "prod-a",
      title: "🟠 Back-off restarting container · web-7d4b9c",
      place: "prod-a · shop · Pod web-7d4b9c",
      scope: "prod-a · shop · Pod",
      times: "12 × in 5 min 30 s · last 16:05:30",
      message: "Back-off restarting failed container web in pod web-7d4b9c",
      command: "kubectl -n shop describe pod web-7d4b9c",
      link: "",
      linkText: "Open in kube-crier",
      labels: ["team-a"],
      type: "Warning",
      reason: "BackOff",
      reasonText: "Back-off restarting container",
      reasonCode: "BackOff",
      namespace: "shop",
      kind: "Pod",
      name: "web-7d4b9c",
      object: event.object,
      component: "kubelet",
      host: "node-1",
      count: 12,
      firstSeen: "2026-11-20T08:00:00Z",
      lastSeen: "2026-11-20T08:05:30Z",
      firstText: "16:00:00",
      lastText: "16:05:30",
      event,
      digest: null,
      gap: null,
    });
  });

  it("in Chinese", () => {
    expect(buildView({ kind: "event", event: anEvent() }, chinese)).toMatchObject({
      lang: "zh",
      title: "🟠 容器反复崩溃 BackOff · web-7d4b9c",
      place: "prod-a · shop · Pod web-7d4b9c",
      times: "12 次，持续 5 分 30 秒，最近 16:05:30",
      reasonText: "容器反复崩溃",
      reasonCode: "",
    });
  });

  it.each([
    [
      "backoff",
      "🟠 Back-off restarting container · web-7d4b9c",
      "12 × in 5 min 30 s · last 16:05:30",
      "kubectl -n shop describe pod web-7d4b9c",
    ],
    [
      "oom",
      "🔴 Out of memory, pod process killed · node-3",
      "once · 17:00:00",
      "kubectl describe node node-3",
    ],
    [
      "series",
      "🟠 No node fits · web-0",
      "7 × in 30 min · last 19:30:00",
      "kubectl -n shop describe pod web-0",
    ],
    [
      "nasty",
      "🟠 Failed · job-1",
      "2 × in 1 s · last 18:00:01",
      "kubectl -n data describe job job-1",
    ],
  ])("of %s, as captured", (name, title, times, command) => {
    expect(view(captured(name))).toMatchObject({ title, times, command });
  });

  it("of what node-problem-detector wrote", () => {
    const { items } = fixture("node-problem-detector.json") as { items: unknown[] };
    const titles = items.map((item) => {
      const event = normalize(item, "prod-a", "2026-11-20T08:00:00Z");
      return event === null ? null : [view(event).title, view(event, { lang: "zh" }).title];
    });
    expect(titles).toEqual([
      [
        "🔴 Out of memory, pod process killed · node-1",
        "🔴 内存不足，Pod 进程被杀 PodOOMKilling · node-1",
      ],
      ["🔴 Kernel task hung · node-1", "🔴 内核任务挂起 TaskHung · node-1"],
      ["🔴 Docker hung · node-1", "🔴 Docker 挂起 DockerHung · node-1"],
      ["🟠 Running out of process IDs · node-1", "🟠 进程号即将耗尽 RunningOutOfPID · node-1"],
      [
        "🔵 Node process IDs fine again · node-1",
        "🔵 节点进程号充足 NodeHasSufficientPID · node-1",
      ],
    ]);
  });

  it("has every fact of kube-eventer's seven lines", () => {
    for (const lang of ["en", "zh"] as const) {
      const { title, place, times, reasonCode, message } = view(anEvent(), { lang });
      const text = [title, place, times, reasonCode, message].join("\n");
      for (const fact of [
        "🟠",
        "Pod",
        "shop",
        "web-7d4b9c",
        "BackOff",
        "16:05:30",
        "Back-off restarting failed container web",
      ])
        expect(text).toContain(fact);
    }
  });

  it("leaves out what is not there", () => {
    const bare = anEvent({
      cluster: "",
      message: "",
      reason: "",
      object: { kind: "", namespace: null, name: "" },
      reporter: { component: null, host: null },
    });
    expect(view(bare)).toMatchObject({
      title: "🟠",
      place: "",
      scope: "",
      message: "",
      command: "",
      reasonCode: "",
      namespace: null,
      component: null,
      host: null,
    });
    expect(view(anEvent({ reason: "" })).title).toBe("🟠 web-7d4b9c");
    expect(view(anEvent({ object: { name: "" } })).title).toBe("🟠 Back-off restarting container");
    expect(view(bare, { cluster: "prod-b" }).place).toBe("prod-b");
    expect(view(anEvent({ object: { namespace: null, kind: "Node", name: "node-3" } })).place).toBe(
      "prod-a · Node node-3",
    );
  });

  it("an unknown reason is told in its own words, and as it is where those differ", () => {
    const event = anEvent({ reason: "FailedToFetchURL" });
    expect(view(event)).toMatchObject({
      title: "🟠 Failed to fetch URL · web-7d4b9c",
      reasonCode: "FailedToFetchURL",
    });
    expect(view(event, { lang: "zh" })).toMatchObject({
      title: "🟠 FailedToFetchURL · web-7d4b9c",
      reasonCode: "",
    });
    expect(view(anEvent({ reason: "Oops" }))).toMatchObject({
      title: "🟠 Oops · web-7d4b9c",
      reasonCode: "",
    });
  });

  it("an unknown type is a warning, Normal is not", () => {
    expect(view(anEvent({ type: "Info" })).mark).toBe("🟠");
    expect(view(anEvent({ type: "Normal", reason: "Pulled" })).title).toBe(
      "🔵 Image pulled · web-7d4b9c",
    );
    expect(view(anEvent({ reason: "NodeNotReady" })).mark).toBe("🔴");
  });

  it("names the day when it is not today's in the reader's zone", () => {
    const event = anEvent({ firstSeen: "2026-11-19T15:00:00Z", lastSeen: "2026-11-19T15:30:00Z" });
    expect(view(event).times).toBe("12 × in 30 min · last 19 Nov 23:30:00");
    expect(view(event, { lang: "zh" }).times).toBe("12 次，持续 30 分，最近 11月19日 23:30:00");
    expect(view(event, { timezone: "UTC" }).firstText).toBe("19 Nov 15:00:00");
  });

  it("keeps the title to 60 characters, the name's middle first", () => {
    const name = "recommendation-service-canary-7d4b9c6f5d-x2x9z";
    const long = view(anEvent({ object: { name } }));
    expect(long.title).toBe("🟠 Back-off restarting container · recommendatio…9c6f5d-x2x9z");
    expect(characterLength(long.title)).toBe(60);
    expect(long.place).toContain(name);
    expect(long.command).toContain(name);
    const wordy = view(anEvent({ reason: "x".repeat(200), object: { name } }));
    expect(characterLength(wordy.title)).toBe(60);
    expect(wordy.title).toContain("recommenda…f5d-x2x9z");
  });

  it("bounds what no API server would have let through", () => {
    const event = anEvent({
      object: {
        name: "n".repeat(100_000),
        namespace: "s".repeat(100_000),
        kind: "K".repeat(100_000),
      },
    });
    const { place, title, command } = view(event);
    expect(characterLength(place)).toBeLessThan(800);
    expect(characterLength(title)).toBeLessThanOrEqual(60);
    expect(command).toBe("");
  });

  it("cuts the message where it is asked to, and says so", () => {
    const event = anEvent({ message: "start ".repeat(100) + "the cause" });
    expect(view(event, { limit: 20 }).message).toBe(
      "start start … (20 of 609 characters) …he cause",
    );
    expect(partsOf({ kind: "event", event })).toBe(609);
    expect(view(event, { limit: 609 }).message).toBe(event.message);
    expect(view(event, { limit: 0, lang: "zh" }).message).toBe("…（共 609 字，显示 0 字）…");
  });

  it("leaves the occurrence itself untouched", () => {
    const event = anEvent({ message: "<!channel>\u202e\u0000", object: { name: "<!here>" } });
    const { event: same, object, message, name } = view(event);
    expect(same).toBe(event);
    expect(object.name).toBe("<!here>");
    expect(name).toBe("<\u2060!here>");
    expect(message).toBe("<\u2060!channel>␀");
  });

  it("keeps titles, places and commands on one line, whatever stands in the names", () => {
    for (const { text } of HOSTILE) {
      const hostile = anEvent({
        reason: text,
        object: { name: text, namespace: text, kind: text },
        cluster: text,
      });
      const { title, place, scope, command, times } = view(hostile);
      for (const line of [title, place, scope, command, times])
        expect(line).not.toMatch(/[\n\r\u2028]/);
      expect(characterLength(title)).toBeLessThanOrEqual(60);
    }
  });

  it("is the same for the same alert at the same time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.nat(), (text, count) => {
        const event = anEvent({ message: text, reason: text.slice(0, 9), count: count + 1 });
        expect(view(event)).toEqual(view(event));
        expect(characterLength(view(event).title)).toBeLessThanOrEqual(60);
      }),
    );
  });
});

describe("the view of a digest", () => {
  const digest = aDigest();

  it("in English", () => {
    expect(buildView(digest, options)).toMatchObject({
      alertKind: "digest",
      severity: "notice",
      mark: "⚪",
      title: "⚪ 37 more: 2 × NodeNotReady, 21 × BackOff in shop, …",
      place: "prod-a",
      times: "37 × in 5 min 30 s · last 16:05:30",
      message: [
        "🔴 2 × NodeNotReady · node-3 (1 node)",
        "🟠 21 × BackOff · shop/web (3 pods)",
        "🟠 9 × FailedScheduling · shop/cart (9 pods)",
        "and 14 more kinds",
      ].join("\n"),
      command: "kubectl get events -A --sort-by=.lastTimestamp",
      reasonText: "37 more",
      count: 37,
      event: null,
      gap: null,
      digest: {
        total: 37,
        more: "and 14 more kinds",
        lines: [
          {
            count: 2,
            mark: "🔴",
            reason: "NodeNotReady",
            reasonText: "Node not ready",
            where: "node-3 (1 node)",
          },
          { count: 21, mark: "🟠", reason: "BackOff", where: "shop/web (3 pods)" },
          { count: 9, mark: "🟠", reason: "FailedScheduling", where: "shop/cart (9 pods)" },
        ],
      },
    });
  });

  it("in Chinese", () => {
    expect(buildView(digest, chinese)).toMatchObject({
      title: "⚪ 另有 37 条：NodeNotReady 2 次，shop BackOff 21 次，…",
      times: "37 次，持续 5 分 30 秒，最近 16:05:30",
      message: [
        "🔴 2 × NodeNotReady · node-3（1 个 Node）",
        "🟠 21 × BackOff · shop/web（3 个 Pod）",
        "🟠 9 × FailedScheduling · shop/cart（9 个 Pod）",
        "以及另外 14 类",
      ].join("\n"),
    });
  });

  it("of one namespace leads there", () => {
    const lines = digest.lines.filter(({ namespace }) => namespace === "shop");
    const alert: Alert = { ...digest, lines, moreKinds: 0 };
    expect(buildView(alert, options).command).toBe(
      "kubectl -n shop get events --sort-by=.lastTimestamp",
    );
    expect(buildView(alert, options).title).toBe("⚪ 37 more: 21 × BackOff in shop, …");
  });

  it("with fewer lines counts those it leaves out", () => {
    expect(partsOf(digest)).toBe(3);
    expect(buildView(digest, { ...options, limit: 1 }).message).toBe(
      "🔴 2 × NodeNotReady · node-3 (1 node)\nand 16 more kinds",
    );
    expect(buildView(digest, { ...options, limit: 0 }).message).toBe("and 17 more kinds");
  });

  it("of nothing still says how many", () => {
    const empty: Alert = { ...digest, lines: [], moreKinds: 0 };
    expect(buildView(empty, options)).toMatchObject({ title: "⚪ 37 more", message: "" });
  });

  it("stays within its bounds, whatever stands in the names", () => {
    for (const { text } of HOSTILE) {
      const lines = digest.lines.map((line) => ({
        ...line,
        reason: text,
        namespace: text.repeat(20),
        workload: text,
        kind: text,
      }));
      const { title, message } = buildView({ ...digest, lines }, options);
      expect(characterLength(title)).toBeLessThanOrEqual(60);
      expect(message.split("\n")).toHaveLength(4);
    }
  });
});

describe("the view of a digest of what is too old", () => {
  const old = { ...aDigest(), tooOld: true } as const;

  it("says so in English", () => {
    const { title, message, reasonText } = buildView(old, options);
    expect(title).toBe("⚪ 37 older: 2 × NodeNotReady, 21 × BackOff in shop, …");
    expect(message.split("\n")[0]).toBe(
      "Recovered from a time that was not watched; too old to be told one by one:",
    );
    expect(message.split("\n")).toHaveLength(5);
    expect(reasonText).toBe("37 older");
  });

  it("says so in Chinese", () => {
    const { title, message, reasonText } = buildView(old, chinese);
    expect(title).toBe("⚪ 较早 37 条：NodeNotReady 2 次，shop BackOff 21 次，…");
    expect(message.split("\n")[0]).toBe("找回的未监视期间事件，时间较早，不再逐条发送：");
    expect(reasonText).toBe("较早 37 条");
  });

  it("says so where no line fits", () => {
    const lines = old.lines.map((line) => ({ ...line, reason: "R".repeat(80) }));
    const long = { ...old, total: 120_000, lines, moreKinds: 3_000 };
    expect(buildView({ ...long, lines: [] }, options).title).toBe("⚪ 120,000 older");
    expect(characterLength(buildView(long, options).title)).toBeLessThanOrEqual(60);
  });
});

describe("the view of a gap", () => {
  it("in English", () => {
    expect(buildView(aGap(), options)).toMatchObject({
      alertKind: "gap",
      severity: "notice",
      title: "⚪ Blind 10:02–10:09 · prod-a",
      place: "prod-a",
      times: "7 min · until 10:09:00",
      message:
        "Events of this time may be missing: not running, or cut off, for longer than the cluster keeps events.",
      command: "kubectl get events -A --sort-by=.lastTimestamp",
      event: null,
      digest: null,
      gap: { since: "2026-11-20T02:02:00Z", sinceText: "10:02:00", untilText: "10:09:00" },
    });
  });

  it("in Chinese", () => {
    expect(buildView(aGap(), chinese)).toMatchObject({
      title: "⚪ 事件缺失 10:02–10:09 · prod-a",
      times: "持续 7 分，至 10:09:00",
      message: "这段时间的事件可能缺失：本程序停止或断连的时间超过了集群保留事件的时长。",
    });
  });

  const found = (recovered: number, tooOld: number, cause: GapCause = "expired") => ({
    ...aGap(),
    cause,
    recovered,
    tooOld,
  });

  it.each([
    [37, 0, "37 recovered by a relist, older ones unknown."],
    [
      3_402,
      3_400,
      "3,402 recovered by a relist, older ones unknown. 3,400 of them come as one digest.",
    ],
    [0, 0, "Nothing recovered by a relist, older ones unknown."],
    [1, 1, "1 recovered by a relist, older ones unknown. 1 of them comes as one digest."],
  ])("says what a list brought afterwards: %i, of them %i too old", (recovered, tooOld, text) => {
    const { message, gap } = buildView(found(recovered, tooOld), options);
    expect(message).toBe(
      `Events of this time may be missing: the resourceVersion expired, and the cluster has forgotten Events of before.\n${text}`,
    );
    expect(gap).toMatchObject({ recoveredText: text });
  });

  it.each([
    [37, 0, "重新列出后找回 37 条，更早的未知。"],
    [3_402, 3_400, "重新列出后找回 3,402 条，更早的未知。其中 3,400 条合并为一条汇总。"],
    [0, 0, "重新列出后未找回事件，更早的未知。"],
  ])("says it in Chinese: %i, of them %i too old", (recovered, tooOld, text) => {
    expect(buildView(found(recovered, tooOld), chinese).message).toBe(
      `这段时间的事件可能缺失：resourceVersion 已过期，集群也已不再保留此前的事件。\n${text}`,
    );
  });

  it("says nothing of a list where none was made", () => {
    expect(buildView(aGap(), options).gap).toMatchObject({ recoveredText: "" });
  });

  it("has nothing that could be cut", () => {
    expect(partsOf(aGap())).toBe(0);
    expect(buildView(aGap(), { ...options, limit: 0 })).toEqual(buildView(aGap(), options));
  });

  it("of a cluster without a name, and of one with a very long one", () => {
    expect(buildView({ ...aGap(), cluster: "" }, options).title).toBe("⚪ Blind 10:02–10:09");
    const { title } = buildView({ ...aGap(), cluster: "c".repeat(300) }, options);
    expect(characterLength(title)).toBeLessThanOrEqual(60);
  });
});
