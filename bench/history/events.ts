import type { KubeEvent } from "../../src/event/event.ts";

/** A seeded generator of numbers from 0 up to 1 (mulberry32): the same seed is the same history. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Shape {
  readonly reason: string;
  readonly type: "Normal" | "Warning";
  readonly kind: string;
  readonly component: string;
  /** Out of a thousand events, about. */
  readonly share: number;
  readonly text: (at: At) => string;
}

interface At {
  readonly namespace: string;
  readonly name: string;
  readonly workload: string;
  readonly uid: string;
  readonly node: string;
  readonly n: number;
}

const IMAGE = ({ namespace, workload, n }: At) =>
  `registry.example.com/${namespace}/${workload}:v1.${n % 40}.${n % 7}`;

/** What clusters say, in about the proportions they say it in; some of it in Chinese, as operators of our own write it. */
const SHAPES: readonly Shape[] = [
  shape(
    "Pulled",
    "Normal",
    "Pod",
    "kubelet",
    150,
    (at) => `Container image "${IMAGE(at)}" already present on machine`,
  ),
  shape("Created", "Normal", "Pod", "kubelet", 130, (at) => `Created container ${at.workload}`),
  shape("Started", "Normal", "Pod", "kubelet", 130, (at) => `Started container ${at.workload}`),
  shape(
    "Scheduled",
    "Normal",
    "Pod",
    "default-scheduler",
    110,
    (at) => `Successfully assigned ${at.namespace}/${at.name} to ${at.node}`,
  ),
  shape(
    "BackOff",
    "Warning",
    "Pod",
    "kubelet",
    110,
    (at) =>
      `Back-off restarting failed container ${at.workload} in pod ${at.name}_${at.namespace}(${at.uid})`,
  ),
  shape(
    "Unhealthy",
    "Warning",
    "Pod",
    "kubelet",
    90,
    (at) =>
      `Readiness probe failed: Get "http://10.${at.n % 200}.${at.n % 250}.17:8080/healthz": dial tcp 10.${at.n % 200}.${at.n % 250}.17:8080: connect: connection refused`,
  ),
  shape(
    "SuccessfulCreate",
    "Normal",
    "ReplicaSet",
    "replicaset-controller",
    60,
    (at) => `Created pod: ${at.name}`,
  ),
  shape("Killing", "Normal", "Pod", "kubelet", 50, (at) => `Stopping container ${at.workload}`),
  shape(
    "FailedScheduling",
    "Warning",
    "Pod",
    "default-scheduler",
    35,
    (at) =>
      `0/${12 + (at.n % 9)} nodes are available: ${1 + (at.n % 5)} node(s) had untolerated taint {node.kubernetes.io/memory-pressure: }, ${at.n % 8} Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.`,
  ),
  shape(
    "Failed",
    "Warning",
    "Pod",
    "kubelet",
    30,
    (at) =>
      `Failed to pull image "${IMAGE(at)}": rpc error: code = NotFound desc = failed to pull and unpack image: not found`,
  ),
  shape(
    "ScalingReplicaSet",
    "Normal",
    "Deployment",
    "deployment-controller",
    25,
    (at) => `Scaled up replica set ${at.workload}-${at.n % 999} to ${1 + (at.n % 9)}`,
  ),
  shape(
    "FailedMount",
    "Warning",
    "Pod",
    "kubelet",
    20,
    (at) =>
      `MountVolume.SetUp failed for volume "config" : configmap "${at.workload}-config" not found`,
  ),
  shape(
    "SyncFailed",
    "Warning",
    "Application",
    "argocd",
    15,
    (at) =>
      `同步失败：应用 ${at.workload} 的清单无法应用，镜像拉取超时，请检查仓库凭证（第 ${at.n % 50} 次重试）`,
  ),
  shape(
    "扩容失败",
    "Warning",
    "ElasticGroup",
    "scaler-operator",
    8,
    (at) => `节点池 ${at.namespace} 扩容失败：可用区库存不足，订单 ${at.n}`,
  ),
  shape(
    "SuccessfulDelete",
    "Normal",
    "ReplicaSet",
    "replicaset-controller",
    15,
    (at) => `Deleted pod: ${at.name}`,
  ),
  shape(
    "NodeNotReady",
    "Warning",
    "Node",
    "node-controller",
    6,
    (at) => `Node ${at.node} status is now: NodeNotReady`,
  ),
  shape(
    "OOMKilling",
    "Warning",
    "Node",
    "kernel-monitor",
    6,
    (at) =>
      `Memory cgroup out of memory: Killed process ${10_000 + (at.n % 50_000)} (${at.workload}) total-vm:${at.n}kB, anon-rss:${at.n % 9_000}kB`,
  ),
  shape(
    "Evicted",
    "Warning",
    "Pod",
    "kubelet",
    5,
    () =>
      "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 512Mi.",
  ),
  shape(
    "PolicyViolation",
    "Warning",
    "Pod",
    "kyverno-scan",
    3,
    (at) =>
      `policy require-limits/validate-resources fail: validation error: CPU and memory limits are required. ${at.name}`,
  ),
  shape(
    "FencingFailed",
    "Warning",
    "StorageCluster",
    "rook-ceph",
    0.05,
    (at) => `fencing of ${at.node} failed: quorum lost on osd.${at.n % 12}`,
  ),
];

