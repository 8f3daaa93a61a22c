import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
  bodyLimit,
  cutConnection,
  Hono,
  html,
  listen,
  raw,
  type Listening,
  type NodeEnv,
} from "../../../src/web/server.ts";
import { FakeClock } from "../../support/clock.ts";

const open: Listening[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function serve(app: Hono<NodeEnv>, host = "127.0.0.1", clock?: FakeClock) {
  const server = await listen({ host, port: 0, app, ...(clock === undefined ? {} : { clock }) });
  open.push(server);
  return server;
}

function hello(): Hono<NodeEnv> {
  const app = new Hono<NodeEnv>();
  app.get("/livez", (c) => c.text("ok"));
  return app;
}

describe("listen", () => {
  it("picks a free port for 0 and says which", async () => {
    const server = await serve(hello());
    expect(server.port).toBeGreaterThan(0);
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    const answer = await fetch(`${server.url}/livez`);
    expect([answer.status, await answer.text()]).toEqual([200, "ok"]);
  });

  it("gives a wildcard host as an address one can open", async () => {
    const server = await serve(hello(), "0.0.0.0");
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });

  it("answers 404 where nothing is", async () => {
    const server = await serve(hello());
    expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
  });

  it("keeps the process's own Request and Response", async () => {
    const before = [globalThis.Request, globalThis.Response];
    await serve(hello());
    expect([globalThis.Request, globalThis.Response]).toEqual(before);
  });

  it("says what stands in the way when the port is taken, and what to do", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(listen({ host: "127.0.0.1", port, app: hello() })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: another program listens there; stop it, or choose another port (0 picks a free one)`,
    );
    other.close();
  });

  it("says that an address is not this machine's", async () => {
    await expect(listen({ host: "192.0.2.1", port: 0, app: hello() })).rejects.toThrow(
      "cannot listen on 192.0.2.1:0: this machine has no such address; expected one of its own, such as 127.0.0.1 or 0.0.0.0",
    );
  });
});

describe("close", () => {
  it("refuses what comes afterwards", async () => {
    const server = await serve(hello());
    await server.close();
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow("fetch failed");
  });

  it("may be called twice", async () => {
    const server = await serve(hello());
    await Promise.all([server.close(), server.close()]);
    await expect(server.close()).resolves.toBeUndefined();
  });

  it("lets a request in flight finish", async () => {
    const arrived = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const app = new Hono<NodeEnv>();
    app.get("/slow", async (c) => {
      arrived.resolve();
      await go.promise;
      return c.text("done");
    });
    const server = await serve(app, "127.0.0.1", new FakeClock());
    const answer = fetch(`${server.url}/slow`);
    await arrived.promise;
    const closed = server.close();
    go.resolve();
    expect(await (await answer).text()).toBe("done");
    await closed;
  });

  it("cuts a request that will not finish after a second", async () => {
    const clock = new FakeClock();
    const arrived = Promise.withResolvers<void>();
    const app = new Hono<NodeEnv>();
    app.get("/stuck", () => {
      arrived.resolve();
      return new Promise<Response>(() => undefined);
    });
    const server = await serve(app, "127.0.0.1", clock);
    const answer = fetch(`${server.url}/stuck`).then(
      () => "answered",
      () => "cut",
    );
    await arrived.promise;
    const closed = server.close();
    await clock.advance(1000);
    await closed;
    expect(await answer).toBe("cut");
  });
});

describe("cutConnection", () => {
  it("resets the connection instead of answering", async () => {
    const app = new Hono<NodeEnv>();
    app.get("/cut", (c) => cutConnection(c));
    app.get("/livez", (c) => c.text("ok"));
    const server = await serve(app);
    await expect(fetch(`${server.url}/cut`)).rejects.toThrow("fetch failed");
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });
});

describe("html", () => {
  it("escapes what is interpolated, in text and in attributes", async () => {
    const hostile = `<script>alert("1")</script> & 'x'`;
    const page = String(await html`<p title="${hostile}">${hostile}</p>`);
    expect(page).not.toContain("<script>");
    expect(page).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;");
  });

  it("nests without escaping twice, and takes raw text as it is", async () => {
    const inner = html`<b>${"a < b"}</b>`;
    expect(String(await html`<p>${inner}${raw("<hr>")}</p>`)).toBe("<p><b>a &lt; b</b><hr></p>");
  });

  it("draws lists of pieces", async () => {
    const items = ["1", "<2>"].map((item) => html`<li>${item}</li>`);
    expect(String(await html`${items}`)).toBe("<li>1</li><li>&lt;2&gt;</li>");
  });
});

describe("a body", () => {
  /** Sends it in chunks, without saying how long it is. */
  const inChunks = (...parts: readonly string[]) =>
    new ReadableStream({
      start(controller) {
        for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
        controller.close();
      },
    });

  function echo(): Hono<NodeEnv> {
    const app = new Hono<NodeEnv>();
    app.use(bodyLimit(10));
    app.post("/text", async (c) => c.text(await c.req.text()));
    app.post("/json", async (c) => c.json(await c.req.json()));
    app.post("/bytes", async (c) => c.text(String((await c.req.arrayBuffer()).byteLength)));
    app.delete("/text", (c) => c.text("gone"));
    return app;
  }

  it.each([
    ["/text", ["hello ", "you"], "hello you"],
    ["/json", ['{"a"', ":1}"], '{"a":1}'],
    ["/bytes", ["生产"], "6"],
    ["/text", ["exactly", "ten"], "exactlyten"],
    ["/text", [], ""],
  ])("of a length that is not said is read: %s", async (place, parts, expected) => {
    const { url } = await serve(echo());
    const init = { method: "POST", body: inChunks(...parts), duplex: "half" } as RequestInit;
    const answer = await fetch(`${url}${place}`, init);
    expect([answer.status, await answer.text()]).toEqual([200, expected]);
  });

  it("that is too long is refused, whether it says so or not", async () => {
    const { url } = await serve(echo());
    const said = await fetch(`${url}/text`, { method: "POST", body: "x".repeat(11) });
    const init = { method: "POST", body: inChunks("x".repeat(11)), duplex: "half" } as RequestInit;
    const unsaid = await fetch(`${url}/text`, init);
    expect([said.status, unsaid.status]).toEqual([413, 413]);
  });

  it("need not be there", async () => {
    const { url } = await serve(echo());
    const answer = await fetch(`${url}/text`, { method: "DELETE" });
    expect(await answer.text()).toBe("gone");
  });
});
