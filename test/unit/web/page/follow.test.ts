import http from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { LOOK_MS } from "../../../../src/web/page/tail.ts";
import { FakeApiServer } from "../../../support/apiserver.ts";
import { FakeClock } from "../../../support/clock.ts";
import { kubernetesProver } from "../../../support/guarded.ts";
import { NOON, seen, take } from "../../../support/history.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";

const event = (n: number, changes: Parameters<typeof seen>[2] = {}) =>
  seen(n, NOON - 1000, changes);
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Somebody who follows over HTTP, and what they got so far. */
async function open(site: PageSite, path: string, headers: Readonly<Record<string, string>> = {}) {
  const gone = new AbortController();
  onTestFinished(() => gone.abort());
  const response = await fetch(site.url + path, { headers, signal: gone.signal });
  const got = { text: "", ended: false };
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) got.text += decoder.decode(chunk);
    got.ended = true;
  })().catch(() => undefined);
  return { response, got, leave: () => gone.abort() };
}

/** Moves the site's time until it holds. */
async function until(site: PageSite, holds: () => boolean): Promise<void> {
  await expect
    .poll(async () => {
      await site.clock.advance(500);
      return holds();
    })
    .toBe(true);
}

/** A site that asks a cluster, in which alice may list the events of shop and data. */
async function guarded() {
  const server = await FakeApiServer.start();
  onTestFinished(() => server.close());
  const clock = new FakeClock();
  const { prover } = kubernetesProver(server, clock);
  const site = await aPageSite(
    { namespaces: () => ["shop", "data"] },
    { tokens: [prover], proxy: null, open: false },
  );
  const { reviews } = server;
  reviews.tokens.set("alices", { user: { username: "alice" } });
  for (const namespace of ["shop", "data"]) reviews.grant("alice", "list events", namespace);
  /** A minute goes by, for what is remembered as for what is followed. */
  const aMinute = async () => {
    await clock.advance(61_000);
    for (let at = 0; at <= LOOK_MS; at += 500) await site.clock.advance(500);
  };
  const arrive = (n: number, eventNamespace: string) => take(site, [event(n, { eventNamespace })]);
  return { site, reviews, clock, aMinute, arrive, server };
}

