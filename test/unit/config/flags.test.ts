import { describe, expect, it } from "vitest";
import { flagName, OPTION_FLAGS } from "../../../src/config/flags.ts";
import type { Secret } from "../../../src/sink/index.ts";
import { FIXTURE_ENV, load, problemsOf } from "../../support/config.ts";

const secretText = (value: unknown) => (value as Secret).reveal();
const configOf = (...args: Parameters<typeof load>) => load(...args).config;
const sinksOf = (...sink: string[]) => configOf({ flags: { sink } }).sinks;
const sourcesOf = (...source: string[]) => configOf({ flags: { source } }).sources;

const CLUSTER = {
  type: "kubernetes",
  kubeconfig: null,
  context: null,
  api: "auto",
  namespaces: [],
  replayMs: 0,
  maxAgeMs: 3_600_000,
};

describe("option flags", () => {
  it("mirror options", () => {
    const config = configOf({
      flags: {
        clusterName: "prod-a",
        lang: "zh",
        timezone: "Asia/Shanghai",
        level: "Warning",
        dataDir: "/data",
        history: "1d",
        ledgerMax: "2Gi",
        templates: ["/a,/b", "configmap:x/y"],
        listen: "127.0.0.1:0",
        stay: true,
        logLevel: "warn",
        replay: "15m",
      },
    });
    expect(config).toMatchObject({
      cluster: "prod-a",
      lang: "zh",
      timezone: "Asia/Shanghai",
      filter: { level: "Warning" },
      dataDir: "/data",
      historyMs: 86_400_000,
      ledgerMaxBytes: 2 ** 31,
      templates: ["/a", "/b", "configmap:x/y"],
      listen: { host: "127.0.0.1", port: 0 },
      stay: true,
      logLevel: "warn",
      sources: [{ replayMs: 900_000 }],
    });
  });

  it("set the global filter, repeated or with commas", () => {
    const { filter } = configOf({
      flags: {
        namespaces: ["shop,pay", "_cluster"],
        kinds: "Pod,Node",
        reasons: ["/a{1,2}/,BackOff"],
        names: ["web-*"],
        messages: ["/x, y/"],
        excludeNamespaces: ["kube-system"],
        excludeKinds: ["Job"],
        excludeReasons: ["Pulled"],
        excludeNames: ["tmp-*"],
        excludeMessages: ["*noise*"],
      },
    });
    expect(filter).toEqual({
      level: "Normal",
      namespaces: ["shop", "pay", "_cluster"],
      kinds: ["Pod", "Node"],
      reasons: ["/a{1,2}/", "BackOff"],
      names: ["web-*"],
      messages: ["/x, y/"],
      exclude: {
        namespaces: ["kube-system"],
        kinds: ["Job"],
        reasons: ["Pulled"],
        names: ["tmp-*"],
        messages: ["*noise*"],
      },
    });
  });

  it("win over files, key by key", () => {
    const config = configOf(
      { flags: { level: "Warning", clusterName: "b" } },
      "cluster: a\nlang: zh\nfilter: {kinds: [Pod]}",
    );
    expect(config).toMatchObject({
      cluster: "b",
      lang: "zh",
      filter: { level: "Warning", kinds: ["Pod"] },
    });
  });

  it("are named in what is wrong with them", () => {
    expect(
      problemsOf({
        flags: { level: "warning", lang: "cn", replay: "soon", listen: "8080", kinds: ["/(/"] },
      }).split("\n"),
    ).toEqual([
      '--kinds: "/(/" is not a pattern: missing closing ): `(`',
      '--lang: expected one of en, zh; found "cn" (did you mean "en"?)',
      '--level: expected one of Normal, Warning; found "warning" (did you mean "Warning"?)',
      '--listen: "8080" is not an address to listen on; expected ADDR:PORT, like 127.0.0.1:8080, or :8080 for all interfaces',
      '--replay: "soon" is not a duration; expected a number with a unit, like 30s, 15m or 24h',
    ]);
  });

  it("take variables", () => {
    const env = { ...FIXTURE_ENV, CLUSTER: "prod-b" };
    expect(configOf({ env, flags: { clusterName: "${CLUSTER}" } }).cluster).toBe("prod-b");
    expect(problemsOf({ env, flags: { clusterName: "${CLUSTR}" } })).toContain(
      "--cluster-name: the environment variable CLUSTR is not set",
    );
  });

  it("are kebab-case", () => {
    expect(Object.keys(OPTION_FLAGS).map(flagName)).toContain("--exclude-namespaces");
    expect(flagName("stay")).toBe("--stay");
  });
});

