import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import { readConfigMap } from "../../../src/source/kubernetes/configmap.ts";
import { readIdentity, sameCluster } from "../../../src/source/kubernetes/identity.ts";
import type { KubeClient } from "../../../src/source/kubernetes/transport.ts";
import { FakeApiServer, recorded } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { CuttableProxy } from "../../support/cuttable-proxy.ts";
import { kubeconfigFor } from "../../support/source.ts";

const clock = new FakeClock();
const { signal } = new AbortController();

const open = (kubeconfig: string, context: string | null = null): KubeClient =>
  createKubeClient({ kubeconfig, context }, { clock });

describe("the client", () => {
  let server: FakeApiServer;
  const clients: KubeClient[] = [];
  const connect = (
    user?: Record<string, unknown>,
    cluster?: Record<string, unknown>,
  ): KubeClient => {
    const client = open(kubeconfigFor(server, user, cluster));
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    server = await FakeApiServer.start({ secure: true });
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await server.close();
  });

  it("trusts the CA of the kubeconfig, and sends its token", async () => {
    await connect().get("/api/v1/events", { limit: "1" }, signal);
    expect(server.requests[0]?.headers.authorization).toBe("Bearer s3cret-token");
    expect(server.requests[0]?.headers["user-agent"]).toMatch(/^kube-crier/);
  });

  it("trusts no other certificate, and says what to look at", async () => {
    const other = { "certificate-authority-data": undefined };
    await expect(connect({}, other).get("/api/v1/events", {}, signal)).rejects.toMatchObject({
      name: "ConnectionError",
      permanent: true,
      message: expect.stringMatching(
        /certificate of https:.* is not trusted .*certificate-authority/,
      ),
    });
  });

  it("skips the check where the kubeconfig says so", async () => {
    const careless = { "certificate-authority-data": undefined, "insecure-skip-tls-verify": true };
    await expect(connect({}, careless).get("/api/v1/events", {}, signal)).resolves.toMatchObject({
      kind: "EventList",
    });
  });

  it("keeps one connection for many requests", async () => {
    const client = connect();
    for (let index = 0; index < 5; index += 1) await client.get("/api/v1/events", {}, signal);
    expect(server.connections).toBe(1);
  });

  it("sends name and password where that is what there is", async () => {
    await connect({ username: "eve", password: "pw" }).get("/api/v1/events", {}, signal);
    expect(server.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from("eve:pw").toString("base64")}`,
    );
  });

  it("puts the path of the server's URL before its own", async () => {
    await connect({}, { server: `${server.url}/k8s/clusters/c-1/` }).get(
      "/api/v1/events",
      {},
      signal,
    );
    expect(server.requests[0]?.path).toBe("/k8s/clusters/c-1/api/v1/events");
  });

  it("goes through the proxy that the kubeconfig names", async () => {
    const proxy = await CuttableProxy.start();
    try {
      await connect({}, { "proxy-url": proxy.url }).get("/api/v1/events", {}, signal);
      expect(proxy.tunnels).toEqual([server.url.replace("https://", "")]);
    } finally {
      await proxy.close();
    }
  });

  it("tells a Status as what it says", async () => {
    server.answer(recorded("list-401"));
    await expect(connect().get("/api/v1/events", {}, signal)).rejects.toMatchObject({
      name: "ApiError",
      status: 401,
      reason: "Unauthorized",
    });
    server.answer({ status: 302, headers: { Location: "https://login.example" }, body: "" });
    await expect(connect().get("/api/v1/events", {}, signal)).rejects.toMatchObject({
      status: 302,
    });
  });

  it("does not repeat a credential that the answer quotes", async () => {
    const quoted = { status: 401, headers: {}, body: "no such token s3cret-token here" };
    server.answer(quoted);
    await expect(connect().get("/api/v1/events", {}, signal)).rejects.toThrow(
      "answered 401: no such token <redacted> here",
    );
    server.answer({ ...quoted, body: '{"kind":"Status","message":"password pa$$word of eve"}' });
    const basic = connect({ username: "eve", password: "pa$$word" });
    await expect(basic.get("/api/v1/events", {}, signal)).rejects.toThrow(
      "password <redacted> of eve",
    );
  });

  it("is not filled up by an endless answer", async () => {
    server.answer({ status: 200, headers: {}, body: "x".repeat(70 * 1024 * 1024) });
    await expect(connect().get("/api/v1/events", {}, signal)).rejects.toMatchObject({
      tooLarge: true,
    });
  });

  describe("readConfigMap", () => {
    const data = { "ops.hbs": "{{event.reason}}", n: 7 };
    const answer = (body: unknown, status = 200) => ({
      status,
      headers: {},
      body: JSON.stringify(body),
    });

    it("gives the text entries", async () => {
      server.answer(answer({ kind: "ConfigMap", data }));
      const found = await readConfigMap(connect(), "ops", "templates", signal);
      expect([...found]).toEqual([["ops.hbs", "{{event.reason}}"]]);
      expect(server.requests[0]?.path).toBe("/api/v1/namespaces/ops/configmaps/templates");
    });

    it("of a map without data is empty", async () => {
      server.answer(answer({ kind: "ConfigMap" }));
      expect((await readConfigMap(connect(), "ops", "templates", signal)).size).toBe(0);
    });

    it("says what to do about a missing or forbidden one", async () => {
      await expect(readConfigMap(connect(), "ops", "none", signal)).rejects.toThrow(
        "there is no ConfigMap none in namespace ops; see `kubectl -n ops get configmaps`",
      );
      server.answer(answer({ reason: "Forbidden", message: "no" }, 403));
      await expect(readConfigMap(connect(), "ops", "templates", signal)).rejects.toThrow(
        'allow verb "get"',
      );
      server.answer(answer({}, 500));
      await expect(readConfigMap(connect(), "ops", "templates", signal)).rejects.toMatchObject({
        status: 500,
      });
    });
  });

  describe("the identity of a cluster", () => {
    it("is the uid of kube-system, whatever the address", async () => {
      const here = await readIdentity(connect(), signal);
      const proxied = await readIdentity(connect({}, { server: `${server.url}/` }), signal);
      expect(sameCluster(here, proxied)).toBe(true);
      server.becomeAnother();
      expect(sameCluster(here, await readIdentity(connect(), signal))).toBe(false);
    });

    it("is address and CA where there is no uid on one side", () => {
      expect(sameCluster("uid=a;address=x", "uid=;address=x")).toBe(true);
      expect(sameCluster("uid=a;address=x", "uid=;address=y")).toBe(false);
      expect(sameCluster("uid=a;address=x", "uid=a;address=y")).toBe(true);
      expect(sameCluster("something else", "uid=;address=x")).toBe(false);
    });

    it("is not guessed while the server cannot say", async () => {
      server.answer({ status: 500, headers: {}, body: "" });
      await expect(readIdentity(connect(), signal)).rejects.toMatchObject({ status: 500 });
    });
  });
});
