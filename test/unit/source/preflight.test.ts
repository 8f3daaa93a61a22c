import { beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/config/config.ts";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import { type FakeApiServer, isWatch, recorded, type Request } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { kubeconfigFor, type RunningSource, useServer } from "../../support/source.ts";

const { signal } = new AbortController();
const inCore = (request: Request): boolean =>
  request.path.startsWith("/api/v1/") && request.path.endsWith("/events");
const inNew = (request: Request): boolean => request.path.startsWith("/apis/events.k8s.io/");

describe("before the start", () => {
  const { server: current, run } = useServer();
  let server: FakeApiServer;
  beforeEach(() => {
    server = current();
  });
  const refusal = async (source: RunningSource): Promise<ConfigError> => {
    try {
      await source.source.preflight(signal);
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
    throw new Error("nothing was found wrong");
  };

  it("is content with a server that lets one list and watch", async () => {
    await expect(run({ paused: true }).source.preflight(signal)).resolves.toBeUndefined();
    await server.until(() => server.watching === 0);
  });

  it("is content where only the newer group is allowed", async () => {
    server.answer(recorded("list-403-anonymous"), inCore, Infinity);
    await expect(run({ paused: true }).source.preflight(signal)).resolves.toBeUndefined();
  });

  it("names the role that is missing where both groups are forbidden", async () => {
    server.answer(recorded("list-403-anonymous"), inCore, Infinity);
    server.answer(recorded("list-403-anonymous"), inNew, Infinity);
    const error = await refusal(run({ paused: true }));
    expect(error.issues).toHaveLength(1);
    expect(error.message).toContain("events of all namespaces may not be read");
    expect(error.message).toContain('User "system:anonymous" cannot list resource "events"');
    expect(error.message).toContain(
      'a ClusterRole with {apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["get", "list", "watch"]}',
    );
    expect(error.message).toContain("or name the namespaces to watch");
  });

  it("asks for the named group alone where one is named", async () => {
    server.answer(recorded("list-403-anonymous"), inNew, Infinity);
    const error = await refusal(run({ paused: true, config: { api: "events.k8s.io" } }));
    expect(error.message).toContain('{apiGroups: ["events.k8s.io"]');
    expect(server.requests.some(inCore)).toBe(false);
  });

  it("finds that listing is allowed and watching is not", async () => {
    server.answer(recorded("list-403-anonymous"), isWatch, Infinity);
    expect((await refusal(run({ paused: true }))).message).toContain(
      'verbs: ["get", "list", "watch"]',
    );
  });

  it("tells every namespace that is closed, not only the first", async () => {
    const closed = (request: Request): boolean => /\/namespaces\/(a|c)\/events/.test(request.path);
    server.answer(recorded("list-403-anonymous"), closed, Infinity);
    const error = await refusal(run({ paused: true, config: { namespaces: ["a", "b", "c"] } }));
    expect(error.issues.map((issue) => /of namespace (\w)/.exec(issue.message)?.[1])).toEqual([
      "a",
      "c",
    ]);
    expect(error.issues[0]?.hint).toContain("a Role in namespace a");
  });

  it("finds a plugin that is not installed", async () => {
    const clock = new FakeClock();
    const kubeconfig = kubeconfigFor(server, { exec: { command: "no-such-plugin" } });
    const client = createKubeClient({ kubeconfig, context: null }, { clock });
    expect((await refusal(run({ paused: true, client, clock }))).message).toContain(
      "no-such-plugin",
    );
  });

  it.each([
    ["busy", { status: 429, headers: { "Retry-After": "5" }, body: "" }],
    ["broken", { status: 500, headers: {}, body: "" }],
    ["not convinced by the token yet", recorded("list-401")],
  ])("lets a server be that is %s: it is waited for", async (_, answer) => {
    server.answer(answer, inCore);
    await expect(run({ paused: true }).source.preflight(signal)).resolves.toBeUndefined();
  });

  it("lets a server be that is down: it is waited for", async () => {
    await server.down();
    await expect(run({ paused: true }).source.preflight(signal)).resolves.toBeUndefined();
  });

  it("that was not asked, a forbidden watch says what is missing and goes on trying", async () => {
    server.answer(recorded("list-403-anonymous"), inCore, 1);
    server.answer(recorded("list-403-anonymous"), inNew, 1);
    const source = run();
    await source.until(() => source.synced === 1);
    expect(source.called("sourceFailed")[0]?.[3]).toContain("bind a ClusterRole");
  });
});