describe("--source", () => {
  it.each([
    ["kubernetes", CLUSTER],
    ["kubernetes:", CLUSTER],
    ["kubernetes:''", CLUSTER],
    ['kubernetes:""', CLUSTER],
    ["kubernetes:https://kubernetes.default", CLUSTER],
    ["kubernetes:https://kubernetes.default.svc:443?inClusterConfig=true", CLUSTER],
    ["kubernetes:?inClusterConfig=false&auth=/k/config", { ...CLUSTER, kubeconfig: "/k/config" }],
    [
      "kubernetes:https://127.0.0.1:16443?inClusterConfig=false&auth=/k/config",
      { ...CLUSTER, kubeconfig: "/k/config", server: "https://127.0.0.1:16443" },
    ],
    [
      "kubernetes:https://10.0.0.1?inClusterConfig=false&insecure=false&auth=&useServiceAccount=true",
      { ...CLUSTER, server: "https://10.0.0.1" },
    ],
    // Go's strconv.ParseBool, and what a chart's empty value leaves.
    [
      "kubernetes:https://10.0.0.1?inClusterConfig=0&insecure=F&useServiceAccount=t&localKubeConfig=",
      { ...CLUSTER, server: "https://10.0.0.1" },
    ],
    ["kubernetes:?inClusterConfig=&insecure=&useServiceAccount=", CLUSTER],
    // As sinks are written, too.
    ["kubernetes:https://kubernetes.default&inClusterConfig=true", CLUSTER],
    [
      "kubernetes:https://10.0.0.1:6443&inClusterConfig=false&auth=/k/config",
      { ...CLUSTER, server: "https://10.0.0.1:6443", kubeconfig: "/k/config" },
    ],
    [
      "kubernetes:?kubeconfig=/k&context=prod&api=events.k8s.io&namespaces=a,b&namespaces=c&replay=15m&maxAge=30m",
      {
        ...CLUSTER,
        kubeconfig: "/k",
        context: "prod",
        api: "events.k8s.io",
        namespaces: ["a", "b", "c"],
        replayMs: 900_000,
        maxAgeMs: 1_800_000,
      },
    ],
    ["file:events.json", { type: "file", path: "events.json" }],
    ["file:-", { type: "file", path: "-" }],
    ["file:/a b/c?d.json", { type: "file", path: "/a b/c?d.json" }],
  ])("%s", (uri, expected) => {
    expect(sourcesOf(uri)).toEqual([expected]);
  });

  it("may be repeated", () => {
    expect(sourcesOf("file:a.json", "file:b.json", "kubernetes:")).toHaveLength(3);
  });

  it("takes the place of the file's sources", () => {
    const file = "sources: [{kubernetes: {context: a}}]";
    expect(configOf({ flags: { source: ["file:x.json"] } }, file).sources).toEqual([
      { type: "file", path: "x.json" },
    ]);
  });

  it("--max-age is for every cluster, too", () => {
    const file = "sources: [{kubernetes: {context: a, maxAge: 2h}}, {kubernetes: {context: b}}]";
    expect(configOf({}, file).sources).toMatchObject([
      { maxAgeMs: 7_200_000 },
      { maxAgeMs: 3_600_000 },
    ]);
    const { sources } = configOf({ flags: { maxAge: "5m", replay: "1h" } }, file);
    expect(sources).toMatchObject([
      { maxAgeMs: 300_000, replayMs: 3_600_000 },
      { maxAgeMs: 300_000, replayMs: 3_600_000 },
    ]);
    expect(() => configOf({ flags: { maxAge: "old" } }, file)).toThrow(
      '--max-age: "old" is not a duration; expected a number with a unit, like 30s, 15m or 24h',
    );
  });

  it("--replay is for every cluster", () => {
    const file = "sources: [{kubernetes: {context: a, replay: 1h}}, {kubernetes: {context: b}}]";
    const { sources } = configOf({ flags: { replay: "5m" } }, file);
    expect(sources).toMatchObject([{ replayMs: 300_000 }, { replayMs: 300_000 }]);
  });

  it.each([
    ["kubernets:", 'there is no source type "kubernets" (did you mean "kubernetes"?)'],
    ["events.json", 'there is no source type "events.json" (there are: kubernetes, file)'],
    ["file:", "file: names no file (write file:PATH, or file:- for standard input)"],
    ["kubernetes:10.0.0.1", 'the API server\'s address "10.0.0.1" is not a URL'],
    [
      "kubernetes:?contxt=a",
      'there is no parameter "contxt" of kubernetes: (did you mean "context"?)',
    ],
    [
      "kubernetes:https://admin:s3cretpw@10.0.0.1?inClusterConfig=false",
      "a password stands in the API server's address (put it into a kubeconfig and name that",
    ],
    ["kubernetes:htps://admin:s3cretpw@10.0.0.1", "a password stands in the API server's address"],
    ["kubernetes:?inClusterConfig=perhaps", "inClusterConfig: expected true or false"],
    ["kubernetes:?insecure=true", "insecure: connections that trust any certificate are not made"],
    ["kubernetes:?insecure=1", "insecure: connections that trust any certificate are not made"],
    ["kubernetes:?insecure=yes", 'insecure: expected true or false; found "yes"'],
    ["kubernetes:?api=v1", 'api: expected one of auto, core, events.k8s.io; found "v1"'],
    ["kubernetes:?namespaces=Shop", '"Shop" is not the name of a namespace'],
    ["kubernetes:?replay=1", 'replay: "1" is not a duration'],
    ["kubernetes:?auth=${NOPE}", "the environment variable NOPE is not set"],
  ])("%s is refused", (uri, problem) => {
    const text = problemsOf({ flags: { source: ["file:a", uri] } });
    expect(text).toMatch(/^--source #2: /);
    expect(text).not.toContain("s3cret");
    expect(text).toContain(problem);
  });
});

describe("--sink", () => {
  const URL_TEXT = "https://chat.example.com/send?access_token=abc";

  it("gives the address to the sink and the filters to the house", () => {
    const [sink] = sinksOf(
      `chat:${URL_TEXT}&sign=SEC1&msg_type=text&level=Normal&namespaces=shop,pay&kinds=Pod&names=web-*`,
    );
    expect(secretText(sink?.options["url"])).toBe(URL_TEXT);
    expect(secretText(sink?.options["secret"])).toBe("SEC1");
    expect(sink?.options["msgType"]).toBe("text");
    expect(sink?.filter).toMatchObject({
      level: "Normal",
      namespaces: ["shop", "pay"],
      kinds: ["Pod"],
      names: ["web-*"],
      reasons: [],
    });
  });

  it("keeps kube-eventer's meaning of reason: regular expressions that match anywhere", () => {
    expect(
      sinksOf("stdout:?reason=Failed,^Back.*,/exact/i&reason=*Off")[0]?.filter.reasons,
    ).toEqual(["/Failed/", "/^Back.*/", "/exact/i", "*Off"]);
    expect(sinksOf("stdout:?reasons=Failed,Back*")[0]?.filter.reasons).toEqual(["Failed", "Back*"]);
  });

  it("takes every house parameter, in any spelling", () => {
    const [sink] = sinksOf(
      "stdout:?name=audit&timeout=5s&give_up_after=1h&concurrency=2&rate-per-minute=5&digest=false" +
        "&template=/t.hbs&lang=zh&label=a,b&label=c&exclude_kinds=Node&excludeMessages=/x,y/&exclude-reasons=A,B",
    );
    expect(sink).toMatchObject({
      name: "audit",
      timeoutMs: 5000,
      giveUpAfterMs: 3_600_000,
      concurrency: 2,
      ratePerMinute: 5,
      digest: false,
      template: "/t.hbs",
      lang: "zh",
      labels: ["a,b", "c"],
      filter: { exclude: { kinds: ["Node"], messages: ["/x,y/"], reasons: ["A", "B"] } },
    });
  });

  it("names sinks by their type, counting on, around names that are taken", () => {
    const { sinks } = configOf(
      { flags: { sink: ["stdout:", "stdout", "stdout:?name=stdout-2", "stdout:"] } },
      "sinks: {stdout: {type: stdout}}",
    );
    expect(sinks.map((sink) => sink.name)).toEqual([
      "stdout",
      "stdout-3",
      "stdout-4",
      "stdout-2",
      "stdout-5",
    ]);
  });

  it("adds to the sinks of the files, and may not take their names", () => {
    const file = "sinks: {audit: {type: stdout}}";
    expect(configOf({ flags: { sink: ["stdout:"] } }, file).sinks).toHaveLength(2);
    expect(problemsOf({ flags: { sink: ["stdout:?name=audit"] } }, file)).toBe(
      '--sink #1: there is a sink named "audit" already, at file1.yaml:1:9 (give each its own name)',
    );
    expect(problemsOf({ flags: { sink: ["stdout:?name=a", "stdout:?name=a"] } })).toBe(
      '--sink #2: there is a sink named "a" already (give each its own name=)',
    );
  });

  it("puts variables into the address as they are, into parameters as values", () => {
    const [whole] = sinksOf("chat:${CHAT_URL}");
    expect(secretText(whole?.options["url"])).toBe(FIXTURE_ENV["CHAT_URL"]);
    const [parts] = sinksOf(
      "chat:https://chat.example.com/send?access_token=x&sign=${CHAT_TOKEN}&header=Authorization=Bearer ${CHAT_TOKEN}",
    );
    expect(secretText(parts?.options["secret"])).toBe(FIXTURE_ENV["CHAT_TOKEN"]);
    const headers = parts?.options["headers"] as Record<string, unknown>;
    expect(secretText(headers["Authorization"])).toBe(`Bearer ${FIXTURE_ENV["CHAT_TOKEN"]}`);
  });

  it("takes a variable that holds address and parameters", () => {
    const env = { ALL: `${URL_TEXT}&level=Normal&name=oncall`, TZ: "UTC" };
    const [sink] = configOf({ env, flags: { sink: ["chat:${ALL}"] } }).sinks;
    expect(sink).toMatchObject({ name: "oncall", filter: { level: "Normal" } });
  });

  it("leaves a dollar alone where no variable of the name is set, unlike kube-eventer", () => {
    const [sink] = sinksOf(`chat:${URL_TEXT}&sign=pa$$word$HOME`);
    expect(secretText(sink?.options["secret"])).toBe("pa$$word$HOME");
  });

  it("removes quotes that a Pod's args keep", () => {
    expect(sinksOf(`"stdout:?format=json"`)[0]?.options["format"]).toBe("json");
  });

  it.each([
    ["chta:https://x", 'there is no sink type "chta" (did you mean "chat"?)'],
    ["", 'there is no sink type "" (there are: chat, hook, stdout)'],
    ["stdout:?levle=Warning", '"levle" is no parameter of stdout (did you mean level?)'],
    ["stdout:?level=warn", 'level: expected one of Normal, Warning; found "warn" (did you mean'],
    ["stdout:?kinds=/(/", 'kinds: "/(/" is not a pattern: missing closing )'],
    ["stdout:?exclude_names=/[/", 'excludeNames: "/[/" is not a pattern'],
    ["stdout:?timeout=5", 'timeout: "5" is not a duration'],
    ["stdout:?timeout=0s", "timeout: expected more than 0s and at most 24h"],
    ["stdout:?timeout=25d&giveUpAfter=30d", "timeout: expected more than 0s and at most 24h"],
    ["stdout:?giveUpAfter=36501d", 'giveUpAfter: "36501d" is too long; expected at most 36500d'],
    ["stdout:?timeout=1s&timeout=2s", "timeout is given 2 times; expected once"],
    ["stdout:?name=a&name=b", "name is given more than once"],
    ["stdout:?name=a b", '"a…" cannot be the name of a sink'],
    ["stdout:?concurrency=0", 'concurrency: expected at least 1; found "0"'],
    ["stdout:?format=xml", 'format: expected one of text, json; found "xml"'],
    ["chat:", "url: is missing: The robot's URL, token included"],
    ["chat:${NOPE}", "the environment variable NOPE is not set"],
    ["chat:https://x/?sign=${NO-PE}", '"${NO-PE}" does not name an environment variable'],
  ])("%j is refused", (uri, problem) => {
    const text = problemsOf({ flags: { sink: ["stdout:", uri] } });
    expect(text).toMatch(/^--sink #2: /);
    expect(text).toContain(problem);
  });

  it("has labels of a kilobyte at most, together", () => {
    const uri = (bytes: number) => `stdout:?label=${"x".repeat(500)}&label=${"y".repeat(bytes)}`;
    expect(sinksOf(uri(523))[0]?.labels).toHaveLength(2);
    expect(problemsOf({ flags: { sink: [uri(524)] } })).toContain(
      "label: take too much of every message; expected at most 1024 bytes together",
    );
  });

  it("never repeats a secret in what is wrong", () => {
    const text = problemsOf({
      flags: {
        sink: [
          "chat:http://chat.example.com/send?access_token=s3cret&retries=9",
          "chat:${CHAT_TOKEN}?retries=${CHAT_TOKEN}&msg_type=${CHAT_TOKEN}&delay=${CHAT_TOKEN}",
        ],
      },
    });
    expect(text).toContain("--sink #1: url: says http to a host that is not loopback");
    expect(text.split("\n").length).toBeGreaterThan(4);
    expect(text).not.toMatch(/s3cret|token&from|token%26from/);
  });
});
