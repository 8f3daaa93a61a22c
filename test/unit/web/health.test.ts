import { describe, expect, it } from "vitest";
import { livez, readyz, type HealthState } from "../../../src/web/health.ts";

const fine: HealthState = { waitingFor: () => [], stopping: () => false, idleMs: () => 5 };

describe("/readyz", () => {
  it("is ok when every source has caught up", () => {
    expect(readyz(fine)).toEqual({ status: 200, text: "ok\n" });
  });

  it("names the sources it waits for", () => {
    expect(readyz({ ...fine, waitingFor: () => ["kubernetes:shop", "kubernetes:data"] })).toEqual({
      status: 503,
      text: "waiting for kubernetes:shop, kubernetes:data\n",
    });
  });

  it("says stopping as soon as the process is told to end, even if it was never ready", () => {
    expect(readyz({ ...fine, stopping: () => true, waitingFor: () => ["kubernetes"] })).toEqual({
      status: 503,
      text: "stopping\n",
    });
  });
});

describe("/livez", () => {
  it("is ok while the loop turns, even when the cluster is away", () => {
    expect(livez({ ...fine, waitingFor: () => ["kubernetes"] })).toEqual({
      status: 200,
      text: "ok\n",
    });
  });

  it("fails only when the loop itself stands still", () => {
    expect(livez({ ...fine, idleMs: () => 31_000 })).toEqual({
      status: 503,
      text: "the event loop has not turned for 31 s\n",
    });
  });
});
