import type { StrictEvent } from "../../src/sink/index.ts";

/** Where kube-eventer's markdown leads: Alibaba Cloud's consoles. */
const CLUSTER = "https://cs.console.aliyun.com/#/k8s";
const SERVER = "https://ecs.console.aliyun.com/#/server";

/** Kinds whose pages are alike: the folder, and the tab. */
const PAGES: Readonly<Record<string, readonly [string, string]>> = {
  Deployment: ["deployment", "/pods"],
  StatefulSet: ["statefulset", "/pods"],
  DaemonSet: ["daemonset", "/pods"],
  CronJob: ["cronjob", "/jobs"],
  Service: ["service", ""],
};

export interface Cluster {
  readonly clusterId?: string | undefined;
  readonly region?: string | undefined;
}

/** kube-eventer's message as markdown: what belongs to the cluster links to the console, the rest is bold. */
export function strictMarkdown(event: StrictEvent, cluster: Cluster): string {
  const { labels, host, type, kind, namespace, reason, time, message } = event;
  return [
    ...labels.map((label, index) => `label[${index}]: **${label}**`),
    ...(host === "" ? [] : [`Node: ${serverLink(host)} `]),
    `Level: **${type}** `,
    `Kind: **${kind}** `,
    `Namespace: [${namespace}](${CLUSTER}/namespace) `,
    `Name: ${objectLink(event, cluster)} `,
    `Reason: **${reason}** `,
    `Timestamp: **${time}** `,
    `Message: **${message}**`,
  ].join("\n\n");
}

/** `i-bp1x.cn-hangzhou` is a server and its region. */
function serverLink(host: string): string {
  const [id = "", region] = host.split(".");
  return region === undefined
    ? `**${host}**`
    : `[${host}](${SERVER}/${part(region)}/detail?regionId=${part(id)})`;
}

/** The object's name is what the Event's begins with. */
function objectLink({ kind, namespace, name }: StrictEvent, cluster: Cluster): string {
  const { clusterId = "", region = "" } = cluster;
  const [object = ""] = name.split(".");
  const place = [clusterId, namespace, object].map(part).join("/");
  if (kind === "Pod") return `[${name}](${CLUSTER}/pod/${place}/container)`;
  const page = PAGES[kind];
  if (page === undefined) return name;
  const [folder, tab] = page;
  return `[${name}](${CLUSTER}/${folder}/detail/${part(region)}/${place}${tab})`;
}

function part(text: string): string {
  return encodeURIComponent(text);
}
