import { describe, expect, it, onTestFinished } from "vitest";
import { MOST_NAMESPACES } from "../../../src/web/auth/kubernetes.ts";
import { FakeApiServer } from "../../support/apiserver.ts";
import { FakeClock } from "../../support/clock.ts";
import { bearer, kubernetesProver } from "../../support/guarded.ts";
import { MINUTE, NOON, seen, take } from "../../support/history.ts";
import { aPageSite } from "../../support/page.ts";

const ALICE = { ...bearer("alices"), accept: "text/html" };

/** A cluster of so many namespaces, ns-0000 first; alice may list events in those that are named. */
async function cluster(many: number, granted: readonly string[]) {
  const server = await FakeApiServer.start();
  onTestFinished(() => server.close());
  const { prover } = kubernetesProver(server, new FakeClock());
  const names = Array.from({ length: many }, (_, n) => `ns-${String(n).padStart(4, "0")}`);
  const site = await aPageSite(
    { namespaces: () => names },
    { tokens: [prover], proxy: null, open: false },
  );
  server.reviews.tokens.set("alices", { user: { username: "alice" } });
  for (const name of granted) server.reviews.grant("alice", "list events", name);
  await take(
    site,
    [names[0] ?? "", names.at(-1) ?? ""].map((namespace, n) =>
      seen(n, NOON - MINUTE, { eventNamespace: namespace, object: { namespace } }),
    ),
  );
  return { site, last: names.at(-1) ?? "" };
}

const MORE = "There are more namespaces than are asked about at once";

describe("of more namespaces than are asked about at once", () => {
  it("what was left out is said, on the page and in the API, and is shown by its name", async () => {
    const { site, last } = await cluster(MOST_NAMESPACES + 1, ["ns-0000", "ns-1000"]);
    expect(last).toBe("ns-1000");
    const page = await site.get("/", ALICE);
    expect(page.text).toContain(MORE);
    expect(page.text).toContain("web-0");
    expect(page.text).not.toContain("web-1");
    expect((await site.get("/sinks", ALICE)).text).toContain(MORE);
    expect((await site.get("/?lang=zh", ALICE)).text).toContain("命名空间过多，未能全部查询权限");
    const api = await site.get("/api/v1/events", bearer("alices"));
    expect(JSON.parse(api.body)).toMatchObject({ troubles: [expect.stringContaining(MORE)] });
    const named = await site.get(`/?ns=${last}`, ALICE);
    expect(named.text).toContain("web-1");
    expect(named.text).not.toContain(MORE);
  });

  it("nothing is said where all were asked about", async () => {
    const { site, last } = await cluster(MOST_NAMESPACES, ["ns-0000", "ns-0999"]);
    expect(last).toBe("ns-0999");
    const { text } = await site.get("/", ALICE);
    expect(text).toContain("web-1");
    expect(text).not.toContain(MORE);
  });

  it("a refusal says that there may be one that was not asked about", async () => {
    const { site } = await cluster(MOST_NAMESPACES + 1, ["ns-1000"]);
    const refused = await site.get("/", ALICE);
    expect(refused.status).toBe(403);
    expect(refused.text).toContain("alice may not list events in any namespace");
    expect(refused.text).toContain("name one of yours");
    expect((await site.get("/?ns=ns-1000", ALICE)).text).toContain("web-1");
  });

  it("nothing is said to who may list events everywhere", async () => {
    const { site } = await cluster(MOST_NAMESPACES + 1, []);
    const root = await cluster(MOST_NAMESPACES + 1, ["ns-0000"]);
    expect((await site.get("/", ALICE)).status).toBe(403);
    expect((await root.site.get("/", ALICE)).text).toContain(MORE);
  });
});
