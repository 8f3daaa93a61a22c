import { loadConfig } from "../../src/config/load.ts";
import type { SinkConfig } from "../../src/config/config.ts";
import { Secret } from "../../src/sink/index.ts";
import { sinks as registry } from "../../sinks/index.ts";
import { memoryFiles } from "./config.ts";
import { bare } from "./sinks.ts";

/** URIs as kube-eventer's documentation has them (docs/en, 2024), one for each sink and form. */
export const DOCUMENTED = {
  dingtalk:
    "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=a5c19f3e02feba7bd5dfc22bfb04afa212359acfe86fd80eb159187097b7d014&label=c550367cdf1e84dfabab013b277cc6bc2&level=Normal&sign=SEC4801ebab0yeuq924909668e5979f7d184b3f4bfac6a63ae36a",
  dingtalkMarkdown:
    "dingtalk:https://oapi.dingtalk.com/robot/send?access_token=a5c19f3e02feba7bd5dfc22bfb04afa212359acfe86fd80eb159187097b7d014&label=c550367cdf1e84dfabab013b277cc6bc2&level=Normal&msg_type=markdown&cluster_id=c550367cdf1e84dfabab013b277cc6bc2&region=cn-shenzhen",
  webhook:
    "webhook:https://oapi.dingtalk.com/robot/send?access_token=a5c19f3e02feba7bd5dfc22bfb04afa212359acfe86fd80eb159187097b7d014&level=Normal&namespaces=a,b&kinds=c,d&header=contentType=customContentType&header=customHeaderKey=customHeaderValue",
  lark: "webhook:https://open.feishu.cn/open-apis/bot/v2/hook/0e6c1f2aa5c19f3e02?level=Warning&method=POST&header=Content-Type=application/json&custom_body_configmap=custom-body&custom_body_configmap_namespace=kube-system",
  slack:
    "webhook:https://hooks.slack.com/services/d/B00000000/XXX?&level=Normal&kinds=Pod&header=Content-Type=application/json&custom_body_configmap=custom-body&custom_body_configmap_namespace=kube-system&method=POST",
  wecom:
    "webhook:http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=633a31f6-7f9c-4bc4-97a0-0ec1eefa5898&level=Normal&kinds=Pod&header=Content-Type=application/json&custom_body_configmap=custom-body&custom_body_configmap_namespace=kube-system&method=POST",
  wechat:
    "wechat:?corp_id=a5c19f3e02feba7bd5dfc22bfb&corp_secret=a212359acfe86fd80eb1591870&agent_id=1000012&to_user=zhangshan,xiaowang&level=Normal",
  mysql:
    "mysql:?root:transwarp@tcp(172.16.180.132:3306)/kube_eventer?charset=utf8&table=kube_event",
  elasticsearch: "elasticsearch:http://elasticsearch.example.com:9200?sniff=false&ver=6",
  elasticsearchNodes: "elasticsearch:?nodes=http://foo.com:9200&nodes=http://bar.com:9200",
  influxdb: "influxdb:http://monitoring-influxdb:80/",
  honeycomb: "honeycomb:?dataset=mydataset&writekey=secretwritekey",
  riemann: "riemann:http://localhost:5555?ttl=120&state=ok&tags=foobar&batchsize=150",
  sls: "sls:https://sls.aliyuncs.com?project=my-sls-project&logStore=my-sls-project-logstore&topic=k8s-cluster-dev&label=Key1,Value1&label=Key2,Value2&regionId=cn-beijing&internal=false&accessKeyId=LTAI5tsecretid&accessKeySecret=fedcba98secret",
  eventbridge:
    "eventbridge:?clusterId=c550367cdf1e84&regionId=cn-hangzhou&accountId=1234567890&accessKeyId=LTAI5tsecretid&accessKeySecret=fedcba98secret&eventBusName=k8s",
  mongo:
    "mongo:?mongodb://root:123456pw@mongo-0.dba.example.com:30694,mongo-1.dba.example.com:32761/?authSource=admin",
  kafka: "kafka:?brokers=localhost:9092&brokers=localhost:9093&timeseriestopic=testseries",
  kafkaTopic:
    "kafka:?brokers=localhost:9092&brokers=localhost:9093&eventstopic=testtopic&user=crier&password=kafkapw123",
  log: "log:",
} as const;