const WORDS = [
  "web",
  "api",
  "cart",
  "search",
  "payment",
  "worker",
  "gateway",
  "ledger",
  "auth",
  "feed",
  "mail",
  "report",
];

/** Events as an endless row; the time of each is the caller's. */
export class Happenings {
  readonly #random;
  readonly #total = SHAPES.reduce((sum, { share }) => sum + share, 0);
  /** Events that happen again: each again is another occurrence with the same words. */
  readonly #again: KubeEvent[] = [];
  #made = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  next(atMs: number): KubeEvent {
    const slot = this.#below(64);
    const old = this.#again[slot];
    const event =
      old !== undefined && this.#random() < 0.35 ? this.#repeated(old, atMs) : this.#fresh(atMs);
    if (event.type === "Warning") this.#again[slot] = event;
    return event;
  }

  #fresh(atMs: number): KubeEvent {
    this.#made += 1;
    const { reason, type, kind, component, text } = this.#shape();
    const team = this.#zipf(60);
    const namespace = `team-${team}`;
    const workload = `${WORDS[this.#zipf(WORDS.length)] ?? "web"}-${team % 5}`;
    // A pod lives for some thirty events.
    const pod = `${workload}-${letters(hash(`${workload}${Math.floor(this.#made / 200_000)}`), 9)}-${letters(hash(`${workload}/${Math.floor(this.#made / 40_000)}/${this.#below(12)}`), 5)}`;
    const node = `node-${this.#below(40)}.prod.example.com`;
    const name = kind === "Pod" ? pod : kind === "Node" ? node : workload;
    const uid = `${hex(this.#random(), 8)}-${hex(this.#random(), 4)}-4${hex(this.#random(), 3)}-9${hex(this.#random(), 3)}-${hex(this.#random(), 12)}`;
    const home = kind === "Node" ? "default" : namespace;
    const seen = `${new Date(atMs).toISOString().slice(0, 19)}Z`;
    return {
      key: `${uid}@1`,
      uid,
      resourceVersion: String(80_000_000 + this.#made),
      eventName: `${name}.${hex(this.#random(), 16)}`,
      eventNamespace: home,
      cluster: "prod-a",
      type,
      reason,
      message: text({ namespace, name: pod, workload, uid, node, n: this.#below(1_000_000) }),
      action: null,
      object: {
        kind,
        apiVersion: "v1",
        namespace: kind === "Node" ? null : namespace,
        name,
        uid,
        fieldPath: kind === "Pod" ? `spec.containers{${workload}}` : null,
      },
      related: null,
      reporter: { component, host: node, instance: node },
      count: 1,
      firstSeen: seen,
      lastSeen: seen,
    };
  }

  #repeated(event: KubeEvent, atMs: number): KubeEvent {
    const count = event.count + 1;
    return {
      ...event,
      count,
      key: `${event.uid}@${count}`,
      lastSeen: `${new Date(atMs).toISOString().slice(0, 19)}Z`,
    };
  }

  #shape(): Shape {
    let left = this.#random() * this.#total;
    for (const one of SHAPES) {
      left -= one.share;
      if (left < 0) return one;
    }
    return SHAPES[0] as Shape;
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n);
  }

  /** Few have most. */
  #zipf(n: number): number {
    return Math.min(n - 1, Math.floor(n ** this.#random()) - 1);
  }
}

function shape(
  reason: string,
  type: Shape["type"],
  kind: string,
  component: string,
  share: number,
  text: Shape["text"],
): Shape {
  return { reason, type, kind, component, share, text };
}

function hex(random: number, length: number): string {
  return Math.floor(random * 16 ** Math.min(length, 12))
    .toString(16)
    .padStart(Math.min(length, 12), "0")
    .padEnd(length, "a");
}

function hash(text: string): number {
  let sum = 2_166_136_261;
  for (const character of text) sum = Math.imul(sum ^ (character.codePointAt(0) ?? 0), 16_777_619);
  return sum >>> 0;
}

/** As Kubernetes names pods: no vowels, and nothing that looks like something else. */
function letters(seed: number, length: number): string {
  const random = seeded(seed);
  return Array.from(
    { length },
    () => "bcdfghjklmnpqrstvwxz2456789"[Math.floor(random() * 27)],
  ).join("");
}
