import { describe, expect, it } from "vitest";
import { concernsCanary, isCanary } from "../../../src/event/canary.ts";
import { anEvent } from "../../support/events.ts";

/** Who makes an Event of that reason must not hide it by that: it takes the reporter, too. Names as docs and alerts have them. */
describe("an Event of a canary", () => {
  it.each([
    ["KubeCrierCanary", "kube-crier", true, true],
    ["KubeCrierCanaryMissing", "kube-crier", false, true],
    ["KubeCrierCanaryBack", "kube-crier", false, true],
    // Others that this program reports, and what others report.
    ["HistoryGap", "kube-crier", false, false],
    ["KubeCrierCanary", "kubelet", false, false],
    ["KubeCrierCanary", null, false, false],
    ["KubeCrierCanary", "kube-crier-2", false, false],
    ["KubeCrierCanaryMissing", "kubelet", false, false],
    ["KubeCrierCanaryBack", null, false, false],
    ["BackOff", "kubelet", false, false],
    ["kubecriercanary", "kube-crier", false, false],
    ["", "kube-crier", false, false],
  ])("%s of %s: one %j, about one %j", (reason, component, one, about) => {
    const event = anEvent({ reason, reporter: { component } });
    expect(isCanary(event)).toBe(one);
    expect(concernsCanary(event)).toBe(about);
  });
});
