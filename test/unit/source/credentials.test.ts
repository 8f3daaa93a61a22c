import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKubeClient } from "../../../src/source/kubernetes/client.ts";
import type { KubeClient } from "../../../src/source/kubernetes/transport.ts";
import { FakeApiServer, recorded } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { CuttableProxy } from "../../support/cuttable-proxy.ts";
import { RawServer } from "../../support/raw-server.ts";
import { kubeconfigFor } from "../../support/source.ts";

const { signal } = new AbortController();
let folder: string;
let server: FakeApiServer;
const clients: KubeClient[] = [];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "kube-crier-credentials-"));
  server = await FakeApiServer.start({ secure: true });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

function file(name: string, text: string): string {
  const place = path.join(folder, name);
  writeFileSync(place, text);
  return place;
}

/** A kubeconfig, to be written anew, and a client that has read it as it is. */
function connect(user?: Record<string, unknown>, cluster?: Record<string, unknown>) {
  const kubeconfig = kubeconfigFor(server, user, cluster, folder);
  const clock = new FakeClock();
  const client = createKubeClient({ kubeconfig, context: null }, { clock });
  clients.push(client);
  return { client, clock, kubeconfig };
}

/** A user whose token is what this script prints. */
function plugin(script: string): Record<string, unknown> {
  const command = file("plugin", `#!/bin/sh\n${script}\n`);
  chmodSync(command, 0o755);
  return { exec: { apiVersion: "client.authentication.k8s.io/v1", command } };
}

const credential = (status: unknown): string =>
  `cat <<'END'\n${JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status })}\nEND`;

const ask = (client: KubeClient): Promise<unknown> => client.get("/api/v1/events", {}, signal);
const refused = (client: KubeClient): Promise<Error> =>
  ask(client).then(
    () => Promise.reject(new Error("it was let in")),
    (error: unknown) => error as Error,
  );
const tokens = (): readonly (string | undefined)[] =>
  server.requests.map((one) => one.headers.authorization?.replace("Bearer ", ""));

describe("a token that the server does not take any more", () => {
  beforeEach(() => server.answer(recorded("list-401")));

  it("is read anew from its file for the next request", async () => {
    const tokenFile = file("token", "first");
    const { client } = connect({ "auth-provider": { name: "tokenFile", config: { tokenFile } } });
    await refused(client);
    file("token", "second");
    await ask(client);
    expect(tokens()).toEqual(["first", "second"]);
  });

  it("is read anew from the file beside the kubeconfig, which goes before a token in it", async () => {
    file("beside", "from-file\n");
    const { client } = connect({ tokenFile: "beside", token: "s3cret-token" });
    await refused(client);
    file("beside", "rotated\n");
    await ask(client);
    expect(tokens()).toEqual(["from-file", "rotated"]);
  });

  it("is read anew of the same context, whichever is the current one by now", async () => {
    const { client, kubeconfig } = connect({ token: "ours" });
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        "current-context": "other",
        clusters: ["test", "other"].map((name) => ({
          name,
          cluster: {
            server: name === "test" ? server.url : "https://127.0.0.1:1",
            "certificate-authority-data": Buffer.from(FakeApiServer.ca).toString("base64"),
          },
        })),
        users: ["tester", "other"].map((name) => ({ name, user: { token: `new-of-${name}` } })),
        contexts: [
          { name: "test", context: { cluster: "test", user: "tester" } },
          { name: "other", context: { cluster: "other", user: "other" } },
        ],
      }),
    );
    await refused(client);
    await ask(client);
    expect(tokens()).toEqual(["ours", "new-of-tester"]);
  });

  it("is not replaced by that of another server, which the context has got meanwhile", async () => {
    const { client } = connect({ token: "ours" });
    kubeconfigFor(server, { token: "theirs" }, { server: "https://127.0.0.1:1" }, folder);
    await refused(client);
    await ask(client);
    expect(tokens()).toEqual(["ours", "ours"]);
    // When the context is back at ours, so is its token.
    kubeconfigFor(server, { token: "renewed" }, {}, folder);
    server.answer(recorded("list-401"));
    await refused(client);
    await ask(client);
    expect(tokens().at(-1)).toBe("renewed");
  });

  it("is read anew from the kubeconfig, by whatever kind of request it was refused", async () => {
    const requests: readonly ((client: KubeClient) => Promise<unknown>)[] = [
      (client) => client.post("/api/v1/events", {}, signal),
      (client) => client.put("/api/v1/events", {}, signal),
      (client) => client.patch("/api/v1/events", {}, signal),
      (client) => client.stream("/api/v1/events", {}, signal),
    ];
    server.takeEverything();
    for (const [index, request] of requests.entries()) {
      const { client, kubeconfig } = connect({ token: `old-${index}` });
      server.answer(recorded("list-401"));
      await expect(request(client)).rejects.toMatchObject({ status: 401 });
      writeFileSync(kubeconfig, readFileSync(kubeconfig, "utf8").replace("old-", "new-"));
      server.answer(recorded("list-401"));
      await refused(client);
      await ask(client);
      expect(tokens().at(-1)).toBe(`new-${index}`);
    }
  });

  it("is kept while the kubeconfig is being rewritten", async () => {
    const { client, kubeconfig } = connect();
    writeFileSync(kubeconfig, "");
    await refused(client);
    await ask(client);
    expect(tokens()).toEqual(["s3cret-token", "s3cret-token"]);
  });

  it("is asked for again of the plugin, though it said that it would hold for longer", async () => {
    const expirationTimestamp = "2999-01-01T00:00:00Z";
    const { client } = connect(plugin(credential({ token: "first", expirationTimestamp })));
    await refused(client);
    plugin(credential({ token: "second", expirationTimestamp }));
    await ask(client);
    expect(tokens()).toEqual(["first", "second"]);
  });
});

