import type { Lang } from "../config/config.ts";

type Words = Readonly<Record<Lang, string>>;

function words(en: string, zh: string): Words {
  return { en, zh };
}

/**
 * Reasons in words. The names are those of the kubelet, the scheduler, the controllers of kube-controller-manager, the cluster autoscaler and
 * node-problem-detector; the words say what it means for whoever is woken by it.
 */
export const REASONS: Readonly<Record<string, Words>> = {
  // Pods and containers (kubelet)
  BackOff: words("Back-off restarting container", "容器反复崩溃"),
  Failed: words("Container failed", "容器启动失败"),
  Killing: words("Stopping container", "正在停止容器"),
  Preempting: words("Pod preempted", "Pod 被抢占"),
  Preempted: words("Pod preempted", "Pod 被抢占"),
  Created: words("Container created", "容器已创建"),
  Started: words("Container started", "容器已启动"),
  Pulling: words("Pulling image", "正在拉取镜像"),
  Pulled: words("Image pulled", "镜像已拉取"),
  ErrImageNeverPull: words("Image missing on the node", "节点上没有镜像"),
  InspectFailed: words("Image name invalid", "镜像名无效"),
  Unhealthy: words("Health check failed", "健康检查失败"),
  ProbeWarning: words("Health check warning", "健康检查告警"),
  FailedPostStartHook: words("PostStart hook failed", "PostStart 钩子失败"),
  FailedPreStopHook: words("PreStop hook failed", "PreStop 钩子失败"),
  ExceededGracePeriod: words("Did not stop in time", "未在宽限期内停止"),
  FailedSync: words("Pod sync failed", "Pod 同步失败"),
  FailedCreatePodSandBox: words("Pod sandbox failed", "Pod 沙箱创建失败"),
  FailedCreatePodContainer: words("Container creation failed", "容器创建失败"),
  FailedKillPod: words("Could not stop pod", "Pod 停止失败"),
  SandboxChanged: words("Pod sandbox restarted", "Pod 沙箱重建"),
  NetworkNotReady: words("Node network not ready", "节点网络未就绪"),
  Evicted: words("Pod evicted", "Pod 被驱逐"),
  OOMKilled: words("Out of memory, container killed", "内存不足，容器被杀"),
  DeadlineExceeded: words("Deadline exceeded", "超过期限"),

  // Scheduling
  FailedScheduling: words("No node fits", "无法调度"),
  Scheduled: words("Pod scheduled", "Pod 已调度"),
  TriggeredScaleUp: words("Adding nodes for pod", "正在扩容节点"),
  NotTriggerScaleUp: words("No node group fits", "无可扩容的节点组"),
  TaintManagerEviction: words("Evicted by a taint", "因污点被驱逐"),

  // Volumes
  FailedMount: words("Volume mount failed", "卷挂载失败"),
  FailedAttachVolume: words("Volume attach failed", "卷挂接失败"),
  FailedMapVolume: words("Volume map failed", "卷映射失败"),
  VolumeResizeFailed: words("Volume resize failed", "卷扩容失败"),
  ProvisioningFailed: words("Volume provisioning failed", "卷创建失败"),
  FailedBinding: words("Volume claim not bound", "存储声明未绑定"),
  ClaimLost: words("Volume of the claim is lost", "存储声明的卷已丢失"),
  VolumeLost: words("Volume lost", "卷已丢失"),
  VolumeFailedDelete: words("Volume deletion failed", "卷删除失败"),

  // Nodes (kubelet, node controller)
  NodeNotReady: words("Node not ready", "节点未就绪"),
  NodeReady: words("Node ready", "节点就绪"),
  NodeNotSchedulable: words("Node cordoned", "节点已停止调度"),
  NodeSchedulable: words("Node uncordoned", "节点恢复调度"),
  NodeHasDiskPressure: words("Node short of disk", "节点磁盘不足"),
  NodeHasNoDiskPressure: words("Node disk fine again", "节点磁盘恢复"),
  NodeHasInsufficientMemory: words("Node short of memory", "节点内存不足"),
  NodeHasSufficientMemory: words("Node memory fine again", "节点内存充足"),
  NodeHasInsufficientPID: words("Node short of process IDs", "节点进程号不足"),
  NodeHasSufficientPID: words("Node process IDs fine again", "节点进程号充足"),
  EvictionThresholdMet: words("Node is evicting pods", "节点开始驱逐 Pod"),
  FreeDiskSpaceFailed: words("Could not free disk space", "磁盘空间清理失败"),
  ImageGCFailed: words("Image clean-up failed", "镜像清理失败"),
  ContainerGCFailed: words("Container clean-up failed", "容器清理失败"),
  InvalidDiskCapacity: words("Disk capacity unknown", "磁盘容量无效"),
  Rebooted: words("Node rebooted", "节点重启"),
  RegisteredNode: words("Node registered", "节点已注册"),
  RemovingNode: words("Node removed", "节点被移除"),
  DeletingNode: words("Node being deleted", "节点正在删除"),
  SystemOOM: words("Node out of memory", "节点内存耗尽"),

  // node-problem-detector
  OOMKilling: words("Out of memory, process killed", "内存不足，进程被杀"),
  PodOOMKilling: words("Out of memory, pod process killed", "内存不足，Pod 进程被杀"),
  TaskHung: words("Kernel task hung", "内核任务挂起"),
  KernelOops: words("Kernel oops", "内核错误"),
  KernelPanic: words("Kernel panic", "内核崩溃"),
  KernelDeadlock: words("Kernel deadlock", "内核死锁"),
  KernelHasNoDeadlock: words("No kernel deadlock", "内核无死锁"),
  DockerHung: words("Docker hung", "Docker 挂起"),
  ReadonlyFilesystem: words("Filesystem read-only", "文件系统只读"),
  FilesystemIsReadOnly: words("Filesystem read-only", "文件系统只读"),
  FilesystemIsNotReadOnly: words("Filesystem writable", "文件系统可写"),
  CorruptDockerImage: words("Image corrupt on the node", "节点镜像损坏"),
  RunningOutOfPID: words("Running out of process IDs", "进程号即将耗尽"),
  NTPIsDown: words("Node clock not synchronised", "节点时间不同步"),
  ConntrackFull: words("Connection table full", "连接跟踪表已满"),
  KubeletUnhealthy: words("Kubelet unhealthy", "Kubelet 异常"),
  ContainerdUnhealthy: words("Containerd unhealthy", "Containerd 异常"),
  FrequentKubeletRestart: words("Kubelet keeps restarting", "Kubelet 频繁重启"),
  FrequentContainerdRestart: words("Containerd keeps restarting", "Containerd 频繁重启"),
  FrequentDockerRestart: words("Docker keeps restarting", "Docker 频繁重启"),

  // Workloads and services
  FailedCreate: words("Could not create pods", "创建 Pod 失败"),
  FailedDelete: words("Could not delete pods", "删除 Pod 失败"),
  SuccessfulCreate: words("Pod created", "Pod 已创建"),
  SuccessfulDelete: words("Pod deleted", "Pod 已删除"),
  ScalingReplicaSet: words("Rollout scales replicas", "正在调整副本"),
  SuccessfulRescale: words("Autoscaler changed replicas", "自动伸缩已生效"),
  FailedGetResourceMetric: words("Autoscaler has no metrics", "自动伸缩缺少指标"),
  FailedComputeMetricsReplicas: words("Autoscaler has no metrics", "自动伸缩缺少指标"),
  FailedRescale: words("Autoscaler could not scale", "自动伸缩失败"),
  BackoffLimitExceeded: words("Job gave up", "任务重试耗尽"),
  Completed: words("Job completed", "任务完成"),
  FailedNeedsStart: words("Job missed its start", "任务错过启动时间"),
  MissSchedule: words("Job missed its schedule", "任务错过调度"),
  NoPods: words("No pods to protect", "没有匹配的 Pod"),
  SyncLoadBalancerFailed: words("Load balancer failed", "负载均衡同步失败"),
  FailedToUpdateEndpoint: words("Endpoints not updated", "端点更新失败"),
  FailedToUpdateEndpointSlices: words("Endpoints not updated", "端点更新失败"),
  LeaderElection: words("New leader elected", "选出新的主节点"),

  // kube-crier itself
  KubeCrierCanary: words("Canary of kube-crier", "kube-crier 探测事件"),
  KubeCrierCanaryMissing: words("Canary of kube-crier is missing", "kube-crier 探测事件未到达"),
  KubeCrierCanaryBack: words("Canary of kube-crier is back", "kube-crier 探测事件恢复"),
};

