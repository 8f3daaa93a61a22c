/** How bad it is, as shown in the chat: the mark, the colour, the order in a digest. */
export type Severity = "critical" | "warning" | "info" | "notice";

/** Warning reasons known to mean lost service, from the kubelet, the node controller and node-problem-detector; and that nobody is told. */
const CRITICAL_REASONS: ReadonlySet<string> = new Set([
  "OOMKilling",
  "PodOOMKilling",
  "SystemOOM",
  "OOMKilled",
  "NodeNotReady",
  "NodeNotSchedulable",
  "NodeHasDiskPressure",
  "NodeHasInsufficientMemory",
  "NodeHasInsufficientPID",
  "EvictionThresholdMet",
  "Evicted",
  "KernelOops",
  "KernelPanic",
  "KernelDeadlock",
  "ReadonlyFilesystem",
  "FilesystemIsReadOnly",
  "CorruptDockerImage",
  "DockerHung",
  "TaskHung",
  "ContainerdUnhealthy",
  "KubeletUnhealthy",
  "Rebooted",
  "VolumeFailedDelete",
  "FailedAttachVolume",
  "ClaimLost",
  "VolumeLost",
  "NetworkNotReady",
  "KubeCrierCanaryMissing",
  "ContainerGCFailed",
  "FreeDiskSpaceFailed",
]);

/** Any type other than Normal counts as a warning: an unknown type must never be quieter than it deserves. */
export function severityOf(event: { readonly type: string; readonly reason: string }): Severity {
  if (event.type === "Normal") return "info";
  return CRITICAL_REASONS.has(event.reason) ? "critical" : "warning";
}

/** Lower is worse; for sorting. */
export function severityRank(severity: Severity): number {
  switch (severity) {
    case "critical":
      return 0;
    case "warning":
      return 1;
    case "info":
      return 2;
    case "notice":
      return 3;
  }
}
