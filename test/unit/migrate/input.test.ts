import { describe, expect, it } from "vitest";
import { findKubeEventer } from "../../../src/migrate/input.ts";
import { deployment } from "../../support/kube-eventer.ts";

const found = (text: string) => findKubeEventer(text, "in.yaml");
const wordsOf = (text: string) => found(text).words.map((word) => word.text);

describe("a command line", () => {
  it.each([
    ["/kube-eventer --sink=log:", ["--sink=log:"]],
    ["--source=kubernetes: --sink=log:", ["--source=kubernetes:", "--sink=log:"]],
    ["kube-eventer --sink 'log:' --v 4", ["--sink", "log:", "--v", "4"]],
    [
      'kube-eventer \\\n  --source="kubernetes:https://kubernetes.default" \\\n  --sink=log: # all of it\n',
      ["--source=kubernetes:https://kubernetes.default", "--sink=log:"],
    ],
    // As it was pasted from a terminal of Windows; and a fragment is no comment.
    [
      "kube-eventer --source=kubernetes: \\\r\n  --sink=log: \\\r\n  --sink=webhook:https://h/in#frag # the rest\r\n",
      ["--source=kubernetes:", "--sink=log:", "--sink=webhook:https://h/in#frag"],
    ],
    ["# what runs today\r\nkube-eventer \\\r\n --sink=log:", ["--sink=log:"]],
    // Nobody quoted it where it was copied from.
    [
      "kube-eventer --sink=dingtalk:https://h/r?access_token=a&label=b|c",
      ["--sink=dingtalk:https://h/r?access_token=a&label=b|c"],
    ],
    [
      "docker run -d --name eventer -v /etc:/etc example.com/acs/kube-eventer-amd64:v1.2.0-484d9cd-aliyun --sink=log:",
      ["--sink=log:"],
    ],
    // The name of a database is not the program's.
    [
      "kube-eventer --sink mysql:?u:p@tcp(db)/kube_eventer?charset=utf8",
      ["--sink", "mysql:?u:p@tcp(db)/kube_eventer?charset=utf8"],
    ],
  ])("%j", (text, expected) => {
    expect(wordsOf(text)).toEqual(expected);
  });

  it("keeps quotes and backslashes as a shell does", () => {
    expect(wordsOf(`--sink="log:\\"a\\" \\n" '--label=\\x' a\\ b`)).toEqual([
      '--sink=log:"a" \\n',
      "--label=\\x",
      "a b",
    ]);
  });

  it("knows where each word stands", () => {
    expect(found("kube-eventer \\\n  --source=kubernetes: \\\n  --sink=log:").words).toEqual([
      { text: "--source=kubernetes:", where: "in.yaml:2:3" },
      { text: "--sink=log:", where: "in.yaml:3:3" },
    ]);
  });

  it("may be a list of arguments", () => {
    expect(wordsOf("- --source=kubernetes:\n- --sink=log:x\n")).toEqual([
      "--source=kubernetes:",
      "--sink=log:x",
    ]);
    expect(wordsOf('["--sink=log:", "--v=2"]')).toEqual(["--sink=log:", "--v=2"]);
  });
});

