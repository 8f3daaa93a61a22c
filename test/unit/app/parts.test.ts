import { describe, expect, it } from "vitest";
import { gather } from "../../../src/app/gather.ts";
import { limitsOf } from "../../../src/app/parts.ts";
import { checkSenders } from "../../../src/app/senders.ts";
import { createSources, sourceNames } from "../../../src/app/sources.ts";
import { createClients } from "../../../src/app/clients.ts";
import { ConfigError, type ConfigIssue, type SourceConfig } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Sender } from "../../../src/delivery/sender.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { never } from "../../support/ledger.ts";
import { recordingObserver } from "../../support/observer.ts";
import { kubeconfigFor } from "../../support/source.ts";

const configOf = (flags: Record<string, unknown>) =>
  loadConfig({ flags: { source: ["file:-"], ...flags }, registry, env: {} }).config;

const sinkOf = (uri: string) => {
  const [sink] = configOf({ sink: [uri] }).sinks;
  if (sink === undefined) throw new Error("a configuration with a sink has a sink");
  return sink;
};

describe("gather", () => {
  const issue = { where: "ops.yaml:1:1", message: "is wrong", hint: "mend it" };

  it("answers what the work gives", async () => {
    const issues: ConfigIssue[] = [];
    expect(await gather(issues, "here", () => Promise.resolve(7))).toBe(7);
    expect(await gather(issues, null, () => 8)).toBe(8);
    expect(issues).toEqual([]);
  });

  it("keeps the issues of a ConfigError as they are", async () => {
    const issues: ConfigIssue[] = [];
    const work = () => Promise.reject(new ConfigError([issue, { ...issue, where: "$TZ" }]));
    expect(await gather(issues, "not asked for", work)).toBeNull();
    expect(issues).toEqual([issue, { ...issue, where: "$TZ" }]);
  });

  it("makes any other error an issue of its place, or throws it on where there is none", async () => {
    const issues: ConfigIssue[] = [];
    const work = () => {
      throw new Error("ENOENT");
    };
    expect(await gather(issues, "--templates", work)).toBeNull();
    expect(issues).toEqual([{ where: "--templates", message: "ENOENT", hint: null }]);
    await expect(gather(issues, null, work)).rejects.toThrow("ENOENT");
    expect(issues).toHaveLength(1);
  });
});

describe("the limits of a sink", () => {
  it("are the platform's", () => {
    expect(
      limitsOf(sinkOf("dingtalk:https://oapi.dingtalk.com/robot/send?access_token=x")),
    ).toEqual({ rates: [{ count: 20, perMs: 60_000 }], concurrency: 1, throttledMs: 600_000 });
    expect(limitsOf(sinkOf("webhook:https://hooks.example.com/x"))).toMatchObject({ rates: [] });
  });

  it("unless the configuration says otherwise", () => {
    const own = "webhook:https://hooks.example.com/x?rate_per_minute=5&concurrency=2";
    expect(limitsOf(sinkOf(own))).toMatchObject({
      rates: [{ count: 5, perMs: 60_000 }],
      concurrency: 2,
    });
  });
});

describe("the names of sources", () => {
  const kubernetes = { type: "kubernetes" } as SourceConfig;
  const file = { type: "file" } as SourceConfig;

  it.each([
    [[kubernetes], ["kubernetes"]],
    [
      [file, kubernetes, file],
      ["file", "kubernetes", "file-2"],
    ],
    [
      [kubernetes, kubernetes, kubernetes],
      ["kubernetes", "kubernetes-2", "kubernetes-3"],
    ],
    [[], []],
  ])("%#: are the same at each start, for checkpoints go by them", (sources, names) => {
    expect(sourceNames(sources)).toEqual(names);
  });
});

