import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import type { Secret } from "../../../src/sink/index.ts";
import { load, memoryFiles, problemsOf } from "../../support/config.ts";
import { chat, registry, stdout } from "../../support/registry.ts";

const GOOD = path.resolve(import.meta.dirname, "../../fixtures/config/good");
const fixture = (name: string) => readFileSync(path.join(GOOD, `${name}.yaml`), "utf8");
const configOf = (...args: Parameters<typeof load>) => load(...args).config;
const secretText = (value: unknown) => (value as Secret).reveal();
const NONE = { namespaces: [], kinds: [], reasons: [], names: [], messages: [] };

describe("with nothing given", () => {
  it("watches the cluster at hand from now on and prints everything", () => {
    const config = configOf({});
    expect(config.sources).toEqual([
      {
        type: "kubernetes",
        kubeconfig: null,
        context: null,
        api: "auto",
        namespaces: [],
        replayMs: 0,
        maxAgeMs: 3_600_000,
      },
    ]);
    expect(config.sinks.map((sink) => [sink.name, sink.definition])).toEqual([["stdout", stdout]]);
    expect(config.sinks[0]?.filter).toEqual({ level: "Normal", ...NONE, exclude: NONE });
    expect(config.filter).toEqual({ level: "Normal", ...NONE, exclude: NONE });
  });

  it("keeps the promised defaults", () => {
    expect(configOf({})).toMatchObject({
      cluster: "",
      lang: "en",
      timezone: "UTC",
      dataDir: ".kube-crier",
      digestEveryMs: 5_000,
      historyMs: 7 * 86_400_000,
      historyKeeps: "owed",
      ledgerMaxBytes: 2 ** 30,
      templates: [],
      listen: null,
      stay: false,
      logLevel: "info",
      sinks: [
        {
          timeoutMs: 10_000,
          giveUpAfterMs: 86_400_000,
          concurrency: null,
          ratePerMinute: null,
          digest: true,
          template: null,
          labels: [],
          lang: "en",
        },
      ],
    });
  });

  it.each(["comments-only", "headings-without-content"])("so does %s.yaml", (name) => {
    const config = configOf({}, fixture(name));
    expect({ ...config, cluster: "" }).toEqual(configOf({}));
  });
});

describe("everything.yaml", () => {
  const config = configOf({}, fixture("everything"));
  const [oncall, audit] = config.sinks;

  it("sets every global option", () => {
    expect(config).toMatchObject({
      cluster: "prod-a",
      lang: "zh",
      timezone: "Asia/Shanghai",
      dataDir: "/var/lib/kube-crier",
      historyMs: 30 * 86_400_000,
      ledgerMaxBytes: 512 * 2 ** 20,
      templates: ["/etc/kube-crier/templates", "configmap:monitoring/templates"],
      listen: { host: "::1", port: 8080 },
      stay: true,
      logLevel: "debug",
    });
  });

  it("sets both sources", () => {
    expect(config.sources).toEqual([
      {
        type: "kubernetes",
        kubeconfig: "/etc/kube-crier/kubeconfig",
        context: "prod-a",
        server: "https://10.0.0.1:6443",
        api: "events.k8s.io",
        namespaces: ["shop", "pay"],
        replayMs: 900_000,
        maxAgeMs: 1_800_000,
      },
      { type: "file", path: "-" },
    ]);
  });

  it("sets the filters", () => {
    expect(config.filter).toEqual({
      ...NONE,
      level: "Warning",
      namespaces: ["team-*", "shop", "_cluster"],
      exclude: { ...NONE, reasons: ["/^Pulling$/i"], messages: ["*probe failed*"] },
    });
    expect(oncall?.filter).toEqual({
      ...NONE,
      level: "Warning",
      kinds: ["Pod", "Node"],
      exclude: { ...NONE, names: ["web-canary-?"] },
    });
  });

  it("sets what the house decides about a sink", () => {
    expect(oncall).toMatchObject({
      name: "oncall",
      lang: "en",
      labels: ["prod", "team-shop"],
      timeoutMs: 5000,
      giveUpAfterMs: 7_200_000,
      concurrency: 2,
      ratePerMinute: 10,
      digest: false,
      template: "/etc/kube-crier/oncall.hbs",
    });
    expect(audit).toMatchObject({ name: "audit", lang: "zh", digest: true });
  });

  it("sets the sink's own options, by its own schema", () => {
    expect(oncall?.definition).toBe(chat);
    expect(oncall?.options).toMatchObject({
      msgType: "text",
      retries: 3,
      mention: ["u1", "u2"],
      everyone: true,
      delay: 1500,
    });
  });

  it("fills in secrets from the environment and from files", () => {
    expect(secretText(oncall?.options["url"])).toBe(
      "https://chat.example.com/send?access_token=token&from+env=%41",
    );
    expect(secretText(oncall?.options["secret"])).toBe("SECfromFile");
    const headers = oncall?.options["headers"] as Record<string, unknown>;
    expect(secretText(headers["Authorization"])).toBe("Bearer token&from+env=%41");
    expect(secretText(headers["X-Team"])).toBe("shop");
  });

  it("shows no secret in any way of printing it", () => {
    expect(JSON.stringify(config)).not.toMatch(/token&from|SECfromFile|hook-key/);
  });

  it("is frozen to the bottom", () => {
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.sinks)).toBe(true);
    expect(Object.isFrozen(oncall?.filter.exclude.names)).toBe(true);
    expect(Object.isFrozen(oncall?.options["mention"])).toBe(true);
    expect(Object.isFrozen(config.listen)).toBe(true);
  });
});

