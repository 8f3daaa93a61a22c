import { describe, expect, it } from "vitest";
import { severityOf, severityRank } from "../../../src/event/severity.ts";
import { buildView } from "../../../src/template/build-view.ts";
import { knownWords, REASONS } from "../../../src/template/reasons.ts";
import { anEvent } from "../../support/events.ts";

/**
 * What a person on call reads at the top of an alert, for each reason that Kubernetes, the autoscaler and node-problem-detector are known to give,
 * as a Warning: the mark, the reason, its words in English and in Chinese.
 */
const TOLD = `
  🟠 BackOff                      | Back-off restarting container      | 容器反复崩溃
  🟠 Failed                       | Container failed                   | 容器启动失败
  🟠 Killing                      | Stopping container                 | 正在停止容器
  🟠 Preempting                   | Pod preempted                      | Pod 被抢占
  🟠 Preempted                    | Pod preempted                      | Pod 被抢占
  🟠 Created                      | Container created                  | 容器已创建
  🟠 Started                      | Container started                  | 容器已启动
  🟠 Pulling                      | Pulling image                      | 正在拉取镜像
  🟠 Pulled                       | Image pulled                       | 镜像已拉取
  🟠 ErrImageNeverPull            | Image missing on the node          | 节点上没有镜像
  🟠 InspectFailed                | Image name invalid                 | 镜像名无效
  🟠 Unhealthy                    | Health check failed                | 健康检查失败
  🟠 ProbeWarning                 | Health check warning               | 健康检查告警
  🟠 FailedPostStartHook          | PostStart hook failed              | PostStart 钩子失败
  🟠 FailedPreStopHook            | PreStop hook failed                | PreStop 钩子失败
  🟠 ExceededGracePeriod          | Did not stop in time               | 未在宽限期内停止
  🟠 FailedSync                   | Pod sync failed                    | Pod 同步失败
  🟠 FailedCreatePodSandBox       | Pod sandbox failed                 | Pod 沙箱创建失败
  🟠 FailedCreatePodContainer     | Container creation failed          | 容器创建失败
  🟠 FailedKillPod                | Could not stop pod                 | Pod 停止失败
  🟠 SandboxChanged               | Pod sandbox restarted              | Pod 沙箱重建
  🔴 NetworkNotReady              | Node network not ready             | 节点网络未就绪
  🔴 Evicted                      | Pod evicted                        | Pod 被驱逐
  🔴 OOMKilled                    | Out of memory, container killed    | 内存不足，容器被杀
  🟠 DeadlineExceeded             | Deadline exceeded                  | 超过期限
  🟠 FailedScheduling             | No node fits                       | 无法调度
  🟠 Scheduled                    | Pod scheduled                      | Pod 已调度
  🟠 TriggeredScaleUp             | Adding nodes for pod               | 正在扩容节点
  🟠 NotTriggerScaleUp            | No node group fits                 | 无可扩容的节点组
  🟠 TaintManagerEviction         | Evicted by a taint                 | 因污点被驱逐
  🟠 FailedMount                  | Volume mount failed                | 卷挂载失败
  🔴 FailedAttachVolume           | Volume attach failed               | 卷挂接失败
  🟠 FailedMapVolume              | Volume map failed                  | 卷映射失败
  🟠 VolumeResizeFailed           | Volume resize failed               | 卷扩容失败
  🟠 ProvisioningFailed           | Volume provisioning failed         | 卷创建失败
  🟠 FailedBinding                | Volume claim not bound             | 存储声明未绑定
  🔴 ClaimLost                    | Volume of the claim is lost        | 存储声明的卷已丢失
  🔴 VolumeLost                   | Volume lost                        | 卷已丢失
  🔴 VolumeFailedDelete           | Volume deletion failed             | 卷删除失败
  🔴 NodeNotReady                 | Node not ready                     | 节点未就绪
  🟠 NodeReady                    | Node ready                         | 节点就绪
  🔴 NodeNotSchedulable           | Node cordoned                      | 节点已停止调度
  🟠 NodeSchedulable              | Node uncordoned                    | 节点恢复调度
  🔴 NodeHasDiskPressure          | Node short of disk                 | 节点磁盘不足
  🟠 NodeHasNoDiskPressure        | Node disk fine again               | 节点磁盘恢复
  🔴 NodeHasInsufficientMemory    | Node short of memory               | 节点内存不足
  🟠 NodeHasSufficientMemory      | Node memory fine again             | 节点内存充足
  🔴 NodeHasInsufficientPID       | Node short of process IDs          | 节点进程号不足
  🟠 NodeHasSufficientPID         | Node process IDs fine again        | 节点进程号充足
  🔴 EvictionThresholdMet         | Node is evicting pods              | 节点开始驱逐 Pod
  🔴 FreeDiskSpaceFailed          | Could not free disk space          | 磁盘空间清理失败
  🟠 ImageGCFailed                | Image clean-up failed              | 镜像清理失败
  🔴 ContainerGCFailed            | Container clean-up failed          | 容器清理失败
  🟠 InvalidDiskCapacity          | Disk capacity unknown              | 磁盘容量无效
  🔴 Rebooted                     | Node rebooted                      | 节点重启
  🟠 RegisteredNode               | Node registered                    | 节点已注册
  🟠 RemovingNode                 | Node removed                       | 节点被移除
  🟠 DeletingNode                 | Node being deleted                 | 节点正在删除
  🔴 SystemOOM                    | Node out of memory                 | 节点内存耗尽
  🔴 OOMKilling                   | Out of memory, process killed      | 内存不足，进程被杀
  🔴 PodOOMKilling                | Out of memory, pod process killed  | 内存不足，Pod 进程被杀
  🔴 TaskHung                     | Kernel task hung                   | 内核任务挂起
  🔴 KernelOops                   | Kernel oops                        | 内核错误
  🔴 KernelPanic                  | Kernel panic                       | 内核崩溃
  🔴 KernelDeadlock               | Kernel deadlock                    | 内核死锁
  🟠 KernelHasNoDeadlock          | No kernel deadlock                 | 内核无死锁
  🔴 DockerHung                   | Docker hung                        | Docker 挂起
  🔴 ReadonlyFilesystem           | Filesystem read-only               | 文件系统只读
  🔴 FilesystemIsReadOnly         | Filesystem read-only               | 文件系统只读
  🟠 FilesystemIsNotReadOnly      | Filesystem writable                | 文件系统可写
  🔴 CorruptDockerImage           | Image corrupt on the node          | 节点镜像损坏
  🟠 RunningOutOfPID              | Running out of process IDs         | 进程号即将耗尽
  🟠 NTPIsDown                    | Node clock not synchronised        | 节点时间不同步
  🟠 ConntrackFull                | Connection table full              | 连接跟踪表已满
  🔴 KubeletUnhealthy             | Kubelet unhealthy                  | Kubelet 异常
  🔴 ContainerdUnhealthy          | Containerd unhealthy               | Containerd 异常
  🟠 FrequentKubeletRestart       | Kubelet keeps restarting           | Kubelet 频繁重启
  🟠 FrequentContainerdRestart    | Containerd keeps restarting        | Containerd 频繁重启
  🟠 FrequentDockerRestart        | Docker keeps restarting            | Docker 频繁重启
  🟠 FailedCreate                 | Could not create pods              | 创建 Pod 失败
  🟠 FailedDelete                 | Could not delete pods              | 删除 Pod 失败
  🟠 SuccessfulCreate             | Pod created                        | Pod 已创建
  🟠 SuccessfulDelete             | Pod deleted                        | Pod 已删除
  🟠 ScalingReplicaSet            | Rollout scales replicas            | 正在调整副本
  🟠 SuccessfulRescale            | Autoscaler changed replicas        | 自动伸缩已生效
  🟠 FailedGetResourceMetric      | Autoscaler has no metrics          | 自动伸缩缺少指标
  🟠 FailedComputeMetricsReplicas | Autoscaler has no metrics          | 自动伸缩缺少指标
  🟠 FailedRescale                | Autoscaler could not scale         | 自动伸缩失败
  🟠 BackoffLimitExceeded         | Job gave up                        | 任务重试耗尽
  🟠 Completed                    | Job completed                      | 任务完成
  🟠 FailedNeedsStart             | Job missed its start               | 任务错过启动时间
  🟠 MissSchedule                 | Job missed its schedule            | 任务错过调度
  🟠 NoPods                       | No pods to protect                 | 没有匹配的 Pod
  🟠 SyncLoadBalancerFailed       | Load balancer failed               | 负载均衡同步失败
  🟠 FailedToUpdateEndpoint       | Endpoints not updated              | 端点更新失败
  🟠 FailedToUpdateEndpointSlices | Endpoints not updated              | 端点更新失败
  🟠 LeaderElection               | New leader elected                 | 选出新的主节点
  🟠 KubeCrierCanary              | Canary of kube-crier               | kube-crier 探测事件
  🔴 KubeCrierCanaryMissing       | Canary of kube-crier is missing    | kube-crier 探测事件未到达
  🟠 KubeCrierCanaryBack          | Canary of kube-crier is back       | kube-crier 探测事件恢复
`;

