import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ConfigError } from "../../../src/config/config.ts";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import type { KubeClient } from "../../../src/source/kubernetes/transport.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";

const clock = new FakeClock();
const { signal } = new AbortController();
const folder = mkdtempSync(path.join(tmpdir(), "kube-crier-kubeconfig-"));

const open = (kubeconfig: string | null, context: string | null = null): KubeClient =>
  createKubeClient({ kubeconfig, context }, { clock });

function file(name: string, text: string): string {
  const place = path.join(folder, name);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, text);
  return place;
}

function refusal(kubeconfig: string, context: string | null = null): ConfigError {
  try {
    open(kubeconfig, context);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the kubeconfig was taken");
}

describe("a kubeconfig that cannot be used is refused, with what is wrong and where", () => {
  const config = (changes: Record<string, unknown> = {}): string =>
    JSON.stringify({
      "current-context": "a",
      clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
      users: [{ name: "u", user: { token: "s3cret-token" } }],
      contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
      ...changes,
    });

  it.each([
    ["a missing file", path.join(folder, "none"), null, /cannot be read: ENOENT/],
    ["a folder", folder, null, /cannot be read: EISDIR/],
    ["an empty file", file("empty", ""), null, /input is empty/],
    ["a text", file("text", "s3cret-token"), null, /no current-context is set/],
    ["nothing at all", file("null", "null"), null, /is not a kubeconfig: it holds no clusters/],
    [
      "broken YAML",
      file("broken", "users:\n- token: s3cret-token\n  x: [\n"),
      null,
      /is not valid YAML: .*\(line \d+\)/,
    ],
    [
      "an unknown context",
      file("context", config()),
      "b",
      /there is no context "b" \(its contexts: a\)/,
    ],
    [
      "no current context",
      file("current", config({ "current-context": undefined })),
      null,
      /no current-context is set \(its contexts: a\)/,
    ],
    [
      "a missing cluster",
      file("cluster", config({ clusters: [] })),
      null,
      /context a names the cluster "c", which is not there/,
    ],
    [
      "a missing user",
      file("user", config({ users: [] })),
      null,
      /context a names the user "u", which is not there/,
    ],
    [
      "a server that is no URL",
      file("server", config({ clusters: [{ name: "c", cluster: { server: "ftp://x" } }] })),
      null,
      /no http or https URL: "ftp:\/\/x"/,
    ],
    [
      "an entry without a name",
      file("entry", config({ users: [{ user: {} }] })),
      null,
      /users\[0\]\.name is missing/,
    ],
  ])("%s", (_, kubeconfig, context, message) => {
    const error = refusal(kubeconfig, context);
    expect(error.message).toMatch(message);
    expect(error.issues[0]?.where).toBe(kubeconfig);
    expect(error.message).not.toContain("s3cret");
  });

  it.each(["http", "ftp"])(
    "a password in its server's address is not repeated: %s",
    async (scheme) => {
      const server = `${scheme}://me:s3cret-word@127.0.0.1:1`;
      const clusters = [{ name: "c", cluster: { server } }];
      const kubeconfig = file("password", config({ clusters }));
      const ask = async () => open(kubeconfig).get("/api/v1/events", {}, signal);
      const error = await ask().catch((thrown: unknown) => thrown as Error);
      expect(String(error)).toContain(`${scheme}://me:<redacted>@127.0.0.1:1`);
      expect(String(error)).not.toContain("s3cret");
    },
  );

  it("takes one that names no user, as `kubectl proxy` needs none", () => {
    const contexts = [{ name: "a", context: { cluster: "c" } }];
    expect(open(file("anonymous", config({ contexts, users: [] }))).server).toBe(
      "https://127.0.0.1:1",
    );
  });
});

/** One cluster, user and context of this name. */
const one = (name: string, server: string, changes: Record<string, unknown> = {}): string =>
  JSON.stringify({
    "current-context": name,
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: { token: `token-of-${name}` } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: `ns-of-${name}` } }],
    ...changes,
  });

