import { describe, expect, it } from "vitest";
import { sinks } from "../../../sinks/index.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { bare } from "../../support/sinks.ts";

/**
 * Every option that kube-eventer documents for a sink, or reads without a word, as its pages write them
 * (https://github.com/AliyunContainerService/kube-eventer/tree/master/docs/en): taken, with a meaning or with a word why it has none.
 */
function started(sink: string) {
  const { config, warnings } = loadConfig({
    flags: { source: ["kubernetes:https://kubernetes.default"], sink: [sink] },
    registry: sinks,
    // For eventbridge, which has no option for it there.
    env: { OwnerAccountId: "1234567890123456" },
  });
  const [found] = config.sinks;
  if (found === undefined) throw new Error("no sink");
  const { options, filter, labels } = found;
  return {
    ...(bare(options) as Readonly<Record<string, unknown>>),
    ...filter,
    labels,
    notes: warnings.map(({ message, hint }) => `${message}: ${hint}`),
  };
}

const corp = "corp_id=a5c19f3e02feba7bd5dfc22bfb&corp_secret=a212359acfe86fd80eb1591870";

const ROBOT =
  "https://oapi.dingtalk.com/robot/send?access_token=a5c19f3e02feba7bd5dfc22bfb04afa212359acf";
const SLACK = {
  url: { secret: "https://hooks.slack.com/services/d/B00000000/XXX" },
  level: "Normal",
  kinds: ["Pod"],
};
const ALIYUN = "accessKeyId=LTAI0123&accessKeySecret=fedcba98";
const ALIYUN_KEY = {
  accessKeyId: { secret: "LTAI0123" },
  accessKeySecret: { secret: "fedcba98" },
};