describe("a manifest", () => {
  it("without kube-eventer is refused, with what is in it, as far as that can be read", () => {
    const list = (count: number) =>
      Array.from(
        { length: count },
        (_, n) =>
          `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web-${n} }\nspec: { template: { spec: { containers: [{ name: web, image: "web:1" }] } } }\n`,
      ).join("---\n");
    expect(() => found(list(8))).toThrow(
      /no container of it runs kube-eventer; found .*web-0.*web-7/,
    );
    expect(() => found(list(8))).not.toThrow(/…/);
    expect(() => found(list(9))).toThrow(/web-7.*, …/);
    expect(() => found(list(9))).not.toThrow(/web-8/);
  });

  const args = ["--source=kubernetes:", "--sink=log:"];

  it.each(["command", "args"] as const)("has them in %s", (key) => {
    expect(found(deployment(args, { key }))).toMatchObject({
      what: "Deployment kube-system/kube-eventer",
      namespace: "kube-system",
      serviceAccount: "kube-eventer",
      isWhole: true,
    });
    expect(wordsOf(deployment(args, { key }))).toEqual(args);
  });

  it("may start a shell", () => {
    const shell = deployment(["exec /kube-eventer --source=kubernetes: '--sink=log:'"]).replace(
      '"/kube-eventer"',
      '"/bin/sh"',
    );
    expect(wordsOf(shell)).toEqual(args);
  });

  it.each(["DaemonSet", "StatefulSet", "ReplicaSet"])("may be a %s", (kind) => {
    expect(wordsOf(deployment(args).replace("kind: Deployment", `kind: ${kind}`))).toEqual(args);
  });

  it("may be a Pod, or one object of a List", () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "eventer" },
      spec: {
        containers: [
          { image: "a", args: ["--v=1"] },
          { image: "kube-eventer", args },
        ],
      },
    };
    expect(found(JSON.stringify(pod))).toMatchObject({
      what: "Pod eventer",
      namespace: null,
      serviceAccount: null,
    });
    const list = { apiVersion: "v1", kind: "List", items: [{ kind: "Secret" }, pod] };
    expect(wordsOf(JSON.stringify(list))).toEqual(args);
    expect(wordsOf(JSON.stringify({ ...list, kind: "PodList" }))).toEqual(args);
  });

  it("may have another container of such a name beside it", () => {
    const text = deployment(args).replace(
      "      containers:\n",
      "      containers:\n        - image: example.com/acs/kube-eventer-init:v1.7\n          name: init\n",
    );
    expect(wordsOf(text)).toEqual(args);
  });

  it("says where its variables come from", () => {
    const env = `          env:
            - { name: A, value: plain }
            - { name: N, value: 5 }
            - { name: B, valueFrom: { secretKeyRef: { name: s, key: k } } }
            - { name: C, valueFrom: { configMapKeyRef: { name: m, key: k } } }
            - { name: D, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
          envFrom:
            - secretRef: { name: more }
`;
    expect(found(deployment(args, { env }))).toMatchObject({
      isWhole: false,
      variables: [
        { name: "A", value: "plain", from: null },
        { name: "N", value: "5", from: null },
        { name: "B", value: null, from: 'key "k" of the Secret "s"' },
        { name: "C", value: null, from: 'key "k" of the ConfigMap "m"' },
        { name: "D", value: null, from: "field metadata.namespace of the Pod" },
      ],
    });
  });

  it("without flags is refused", () => {
    const none = deployment([], { key: "args" }).replace("args:\n", "args: []\n");
    expect(() => found(none)).toThrow(/runs kube-eventer without any flag/);
  });
});