describe("YAML's own means", () => {
  it("anchors and merge keys share what sinks have in common", () => {
    const { sinks } = configOf({}, fixture("anchors"));
    expect(sinks.map((sink) => [sink.name, sink.filter.exclude.namespaces])).toEqual([
      ["first", ["kube-system"]],
      ["second", ["kube-system"]],
      ["third", ["kube-system"]],
    ]);
    expect(sinks[1]?.options["mention"]).toEqual(["u2"]);
  });

  it("a dollar is a dollar unless it stands before a brace", () => {
    const config = configOf({}, fixture("dollars"));
    expect(config.cluster).toBe("a$b-$HOME-${HOME}");
    expect(secretText(config.sinks[0]?.options["secret"])).toBe("token&from+env=%41");
  });

  it("one text is a list as well, commas within a /regex/ its own", () => {
    const config = configOf({}, fixture("one-text-for-a-list"));
    expect(config.filter.reasons).toEqual(["BackOff", "/Failed.{1,20}/", "Unhealthy"]);
    expect(config.sinks[0]?.labels).toEqual(["a", "b"]);
  });
});

describe("the level of a sink that is told none", () => {
  it("is Warning for a chat and Normal for a program", () => {
    const { sinks } = configOf({}, fixture("anchors"));
    expect(sinks.map((sink) => sink.filter.level)).toEqual(["Warning", "Warning", "Normal"]);
  });
});

describe("several files", () => {
  it("add up: the later wins, key by key in maps, whole in lists", () => {
    const config = configOf(
      {},
      "cluster: a\nfilter: {level: Warning, kinds: [Pod, Node]}\nsinks: {one: {type: stdout}}",
      "cluster: b\nfilter: {kinds: [Job]}\nsinks: {two: {type: stdout}}",
    );
    expect(config.cluster).toBe("b");
    expect(config.filter).toMatchObject({ level: "Warning", kinds: ["Job"] });
    expect(config.sinks.map((sink) => sink.name)).toEqual(["one", "two"]);
  });

  it("may not define one sink twice", () => {
    const one = "sinks:\n  oncall: {type: stdout}";
    expect(problemsOf({}, one, one)).toBe(
      'file2.yaml:2:3: there is a sink named "oncall" already, at file1.yaml:2:3 (give each its own name)',
    );
  });

  it("report the problems of all of them in order of place", () => {
    const lines = problemsOf({}, "b: 1\nlang: xx", "zzz: 1", "a: [").split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual([
      "file1.yaml:1:1:",
      "file1.yaml:2:7:",
      "file2.yaml:1:1:",
      "file3.yaml:1:5:",
    ]);
  });
});

