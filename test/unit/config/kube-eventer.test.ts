import { describe, expect, it } from "vitest";
import dingtalk from "../../../sinks/dingtalk.ts";
import stdout from "../../../sinks/stdout.ts";
import webhook from "../../../sinks/webhook.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { compileFilter } from "../../../src/pipeline/filter.ts";
import type { Secret } from "../../../src/sink/index.ts";
import { anEvent } from "../../support/events.ts";

/** Command lines as kube-eventer's users have them: they must go on working, and lose no alert. */
function sinkOf(uri: string, env: Readonly<Record<string, string>> = {}) {
  const { config } = loadConfig({
    flags: { source: ["kubernetes:https://kubernetes.default"], sink: [uri] },
    registry: [dingtalk, stdout, webhook],
    env: { TZ: "Asia/Shanghai", ...env },
  });
  const [sink] = config.sinks;
  if (sink === undefined) throw new Error("no sink");
  return { ...sink, passes: compileFilter(sink.filter) };
}

const secretText = (value: unknown) => (value as Secret).reveal();
const normal = anEvent({ type: "Normal", reason: "Pulled" });
const ROBOT = "https://oapi.dingtalk.com/robot/send?access_token=abc";

describe("--sink=dingtalk:", () => {
  const sink = sinkOf(
    `dingtalk:${ROBOT}&label=<prod-a>&label=a,b&level=Normal&namespaces=shop,pay&kinds=Pod&sign=SEC1&cluster_id=c1&region=cn&msg_type=text`,
  );

  it("keeps the token in the address and takes out everything else", () => {
    expect(secretText(sink.options["webhook"])).toBe(ROBOT);
    expect(secretText(sink.options["secret"])).toBe("SEC1");
    expect(sink.options).toMatchObject({ msgType: "text", clusterId: "c1", region: "cn" });
    expect(sink.labels).toEqual(["<prod-a>", "a,b"]);
  });

  it("filters alike", () => {
    expect(sink.passes(anEvent())).toBe(true);
    expect(sink.passes(normal)).toBe(true);
    expect(sink.passes(anEvent({ object: { namespace: "kube-system" } }))).toBe(false);
    expect(sink.passes(anEvent({ object: { kind: "Job" } }))).toBe(false);
  });

  it("sends warnings only unless told otherwise", () => {
    const plain = sinkOf(`dingtalk:${ROBOT}`);
    expect(plain.passes(anEvent())).toBe(true);
    expect(plain.passes(normal)).toBe(false);
  });
});