describe("without a kubeconfig of our own", () => {
  let api: FakeApiServer;
  beforeEach(async () => {
    api = await FakeApiServer.start();
    vi.stubEnv("KUBECONFIG", undefined);
    vi.stubEnv("HOME", mkdtempSync(path.join(tmpdir(), "kube-crier-home-")));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await api.close();
  });
  const token = async (client: KubeClient): Promise<unknown> => {
    await client.get("/api/v1/events", {}, signal);
    client.close();
    return api.requests.at(-1)?.headers.authorization;
  };
  const files = (...all: readonly string[]) => vi.stubEnv("KUBECONFIG", all.join(path.delimiter));

  it("that of the home folder is taken, and of KUBECONFIG before it", async () => {
    vi.stubEnv("HOME", folder);
    file(".kube/config", one("home", api.url));
    const client = open(null);
    expect([client.origin, client.namespace]).toEqual(["context home", "ns-of-home"]);
    expect(await token(client)).toBe("Bearer token-of-home");
    files(file("env", one("env", api.url)));
    expect(await token(open(null))).toBe("Bearer token-of-env");
  });

  it("the first file of KUBECONFIG that names a context decides, as for kubectl", async () => {
    const silent = file("silent", one("silent", api.url, { "current-context": undefined }));
    files(silent, file("a", one("a", api.url)), file("b", one("b", "http://127.0.0.1:1")));
    const client = open(null);
    expect(client.origin).toBe("context a");
    expect(await token(client)).toBe("Bearer token-of-a");
    expect(open(null, "b").server).toBe("http://127.0.0.1:1");
  });

  it("what several files of KUBECONFIG name is what the first says, as for kubectl", async () => {
    const users = [{ name: "same", user: { token: "of-the-first" } }];
    files(
      file("first", one("same", api.url, { users })),
      file("second", one("same", "http://127.0.0.1:1")),
    );
    expect(await token(open(null))).toBe("Bearer of-the-first");
  });

  it("the key tokenFile counts in each file of KUBECONFIG, beside the file that has it", async () => {
    const users = [{ name: "b", user: { tokenFile: "b.token" } }];
    file("apart/b.token", "from-b-file\n");
    files(file("a", one("a", api.url)), file("apart/b", one("b", api.url, { users })));
    expect(await token(open(null, "b"))).toBe("Bearer from-b-file");
    expect(await token(open(null, "a"))).toBe("Bearer token-of-a");
  });

  it.each([0, 1, 2])(
    "a file of KUBECONFIG that is not there is passed over, as by kubectl: place %i of three",
    async (place) => {
      const all = [file("a", one("a", api.url)), file("b", one("b", api.url))];
      files(...all.toSpliced(place, 0, path.join(folder, "not-there")));
      expect(await token(open(null))).toBe("Bearer token-of-a");
      expect(await token(open(null, "b"))).toBe("Bearer token-of-b");
    },
  );

  it("a file of KUBECONFIG that cannot be read is no file that is not there", () => {
    files(file("a", one("a", api.url)), folder);
    expect(() => open(null)).toThrow(/kubeconfig: cannot be read: EISDIR/);
  });

  it("a KUBECONFIG of nothing but separators names no file, and is told to", () => {
    files("", "");
    expect(() => open(null)).toThrow("kubeconfig: is not usable: KUBECONFIG names no file");
  });

  it("a file of KUBECONFIG that is not there is named where none is", () => {
    files(path.join(folder, "not-there"));
    expect(() => open(null)).toThrow(/kubeconfig: cannot be read: ENOENT.*not-there/);
  });

  it("and without any other there is no cluster to watch, and it says what to give", () => {
    expect(() => open(null)).toThrow(/no cluster is configured: KUBECONFIG is not set/);
  });
});

describe("an address given in place of the kubeconfig's", () => {
  it("is where requests go, with the kubeconfig's credentials", async () => {
    const api = await FakeApiServer.start();
    try {
      const elsewhere = file(
        "elsewhere",
        JSON.stringify({
          "current-context": "a",
          clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
          users: [{ name: "u", user: { token: "s3cret-token" } }],
          contexts: [{ name: "a", context: { cluster: "c", user: "u" } }],
        }),
      );
      const client = createKubeClient(
        { kubeconfig: elsewhere, context: null, server: api.url },
        { clock },
      );
      expect(client.server).toBe(api.url);
      await client.get("/api/v1/events", { limit: "1" }, signal);
      expect(api.requests.at(-1)?.headers.authorization).toBe("Bearer s3cret-token");
      client.close();
    } finally {
      await api.close();
    }
  });

  // kube-eventer's documentation: `--source=kubernetes:http://…:8080?inClusterConfig=false`, with `kubectl proxy` there.
  it("is asked without credentials where there is no kubeconfig and no service account", async () => {
    const api = await FakeApiServer.start();
    vi.stubEnv("KUBECONFIG", undefined);
    vi.stubEnv("HOME", mkdtempSync(path.join(tmpdir(), "kube-crier-home-")));
    try {
      const options = { kubeconfig: null, context: null };
      expect(() => createKubeClient(options, { clock })).toThrow(/no cluster is configured/);
      const client = createKubeClient({ ...options, server: api.url }, { clock });
      expect([client.server, client.origin]).toEqual([api.url, "no credentials"]);
      await client.get("/api/v1/events", { limit: "1" }, signal);
      expect(api.requests.at(-1)?.headers.authorization).toBeUndefined();
      client.close();
    } finally {
      vi.unstubAllEnvs();
      await api.close();
    }
  });
});