/** Secrets of the URIs above: none may ever be printed. */
export const SECRETS = [
  "a5c19f3e02feba7bd5dfc22bfb04afa212359acfe86fd80eb159187097b7d014",
  "SEC4801ebab0yeuq924909668e5979f7d184b3f4bfac6a63ae36a",
  "0e6c1f2aa5c19f3e02",
  "B00000000",
  "633a31f6-7f9c-4bc4-97a0-0ec1eefa5898",
  "a212359acfe86fd80eb1591870",
  "transwarp",
  "secretwritekey",
  "customHeaderValue",
  "LTAI5tsecretid",
  "fedcba98secret",
  "123456pw",
  "kafkapw123",
] as const;

/** A Deployment as kube-eventer's README has it, with these arguments. */
export function deployment(
  args: readonly string[],
  more: { readonly env?: string; readonly key?: "command" | "args" } = {},
): string {
  const { env = "", key = "command" } = more;
  const first = key === "command" ? ['"/kube-eventer"'] : [];
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    name: kube-eventer
  name: kube-eventer
  namespace: kube-system
spec:
  replicas: 1
  selector:
    matchLabels:
      app: kube-eventer
  template:
    metadata:
      labels:
        app: kube-eventer
    spec:
      dnsPolicy: ClusterFirstWithHostNet
      serviceAccount: kube-eventer
      containers:
        - image: registry.example.com/acs/kube-eventer:v1.2.7-ca03be0-aliyun
          name: kube-eventer
          ${key}:
${[...first, ...args.map((arg) => JSON.stringify(arg))].map((arg) => `            - ${arg}\n`).join("")}${env}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: kube-eventer
rules:
  - apiGroups: [""]
    resources: [configmaps, events]
    verbs: [get, list, watch]
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: kube-eventer
  namespace: kube-system
`;
}

/** What the sinks of a configuration are, definitions aside: comparable. */
export function plainSinks(sinks: readonly SinkConfig[]): readonly unknown[] {
  return sinks.map(({ definition, ...rest }) => bare({ type: definition.type, ...rest }));
}

/** What kube-eventer's own flags give. */
export function sinksOfFlags(
  sink: readonly string[],
  env: Readonly<Record<string, string>> = {},
): readonly SinkConfig[] {
  return loadConfig({ flags: { sink }, registry, env, files: memoryFiles({}) }).config.sinks;
}

/** What a printed configuration gives, and what it is warned of. */
export function loadPrinted(text: string, env: Readonly<Record<string, string>>) {
  const files = memoryFiles({ "printed.yaml": text });
  return loadConfig({ flags: { config: ["printed.yaml"] }, registry, env, files });
}

/** The variables a migration makes, by the rule its documentation gives: the sink's name and the option's. */
export function secretsOf(sinks: readonly SinkConfig[]): Record<string, string> {
  const upper = (text: string) =>
    text
      .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
      .replaceAll(/\W+/g, "_")
      .toUpperCase();
  return Object.fromEntries(
    sinks.flatMap(({ name, options }) =>
      Object.entries(options).flatMap(([option, value]): [string, string][] => {
        if (value instanceof Secret) return [[upper(`${name}_${option}`), value.reveal()]];
        if (option !== "headers" || typeof value !== "object" || value === null) return [];
        return Object.entries(value as Readonly<Record<string, Secret>>).map(([header, text]) => [
          upper(`${name}_header_${header}`),
          text.reveal().replace(/^(Bearer|Basic) /, ""),
        ]);
      }),
    ),
  );
}
