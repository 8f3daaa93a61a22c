import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { KubernetesSourceConfig } from "../../../src/config/config.ts";
import { createCanaryWriter } from "../../../src/source/kubernetes/canary.ts";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import { FakeApiServer, isWrite, type Request } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/events.ts";
import { never } from "../../support/ledger.ts";
import { kubeconfigFor } from "../../support/source.ts";

const PLACE = {
  namespace: "monitoring",
  name: "kube-crier-canary.4f1a",
  object: { kind: "Pod" as const, name: "kube-crier-0" },
  message: "Nothing happened",
};
const AT = Date.parse("2026-11-20T08:00:00.250Z");

let api: FakeApiServer;

beforeEach(async () => {
  api = await FakeApiServer.start();
});

function aWriter(source: Partial<KubernetesSourceConfig> = {}, file = kubeconfigFor(api)) {
  const client = createKubeClient({ kubeconfig: file, context: null }, { clock: new FakeClock() });
  onTestFinished(async () => {
    client.close();
    await api.close();
  });
  return createCanaryWriter(client, { api: "auto", namespaces: [], ...source }, PLACE);
}

const refusing = (status: number, message = "made up") => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ kind: "Status", status: "Failure", message, code: status }),
});
const isCore = ({ path }: Request) => path.startsWith("/api/v1/");
const isReview = ({ path }: Request) => path.endsWith("/selfsubjectaccessreviews");
const verdict = (allowed: boolean) => ({
  status: 201,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ status: { allowed, reason: allowed ? "" : "no RBAC policy matched" } }),
});

describe("the canary's Event", () => {
  it("in core/v1 is complete from the first write, and counts on", async () => {
    const writer = aWriter();
    expect(await writer.write(1, AT, never)).toEqual({ ok: true });
    expect(await writer.write(2, AT + 60_000, never)).toEqual({ ok: true });
    expect(api.written).toEqual([
      {
        method: "POST",
        path: "/api/v1/namespaces/monitoring/events",
        body: {
          apiVersion: "v1",
          kind: "Event",
          metadata: { name: PLACE.name, namespace: "monitoring" },
          involvedObject: {
            apiVersion: "v1",
            kind: "Pod",
            name: "kube-crier-0",
            namespace: "monitoring",
          },
          type: "Normal",
          reason: "KubeCrierCanary",
          action: "Canary",
          message: "Nothing happened",
          source: { component: "kube-crier" },
          reportingComponent: "kube-crier",
          reportingInstance: "kube-crier-0",
          firstTimestamp: "2026-11-20T08:00:00Z",
          lastTimestamp: "2026-11-20T08:00:00Z",
          count: 1,
        },
      },
      {
        method: "PATCH",
        path: `/api/v1/namespaces/monitoring/events/${PLACE.name}`,
        body: { count: 2, lastTimestamp: "2026-11-20T08:01:00Z" },
      },
    ]);
  });

  it("in events.k8s.io/v1 has a series from the second on", async () => {
    const writer = aWriter({ api: "events.k8s.io" });
    await writer.write(1, AT, never);
    await writer.write(2, AT, never);
    expect(api.written[0]?.body).toMatchObject({
      apiVersion: "events.k8s.io/v1",
      eventTime: "2026-11-20T08:00:00.250000Z",
      regarding: { kind: "Pod", name: "kube-crier-0" },
      note: "Nothing happened",
      reportingController: "kube-crier",
      reportingInstance: "kube-crier-0",
      action: "Canary",
    });
    expect(api.written[0]?.body).not.toHaveProperty("series");
    expect(api.written[1]?.body).toEqual({
      series: { count: 2, lastObservedTime: "2026-11-20T08:00:00.250000Z" },
    });
  });

  it("is known by namespace and name alone", () => {
    const writer = aWriter();
    const event = (eventNamespace: string, eventName: string) =>
      writer.recognises(anEvent({ eventNamespace, eventName }));
    expect(event("monitoring", PLACE.name)).toBe(true);
    expect(event("shop", PLACE.name)).toBe(false);
    expect(event("monitoring", "kube-crier-canary.4f1b")).toBe(false);
  });

  it("is written by a token that was renewed meanwhile", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-"));
    const file = kubeconfigFor(api, { token: "old" }, {}, folder);
    const writer = aWriter({}, file);
    api.answer(refusing(401, "Unauthorized"), isWrite);
    kubeconfigFor(api, { token: "new" }, {}, folder);
    expect(await writer.write(1, AT, never)).toMatchObject({ ok: false });
    expect(await writer.write(1, AT, never)).toEqual({ ok: true });
    expect(api.requests.at(-1)?.headers.authorization).toBe("Bearer new");
    writeFileSync(file, "");
  });

  it("follows a Role that names the other group from now on", async () => {
    const writer = aWriter();
    await writer.write(1, AT, never);
    api.answer(refusing(403), (request) => isWrite(request) && isCore(request), 1e6);
    expect(await writer.write(2, AT, never)).toMatchObject({ ok: false });
    expect(await writer.write(2, AT, never)).toEqual({ ok: true });
    expect(await writer.write(3, AT, never)).toEqual({ ok: true });
    const last = api.written.slice(-2);
    expect(last.map(({ body }) => body)).toMatchObject([
      { series: { count: 2 } },
      { series: { count: 3 } },
    ]);
    expect(last.every(({ path }) => path.startsWith("/apis/events.k8s.io/v1/"))).toBe(true);
  });

  it("is made again where somebody deleted it, and goes on counting", async () => {
    const writer = aWriter();
    await writer.write(1, AT, never);
    await writer.write(2, AT, never);
    api.remove(PLACE.name, PLACE.namespace);
    expect(await writer.write(3, AT, never)).toEqual({ ok: true });
    expect(await writer.write(4, AT, never)).toEqual({ ok: true });
    expect(api.written.slice(-3).map(({ method, body }) => [method, body["count"]])).toEqual([
      ["PATCH", 3],
      ["POST", 3],
      ["PATCH", 4],
    ]);
  });

  it.each([
    [
      403,
      /answered 403.*forbidden.*; bind a Role in namespace monitoring with \{apiGroups: \[""\], resources: \["events"\], verbs: \["create", "patch"\]\}/,
    ],
    [500, /^the API server answered 500: made up forbidden$/],
  ])("that is refused with %i says why, and is no exception", async (status, said) => {
    api.answer(refusing(status, "made up forbidden"), isWrite, 10);
    const written = await aWriter().write(1, AT, never);
    expect(written).toMatchObject({ ok: false, detail: expect.stringMatching(said) as string });
  });

  it("waits as long as the API server asks, and no longer than ten minutes", async () => {
    const answer = refusing(429);
    const writer = aWriter();
    api.answer({ ...answer, headers: { ...answer.headers, "retry-after": "7" } }, isWrite);
    expect(await writer.write(1, AT, never)).toMatchObject({ ok: false, waitMs: 7_000 });
    api.answer({ ...answer, headers: { ...answer.headers, "retry-after": "86400" } }, isWrite);
    expect(await writer.write(1, AT, never)).toMatchObject({ ok: false, waitMs: 600_000 });
  });

  it("stops at once when told to", async () => {
    api.answer(null, isWrite);
    const stop = new AbortController();
    const writing = aWriter().write(1, AT, stop.signal);
    await api.until(() => api.requests.some(isWrite));
    stop.abort();
    expect(await writing).toMatchObject({ ok: false });
  });
});