describe("kube-eventer's own", () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["log", { level: "Normal" }],
    ["log:", { level: "Normal" }],
    [
      "honeycomb:?dataset=mydataset&writekey=secretwritekey",
      {
        dataset: "mydataset",
        writekey: { secret: "secretwritekey" },
        apiHost: { secret: "https://api.honeycomb.io" },
        level: "Normal",
      },
    ],
    [
      "honeycomb:?dataset=mydataset&writekey=secretwritekey&apihost=https://api.eu1.honeycomb.io/",
      { apiHost: { secret: "https://api.eu1.honeycomb.io/" } },
    ],
    [
      `wechat:?${corp}&agent_id=1000012&to_user=zhangshan,xiaowang&level=Normal`,
      { agentId: 1_000_012, toUser: ["zhangshan", "xiaowang"], level: "Normal" },
    ],
    [
      `wechat:?${corp}&agent_id=1000012&to_user=&label=a&label=b&namespaces=shop,pay&kinds=Node,Pod`,
      {
        toUser: [],
        labels: ["a", "b"],
        namespaces: ["shop", "pay"],
        kinds: ["Node", "Pod"],
        level: "Warning",
      },
    ],
    // “using the ?nodes notation will override the ES_SERVER_URL”, which may be any.
    [
      "elasticsearch:?nodes=http://foo.com:9200&nodes=http://bar.com:9200",
      { nodes: ["http://foo.com:9200", "http://bar.com:9200"] },
    ],
    // kube-eventer speaks https to DingTalk, whatever stands there.
    [
      "dingtalk:http://oapi.dingtalk.com/robot/send?access_token=a&level=&namespaces=&msg_type=",
      {
        webhook: { secret: "https://oapi.dingtalk.com/robot/send?access_token=a" },
        level: "Warning",
      },
    ],
    [
      "webhook:http://hook.example.com/in?method=&header=&custom_body_configmap=&reason=&level=Normal",
      { method: "POST", headers: {}, reasons: [], level: "Normal" },
    ],
    // RE2, as Go has it, and no other expression.
    ["webhook:http://h/in?reason=(?i)fail|^Back", { reasons: ["/(?i)fail|^Back/"] }],
    // Nothing behind the equals sign is nothing said.
    [
      `wechat:?${corp}&agent_id=1000012&to_user=&label=&namespaces=&kinds=`,
      { toUser: [], labels: [], namespaces: [], kinds: [] },
    ],
    [
      "riemann:http://localhost:5555?ttl=120&state=ok&tags=foobar&batchsize=150",
      {
        address: "http://localhost:5555",
        ttl: 120,
        state: "ok",
        tags: ["foobar"],
        batchSize: 150,
        level: "Normal",
      },
    ],
    ["riemann:", { address: "riemann-heapster:5555", ttl: 60, tags: ["heapster"] }],
    ["riemann:?tags=a&tags=b&state=", { tags: ["a", "b"] }],
    [
      "influxdb:http://monitoring-influxdb:80/",
      {
        url: { secret: "http://monitoring-influxdb:80/" },
        user: "root",
        db: "k8s",
        level: "Normal",
      },
    ],
    [
      "influxdb:http://monitoring-influxdb:80/?user=u&pw=p&db=d&withfields=T&cluster_name=prod",
      { user: "u", pw: { secret: "p" }, db: "d", withfields: true, clusterName: "prod" },
    ],
    [
      "mongo:?mongodb://root:123456@h1.example.com:30694,h2.example.com:32761/?authSource=admin",
      {
        uri: {
          secret:
            "mongodb://root:123456@h1.example.com:30694,h2.example.com:32761/?authSource=admin",
        },
        database: "k8s",
        collection: "event",
        level: "Normal",
      },
    ],
    [
      `dingtalk:${ROBOT}&label=c550367cdf&level=Normal&sign=SEC4801ebab0yeuq924909668e5979f7d184b3f4bfac6a63ae36a`,
      {
        webhook: { secret: ROBOT },
        secret: { secret: "SEC4801ebab0yeuq924909668e5979f7d184b3f4bfac6a63ae36a" },
        labels: ["c550367cdf"],
        level: "Normal",
      },
    ],
    [
      `dingtalk:${ROBOT}&label=a&label=b&namespaces=shop,pay&kinds=Node,Pod&msg_type=markdown&cluster_id=c550367cdf&region=cn-shenzhen`,
      {
        labels: ["a", "b"],
        namespaces: ["shop", "pay"],
        kinds: ["Node", "Pod"],
        msgType: "markdown",
        clusterId: "c550367cdf",
        region: "cn-shenzhen",
        level: "Warning",
      },
    ],
    [`dingtalk:${ROBOT}&msg_type=text`, { msgType: "text" }],
    // The example of the page.
    [
      `webhook:${ROBOT}&level=Normal&namespaces=a,b&kinds=c,d&header=contentType=customContentType&header=customHeaderKey=customHeaderValue`,
      {
        url: { secret: ROBOT },
        level: "Normal",
        namespaces: ["a", "b"],
        kinds: ["c", "d"],
        headers: {
          contentType: { secret: "customContentType" },
          customHeaderKey: { secret: "customHeaderValue" },
        },
      },
    ],
    ["webhook:https://hooks.slack.com/services/d/B00000000/XXX?&level=Normal&kinds=Pod", SLACK],
    [
      "webhook:http://hook.example.com/in?level=Warning&method=PUT&header=Content-Type=application/json&reason=Failed&reason=Unhealthy&custom_body_configmap=custom-body&custom_body_configmap_namespace=kube-system",
      {
        url: { secret: "http://hook.example.com/in" },
        level: "Warning",
        method: "PUT",
        headers: { "Content-Type": { secret: "application/json" } },
        reasons: ["/Failed/", "/Unhealthy/"],
        customBodyConfigmap: "custom-body",
        customBodyConfigmapNamespace: "kube-system",
      },
    ],
    [
      "mysql:?root:transwarp@tcp(172.16.180.132:3306)/kube_eventer?charset=utf8&table=kube_event",
      {
        dsn: { secret: "mysql://root:transwarp@172.16.180.132:3306/kube_eventer" },
        table: "kube_event",
        level: "Normal",
      },
    ],
    ["mysql:?root:transwarp@tcp(db:3306)/kube_eventer", { table: "kube_event" }],
    [
      "elasticsearch:?nodes=http://foo.com:9200&nodes=http://bar.com:9200",
      { nodes: ["http://foo.com:9200", "http://bar.com:9200"], index: "heapster", level: "Normal" },
    ],
    [
      "elasticsearch:http://es.example.com:9200?index=k8s&esUserName=elastic&esUserSecret=secret12&cluster_name=prod&pipeline=geo&use_namespace=true",
      {
        url: { secret: "http://es.example.com:9200" },
        index: "k8s",
        esUserName: "elastic",
        esUserSecret: { secret: "secret12" },
        clusterName: "prod",
        pipeline: "geo",
        useNamespace: true,
      },
    ],
    // Options that count by being there, whatever their value.
    ["elasticsearch:http://es.example.com:9200?use_namespace", { useNamespace: true }],
    [
      "elasticsearch:https://es.example.com?sigv4&region=eu-west-1&accessKeyId=AKIA0&accessKeySecret=secret12",
      { sigv4: true, accessKeyId: { secret: "AKIA0" }, region: "eu-west-1" },
    ],
    [
      "kafka:?brokers=localhost:9092&brokers=localhost:9093&eventstopic=testtopic",
      { brokers: ["localhost:9092", "localhost:9093"], eventsTopic: "testtopic", level: "Normal" },
    ],
    ["kafka:?brokers=localhost:9092", { eventsTopic: "heapster-events", compression: "none" }],
    ...["none", "gzip", "snappy", "lz4"].map(
      (compression): [string, Readonly<Record<string, unknown>>] => [
        `kafka:?brokers=localhost:9092&compression=${compression}`,
        { compression },
      ],
    ),
    [
      "kafka:?brokers=localhost:9092&user=crier&password=secret12&cacert=/tls/ca.pem&cert=/tls/tls.crt&key=/tls/tls.key&insecuressl=false",
      {
        user: "crier",
        password: { secret: "secret12" },
        caCert: "/tls/ca.pem",
        cert: "/tls/tls.crt",
        key: "/tls/tls.key",
        insecureSsl: false,
      },
    ],
    ["kafka:?brokers=localhost:9092&insecuressl=true", { insecureSsl: true }],
    [
      `sls:https://cn-hangzhou.log.aliyuncs.com?project=my-project&logStore=k8s&topic=dev&label=Key1,Value1&label=Key2,Value2&${ALIYUN}`,
      {
        endpoint: "https://cn-hangzhou.log.aliyuncs.com",
        project: "my-project",
        logStore: "k8s",
        topic: "dev",
        label: ["Key1", "Value1", "Key2", "Value2"],
        ...ALIYUN_KEY,
        internal: true,
        level: "Normal",
      },
    ],
    // The address of the page's example, which kube-eventer does not look at.
    [
      `sls:https://sls.aliyuncs.com?project=my-project&logStore=k8s&regionId=cn-hangzhou&internal=false&${ALIYUN}`,
      { regionId: "cn-hangzhou", internal: false },
    ],
    [
      `eventbridge:?clusterId=c1&regionId=cn-hangzhou&eventBusName=ops&internal=false&${ALIYUN}`,
      {
        clusterId: "c1",
        regionId: "cn-hangzhou",
        eventBusName: "ops",
        accountId: "1234567890123456",
        internal: false,
        ...ALIYUN_KEY,
        level: "Normal",
      },
    ],
  ])("%s is taken without a word", (uri, expected) => {
    expect(started(uri)).toMatchObject({ ...expected, notes: [] });
  });

  it.each([
    [
      `wechat:https://qyapi.weixin.qq.com/cgi-bin/message/send?access_token=0123456789abcdef&level=Warning&label=x&${corp}&agent_id=1`,
      [/^access_token of kube-eventer changes nothing here: a token is asked for/],
    ],
    [
      "elasticsearch:http://dummy?nodes=http://foo.com:9200",
      [/^the address changes nothing here: nodes counts in place of it$/],
    ],
    [
      "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=a&sign=",
      [/^sign is empty: it counts as not given$/],
    ],
    [
      "influxdb:http://h:8086?insecuressl=true&retention=0&disable_counter_metrics=true&concurrency=2",
      [/^insecuressl .*NODE_EXTRA_CA_CERTS/, /^retention .*never used/, /^disable_counter_metrics/],
    ],
    [
      "elasticsearch:http://elasticsearch.example.com:9200?sniff=false&ver=6&maxRetries=3&healthCheck=0&startupHealthcheckTimeout=5&bulkWorkers=2",
      [
        /^sniff .*`nodes`/,
        /^ver .*same for Elasticsearch 7/,
        /^maxRetries .*give_up_after/,
        /^healthCheck .*waited for/,
        /^startupHealthcheckTimeout .*waited for/,
        /^bulkWorkers .*`concurrency`/,
      ],
    ],
    [
      "elasticsearch:http://dummy:9200?nodes=http://foo.com:9200",
      [/^the address changes nothing here: nodes counts in place of it/],
    ],
    [
      "kafka:?brokers=localhost:9092&brokers=localhost:9093&timeseriestopic=testseries",
      [/^timeseriestopic .*metrics/],
    ],
  ])("%s is taken, and what has no effect is told", (uri, notes) => {
    const found = started(uri);
    expect(found.notes).toEqual(notes.map((note) => expect.stringMatching(note) as unknown));
    expect(found.notes.join()).not.toContain("0123456789abcdef");
  });

  it.each([
    [
      "webhook:http://h/in?reason=Fail(ed",
      'reason is no regular expression: found "Fail(ed"; a parenthesis',
    ],
    ["dingtalk:http://example.com/robot/send?access_token=a", "webhook: says http to a host"],
  ])("%s is refused", (uri, said) => {
    expect(() => started(uri)).toThrow(said);
  });
});

