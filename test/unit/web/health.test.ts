import { describe, expect, it } from "vitest";
import { livez, readyz, type HealthState } from "../../../src/web/health.ts";

const fine: HealthState = { waitingFor: () => [], stopping: () => false };

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

  it("says what shows that events do not arrive, once nothing is waited for any more", () => {
    const troubled = { ...fine, troubles: () => ["the canary of a did not arrive: x", "y"] };
    expect(readyz(troubled)).toEqual({
      status: 503,
      text: "the canary of a did not arrive: x\ny\n",
    });
    expect(readyz({ ...troubled, waitingFor: () => ["b"] }).text).toBe("waiting for b\n");
    expect(readyz({ ...troubled, troubles: () => [] })).toEqual({ status: 200, text: "ok\n" });
  });

  it("is ok at a standby, which watches nothing, so that a rollout goes on", () => {
    const standby = {
      ...fine,
      waitingFor: () => ["kubernetes"],
      standby: () => "standby, crier-1 leads",
    };
    expect(readyz(standby)).toEqual({ status: 200, text: "ok: standby, crier-1 leads\n" });
    expect(readyz({ ...standby, stopping: () => true }).status).toBe(503);
    expect(readyz({ ...standby, standby: () => null }).text).toBe("waiting for kubernetes\n");
  });

  it("says stopping as soon as the process is told to end, even if it was never ready", () => {
    expect(readyz({ ...fine, stopping: () => true, waitingFor: () => ["kubernetes"] })).toEqual({
      status: 503,
      text: "stopping\n",
    });
  });
});

describe("/livez", () => {
  it("is ok while anyone can answer: an outage of the cluster is no reason to restart", () => {
    expect(livez()).toEqual({ status: 200, text: "ok\n" });
  });
});