describe("before the start", () => {
  it("nothing is said where the right is there, by either group", async () => {
    api.answer(verdict(true), isReview, 4);
    expect(await aWriter().problems(never)).toEqual([]);
    // create and patch of core/v1 are refused, of events.k8s.io/v1 allowed.
    api.answer(verdict(false), isReview, 2);
    api.answer(verdict(true), isReview, 2);
    expect(await aWriter().problems(never)).toEqual([]);
  });

  it("the missing rule is named, with where to bind it", async () => {
    api.answer(verdict(true), isReview, 1);
    api.answer(verdict(false), isReview, 3);
    const [issue, ...more] = await aWriter().problems(never);
    expect(more).toEqual([]);
    expect(issue?.where).toMatch(/^--canary \(context test/);
    expect(issue?.message).toBe(
      "events of namespace monitoring may not be written: patch events (core/v1) is not allowed: no RBAC policy matched; create events (events.k8s.io/v1) is not allowed: no RBAC policy matched; patch events (events.k8s.io/v1) is not allowed: no RBAC policy matched",
    );
    expect(issue?.hint).toBe(
      'bind a Role in namespace monitoring with {apiGroups: [""], resources: ["events"], verbs: ["create", "patch"]}, as deploy/kube-crier-canary.yaml does, or leave --canary out',
    );
  });

  it("a namespace that is not watched is a mistake: it could never arrive", async () => {
    const [issue] = await aWriter({ namespaces: ["shop", "pay"] }).problems(never);
    expect(issue?.message).toContain(
      "namespace monitoring, which the source does not watch (shop, pay)",
    );
    expect(issue?.hint).toBe("add monitoring to the namespaces of the source");
    api.answer(verdict(true), isReview, 4);
    expect(await aWriter({ namespaces: ["shop", "monitoring"] }).problems(never)).toEqual([]);
  });

  it("an API server that is down, busy, or does not answer such questions is no mistake", async () => {
    expect(await aWriter().problems(never), "404").toEqual([]);
    api.answer(refusing(503), isReview, 1);
    expect(await aWriter().problems(never)).toEqual([]);
    const writer = aWriter();
    await api.down();
    expect(await writer.problems(never)).toEqual([]);
  });
});