const rows = TOLD.trim()
  .split("\n")
  .map((line) => {
    const [head = "", en = "", zh = ""] = line.split("|").map((cell) => cell.trim());
    const [mark = "", reason = ""] = head.split(" ");
    return { mark, reason, en, zh };
  });

const OBJECT = { kind: "Pod", namespace: "shop", name: "web-0" };
const titled = (reason: string, lang: "en" | "zh", type = "Warning", message = "") =>
  buildView(
    { kind: "event", event: anEvent({ reason, type, message, object: OBJECT }) },
    {
      id: "d1",
      lang,
      timezone: "UTC",
      now: Date.parse("2026-11-20T08:06:00Z"),
      labels: [],
      cluster: "",
    },
  ).title;

describe("the first line of an alert", () => {
  it.each(rows)("$reason is $mark $en, $zh", ({ mark, reason, en, zh }) => {
    expect(titled(reason, "en")).toBe(`${mark} ${en} · web-0`);
    expect(titled(reason, "zh")).toBe(`${mark} ${zh} ${reason} · web-0`);
  });

  it.each(rows)("$reason as something normal is blue", ({ reason, en, zh }) => {
    expect(titled(reason, "en", "Normal")).toBe(`🔵 ${en} · web-0`);
    expect(titled(reason, "zh", "Normal")).toBe(`🔵 ${zh} ${reason} · web-0`);
  });

  it("has words for no reason that is not in the table, and the table has each once", () => {
    expect(Object.keys(REASONS).toSorted()).toEqual(rows.map(({ reason }) => reason).toSorted());
  });
});

