import { describe, expect, it, onTestFinished } from "vitest";
import { Limiter } from "../../../../src/web/auth/limiter.ts";
import { FakeApiServer } from "../../../support/apiserver.ts";
import { FakeClock, settle } from "../../../support/clock.ts";
import { bearer, kubernetesProver, Site } from "../../../support/guarded.ts";

const A = "203.0.113.9";

/** A site that asks a cluster whose tokens `right-0`, `right-1` … are those of reader-0, reader-1 … */
async function guarded(readers = 0) {
  const server = await FakeApiServer.start();
  const clock = new FakeClock();
  for (let n = 0; n < readers; n += 1) {
    server.reviews.tokens.set(`right-${n}`, { user: { username: `reader-${n}` } });
    server.reviews.grant(`reader-${n}`, "list events", "shop");
  }
  const site = await new Site({ tokens: [kubernetesProver(server, clock).prover] }, clock).start();
  onTestFinished(async () => {
    await site.close();
    await server.close();
  });
  const statuses = async (tokens: readonly string[]) => {
    const asked = tokens.map((token) => site.request("/api/v1/whoami", { headers: bearer(token) }));
    return (await Promise.all(asked)).map(({ status }) => status);
  };
  return { server, site, clock, statuses };
}

const times = (many: number, name: (n: number) => string) =>
  Array.from({ length: many }, (_, n) => name(n));
const countOf = (statuses: readonly number[], status: number) =>
  statuses.filter((one) => one === status).length;

describe("many tokens at once from one address", () => {
  it("that are wrong cost the API server ten questions a minute, as one after the other", async () => {
    const { server, statuses, clock } = await guarded();
    const answers = await statuses(times(40, (n) => `guess-${n}`));
    expect([countOf(answers, 401), countOf(answers, 429)]).toEqual([10, 30]);
    expect(server.reviews.count("TokenReview")).toBe(10);
    await clock.advance(60_000);
    expect(countOf(await statuses(times(40, (n) => `later-${n}`)), 401)).toBe(10);
  });

  it("at the form are as many", async () => {
    const { server, site } = await guarded();
    const forms = times(30, (n) => `guess-${n}`).map((token) => site.form("/login", { token }));
    const answers = (await Promise.all(forms)).map(({ status }) => status);
    expect([countOf(answers, 401), countOf(answers, 429)]).toEqual([10, 20]);
    expect(server.reviews.count("TokenReview")).toBe(10);
  });

  it("that are right are all let in, and each is asked about once", async () => {
    const { server, statuses } = await guarded(40);
    expect(countOf(await statuses(times(40, (n) => `right-${n}`)), 200)).toBe(40);
    expect(server.reviews.count("TokenReview")).toBe(40);
  });

  it("that are one, of a dashboard with many panels, are one question", async () => {
    const { server, statuses } = await guarded(1);
    expect(countOf(await statuses(times(60, () => "right-0")), 200)).toBe(60);
    expect(server.reviews.count("TokenReview")).toBe(1);
  });

  it("some of them wrong, do not keep the right ones out while fewer than ten are wrong", async () => {
    const { statuses } = await guarded(30);
    const mixed = times(30, (n) => `right-${n}`).flatMap((right, n) =>
      n < 9 ? [right, `guess-${n}`] : [right],
    );
    const answers = await statuses(mixed);
    expect([countOf(answers, 200), countOf(answers, 401)]).toEqual([30, 9]);
  });

  it("are all told within twenty seconds that nobody can say, where the API server hangs", async () => {
    const { server, site, clock, statuses } = await guarded();
    server.answer(null, ({ path }) => path.endsWith("tokenreviews"), 1_000);
    const asked = statuses(times(60, (n) => `guess-${n}`));
    while (clock.sleeping < 60) await settle();
    // Ten seconds for those before it, and ten for its own question.
    await clock.advance(10_000);
    await clock.advance(10_000);
    expect(countOf(await asked, 503)).toBe(60);
    expect(site.failures).toEqual([]);
  });

  it("are let in or told why again once an API server that was away is back", async () => {
    const { server, statuses } = await guarded(1);
    await server.down();
    const away = await statuses(times(25, (n) => `guess-${n}`));
    // Nobody could say that they are wrong.
    expect(countOf(away, 503)).toBe(25);
    await server.up();
    expect(await statuses(["right-0"])).toEqual([200]);
  });
});

describe("whoever waits for those before them", () => {
  it("goes on in the place of one that was right, and not of one that was wrong", async () => {
    const limiter = new Limiter(new FakeClock());
    for (let n = 0; n < 10; n += 1) expect(await limiter.begin(A)).toBe(0);
    const eleventh = limiter.begin(A);
    let isThrough = false;
    void eleventh.then(() => (isThrough = true));
    limiter.end(A, true);
    await settle();
    expect(isThrough).toBe(false);
    limiter.end(A, false);
    expect(await eleventh).toBe(0);
    for (let n = 0; n < 9; n += 1) limiter.end(A, true);
    expect(await limiter.begin(A)).toBe(60_000);
  });

  it("is told how long to wait when all of those were wrong, all of them at once", async () => {
    const limiter = new Limiter(new FakeClock());
    for (let n = 0; n < 10; n += 1) await limiter.begin(A);
    const others = Array.from({ length: 5 }, () => limiter.begin(A));
    for (let n = 0; n < 10; n += 1) limiter.end(A, true);
    expect(await Promise.all(others)).toEqual([60_000, 60_000, 60_000, 60_000, 60_000]);
  });

  it("is told so after ten seconds, has nothing under way, and takes nobody's place later", async () => {
    const clock = new FakeClock();
    const limiter = new Limiter(clock);
    for (let n = 0; n < 10; n += 1) await limiter.begin(A);
    const told: (number | "late")[] = [];
    for (let n = 0; n < 25; n += 1) void limiter.begin(A).then((one) => told.push(one));
    await clock.advance(9_999);
    // One of those before ends in time, and another in its place waits as long as it likes.
    limiter.end(A, false);
    await settle();
    expect(told).toEqual([0]);
    await clock.advance(1);
    expect(told.slice(1)).toEqual(Array.from({ length: 24 }, () => "late"));
    for (let n = 0; n < 10; n += 1) limiter.end(A, false);
    for (let n = 0; n < 10; n += 1) expect(await limiter.begin(A)).toBe(0);
    expect(clock.sleeping).toBe(0);
  });

  it("waits for nobody of another address", async () => {
    const limiter = new Limiter(new FakeClock());
    for (let n = 0; n < 10; n += 1) await limiter.begin(A);
    expect(await limiter.begin("203.0.113.10")).toBe(0);
  });

  it("waits for those of its own IPv6 network", async () => {
    const limiter = new Limiter(new FakeClock());
    for (let n = 0; n < 10; n += 1) await limiter.begin(`2001:db8:1:2::${n}`);
    let isThrough = false;
    void limiter.begin("2001:db8:1:2:ffff::1").then(() => (isThrough = true));
    await settle();
    expect(isThrough).toBe(false);
    limiter.end("2001:db8:1:2::3", false);
    await settle();
    expect(isThrough).toBe(true);
  });
});