describe("a stream", () => {
  test("is one that no proxy keeps back and no cache keeps, with the headers of every answer", async () => {
    const site = await aPageSite();
    const { response, got } = await open(site, "/api/v1/tail");
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    await expect.poll(() => got.text).toContain("retry: ");
  });

  test("whose client goes away is forgotten", async () => {
    const site = await aPageSite();
    const { leave } = await open(site, "/api/v1/tail");
    expect(site.hub.size).toBe(1);
    leave();
    await expect.poll(() => site.hub.size).toBe(0);
    expect(site.failures).toEqual([]);
  });

  test("goes on from Last-Event-ID; what is none is refused", async () => {
    const site = await aPageSite();
    await take(site, [event(1), event(2)]);
    const { got } = await open(site, "/api/v1/tail", { "last-event-id": "1" });
    await until(site, () => got.text.includes("web-2"));
    expect(got.text).not.toContain("web-1");
    expect(got.text).toMatch(/^id: 2\nevent: event\ndata: \{/m);
    const wrong = await site.get("/api/v1/tail", { "last-event-id": "1; DROP" });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toContain('Last-Event-ID: found \\"1; DROP\\", expected the id of the last');
  });

  test("of the page goes on from `after`, in the page's language, with rows that link to what is shown", async () => {
    const site = await aPageSite();
    await take(site, [event(1), event(2, { message: "<b>two</b>\nlines" })]);
    const { got } = await open(site, "/tail?type=Warning&after=1&lang=zh");
    await until(site, () => got.text.includes("web-2"));
    expect(got.text).toContain("event: row\ndata: <tr");
    expect(got.text).toContain("&lt;b&gt;two&lt;/b&gt;\ndata: lines");
    expect(got.text).toContain("?type=Warning&amp;reason=BackOff");
    expect(got.text).not.toMatch(/[?;]after=|lang=zh/);
  });

  test("ends with the program, and its client is told nothing that would keep it from coming again", async () => {
    const end = new AbortController();
    const site = await aPageSite({ signal: end.signal });
    const { got } = await open(site, "/api/v1/tail");
    await expect.poll(() => got.text).toContain("following");
    end.abort();
    await expect.poll(() => got.ended).toBe(true);
    expect(got.text).not.toContain("event: end");
  });

  /** A client that does not read, and more for it than it and all between us and it take. */
  async function unread() {
    const site = await aPageSite();
    const { hostname, port } = new URL(site.url);
    const answered = Promise.withResolvers<http.IncomingMessage>();
    const request = http.get({ hostname, port, path: "/api/v1/tail" }, answered.resolve);
    request.on("error", () => undefined);
    onTestFinished(() => void request.destroy());
    const response = await answered.promise;
    response.pause();
    await site.clock.advance(500);
    const message = "x".repeat(30_000);
    let made = 0;
    while (site.hub.size > 0 && made < 3_000) {
      await take(
        site,
        Array.from({ length: 50 }, (_, n) => event(made + n + 1, { message })),
      );
      made += 50;
      await site.clock.advance(500);
    }
    expect(site.hub.size).toBe(0);
    return { site, response, bytes: made * message.length };
  }

  test("that nobody reads is ended, with a word for whoever reads it later; what waits for it stays small", async () => {
    const { response, bytes } = await unread();
    let text = "";
    for await (const chunk of response) text += String(chunk);
    expect(text).toContain('event: gap\ndata: {"cause":"slow"');
    expect(text.length).toBeLessThan(bytes);
  });

  test("that nobody reads then either is cut", async () => {
    const { site, response } = await unread();
    await site.clock.advance(11_000);
    const cut = Promise.withResolvers<unknown>();
    response.once("error", cut.resolve);
    response.resume();
    expect(await cut.promise).toMatchObject({ code: "ECONNRESET" });
  });
});

describe("a right that is taken away while somebody follows", () => {
  test("the token: the stream ends within a minute, and says why", async () => {
    const { site, reviews, aMinute, arrive } = await guarded();
    const { got } = await open(site, "/api/v1/tail", bearer("alices"));
    await site.clock.advance(500);
    await arrive(1, "shop");
    await until(site, () => got.text.includes("web-1"));
    reviews.tokens.delete("alices");
    await aMinute();
    await expect.poll(() => got.ended).toBe(true);
    expect(got.text).toMatch(/event: end\ndata: \{"status":401,/);
    expect(site.hub.size).toBe(0);
  });

  test("a RoleBinding: events of that namespace come no more, the others go on", async () => {
    const { site, reviews, aMinute, arrive } = await guarded();
    const { got } = await open(site, "/api/v1/tail", bearer("alices"));
    await site.clock.advance(500);
    reviews.grants = reviews.grants.filter(({ namespace }) => namespace !== "data");
    await aMinute();
    await arrive(1, "data");
    await arrive(2, "shop");
    await until(site, () => got.text.includes("web-2"));
    expect(got.text).not.toContain("web-1");
  });

  test("the RoleBinding of the one namespace that is asked for: the stream ends and names the permission", async () => {
    const { site, reviews, aMinute } = await guarded();
    const { got } = await open(site, "/tail?ns=data", bearer("alices"));
    await site.clock.advance(500);
    reviews.grants = reviews.grants.filter(({ namespace }) => namespace !== "data");
    await aMinute();
    await expect.poll(() => got.ended).toBe(true);
    expect(got.text).toMatch(/event: end\n(data: .*\n)*data: .*may not list events.*data/);
  });

  test("nobody can say: nothing is shown meanwhile, and nothing is lost", async () => {
    const { site, clock, server, aMinute, arrive } = await guarded();
    const { got } = await open(site, "/api/v1/tail", bearer("alices"));
    await site.clock.advance(500);
    const away = { status: 503, headers: {}, body: "{}" };
    server.answer(away, ({ path }) => path.endsWith("reviews"), 99);
    await aMinute();
    await arrive(1, "shop");
    await site.clock.advance(5_000);
    expect(got.text).not.toContain("web-1");
    expect(got.ended).toBe(false);
    server.takeEverything();
    await clock.advance(61_000);
    await until(site, () => got.text.includes("web-1"));
  });
});

test("one person cannot take the places of all", async () => {
  const site = await aPageSite();
  const following = await Promise.all(
    Array.from({ length: 500 }, () => open(site, "/api/v1/tail")),
  );
  expect(following.every(({ response }) => response.status === 200)).toBe(true);
  const next = await site.get("/api/v1/tail");
  expect([next.status, next.headers.get("retry-after")]).toEqual([429, "10"]);
  following[0]?.leave();
  await expect.poll(() => site.hub.size).toBe(499);
  expect((await open(site, "/api/v1/tail")).response.status).toBe(200);
});
