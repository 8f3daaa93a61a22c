import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { optionsOf } from "../../../src/sink/schema.ts";
import { sinks as real } from "../../../sinks/index.ts";
import { FIXTURE_ENV, type Given, load } from "../../support/config.ts";

/** What a person reads of each option, by its section and name. */
function read(given: Given, ...yaml: readonly string[]) {
  const options = load(given, ...yaml).options();
  return (section: string, name: string) => {
    const found = options.find((one) => one.section === section && one.name === name);
    if (found === undefined) throw new Error(`no option ${section} ${name}`);
    const { value, where, referred } = found;
    return referred ? [value, where, "referred"] : [value, where];
  };
}

describe("the effective configuration", () => {
  const CONFIG = `
cluster: prod-a
filter:
  exclude:
    reasons: [FailedScheduling, /^Pull/]
sources:
  - kubernetes:
      namespaces: [shop]
sinks:
  oncall:
    type: chat
    url: https://chat.example.com/send?access_token=abcdefgh
    filter:
      namespaces: [shop, data]
`;

  it("says where each option stands: line and column of a file, a flag, or nowhere", () => {
    const at = read({ flags: { history: "30d", namespaces: ["shop", "pay"] } }, CONFIG);
    expect(at("global", "cluster")).toEqual(["prod-a", "file1.yaml:2:10"]);
    expect(at("global", "history")).toEqual(["30d", "--history"]);
    expect(at("global", "digestEvery")).toEqual(["5s", null]);
    expect(at("global", "templates")).toEqual([null, null]);
    expect(at("filter", "namespaces")).toEqual(["shop,pay", "--namespaces"]);
    expect(at("filter", "exclude.reasons")).toEqual([
      "FailedScheduling,/^Pull/",
      "file1.yaml:5:14",
    ]);
    expect(at("sources[0]", "kubernetes.namespaces")).toEqual(["shop", "file1.yaml:8:19"]);
    expect(at("sinks.oncall", "type")).toEqual(["chat", "file1.yaml:11:11"]);
    expect(at("sinks.oncall", "filter.namespaces")).toEqual(["shop,data", "file1.yaml:14:19"]);
  });

  it("shows what holds where nothing was given, as it is for this sink", () => {
    const at = read(
      { flags: { lang: "zh" } },
      `${CONFIG}  hook: { type: hook, url: "http://127.0.0.1" }\n`,
    );
    // Chats hear of warnings, programs of everything.
    expect(at("sinks.oncall", "filter.level")).toEqual(["Warning", null]);
    expect(at("sinks.hook", "filter.level")).toEqual(["Normal", null]);
    expect(at("sinks.oncall", "lang")).toEqual(["zh", null]);
    expect(at("sinks.oncall", "msgType")).toEqual(["markdown", null]);
    expect(at("sinks.oncall", "timeout")).toEqual(["10s", null]);
  });

  it("lets a flag win over a file, and the later file over the earlier", () => {
    const at = read(
      { flags: { clusterName: "c" } },
      "cluster: a\nlang: en",
      "cluster: b\nlang: zh",
    );
    expect(at("global", "cluster")).toEqual(["c", "--cluster-name"]);
    expect(at("global", "lang")).toEqual(["zh", "file2.yaml:2:7"]);
  });

  it("knows what else gives an option: $TZ, flags for all sources, the sink that is taken where none is given", () => {
    const at = read({ flags: { replay: "15m" }, env: { TZ: ":Asia/Shanghai" } });
    expect(at("global", "timezone")).toEqual(["Asia/Shanghai", "$TZ"]);
    expect(at("sources[0]", "kubernetes.replay")).toEqual(["15m", "--replay"]);
    expect(at("sources[0]", "kubernetes.maxAge")).toEqual(["1h", null]);
    expect(at("sinks.stdout", "type")).toEqual(["stdout", "the sink taken when none is given"]);
    expect(read({ flags: { timezone: "UTC" } })("global", "timezone")).toEqual([
      "UTC",
      "--timezone",
    ]);
  });

  it("shows no secret, and says of what is from elsewhere that it is", () => {
    const at = read(
      {},
      `
cluster: "\${TEAM}"
sinks:
  oncall:
    type: chat
    url: "\${CHAT_URL}"
    secret: { $file: /secrets/chat-sign }
    mention: ["\${CHAT_TOKEN}"]
    headers: { X-Key: "\${CHAT_TOKEN}", Accept: text/plain }
`,
    );
    expect(at("global", "cluster")).toEqual(["<redacted>", "file1.yaml:2:10", "referred"]);
    expect(at("sinks.oncall", "url")).toEqual(["<redacted>", "file1.yaml:6:10", "referred"]);
    expect(at("sinks.oncall", "secret")).toEqual(["<redacted>", "file1.yaml:7:13", "referred"]);
    expect(at("sinks.oncall", "headers")[0]).not.toContain("token");
    expect(at("sinks.oncall", "headers").at(-1)).toBe("referred");
  });

  it("shows of a URI from the environment what is no part of it", () => {
    const uri =
      "chat:https://chat.example.com/send?access_token=${CHAT_TOKEN}&level=Normal&mention=${CHAT_TOKEN}&namespaces=shop";
    const at = read({ flags: { sink: [uri] } });
    expect(at("sinks.chat", "filter.level")).toEqual(["Normal", "--sink #1", "referred"]);
    expect(at("sinks.chat", "filter.namespaces")[0]).toBe("shop");
    expect(at("sinks.chat", "url")[0]).toBe("<redacted>");
    expect(at("sinks.chat", "mention")[0]).toBe("<redacted>");
  });

  it("knows what a sink takes from the environment by itself", () => {
    const env = {
      AWS_ACCESS_KEY_ID: "AKIAmadeup",
      AWS_SECRET_ACCESS_KEY: "made-up-secret-key",
      AWS_REGION: "eu-west-1",
    };
    const { options } = loadConfig({
      flags: { sink: ["elasticsearch:https://search.example.com:9200?sigv4=true"] },
      registry: real,
      env,
    });
    const found = options().filter(({ where }) => where?.startsWith("$") === true);
    expect(found.map(({ name, where, value }) => [name, where, value])).toEqual([
      ["accessKeyId", "$AWS_ACCESS_KEY_ID", "<redacted>"],
      ["accessKeySecret", "$AWS_SECRET_ACCESS_KEY", "<redacted>"],
      ["region", "$AWS_REGION", "eu-west-1"],
    ]);
  });
});

describe("of every sink", () => {
  it.each(real.map((sink) => [sink.type, sink] as const))("%s shows no secret", (_, sink) => {
    const secrets = optionsOf(sink.options).filter(({ meta }) => meta.secret === true);
    const { options } = loadConfig({
      flags: { sink: [sink.example.uri] },
      registry: real,
      env: FIXTURE_ENV,
    });
    const shown = options();
    const text = JSON.stringify(shown.filter(({ section }) => section.startsWith("sinks.")));
    for (const { name } of secrets) {
      const values = [sink.example.yaml[name]].flatMap((value) =>
        typeof value === "object" && value !== null ? Object.values(value) : value,
      );
      for (const value of values.filter((one) => typeof one === "string" && one !== ""))
        expect(text, name).not.toContain(value);
    }
    expect(shown.every(({ about }) => about !== "")).toBe(true);
  });
});