describe("--config", () => {
  const given = (texts: Record<string, string>, ...config: string[]) =>
    loadConfig({ flags: { config }, registry, env: {}, files: memoryFiles(texts) }).config;

  it("takes a directory, in the order of names", () => {
    const texts = { "conf.d/20.yaml": "cluster: late", "conf.d/10.yaml": "cluster: early" };
    expect(given(texts, "conf.d/").cluster).toBe("late");
    expect(given(texts, "conf.d/", "conf.d/10.yaml").cluster).toBe("early");
  });

  it("says which file cannot be read", () => {
    expect(() => given({}, "nope.yaml")).toThrow(
      "nope.yaml: cannot be read: there is no such file (correct the path given to --config)",
    );
  });

  it("refuses a directory without YAML", () => {
    expect(() => given({}, "empty/")).toThrow("empty/: there is no *.yaml in this directory");
  });
});

describe("the time zone", () => {
  it("is the flag's, then the file's, then TZ's, then the system's", () => {
    const file = "timezone: Europe/Berlin";
    const env = { TZ: "Asia/Tokyo" };
    expect(configOf({ env, flags: { timezone: "Asia/Shanghai" } }, file).timezone).toBe(
      "Asia/Shanghai",
    );
    expect(configOf({ env }, file).timezone).toBe("Europe/Berlin");
    expect(configOf({ env }).timezone).toBe("Asia/Tokyo");
    expect(configOf({ env: { TZ: ":Asia/Tokyo" } }).timezone).toBe("Asia/Tokyo");
    expect(configOf({ env: {} }).timezone).toBe(
      new Intl.DateTimeFormat().resolvedOptions().timeZone,
    );
  });

  it("from TZ must be one", () => {
    expect(problemsOf({ env: { TZ: "Shanghai" } })).toBe(
      '$TZ: "Shanghai" is not a time zone; expected an IANA name; did you mean "Asia/Shanghai"? (mend it, or give --timezone)',
    );
  });
});

describe("warnings", () => {
  const secretOf = (url: string) => `sinks:\n  a:\n    type: chat\n    url: ${url}\n`;

  it("name each secret that stands in a file, without repeating it", () => {
    const { warnings } = load(
      {},
      secretOf("https://c.example.com/x?access_token=abc\n    sign: x".replace("sign", "secret")),
    );
    expect(warnings).toEqual([
      {
        where: "file1.yaml:4:10",
        message: "sinks.a.url: this secret stands in the file itself",
        hint: "write ${NAME}, { $env: NAME } or { $file: PATH } instead",
      },
      {
        where: "file1.yaml:5:13",
        message: "sinks.a.secret: this secret stands in the file itself",
        hint: "write ${NAME}, { $env: NAME } or { $file: PATH } instead",
      },
    ]);
  });

  it("are not needed for references and for loopback", () => {
    expect(load({}, secretOf("${CHAT_URL}")).warnings).toEqual([]);
    expect(load({}, secretOf("http://127.0.0.1:8080/x")).warnings).toEqual([]);
    expect(load({}, secretOf("http://localhost/x")).warnings).toEqual([]);
  });

  it("see a literal header among references", () => {
    const headers = (more: string) =>
      `${secretOf("${CHAT_URL}")}    headers: {A: "\${CHAT_TOKEN}"${more}}`;
    expect(load({}, headers("")).warnings).toEqual([]);
    expect(load({}, headers(", B: literal")).warnings).toHaveLength(1);
  });

  it("are silent about flags, which kube-eventer's users write so", () => {
    expect(
      load({ flags: { sink: ["chat:https://c.example.com/x?access_token=abc"] } }).warnings,
    ).toEqual([]);
  });
});

describe("a registry with a mistake in it", () => {
  it("is refused before anything else", () => {
    expect(() => loadConfig({ flags: {}, registry: [chat, chat], env: {} })).toThrow(
      "two sinks have the type chat",
    );
  });

  it("says so where the default sink is missing", () => {
    expect(() => loadConfig({ flags: {}, registry: [chat], env: {} })).toThrow(
      'there is no sink type "stdout"',
    );
  });
});