describe("--sink=webhook:", () => {
  const sink = sinkOf(
    "webhook:http://hook.example.com/in?team=a&level=Normal&method=POST&header=Content-Type=application/json&header=Authorization=Basic%20YQ==&reason=Failed,^Back&custom_body_configmap=body&custom_body_configmap_namespace=ops",
  );

  it("keeps the receiver's own parameters and sends it none of ours", () => {
    expect(secretText(sink.options["url"])).toBe("http://hook.example.com/in?team=a");
    expect(sink.options).toMatchObject({
      method: "POST",
      customBodyConfigmap: "body",
      customBodyConfigmapNamespace: "ops",
    });
  });

  it("keeps a header's value whole, equals signs included", () => {
    const headers = sink.options["headers"] as Record<string, unknown>;
    expect(Object.keys(headers)).toEqual(["Content-Type", "Authorization"]);
    expect(secretText(headers["Authorization"])).toBe("Basic YQ==");
  });

  it("takes reason for a regular expression that matches anywhere", () => {
    const reasons = ["Failed", "FailedScheduling", "BackOff", "ImagePullBackOff", "Killing"];
    expect(reasons.map((reason) => sink.passes(anEvent({ reason })))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it("without a level sends everything", () => {
    expect(sinkOf("webhook:http://hook.example.com/in").passes(normal)).toBe(true);
  });
});

describe("variables", () => {
  it("fill in a whole URI or a part", () => {
    const env = { ROBOT, SIGN: "SEC+/=&%" };
    const sink = sinkOf("dingtalk:${ROBOT}&sign=${SIGN}", env);
    expect(secretText(sink.options["webhook"])).toBe(ROBOT);
    const split = sinkOf(
      "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=abc&sign=${SIGN}",
      env,
    );
    expect(secretText(split.options["secret"])).toBe("SEC+/=&%");
    expect(secretText(sink.options["secret"])).toBe("SEC+/=&%");
  });
});

describe("variables without braces", () => {
  // kube-eventer: os.ExpandEnv over the whole URI.
  const env = { ROBOT, SIGN: "SEC+/=&%", HOST: "hook.example.com", AccessKey: "ak" };

  it.each([
    ["dingtalk:$ROBOT&sign=$SIGN", { webhook: ROBOT, secret: "SEC+/=&%" }],
    [
      "webhook:http://$HOST/in?key=$SIGN",
      { url: "http://hook.example.com/in?key=SEC%2B%2F%3D%26%25" },
    ],
    [
      "webhook:http://$HOST/in?a=$AccessKey&b=x$NOPE",
      { url: "http://hook.example.com/in?a=ak&b=x$NOPE" },
    ],
  ])("are filled in where they are set: %s", (uri, expected) => {
    const { options } = sinkOf(uri, env);
    for (const [name, text] of Object.entries(expected))
      expect(secretText(options[name])).toBe(text);
  });

  it("are filled in within headers and sources", () => {
    const { options } = sinkOf("webhook:http://h/in?header=Authorization=Bearer $SIGN", env);
    const headers = options["headers"] as Readonly<Record<string, unknown>>;
    expect(secretText(headers["Authorization"])).toBe("Bearer SEC+/=&%");
    const { config } = loadConfig({
      flags: { source: ["kubernetes:https://$HOST?auth=$CONFIG"], sink: ["stdout:"] },
      registry: [stdout],
      env: { ...env, CONFIG: "/etc/kubeconfig" },
    });
    expect(config.sources).toEqual([
      expect.objectContaining({
        server: "https://hook.example.com",
        kubeconfig: "/etc/kubeconfig",
      }),
    ]);
  });

  it("are secrets, as those with braces", () => {
    expect(() => sinkOf("webhook:http://h/in?method=$SIGN", env)).toThrow(/^(?!.*SEC\+)/s);
  });
});

describe("what kube-eventer passes over", () => {
  it.each([
    [`dingtalk:${ROBOT}&level=Wrn`, "level: expected one of Normal, Warning"],
    [`dingtalk:${ROBOT}&lable=x`, '"lable" is no parameter of dingtalk (did you mean label?)'],
    ["dingtalk:", "webhook: is missing"],
    ["webhook:http://h/x?method=PO%20ST", "method: is no HTTP method; expected letters"],
    ["kafka:?brokers=a", 'there is no sink type "kafka"'],
  ])("%s is refused", (uri, message) => {
    expect(() => sinkOf(uri)).toThrow(message);
  });
});

describe("what people write and kube-eventer takes for something else", () => {
  it.each(["warning", "WARNING", "Warning"])("level=%s means warnings", (level) => {
    const sink = sinkOf(`dingtalk:${ROBOT}&level=${level}`);
    expect(sink.passes(anEvent())).toBe(true);
    expect(sink.passes(normal)).toBe(false);
  });

  const notesOf = (query: string) =>
    loadConfig({
      flags: { source: ["kubernetes:"], sink: [`webhook:http://127.0.0.1:1/in?${query}`] },
      registry: [webhook],
      env: { TZ: "UTC" },
    }).warnings.map(({ where, message, hint }) => `${where}: ${message} (${hint ?? ""})`);

  it.each([
    ["namespaces=^kube-.*", "^kube-.*"],
    ["namespaces=shop,team-(a|b)", "team-(a|b)"],
    ["kinds=Pod|Node", "Pod|Node"],
  ])("a regular expression that is none is told of: %s", (query, pattern) => {
    const [note = "", ...more] = notesOf(query);
    expect(more).toEqual([]);
    expect(note).toContain(`--sink #1: ${query.split("=")[0]}: "${pattern}" is taken as it stands`);
    expect(note).toContain(`write /${pattern}/`);
  });

  it.each(["namespaces=kube-*,shop", "namespaces=/^kube-.*/", "kinds=Pod", "reason=^Failed.*"])(
    "and nothing is said of %s",
    (query) => {
      expect(notesOf(query)).toEqual([]);
    },
  );
});