/** The kubelet uses some reasons for several things; only the message tells which. First match wins. */
const TOLD_BY_MESSAGE: Readonly<Record<string, readonly (readonly [RegExp, Words])[]>> = {
  BackOff: [[/^Back-off pulling image/, words("Back-off pulling image", "镜像反复拉取失败")]],
  Failed: [
    [/ErrImageNeverPull/, words("Image missing on the node", "节点上没有镜像")],
    [/pull|ErrImage|InvalidImageName/i, words("Image pull failed", "镜像拉取失败")],
  ],
  Unhealthy: [
    [/^Liveness probe/, words("Liveness probe failed", "存活探针失败")],
    [/^Readiness probe/, words("Readiness probe failed", "就绪探针失败")],
    [/^Startup probe/, words("Startup probe failed", "启动探针失败")],
  ],
};

/** Only a container's reason when it is about a pod: other objects use the word too. */
const PODS_ONLY: ReadonlySet<string> = new Set([
  "Failed",
  "BackOff",
  "Killing",
  "Created",
  "Started",
]);

/** A reason in words of the reader's language; `null` where nobody wrote them down. */
export function knownWords(
  lang: Lang,
  event: { readonly reason: string; readonly message: string; readonly object: { kind: string } },
): string | null {
  const { reason, message } = event;
  if (PODS_ONLY.has(reason) && event.object.kind !== "Pod") return null;
  const told = Object.hasOwn(TOLD_BY_MESSAGE, reason) ? TOLD_BY_MESSAGE[reason] : undefined;
  const found = told?.find(([pattern]) => pattern.test(message.slice(0, 1000)))?.[1];
  if (found !== undefined) return found[lang];
  return Object.hasOwn(REASONS, reason) ? (REASONS[reason]?.[lang] ?? null) : null;
}

/** `FailedToFetchURL` → `Failed to fetch URL`; anything that is not a CamelCase word stays as it is. */
export function splitWords(reason: string): string {
  if (!/^[A-Z][A-Za-z0-9]*$/.test(reason) || reason.length > 80) return reason;
  const parts = reason.match(/[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z0-9]*/g) ?? [reason];
  return parts
    .map((part, index) =>
      index === 0 || /^[A-Z][A-Z0-9]*$/.test(part) ? part : part.toLowerCase(),
    )
    .join(" ");
}