describe("reasons that mean several things", () => {
  /** Messages as the kubelet of Kubernetes 1.30 and later writes them. */
  it.each([
    [
      "BackOff",
      "Back-off restarting failed container web in pod web-0_shop(0c0ffee0)",
      "Back-off restarting container",
      "容器反复崩溃",
    ],
    [
      "BackOff",
      'Back-off pulling image "registry.example.com/web:v2"',
      "Back-off pulling image",
      "镜像反复拉取失败",
    ],
    [
      "BackOff",
      'Restarting after Back-off pulling image "web"',
      "Back-off restarting container",
      "容器反复崩溃",
    ],
    [
      "Failed",
      'Failed to pull image "web:v2": rpc error: code = NotFound',
      "Image pull failed",
      "镜像拉取失败",
    ],
    ["Failed", "Error: ErrImagePull", "Image pull failed", "镜像拉取失败"],
    ["Failed", "Error: ImagePullBackOff", "Image pull failed", "镜像拉取失败"],
    ["Failed", "Error: InvalidImageName", "Image pull failed", "镜像拉取失败"],
    ["Failed", "Error: ErrImageNeverPull", "Image missing on the node", "节点上没有镜像"],
    ["Failed", "Error: CreateContainerConfigError", "Container failed", "容器启动失败"],
    ["Failed", "Error: context deadline exceeded", "Container failed", "容器启动失败"],
    ["Failed", "", "Container failed", "容器启动失败"],
    [
      "Unhealthy",
      "Liveness probe failed: HTTP probe failed with statuscode: 500",
      "Liveness probe failed",
      "存活探针失败",
    ],
    [
      "Unhealthy",
      "Readiness probe failed: dial tcp 10.0.0.7:80: connect: connection refused",
      "Readiness probe failed",
      "就绪探针失败",
    ],
    [
      "Unhealthy",
      "Startup probe failed: command timed out",
      "Startup probe failed",
      "启动探针失败",
    ],
    [
      "Unhealthy",
      "Readiness probe errored: rpc error: code = Unknown",
      "Readiness probe failed",
      "就绪探针失败",
    ],
    ["Unhealthy", "The Liveness probe failed", "Health check failed", "健康检查失败"],
  ])("%s: %s", (reason, message, en, zh) => {
    expect(titled(reason, "en", "Warning", message)).toBe(`🟠 ${en} · web-0`);
    expect(titled(reason, "zh", "Warning", message)).toBe(`🟠 ${zh} ${reason} · web-0`);
  });

  it("looks at the first thousand characters of a message, where the kubelet says it", () => {
    const at = (place: number) => `${"x".repeat(place)}pull`;
    expect(titled("Failed", "en", "Warning", at(996))).toBe("🟠 Image pull failed · web-0");
    expect(titled("Failed", "en", "Warning", at(997))).toBe("🟠 Container failed · web-0");
  });

  it.each(["Failed", "BackOff", "Killing", "Created", "Started"])(
    "%s is a container's only where the event is about a pod",
    (reason) => {
      const about = (kind: string) => ({ reason, message: "", object: { kind } });
      expect(knownWords("en", about("Pod"))).not.toBeNull();
      for (const kind of ["Job", "Workflow", "Certificate", "pod", ""])
        expect(knownWords("en", about(kind)), kind).toBeNull();
    },
  );

  it.each(["Unhealthy", "Evicted", "FailedCreate", "Completed"])(
    "%s is told alike of whatever object it is about",
    (reason) => {
      const about = (kind: string) => ({ reason, message: "", object: { kind } });
      expect(knownWords("zh", about("Widget"))).toBe(knownWords("zh", about("Pod")));
    },
  );
});

describe("how bad it is", () => {
  it("sorts the worst first", () => {
    const ranks = (["critical", "warning", "info", "notice"] as const).map(severityRank);
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    expect(new Set(ranks).size).toBe(4);
  });

  it.each([
    ["Warning", "NodeNotReady", "critical"],
    ["Error", "NodeNotReady", "critical"],
    ["", "NodeNotReady", "critical"],
    ["Normal", "NodeNotReady", "info"],
    ["Warning", "NodeHasInsufficientMemory", "critical"],
    ["Warning", "KernelHasNoDeadlock", "warning"],
    ["normal", "Pulled", "warning"],
    ["Info", "Pulled", "warning"],
    ["Warning", "nodenotready", "warning"],
    ["Warning", "", "warning"],
  ])("type %j, reason %j: %s", (type, reason, severity) => {
    expect(severityOf({ type, reason })).toBe(severity);
  });
});
