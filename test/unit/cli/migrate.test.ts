import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parseYamlDocuments } from "../../../src/config/yaml.ts";
import { sinks as registry } from "../../../sinks/index.ts";
import { cli } from "../../support/io.ts";
import {
  deployment,
  DOCUMENTED,
  loadPrinted,
  plainSinks,
  SECRETS,
  secretsOf,
  sinksOfFlags,
} from "../../support/kube-eventer.ts";

const SOURCE = "--source=kubernetes:https://kubernetes.default";

async function migrated(stdin: string, ...flags: readonly string[]) {
  const { code, stdout, stderr } = await cli(["migrate", "-", ...flags], { stdin });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

/** The error output; nothing is printed. */
async function refused(stdin: string) {
  const { code, stdout, stderr } = await cli(["migrate", "-"], { stdin });
  expect([code, stdout]).toEqual([2, ""]);
  return stderr;
}

const uncommented = (text: string) =>
  text
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .trim();

describe("what is printed", () => {
  it.each(Object.entries(DOCUMENTED))(
    "gives, for the documented %s, the sinks that the flag gives",
    async (_, uri) => {
      const stdout = await migrated(deployment([SOURCE, `--sink=${uri}`]));
      const sinks = sinksOfFlags([uri]);
      const { config, warnings } = loadPrinted(stdout, secretsOf(sinks));
      expect(plainSinks(config.sinks)).toEqual(plainSinks(sinks));
      // Nothing that was a secret stands in the file.
      expect(warnings).toEqual([]);
      for (const secret of SECRETS) expect(stdout).not.toContain(secret);
    },
  );

  it("gives all of them together, each by a name of its own", async () => {
    const uris = Object.values(DOCUMENTED);
    const stdout = await migrated(deployment(uris.map((uri) => `--sink=${uri}`)));
    const sinks = sinksOfFlags(uris);
    const { config } = loadPrinted(stdout, secretsOf(sinks));
    expect(config.sinks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["dingtalk", "dingtalk-2", "webhook", "webhook-4", "log"]),
    );
    expect(plainSinks(config.sinks)).toEqual(plainSinks(sinks));
    for (const secret of SECRETS) expect(stdout).not.toContain(secret);
  });

  it("is this for the Deployment of kube-eventer's documentation", async () => {
    const env = `          env:
            - name: TZ
              value: "Asia/Shanghai"
`;
    const stdout = await migrated(
      deployment([SOURCE, `--sink=${DOCUMENTED.dingtalk}`, `--sink=${DOCUMENTED.lark}`], { env }),
    );
    expect(uncommented(stdout)).toBe(
      `
timezone: Asia/Shanghai
listen: 0.0.0.0:8084

sinks:
  dingtalk:
    type: dingtalk
    webhook: \${DINGTALK_WEBHOOK}
    secret: \${DINGTALK_SECRET}
    labels: [ c550367cdf1e84dfabab013b277cc6bc2 ]
    filter:
      level: Normal

  webhook:
    type: webhook
    url: \${WEBHOOK_URL}
    method: POST
    headers:
      Content-Type: application/json
    customBodyConfigmap: custom-body
    customBodyConfigmapNamespace: kube-system
    filter:
      level: Warning
`.trim(),
    );
  });

  it("says at the line what differs there", async () => {
    const stdout = await migrated(
      deployment([
        `--sink=webhook:http://hook.example.com/in?namespaces=a,b&reason=Failed&reason=^Back&header=X-Key=a=b`,
        `--sink=${DOCUMENTED.mysql}`,
      ]),
    );
    const before = (line: RegExp) => {
      const lines = stdout.split("\n");
      const at = lines.findIndex((one) => line.test(one));
      const start = lines.slice(0, at).findLastIndex((one) => !/^\s*#/.test(one));
      return lines
        .slice(start + 1, at)
        .map((one) => one.replace(/^\s*# /, ""))
        .join(" ");
    };
    expect(before(/^ {6}reasons: \[ \/Failed\/, \/\^Back\/ \]/)).toMatch(
      /of several reason= the first counts; now: all count/,
    );
    expect(before(/^ {6}namespaces:/)).toMatch(/events of Nodes .* never pass; .*add _cluster/);
    expect(before(/^ {4}headers:/)).toMatch(/whose value has an = in it is left out/);
    expect(before(/^ {4}url:/)).toMatch(/all options stand in the query of the request/);
    // Options that are not given have no line.
    expect(before(/^ {4}type: webhook/)).toMatch(/without method= the request is a GET/);
    expect(before(/^ {4}type: webhook/)).toMatch(/without level= Normal events are sent too/);
    expect(before(/^ {4}type: mysql/)).toMatch(/a message above 255 characters is lost/);
    expect(before(/^ {4}dsn:/)).toMatch(/behind the first & is cut off; now: all parameters count/);
  });

  it("says what an option of kube-eventer's that means nothing here is for", async () => {
    const stdout = await migrated(
      deployment([
        `--sink=${DOCUMENTED.elasticsearch}`,
        "--sink=influxdb:http://i:80?insecuressl=true",
      ]),
    );
    expect(stdout).toMatch(/# sniff of kube-eventer changes nothing here/);
    expect(stdout).toMatch(/# insecuressl of kube-eventer changes nothing here/);
    expect(uncommented(stdout)).not.toMatch(/sniff|ssl/);
  });

  it("takes kube-eventer's other flags along", async () => {
    const stdout = await migrated(
      deployment([
        "--source=kubernetes:https://10.0.1.201:6443?inClusterConfig=false&auth=/etc/kubeconfig",
        `--sink=${DOCUMENTED.log}`,
        "--frequency=90s",
        "--healthz-port=9000",
        "--healthz-ip=127.0.0.1",
        "--v=5",
        "--logtostderr",
        "--max_procs=2",
      ]),
    );
    const { config } = loadPrinted(stdout, {});
    expect(config).toMatchObject({
      digestEveryMs: 90_000,
      listen: { host: "127.0.0.1", port: 9000 },
      logLevel: "debug",
      sources: [
        {
          type: "kubernetes",
          server: "https://10.0.1.201:6443",
          kubeconfig: "/etc/kubeconfig",
        },
      ],
    });
    expect(stdout).toMatch(
      /# --frequency: alerts are sent at once[^\n]*\n[^\n]*\ndigestEvery: 90s/,
    );
    expect(stdout).toMatch(/^# - --v, --logtostderr: log lines go to/m);
    expect(stdout).toMatch(/^# - --max_procs: one thread does the work/m);
  });

  it.each([
    ["60s", "1m"],
    ["120s", "2m"],
    ["75s", "75s"],
    ["1m30s", "90s"],
  ])("writes a frequency of %s as a person would: %s", async (frequency, written) => {
    const stdout = await migrated(
      deployment([SOURCE, `--sink=${DOCUMENTED.log}`, `--frequency=${frequency}`]),
    );
    expect(stdout).toMatch(new RegExp(`^digestEvery: ${written}$`, "m"));
  });

  it.each([
    ["as POSIX writes it", 'value: ":Asia/Shanghai"', /^timezone: Asia\/Shanghai$/m],
    ["that is empty, which is that of the container", 'value: ""', /^(?!timezone)/],
    [
      "that stands in a ConfigMap, of which nothing is known",
      "valueFrom: { configMapKeyRef: { name: zones, key: here } }",
      /^(?!timezone)/,
    ],
  ])("takes a time zone %s", async (_, value, expected) => {
    const env = `          env:\n            - name: TZ\n              ${value}\n`;
    const stdout = await migrated(deployment([SOURCE, `--sink=${DOCUMENTED.log}`], { env }));
    const { config } = loadPrinted(stdout, {});
    expect(uncommented(stdout)).toMatch(expected);
    expect(config.timezone).toBe(String(expected).includes("Shanghai") ? "Asia/Shanghai" : "UTC");
  });

  it("is the same for flags with one dash, as Go takes them", async () => {
    const flags = [SOURCE, "--frequency=60s", "--sink=webhook:http://h/x?level=Warning"];
    const oneDash = flags.map((flag) => flag.slice(1));
    const expected = await migrated(deployment(flags));
    expect(await migrated(deployment(oneDash))).toBe(expected);
    const line = (words: readonly string[]) => `/kube-eventer ${words.join(" ")}\n`;
    expect(await migrated(line(oneDash))).toBe(await migrated(line(flags)));
    expect(await refused(`/kube-eventer -sink log -sink=dingtlak:https://h/x\n`)).toContain(
      'standard input:1:25 (--sink #2): there is no sink type "dingtlak"',
    );
  });

  it("serves where kube-eventer does, whatever its flags", async () => {
    const stdout = await migrated(deployment([`--sink=${DOCUMENTED.log}`]));
    expect(loadPrinted(stdout, {}).config.listen).toEqual({ host: "0.0.0.0", port: 8084 });
  });

  it("is what check takes, with nothing to be warned of", async () => {
    const uri = "webhook:http://127.0.0.1:1/in?level=Warning&method=POST&header=X-Token=abc=";
    const stdout = await migrated(`kube-eventer '--sink=${uri}' --sink=log:`);
    const { config, warnings } = loadPrinted(stdout, secretsOf(sinksOfFlags([uri])));
    expect(warnings).toEqual([]);
    expect(config.sinks.map(({ name }) => name)).toEqual(["webhook", "log"]);
  });

  it("has no line that is not a comment or configuration, whatever names are in it", async () => {
    const hostile = deployment([`--sink=${DOCUMENTED.log}`]).replaceAll(
      "name: kube-eventer",
      'name: "x\\nsinks: {}\\n# "',
    );
    const stdout = await migrated(hostile);
    expect(uncommented(stdout)).toMatch(/^listen: 0.0.0.0:8084\s+sinks:\s+log:\s+type: log$/);
  });

  it("adds no line and no object for what is no name of a namespace, an account or a ConfigMap", async () => {
    const evil = (end: string) =>
      JSON.stringify(`x${end}stay: true${end}---${end}kind: Evil${end}`);
    const body = encodeURIComponent("y]\n---\nkind: Evil\nz: [");
    const uri = `${DOCUMENTED.dingtalk}&label=a`;
    const hook = `webhook:https://h.example.com/x?custom_body_configmap=${body}&custom_body_configmap_namespace=${body}`;
    const hostile = deployment([`--sink=${uri}`, `--sink=${hook}`])
      .replace("namespace: kube-system", `namespace: ${evil("\n")}`)
      .replace("serviceAccount: kube-eventer", `serviceAccount: ${evil("\r")}`);
    const stdout = await migrated(hostile);
    const { config } = loadPrinted(stdout, secretsOf(sinksOfFlags([uri, hook])));
    expect(config.stay).toBe(false);
    expect(stdout).not.toMatch(/^(stay|kind|---)|\r/m);
    expect(stdout).toContain("kubectl create secret generic kube-crier -n '…' \\\n");
    const { documents, issues } = parseYamlDocuments("rbac", await migrated(hostile, "--rbac"));
    expect(issues).toEqual([]);
    expect(documents.map(({ value }) => (value as { kind: string }).kind)).toEqual([
      "ServiceAccount",
      "ClusterRole",
      "ClusterRoleBinding",
      "Role",
      "RoleBinding",
    ]);
  });

  it.each(["2024", "1e3", "true", "no", "0x1f", "kube-system"])(
    "keeps a namespace that is called %s a text",
    async (name) => {
      const inIt = deployment([`--sink=${DOCUMENTED.log}`]).replace(
        "namespace: kube-system",
        `namespace: "${name}"`,
      );
      const { documents } = parseYamlDocuments("rbac", await migrated(inIt, "--rbac"));
      const [account] = documents.map(({ value }) => value as { metadata: { namespace: unknown } });
      expect(account?.metadata.namespace).toBe(name);
    },
  );

  it("is one thing at a time", async () => {
    const { code, stdout, stderr } = await cli(["migrate", "-", "--explain", "--rbac"], {
      stdin: "kube-eventer --sink=log:",
    });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("--rbac: and --explain do not go together");
  });
});

describe("the example of every sink", () => {
  it.each(registry.map((definition) => [definition.type, definition.example.uri] as const))(
    "%s is the same when it is migrated, and has no secret in it",
    async (_, uri) => {
      const sinks = sinksOfFlags([uri]);
      const secrets = secretsOf(sinks);
      const stdout = await migrated(deployment([`--sink=${uri}`]));
      const { config, warnings } = loadPrinted(stdout, secrets);
      expect(plainSinks(config.sinks)).toEqual(plainSinks(sinks));
      expect(warnings).toEqual([]);
      const isHost = (secret: string) => /^https?:\/\/[^/]+\/?$/.test(secret);
      for (const secret of Object.values(secrets).filter((text) => !isHost(text)))
        expect(stdout).not.toContain(secret);
      expect(await migrated(deployment([`--sink=${uri}`]), "--explain")).not.toMatch(
        /fedcba9876543210|0123456789abcdef/,
      );
    },
  );
});

describe("a webhook to a platform with a sink of its own", () => {
  it.each([
    ["https://open.feishu.cn/open-apis/bot/v2/hook/abc", "lark"],
    ["https://oapi.dingtalk.com/robot/send?access_token=abc", "dingtalk"],
    ["https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc", "wecom"],
    ["https://hooks.slack.com/services/d/B0/XXX", "slack"],
  ])("%s is told of %s", async (url, type) => {
    const stdout = await migrated(deployment([`--sink=webhook:${url}`]));
    expect(stdout).toMatch(
      new RegExp(`^ {4}# for ${new URL(url).host} there is the sink ${type}: `, "m"),
    );
  });

  it("is told nothing elsewhere", async () => {
    expect(await migrated("kube-eventer --sink=webhook:https://h.example.org/x")).not.toMatch(
      /there is the sink/,
    );
  });
});

describe("a flag that comes from a variable", () => {
  const SINK = `          env:
            - { name: SINK, value: "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=t0ken&level=Normal" }
            - { name: TYPE, value: stdout }
            - { name: SOURCE, value: "kubernetes:?namespaces=shop" }
            - { name: HOOK, valueFrom: { secretKeyRef: { name: hooks, key: hook } } }
`;

  it.each([["--sink=$(SINK)"], ["--sink=${SINK}"], ["--sink=$SINK"], ["-sink=$(SINK)"]])(
    "%s is the sink that stands in it, and its secret is not printed",
    async (flag) => {
      const stdout = await migrated(deployment([flag], { env: SINK }));
      expect(uncommented(stdout)).toMatch(
        / {2}dingtalk:\n {4}type: dingtalk\n {4}webhook: \$\{DINGTALK_WEBHOOK\}\n {4}filter:\n {6}level: Normal$/,
      );
      expect(stdout).not.toMatch(/t0ken|KCREF/);
    },
  );

  it("may be the type alone, the next word, or a source", async () => {
    const stdout = await migrated(
      deployment(["--sink=$(TYPE):", "--sink", "$(SINK)", "--source=$(SOURCE)"], { env: SINK }),
    );
    const { config } = loadPrinted(stdout, { DINGTALK_WEBHOOK: "https://oapi.dingtalk.com/x" });
    expect(config.sinks.map(({ name }) => name)).toEqual(["stdout", "dingtalk"]);
    expect(config.sources).toMatchObject([{ type: "kubernetes", namespaces: ["shop"] }]);
  });

  it("has another variable in it, which Kubernetes fills in", async () => {
    const env = `          env:
            - { name: HOOK, valueFrom: { secretKeyRef: { name: hooks, key: hook } } }
            - { name: SINK, value: "webhook:$(HOOK)?level=Warning" }
`;
    const stdout = await migrated(deployment(["--sink=$(SINK)"], { env }));
    expect(uncommented(stdout)).toContain("url: ${HOOK}");
    expect(stdout).toContain('# - HOOK: key "hook" of the Secret "hooks"\n');
  });

  it("of which nothing is known is refused, with the other mistakes, and never left out", async () => {
    const stderr = await refused(
      deployment(
        [`--sink=${DOCUMENTED.log}`, "--sink=$(HOOK)", "--sink=dingtlk:x", "--source=$(HOOK)"],
        { env: SINK },
      ),
    );
    expect(stderr).toMatch(/^3 problems, nothing was printed:\n/);
    expect(stderr).toMatch(
      /:26:15 \(--sink #2\): which sink it is stands in \$\{HOOK\}, and the input does not say what that is\n +→ write --sink=TYPE:…; a variable may stand behind the colon\n/,
    );
    expect(stderr).toMatch(/:27:15 \(--sink #3\): there is no sink type "dingtlk"/);
    expect(stderr).toMatch(/:28:15 \(--source #1\): which source it is stands in \$\{HOOK\}/);
    expect(stderr).not.toMatch(/kcref/i);
  });

  it("is refused on a line without an environment, too", async () => {
    expect(await refused("kube-eventer '--sink=$(KIND):https://h.example.com/x'")).toMatch(
      /standard input:1:14 \(--sink #1\): which sink it is stands in \$\{KIND\}/,
    );
  });

  it("is named as it was written where its sink is mistaken", async () => {
    const stderr = await refused(
      "kube-eventer '--sink=webhook:https://h/x?level=Normal&level=$(L)'",
    );
    expect(stderr).toMatch(/\(--sink #1\): level is given 2 times; expected once/);
    expect(await refused("kube-eventer '--sink=webhook:https://h/x?reason=(,$(R)'")).not.toMatch(
      /kcref/i,
    );
  });
});

describe("kube-eventer started by a shell", () => {
  it("is migrated as if it was started without", async () => {
    const flags = [SOURCE, `--sink=${DOCUMENTED.dingtalk}`, "--frequency=60s"];
    const line = `sleep 3; exec /kube-eventer ${flags.map((flag) => `'${flag}'`).join(" ")} 2>&1 | tee -a /var/log/eventer`;
    const by = (command: readonly string[]) =>
      deployment(command).replace('            - "/kube-eventer"\n', "");
    expect(await migrated(by(["/bin/sh", "-c", line]))).toBe(await migrated(deployment(flags)));
  });

  it("says where a mistake of the line stands", async () => {
    const text = deployment(["-c", "/kube-eventer --sink=dingtlk:x"]).replace(
      '"/kube-eventer"',
      '"/bin/sh"',
    );
    expect(await refused(text)).toMatch(/:26:15 \(--sink #1\): there is no sink type "dingtlk"/);
  });
});

describe("secrets", () => {
  it("are told which to make, and where each stands now", async () => {
    const stdout = await migrated(
      deployment([
        `--sink=${DOCUMENTED.dingtalk}`,
        "--sink=webhook:https://h.example.com/in?team=a&header=Authorization=Bearer abcdef",
      ]),
    );
    expect(stdout).toContain(`#   kubectl create secret generic kube-crier -n kube-system \\
#     --from-literal=DINGTALK_WEBHOOK='…' \\
#     --from-literal=DINGTALK_SECRET='…' \\
#     --from-literal=WEBHOOK_URL='…' \\
#     --from-literal=WEBHOOK_HEADER_AUTHORIZATION='…'
`);
    expect(stdout).toContain(
      '# - DINGTALK_WEBHOOK: the address behind "dingtalk:", with access_token, in --sink #1\n',
    );
    expect(stdout).toContain("# - DINGTALK_SECRET: the value of secret (sign) in --sink #1\n");
    expect(stdout).toMatch(/^ {6}Authorization: Bearer \$\{WEBHOOK_HEADER_AUTHORIZATION\}$/m);
    expect(stdout).not.toContain("abcdef");
  });

  it("that come from variables stay with them", async () => {
    const env = `          env:
            - name: TOKEN
              valueFrom:
                secretKeyRef: { name: robots, key: token }
            - name: PW
              valueFrom:
                secretKeyRef: { name: db, key: password }
            - { name: SIGN, value: plainly-readable }
            - { name: UNUSED, value: x }
`;
    const stdout = await migrated(
      deployment(
        [
          "--sink=dingtalk:https://oapi.dingtalk.com/robot/send?access_token=$(TOKEN)&sign=${SIGN}",
          "--sink=mysql:?root:$(PW)@tcp(mysql:3306)/kube_event?charset=utf8&table=events",
          "--sink=webhook:https://h.example.com/in?method=POST&header=Authorization=Bearer $TOKEN",
        ],
        { env },
      ),
    );
    const plain = uncommented(stdout);
    expect(plain).toContain(
      "webhook: https://oapi.dingtalk.com/robot/send?access_token=${TOKEN}\n    secret: ${SIGN}",
    );
    expect(plain).toContain("dsn: ?root:${PW}@tcp(mysql:3306)/kube_event?charset=utf8");
    expect(plain).toContain("Authorization: Bearer ${TOKEN}");
    expect(stdout).toContain('# - TOKEN: key "token" of the Secret "robots"\n');
    expect(stdout).toContain('# - PW: key "password" of the Secret "db"\n');
    expect(stdout).toMatch(/^# - SIGN: stands in its env in plain text/m);
    expect(stdout).not.toMatch(/plainly-readable|UNUSED/);
    const { config } = loadPrinted(stdout, {
      TOKEN: "t0ken",
      SIGN: "SEC1",
      PW: "p@ss",
      WEBHOOK_URL: "https://h.example.com/in",
    });
    expect(plainSinks(config.sinks)).toMatchObject([
      {
        options: {
          webhook: { secret: "https://oapi.dingtalk.com/robot/send?access_token=t0ken" },
        },
      },
      { options: { table: "events" } },
      { options: { headers: { Authorization: { secret: "Bearer t0ken" } } } },
    ]);
  });

  it("beside a variable are not printed either", async () => {
    const stdout = await migrated(
      "kube-eventer '--sink=webhook:https://h.example.com/s3cr3t-path/$TEAM?auth=${SIG}&q=s3cr3t'",
    );
    expect(stdout).not.toContain("s3cr3t");
    expect(uncommented(stdout)).toContain("url: ${WEBHOOK_URL}");
  });

  it("with a dollar sign in them are no variable", async () => {
    for (const uri of [
      "mysql:?root:pa$xyzzy@tcp(db)/k?charset=utf8",
      "mysql:?root:pa$XYZZY@tcp(db)/k?charset=utf8",
      "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=a&sign=$xyzzy",
    ]) {
      const stdout = await migrated(`kube-eventer '--sink=${uri}'`);
      expect(stdout).not.toMatch(/xyzzy/i);
    }
    const stdout = await migrated("kube-eventer '--sink=mysql:?root:pa$XYZZY@tcp(db)/k'");
    expect(stdout).toMatch(/^# - MYSQL_DSN: .*\n?.*with the\s+(# {3})?variables in it filled in$/m);
  });

  it("in an address that is no secret elsewhere are found", async () => {
    const { code, stdout, stderr } = await cli(["migrate", "-"], {
      stdin: "kube-eventer --sink=elasticsearch:?nodes=http://elastic:s3cr3t@es-0:9200",
    });
    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain("s3cr3t");
    const source = await refused(
      "kube-eventer --source=kubernetes:https://admin:s3cr3t@10.0.0.1:6443 --sink=log:",
    );
    expect(source).toMatch(/a password stands in the API server's address/);
    expect(source).not.toContain("s3cr3t");
  });

  it("never share a name with a variable that is there", async () => {
    const env = `          env:
            - { name: DINGTALK_WEBHOOK, value: other }
`;
    const stdout = await migrated(deployment([`--sink=${DOCUMENTED.dingtalk}`], { env }));
    expect(uncommented(stdout)).toContain("webhook: ${DINGTALK_WEBHOOK_2}");
  });

  it("keep a dollar sign that refers to nothing", async () => {
    const uri = "wechat:?corp_id=ww1&corp_secret=s&agent_id=1&label=a${b}c";
    const stdout = await migrated(
      deployment(["--sink=wechat:?corp_id=ww1$x&corp_secret=s&agent_id=1"]),
    );
    expect(uncommented(stdout)).toContain("corpId: ww1$x");
    expect(uncommented(await migrated(deployment([`--sink=${uri}`])))).toContain(
      'labels: [ "a${b}c" ]',
    );
  });

  it("that the sink finds in the environment are written down", async () => {
    const env = `          env:
            - { name: AccessKeyId, value: LTAIplain }
            - { name: AccessKeySecret, valueFrom: { secretKeyRef: { name: ak, key: secret } } }
`;
    const uri = "sls:https://sls.aliyuncs.com?project=my-project&logStore=my-store";
    const stdout = await migrated(deployment([`--sink=${uri}`], { env }));
    expect(uncommented(stdout)).toContain(
      "accessKeyId: ${AccessKeyId}\n    accessKeySecret: ${AccessKeySecret}\n    regionId: ${RegionId}",
    );
    expect(stdout).toContain('# - AccessKeySecret: key "secret" of the Secret "ak"\n');
    expect(stdout).toMatch(/^# - RegionId: nothing in the input sets it/m);
    expect(stdout).not.toContain("LTAIplain");
  });

  it("are not asked for where the instance's RAM role signs", async () => {
    const stdout = await migrated(
      deployment([
        "--sink=sls:https://sls.aliyuncs.com?project=my-project&logStore=my-store",
        "--sink=eventbridge:?clusterId=c0123",
      ]),
    );
    expect(uncommented(stdout)).toContain(
      "  sls:\n    type: sls\n    project: my-project\n    logStore: my-store\n",
    );
    expect(uncommented(stdout)).toMatch(/ {4}type: eventbridge\n\s*clusterId: c0123$/);
    expect(stdout).not.toMatch(/accessKey|ACCESS_KEY|RegionId|No secret stands here/i);
  });

  it("are not asked for where the container has their variables empty", async () => {
    const env = `          env:
            - { name: AccessKeyId, value: "" }
            - { name: AccessKeySecret, value: "" }
`;
    const uri = "sls:https://sls.aliyuncs.com?project=my-project&logStore=my-store";
    const [empty, none] = [
      await migrated(deployment([`--sink=${uri}`], { env })),
      await migrated(deployment([`--sink=${uri}`])),
    ];
    expect(uncommented(empty)).toBe(uncommented(none));
  });

  it("beside the token that ACK mounts: which counts is said", async () => {
    const stdout = await migrated(deployment([`--sink=${DOCUMENTED.sls}`]));
    expect(stdout.replaceAll(/\n\s*# /g, " ")).toMatch(
      /ACK mounts for an addon goes before an access key; now: an access key that is given counts/,
    );
  });
});

describe("the access it needs", () => {
  const rbac = async (text: string) => {
    const { documents, issues } = parseYamlDocuments("rbac", await migrated(text, "--rbac"));
    expect(issues).toEqual([]);
    return documents.map(({ value }) => value as Readonly<Record<string, unknown>>);
  };

  it("is events of the cluster, and the ConfigMaps that are named", async () => {
    const objects = await rbac(deployment([SOURCE, `--sink=${DOCUMENTED.lark}`]));
    expect(objects.map(({ kind }) => kind)).toEqual([
      "ServiceAccount",
      "ClusterRole",
      "ClusterRoleBinding",
      "Role",
      "RoleBinding",
    ]);
    expect(objects[1]?.["rules"]).toEqual([
      { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["get", "list", "watch"] },
    ]);
    expect(objects[3]).toMatchObject({
      metadata: { namespace: "kube-system" },
      rules: [
        {
          apiGroups: [""],
          resources: ["configmaps"],
          resourceNames: ["custom-body"],
          verbs: ["get"],
        },
      ],
    });
    for (const binding of [objects[2], objects[4]])
      expect(binding?.["subjects"]).toEqual([
        { kind: "ServiceAccount", name: "kube-eventer", namespace: "kube-system" },
      ]);
  });

  it("asks for no ConfigMap where none is named", async () => {
    const objects = await rbac(deployment([SOURCE, `--sink=${DOCUMENTED.mysql}`]));
    expect(objects.map(({ kind }) => kind)).not.toContain("Role");
  });

  it("knows the ConfigMap of a sink whose address comes from a variable", async () => {
    const objects = await rbac(
      "kube-eventer --sink='webhook:$HOOK&custom_body_configmap=body&custom_body_configmap_namespace=ops'",
    );
    expect(objects.find(({ kind }) => kind === "Role")).toMatchObject({
      metadata: { namespace: "ops" },
    });
  });

  it("is within the namespaces that are watched", async () => {
    const objects = await rbac("kube-eventer --source=kubernetes:?namespaces=shop,pay --sink=log:");
    expect(objects.map(({ kind }) => kind)).not.toContain("ClusterRole");
    expect(
      objects.filter(({ kind }) => kind === "Role").map(({ metadata }) => metadata),
    ).toMatchObject([{ namespace: "shop" }, { namespace: "pay" }]);
  });

  it("stands at the end of the configuration as well, in comments", async () => {
    const text = deployment([SOURCE, `--sink=${DOCUMENTED.lark}`]);
    const [, block = ""] = (await migrated(text)).split("own ClusterRole is enough as well:\n");
    expect(block.replaceAll(/^# ?/gm, "").trim()).toBe((await migrated(text, "--rbac")).trim());
  });
});

describe("--explain", () => {
  it("is the list alone", async () => {
    const stdout = await migrated(
      deployment([
        SOURCE,
        `--sink=${DOCUMENTED.dingtalk}`,
        `--sink=${DOCUMENTED.webhook}`,
        "--frequency=30s",
      ]),
      "--explain",
    );
    expect(stdout).toMatch(
      /^What differs from kube-eventer for Deployment kube-system\/kube-eventer:\n\nthe program\n {2}- was: /,
    );
    expect(stdout).toMatch(/^--frequency\n {2}- alerts are sent at once/m);
    expect(stdout).toMatch(/^the sink dingtalk\n/m);
    expect(stdout).toMatch(/^the sink webhook\n/m);
    expect(stdout).toMatch(/- filter.namespaces: was: events of Nodes/);
    expect(stdout).not.toMatch(/^sinks:|type:|\$\{|apiVersion/m);
    for (const secret of SECRETS) expect(stdout).not.toContain(secret);
  });

  it("leaves out what compat: strict keeps", async () => {
    const line = `kube-eventer '--sink=${DOCUMENTED.dingtalk}'`;
    expect(await migrated(line, "--explain")).toMatch(/msgType: was: .*\(compat: strict\s+keeps/);
    expect(await migrated(`${line} --compat=strict`, "--explain")).not.toMatch(/msgType/);
    expect(uncommented(await migrated(`${line} --compat=strict`))).toMatch(/^compat: strict$/m);
  });

  it.each([
    "dingtalk",
    "wechat",
    "webhook",
    "mysql",
    "elasticsearch",
    "influxdb",
    "mongo",
    "honeycomb",
    "riemann",
    "eventbridge",
    "kafka",
    "log",
  ] as const)("has something to say of %s", async (type) => {
    const stdout = await migrated(deployment([`--sink=${DOCUMENTED[type]}`]), "--explain");
    expect(stdout).toMatch(new RegExp(`^the sink ${type}\\n {2}- (\\S+: )?was: `, "m"));
  });
});

describe("what is no input", () => {
  it.each([
    ["", /standard input: there is nothing in it\n +→ expected kube-eventer's Deployment/],
    ["hello", /standard input: there is no command line of kube-eventer in it/],
    [
      deployment([SOURCE], { key: "args" })
        .replaceAll(/eventer/g, "router")
        .replace(/--source.*"/, 'serve"'),
      /no container of it runs kube-eventer; found Deployment kube-system\/kube-router, ClusterRole kube-router, ServiceAccount kube-system\/kube-router/,
    ],
    [
      "apiVersion: apps/v1\nkind: Deployment\n  metadata: {}\n",
      /standard input:\d+:\d+: is not valid YAML/,
    ],
    ["kind: Deployment\napiVersion: v1\nspec: {{ .Values.x }}\n--sink=", /helm template/],
    ["kube-eventer --sink='log:", /standard input:1:21: this quote is never closed/],
  ])("%j is refused", async (text, expected) => {
    expect(await refused(text)).toMatch(expected);
  });

  it("is refused where kube-eventer runs twice, so that nothing is told twice", async () => {
    const twice = `${deployment([`--sink=${DOCUMENTED.log}`])}---\n${deployment([`--sink=${DOCUMENTED.mysql}`])}`;
    expect(await refused(twice)).toMatch(/stands in it 2 times: .*\n +→ give one at a time/);
  });

  it("is refused with every mistake at its place", async () => {
    const stderr = await refused(
      deployment([
        SOURCE,
        `--sink=${DOCUMENTED.dingtalk.replace("label=", "lable=")}`,
        "--sink=dingtlk:https://oapi.dingtalk.com/robot/send?access_token=abc",
        `--sink=${DOCUMENTED.dingtalk}&level=Wrn`.replace("level=Normal&", ""),
        "--sink=dingtalk:[your_webhook_url]&label=[your_cluster_id]&level=[Normal or Warning(default)]",
        "--frequency=1h",
        "--levl=Warning",
      ]),
    );
    expect(stderr).toMatch(/^\d problems, nothing was printed:\n/);
    expect(stderr).toMatch(
      /standard input:26:15 \(--sink #1\): "lable" is no parameter of dingtalk\n +→ did you mean label\?/,
    );
    expect(stderr).toMatch(
      /:27:15 \(--sink #2\): there is no sink type "dingtlk"\n +→ did you mean "dingtalk"/,
    );
    expect(stderr).toMatch(/:28:15 \(--sink #3\): level: expected one of Normal, Warning/);
    expect(stderr).toMatch(/:29:15 \(--sink #4\): .*in square brackets is a placeholder/);
    expect(stderr).toMatch(/:30:15 \(--frequency\): expected 5s to 3m, found "1h"/);
    expect(stderr).toMatch(/:31:15 \(--levl\): there is no such flag\n +→ did you mean --level/);
    for (const secret of SECRETS) expect(stderr).not.toContain(secret);
  });

  it("is refused with its mistakes in the order of their lines", async () => {
    const wrong = (n: number) => `--sink=dingtlk${n}:x`;
    const text = Array.from({ length: 11 }, (_, n) => `  ${wrong(n)}`).join(" \\\n");
    const stderr = await refused(`kube-eventer \\\n${text}\n`);
    const lines = [...stderr.matchAll(/standard input:(\d+):3 /g)].map(([, line]) => Number(line));
    expect(lines).toEqual(Array.from({ length: 11 }, (_, n) => n + 2));
  });

  it("is refused where a password stands in the API server's address, which is not repeated", async () => {
    const source = "--source=kubernetes:https://admin:s3cret-of-all@api.example.com:6443";
    const stderr = await refused(deployment([source, `--sink=${DOCUMENTED.log}`]));
    expect(stderr).toMatch(/standard input:25:15 \(--source #1\): a password stands in/);
    expect(stderr).toContain("put it into a kubeconfig");
    expect(stderr).not.toContain("s3cret");
  });

  it("is a file that is not there", async () => {
    const { code, stderr } = await cli(["migrate", "/nowhere/kube-eventer.yaml"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/\/nowhere\/kube-eventer.yaml: cannot be read: ENOENT/);
  });
});

it("says in its help what is printed, and how to use it", async () => {
  const { code, stdout } = await cli(["migrate", "--help"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/--explain/);
  expect(stdout).toMatch(/migrate kube-eventer.yaml --rbac \| kubectl apply -f -/);
  const docs = path.resolve(import.meta.dirname, "../../../docs/cli.md");
  expect(readFileSync(docs, "utf8")).toContain("kube-crier migrate kube-eventer.yaml --explain");
});