describe("sources", () => {
  const ports = () => ({
    clock: new FakeClock(),
    random: () => 0.5,
    observer: recordingObserver().observer,
    stdin: () => process.stdin,
  });

  it("leave Normal events on the server only where nobody wants them", async () => {
    const server = await FakeApiServer.start();
    const source = `kubernetes:?kubeconfig=${kubeconfigFor(server)}`;
    const hook = "webhook:http://127.0.0.1:9/x";
    const asked = async (flags: Record<string, unknown>) => {
      const config = configOf({ source: [source], ...flags });
      const clients = createClients(config.sources, new FakeClock());
      const [first] = createSources(config, { ...ports(), clients });
      const before = server.asked("watch").length;
      const stop = new AbortController();
      const reading = (async () => {
        for await (const batch of first?.batches(new Map(), stop.signal) ?? []) void batch;
      })();
      await server.until(() => server.asked("watch").length > before);
      stop.abort();
      await reading;
      clients.close();
      return server.asked("watch").at(-1)?.query.get("fieldSelector") ?? null;
    };
    try {
      expect(await asked({ sink: [hook] })).toBeNull();
      expect(await asked({ sink: [hook], level: "Warning" })).toBe("type!=Normal");
      expect(await asked({ sink: [`${hook}?level=Warning`] })).toBe("type!=Normal");
      const kept = { sink: [hook], level: "Warning", historyKeeps: "all" };
      expect(await asked(kept), "the history keeps them").toBeNull();
      const both = [`${hook}?level=Warning&name=a`, `${hook}?level=Normal&name=b`];
      expect(await asked({ sink: both })).toBeNull();
    } finally {
      await server.close();
    }
  });

  it("with a kubeconfig that cannot be used say so before the start, with all else that is wrong", async () => {
    const config = configOf({
      source: ["kubernetes:?kubeconfig=/nowhere", "file:/nowhere.json"],
      sink: ["stdout:"],
    });
    const clients = createClients(config.sources, new FakeClock());
    const sources = createSources(config, { ...ports(), clients });
    const problems = await Promise.allSettled(sources.map((source) => source.preflight(never)));
    expect(problems).toMatchObject([
      { status: "rejected", reason: { issues: [{ where: "/nowhere" }] } },
      { status: "rejected", reason: { issues: [{ where: "/nowhere.json" }] } },
    ]);
  });
});

describe("clients", () => {
  it("are made once for each kubeconfig and context; ConfigMaps are read by the first source's", async () => {
    const server = await FakeApiServer.start();
    const file = kubeconfigFor(server);
    const other = kubeconfigFor(server);
    const sources = configOf({
      source: ["file:-", `kubernetes:?kubeconfig=${file}`, `kubernetes:?kubeconfig=${other}`],
      sink: ["stdout:"],
    }).sources;
    const clients = createClients(sources, new FakeClock());
    const one = clients.get({ kubeconfig: file, context: null });
    expect(clients.get({ kubeconfig: file, context: null })).toBe(one);
    expect(clients.get({ kubeconfig: other, context: null })).not.toBe(one);
    expect(clients.get({ kubeconfig: file, context: "test" })).not.toBe(one);
    expect(clients.first()).toBe(one);
    clients.close();
    await server.close();
  });
});

describe("checkSenders", () => {
  const aSender = (check?: Sender["check"]): Sender => ({
    send: () => Promise.reject(new Error("nothing is sent")),
    close: () => Promise.resolve(),
    ...(check === undefined ? {} : { check }),
  });

  it("asks those that can be asked, and names the sink of each problem", async () => {
    const problems = [{ message: "no table kube_event", hint: "create it" }];
    const senders = new Map([
      ["silent", aSender()],
      ["fine", aSender(() => Promise.resolve({ away: null, problems: [] }))],
      ["broken", aSender(() => Promise.resolve({ away: null, problems }))],
      ["gone", aSender(() => Promise.resolve({ away: "refused", problems: [] }))],
    ]);
    const { found, issues } = await checkSenders(senders, never);
    expect(issues).toEqual([
      { where: "sink broken", message: "no table kube_event", hint: "create it" },
    ]);
    expect([...found.keys()].toSorted()).toEqual(["broken", "fine", "gone"]);
    expect(found.get("gone")?.away).toBe("refused");
  });
});
