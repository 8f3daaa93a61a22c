import type { KubeEvent } from "../event/event.ts";

/**
 * Reasons that kube-eventer counts as a known trouble of a cluster, and the trouble's name there (metrics/prometheus/metrics.go).
 * What it tells apart by the message is in `BY_MESSAGE`.
 */
const BY_REASON: ReadonlyMap<string, string> = new Map([
  ["Evicted", "PodEvict"],
  ["OOMKilling", "PodOOM"],
  ["PodOOMKilling", "PodOOM"],
  ["FailedMount", "VolumeFailMount"],
  ["FailedAttachVolume", "VolumeFailMount"],
  ["ImagePullBackOff", "PodImagePullBackOff"],
  ["SystemOOM", "NodeOOM"],
  ["Rebooted", "NodeRebooted"],
  ["NodeHasDiskPressure", "NodeDiskPressure"],
  ["DockerHung", "NodeDockerHung"],
  ["PSProcessIsHung", "NodePSHung"],
  ["NodeHasNvidiaXidError", "NodeGPUXIPError"],
  ["NodeHasFDPressure", "NodeFDPressure"],
  ["PIDPressure", "NodeFDPressure"],
  ["NodeHasPIDPressure", "NodeFDPressure"],
  ["NTPIsDown", "NodeNPTDown"],
  ["ConntrackFull", "ConnTrackFull"],
  ["SyncLoadBalancerFailed", "CcmSLBSyncFail"],
  ["DeleteLoadBalancerFailed", "CcmSLBDeleteFail"],
  ["UnAvailableLoadBalancer", "CcmSLBUnavailable"],
  ["CreateRouteFailed", "CcmCreateRouteFail"],
  ["SyncRouteFailed", "CcmSyncRouteFail"],
  ["AddNodeFailed", "CcmAddNodeFail"],
  ["DeleteNodeFailed", "CcmDeleteNodeFail"],
  ["AnnotationChanged", "CcmSLBAnnotationChanged"],
  ["ServiceSpecChanged", "CcmSLBSpecChanged"],
  ["SlowIO", "CSISlowIO"],
  ["DeviceBusy", "CSIDeviceBusy"],
  ["IOHang", "CSIIOHang"],
  ["AllocIPFailed", "CNIAllocIPFail"],
  ["AllocResourceFailed", "CNIAllocResourceFail"],
  ["ResourceInvalid", "CNIResourceInvalid"],
  ["ParseFailed", "CNIParseFail"],
  ["DisposeResourceFailed", "CNIDisposeResourceFail"],
]);

type Told = readonly (readonly [message: RegExp, kind: string])[];

const ANYTHING = /(?:)/;
/** The first that matches. */
const BY_MESSAGE: ReadonlyMap<string, Told> = new Map<string, Told>([
  ["Failed", [[/^Error: (?!ErrImagePull|ImagePullBackOff)/, "PodFailStart"]]],
  [
    "BackOff",
    [
      [/restarting failed container/, "PodCrash"],
      [/pulling image/, "PodImagePullBackOff"],
    ],
  ],
  [
    "FailedScheduling",
    [
      [/Insufficient/, "ResourceInsufficient"],
      [ANYTHING, "PodFailScheduling"],
    ],
  ],
  ["ProvisioningFailed", [[ANYTHING, "DiskProvisionFail"]]],
  [
    "NodeNotReady",
    [
      [/PLEG/, "NodePLEGUnhealthy"],
      [ANYTHING, "NodeNotReady"],
    ],
  ],
]);

/** The trouble's name; `null` where the event tells of none that is known. */
export function abnormalKind({
  reason,
  message,
}: Pick<KubeEvent, "reason" | "message">): string | null {
  const named = BY_REASON.get(reason);
  if (named !== undefined) return named;
  return BY_MESSAGE.get(reason)?.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}