describe("Helm values", () => {
  it.each([
    ['args: ["--source=kubernetes:", "--sink=log:"]', ["--source=kubernetes:", "--sink=log:"]],
    ["eventer:\n  extraArgs:\n    - '--sink=log:'\n    - --v=2\n", ["--sink=log:", "--v=2"]],
    ['deployment:\n  command: [/kube-eventer, "--sink=log:"]', ["--sink=log:"]],
    [
      "sink: 'log:'\nsource: kubernetes:https://kubernetes.default",
      ["--sink=log:", "--source=kubernetes:https://kubernetes.default"],
    ],
    ["sinks:\n  - 'log:'\n  - '--sink=stdout:'\n", ["--sink=log:", "--sink=stdout:"]],
    ["frequency: 1m\nsinks: ['log:']", ["--frequency=1m", "--sink=log:"]],
    [
      "sinks:\n  - type: webhook\n    url: https://h.example.com/in?x=1\n    method: POST\n    header: [A=b, C=d]\n    namespaces: [a, b]\n",
      [
        "--sink=webhook:https://h.example.com/in?x=1&method=POST&header=A=b&header=C=d&namespaces=a,b",
      ],
    ],
    [
      "sinks:\n  mysql: root:p@tcp(db:3306)/k\n  log: {}\n  kafka: { enabled: false, brokers: [a] }\n",
      ["--sink=mysql:root:p@tcp(db:3306)/k", "--sink=log:"],
    ],
    [
      "sinks:\n  honeycomb: { dataset: 'a b&c', writekey: k, apihost: '' }",
      ["--sink=honeycomb:?dataset=a%20b%26c&writekey=k"],
    ],
    // Helm reads YAML 1.1, and --set-string makes texts of booleans.
    ...["false", '"false"', "no", "Off"].map((off): [string, string[]] => [
      `sinks:\n  kafka: { enabled: ${off}, brokers: [a] }\n  log: { enabled: "true" }\n`,
      ["--sink=log:"],
    ]),
    [
      "sinks:\n  webhook: { url: 'https://h/x', header: { A: b, X-Key: 'c d=e' } }\n",
      ["--sink=webhook:https://h/x?header=A=b&header=X-Key=c%20d=e"],
    ],
    ["frequency: 60\nsinks: ['log:']", ["--frequency=60s", "--sink=log:"]],
    // What an anchor names twice would be told twice.
    ["common: &c ['--sink=log:']\nargs: *c\nmore: { <<: { args: *c } }\n", ["--sink=log:"]],
    ["command: /kube-eventer --sink=log: --v=2\n", ["--sink=log:", "--v=2"]],
    ["extraArgs: [\"--sink='log:'\"]\n", ["--sink='log:'"]],
    ["sinks: { log: null, stdout: '' }\nargs: ['--sink=log:x']", ["--sink=log:x"]],
    [
      "sinks:\n  webhook: { url: 'https://h/x', level: warning, reason: null, label: [] }\n",
      ["--sink=webhook:https://h/x?level=Warning"],
    ],
  ])("%j", (text, expected) => {
    expect(wordsOf(text)).toEqual(expected);
  });

  it("of ack-node-problem-detector have an entry for each sink", () => {
    // The chart's parameters, as Alibaba Cloud documents them.
    const values = `npd:
  enabled: true
eventer:
  image:
    repository: registry.example.com/acs/eventer
    tag: v1.6.0-4c4c66c-aliyun
  sinks:
    sls:
      enabled: false
      project: ""
      logstore: k8s-event
    dingtalk:
      enabled: true
      level: warning
      label: prod
      token: abcdef
      monitorkinds: Pod
      monitornamespaces: ""
`;
    expect(wordsOf(values)).toEqual([
      "--sink=dingtalk:https://oapi.dingtalk.com/robot/send?access_token=abcdef&level=Warning&label=prod&kinds=Pod",
    ]);
    expect(wordsOf(values.replaceAll("enabled: false", "enabled: true"))[0]).toBe(
      "--sink=sls:?logstore=k8s-event",
    );
  });

  it.each([
    ["args: ['--sink=log:']\nenv:\n  - { name: TZ, value: UTC }\n"],
    ["args: ['--sink=log:']\nextraEnv:\n  TZ: UTC\n"],
    ["args: ['--sink=log:']\nextraEnvVars: { TZ: { value: UTC } }\n"],
  ])("%j has variables", (text) => {
    expect(found(text).variables).toEqual([{ name: "TZ", value: "UTC", from: null }]);
  });

  it("of kubernetes-event-exporter are none: what they are is said", () => {
    const text = `logLevel: error
route:
  routes:
    - match: [{ receiver: dump }]
receivers:
  - name: dump
    webhook: { endpoint: "https://h.example.com/in", headers: { Authorization: s3cr3t } }
`;
    expect(() => found(text)).toThrow(
      /in.yaml: this is the configuration of kubernetes-event-exporter; .*write its receivers as sinks/s,
    );
    expect(() => found(text)).not.toThrow(/s3cr3t/);
    const data = { "config.yaml": text, notes: "a: [" };
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cfg" }, data };
    expect(() => found(JSON.stringify(map))).toThrow(/configuration of kubernetes-event-exporter/);
    const alertmanager = "route: { receiver: ops }\nreceivers: [{ name: ops }]\n";
    expect(() => found(alertmanager)).toThrow(/there is no command line of kube-eventer in it/);
    // A chart of something else may have either.
    for (const one of ["receivers: [{ name: a }]\n", "route: {}\n", "receivers: {}\nroute: {}\n"])
      expect(() => found(one)).toThrow(/there is no command line of kube-eventer in it/);
  });

  it("without a sink are refused", () => {
    expect(() => found("replicaCount: 1\nimage: { tag: v1 }\n")).toThrow(
      /in.yaml: there is no command line of kube-eventer in it/,
    );
  });
});