describe("a right that is missing, or a server that is unwell", () => {
  it("is no reason to run the plugin again", async () => {
    const runs = file("runs", "");
    const { client } = connect(plugin(`echo run >> ${runs}\n${credential({ token: "t" })}`));
    for (const status of [403, 404, 429, 500, 503]) {
      server.answer({ status, headers: {}, body: "" });
      await refused(client);
    }
    await ask(client);
    expect(readFileSync(runs, "utf8")).toBe("run\n");
  });
});

describe("the plugin that the kubeconfig names", () => {
  it("is run once for all requests until its token is over, then again", async () => {
    const runs = file("runs", "");
    const script = (expirationTimestamp: string) =>
      `echo run >> ${runs}\n${credential({ token: "t", expirationTimestamp })}`;
    const { client } = connect(plugin(script("2999-01-01T00:00:00Z")));
    for (let index = 0; index < 3; index += 1) await ask(client);
    expect(readFileSync(runs, "utf8")).toBe("run\n");
    const over = connect(plugin(script("2001-01-01T00:00:00Z"))).client;
    for (let index = 0; index < 3; index += 1) await ask(over);
    expect(readFileSync(runs, "utf8")).toBe("run\n".repeat(4));
  });

  it("is given the arguments and the environment that stand there", async () => {
    const user = plugin('echo "{\\"status\\":{\\"token\\":\\"$1-$REGION\\"}}"') as {
      exec: Record<string, unknown>;
    };
    const exec = { ...user.exec, args: ["get"], env: [{ name: "REGION", value: "eu" }] };
    await ask(connect({ exec }).client);
    expect(tokens()).toEqual(["get-eu"]);
  });

  it("may give a certificate in place of a token", async () => {
    // No private key of a client is among the fixtures: the server's own pair does as well.
    const fixture = (name: string) =>
      readFileSync(
        path.resolve(import.meta.dirname, "../../fixtures/kube-apiserver/tls", name),
        "utf8",
      );
    const status = {
      clientCertificateData: fixture("server.crt"),
      clientKeyData: fixture("server.key"),
    };
    await ask(connect(plugin(credential(status))).client);
    expect(tokens()).toEqual([undefined]);
  });

  it("that is not there is named", async () => {
    const { client } = connect({ exec: { command: "no-such-plugin", args: [] } });
    await expect(ask(client)).rejects.toMatchObject({
      name: "CredentialsError",
      permanent: true,
      message: expect.stringMatching(/no-such-plugin.*installed here\?$/),
    });
  });

  it("that fails is quoted, and run again for the next request", async () => {
    const { client } = connect(plugin('echo "the session is over: log in" >&2; exit 1'));
    expect(await refused(client)).toMatchObject({
      name: "CredentialsError",
      permanent: false,
      message: "no credentials: the session is over: log in",
    });
    plugin(credential({ token: "after-login" }));
    await ask(client);
    expect(tokens()).toEqual(["after-login"]);
  });

  it("that fails with many words is quoted in one short line, without what only a terminal obeys", async () => {
    const script = [
      String.raw`printf '\033[31mred\033[0m\nsecond line\r\n\tthird\342\200\256 line\n' >&2`,
      "yes 'and so on' | head -c 100000 >&2",
      "exit 1",
    ];
    const { message } = await refused(connect(plugin(script.join("\n"))).client);
    expect(message).toMatch(/^no credentials: \[31mred \[0m second line third line and so on and/);
    expect(message).toHaveLength(500);
    expect(message.endsWith("…")).toBe(true);
    // A cut leaves no half of a character.
    const wide = await refused(connect(plugin("printf '😀%.0s' $(seq 400) >&2; exit 1")).client);
    expect(wide.message.isWellFormed()).toBe(true);
  });

  it.each([
    [
      "a token of a ServiceAccount",
      "refused: eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
      "refused: <redacted>",
    ],
    ["a header", "sent Authorization: Bearer hunter2-hunter2", "Bearer <redacted>"],
    [
      "the URL of a proxy",
      "no way to https://me:hunter2@proxy:3128/",
      "https://me:<redacted>@proxy",
    ],
    ["an answer", '{"access_token": "hunter2-hunter2"}', '"access_token": "<redacted>"'],
  ])("that fails and quotes %s gives no secret away", async (_, words, shown) => {
    const { client } = connect(plugin(`cat >&2 <<'END'\n${words}\nEND\nexit 1`));
    const { message } = await refused(client);
    expect(message).toContain(shown);
    expect(message).not.toMatch(/hunter2|c2lnbmF0dXJl/);
  });

  it("that fails without a word is said to", async () => {
    const { client } = connect(plugin("exit 3"));
    expect((await refused(client)).message).toBe(
      "no credentials: the plugin failed without a word",
    );
  });

  it.each([
    ["a bare token", "echo hunter2"],
    ["a longer one", "echo eyJhbGciOiJSUzI1NiIsImtpZCI6InNlY3JldCJ9.c2VjcmV0.c2lnbmF0dXJl"],
    ["JSON with something before it", 'echo "hunter2 {}"'],
    ["nothing", "true"],
  ])("that prints %s gives none of it away, and is run again", async (_, script) => {
    const { client } = connect(plugin(script));
    expect((await refused(client)).message).toBe(
      "no credentials: what the plugin printed is not JSON",
    );
    plugin(credential({ token: "mended" }));
    await ask(client);
    expect(tokens()).toEqual(["mended"]);
  });

  it.each(["{}", '{"kind":"ExecCredential"}', '{"status":null}', "7", '"hunter2"'])(
    "that prints %s is not believed from then on, but run again",
    async (printed) => {
      const { client } = connect(plugin(`echo '${printed}'`));
      const error = await refused(client);
      expect(error).toMatchObject({ name: "CredentialsError", permanent: false });
      expect(error.message).toBe(
        "no credentials: what the plugin printed is no ExecCredential with a status",
      );
      plugin(credential({ token: "mended" }));
      await ask(client);
      expect(tokens()).toEqual(["mended"]);
    },
  );
});

describe("a plugin that hangs", () => {
  let home: RawServer;
  beforeEach(async () => {
    home = await RawServer.start();
  });
  afterEach(() => home.close());

  /** It holds a connection to us for as long as it runs. */
  function hanging() {
    const { port } = new URL(home.url);
    const command = file(
      "hanging",
      `#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/${port}\necho here >&3\nexec sleep 1000\n`,
    );
    chmodSync(command, 0o755);
    return connect({ exec: { apiVersion: "client.authentication.k8s.io/v1", command } });
  }

  it("is ended with the request that it was run for, and run again for the next", async () => {
    const { client, clock } = hanging();
    for (let time = 1; time <= 2; time += 1) {
      const answer = refused(client);
      await home.until(() => home.requests.length === time);
      expect(home.connections).toBe(1);
      await clock.advance(70_000);
      expect((await answer).message).toBe(`no answer from ${server.url} within 70 s`);
      await home.until(() => home.connections === 0);
    }
  });

  it("does not hold up who is told to stop", async () => {
    const { client } = hanging();
    const stop = new AbortController();
    const answer = client.get("/api/v1/events", {}, stop.signal).catch((error: unknown) => error);
    await home.until(() => home.requests.length === 1);
    stop.abort();
    expect(await answer).toMatchObject({ name: "AbortError" });
    await home.until(() => home.connections === 0);
  });
});

describe("files that the kubeconfig names", () => {
  it("that are not there yet are waited for: a token may be mounted later", async () => {
    const { client } = connect({ tokenFile: "later" });
    expect(await refused(client)).toMatchObject({
      name: "CredentialsError",
      permanent: true,
      message: expect.stringContaining("later"),
    });
    file("later", "here-now");
    await ask(client);
    expect(tokens()).toEqual(["here-now"]);
  });
});

/** A certificate that signed nothing of the server's. */
const OTHER = "../../fixtures/kube-apiserver/tls/server.crt";
const inFile = (authority: string) => ({
  "certificate-authority-data": undefined,
  "certificate-authority": authority,
});

describe("an authority that is rotated", () => {
  const other = readFileSync(path.join(import.meta.dirname, OTHER));

  it("in its file is trusted by the connections from then on", async () => {
    const authority = file("ca.crt", other.toString());
    const { client } = connect({}, inFile(authority));
    expect(await refused(client)).toMatchObject({ permanent: true });
    file("ca.crt", FakeApiServer.ca);
    await expect(ask(client)).resolves.toMatchObject({ kind: "EventList" });
  });

  it("within the kubeconfig is read anew", async () => {
    const { client } = connect({}, { "certificate-authority-data": other.toString("base64") });
    // Whoever rotates it takes a while; until then each try says so.
    for (let tries = 0; tries < 2; tries += 1)
      expect(await refused(client)).toMatchObject({ permanent: true });
    kubeconfigFor(server, {}, {}, folder);
    await refused(client);
    await expect(ask(client)).resolves.toMatchObject({ kind: "EventList" });
  });

  it("is trusted behind a proxy, too, whose connections remember the old one", async () => {
    const proxy = await CuttableProxy.start();
    try {
      const authority = file("ca.crt", other.toString());
      const { client } = connect({}, { ...inFile(authority), "proxy-url": proxy.url });
      expect(await refused(client)).toMatchObject({ permanent: true });
      file("ca.crt", FakeApiServer.ca);
      await expect(ask(client)).resolves.toMatchObject({ kind: "EventList" });
    } finally {
      await proxy.close();
    }
  });
});