describe("what is missing in a URI", () => {
  it.each([
    ["webhook:?level=Warning", /write it like this: webhook:https:\/\//],
    ["dingtalk:", /write it like this: dingtalk:https:\/\/oapi/],
    [
      "honeycomb:?dataset=d",
      /add writekey=\$\{NAME\} .*, or set HONEYCOMB_WRITEKEY in the environment/,
    ],
    [`wechat:?corp_id=a&agent_id=1`, /add corp_secret=\$\{NAME\} with the environment variable/],
    ["wechat:?corp_id=a&corp_secret=b", /for example 1000002/],
    [
      "sls:https://sls.aliyuncs.com?project=k8s-audit&logStore=events&accessKeyId=a",
      /accessKeySecret: is missing; expected both parts of the access key, or neither/,
    ],
    [
      "sls:https://sls.aliyuncs.com?project=k8s-audit&logStore=events&accessKeyId=a&accessKeySecret=b",
      /regionId: is missing; expected the region, like cn-hangzhou, .*asked for it only where no access key/,
    ],
    [
      "eventbridge:?provider=aws&regionId=eu-central-1",
      /accessKeyId: is missing; expected an access key's, here or in AWS_ACCESS_KEY_ID/,
    ],
  ])("%s: the next step is one of a URI", (uri, hint) => {
    expect(() => started(uri)).toThrow(hint);
    expect(() => started(uri)).not.toThrow("$env");
  });
});
