import { describe, expect, it } from "vitest";
import { storedKey } from "../../../../src/ledger/key.ts";
import * as schemas from "../../../../src/web/api/schemas.ts";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { anApiSite, type ApiSite } from "../../../support/api.ts";

/** The id of the n-th event, seen so many minutes before noon. */
const idOf = (n: number, minutes: number) => storedKey(seen(n, NOON - minutes * MINUTE));

const JSON_ONLY = { accept: "application/json" };
const parse = (body: string): unknown => JSON.parse(body) as unknown;
/** An answer has what its schema says and nothing else. */
const held = <Held>(schema: { readonly parse: (value: unknown) => Held }, body: string): Held =>
  schema.parse(parse(body));

async function filled(count = 3): Promise<ApiSite> {
  const site = await anApiSite();
  await take(
    site,
    Array.from({ length: count }, (_, n) => seen(n, NOON - (n + 1) * MINUTE)),
    ["ops", "audit"],
  );
  return site;
}

describe("GET /api/v1/events", () => {
  it("answers what the page shows, a page at a time", async () => {
    const site = await filled();
    const first = held(
      schemas.eventPage,
      (await site.get("/api/v1/events?limit=2", JSON_ONLY)).body,
    );
    expect(first.events.map(({ at }) => at)).toEqual([
      "2026-11-20T11:59:00.000Z",
      "2026-11-20T11:58:00.000Z",
    ]);
    expect(first.events[0]?.deliveries.map(({ sink, state }) => [sink, state])).toEqual([
      ["ops", "pending"],
      ["audit", "pending"],
    ]);
    const path = `/api/v1/events?limit=2&cursor=${first.next ?? ""}`;
    const second = held(schemas.eventPage, (await site.get(path, JSON_ONLY)).body);
    expect(second.events.map(({ event }) => event.object.name)).toEqual(["web-2"]);
    expect(second.next).toBeNull();
  });

  it("has no body for who has it already", async () => {
    const site = await filled();
    const { headers } = await site.get("/api/v1/events", JSON_ONLY);
    const etag = headers.get("etag") ?? "";
    const again = await site.get("/api/v1/events", { ...JSON_ONLY, "if-none-match": etag });
    expect([again.status, again.body]).toEqual([304, ""]);
    await take(site, [seen(9, NOON)]);
    const changed = await site.get("/api/v1/events", { ...JSON_ONLY, "if-none-match": etag });
    expect(changed.status).toBe(200);
  });

  it("names each field that cannot be understood, with an example", async () => {
    const site = await filled();
    const { status, body } = await site.get(
      "/api/v1/events?since=yesterday&reasn=BackOff&limit=0",
      JSON_ONLY,
    );
    expect(status).toBe(400);
    const { fields } = held(schemas.problem, body);
    expect(fields?.map(({ field }) => field).toSorted()).toEqual(["limit", "reasn", "since"]);
    expect(fields).toContainEqual(
      expect.objectContaining({ field: "since", found: "yesterday", example: "2h" }),
    );
  });
});

describe("the other questions", () => {
  it("one event, and 404 for none", async () => {
    const site = await filled();
    const id = encodeURIComponent(idOf(1, 2));
    const story = held(schemas.story, (await site.get(`/api/v1/events/${id}`, JSON_ONLY)).body);
    expect(story.event.event.object.name).toBe("web-1");
    expect((await site.get("/api/v1/events/none", JSON_ONLY)).status).toBe(404);
  });

  it("a timeline", async () => {
    const site = await filled();
    const timeline = held(
      schemas.timeline,
      (
        await site.get(
          "/api/v1/timeline?from=2026-11-20T11:50:00Z&to=2026-11-20T12:00:00Z&by=kind&step=5m",
          JSON_ONLY,
        )
      ).body,
    );
    expect(timeline).toMatchObject({
      stepMs: 5 * MINUTE,
      total: 3,
      series: [{ value: "Pod", total: 3, counts: [0, 3] }],
    });
  });

  it("deliveries of one state", async () => {
    const site = await filled();
    const page = held(
      schemas.deliveryPage,
      (await site.get("/api/v1/deliveries?state=pending&sink=ops&limit=2", JSON_ONLY)).body,
    );
    expect(page.deliveries.map(({ about }) => about.event)).toEqual([idOf(2, 3), idOf(1, 2)]);
    const rest = held(
      schemas.deliveryPage,
      (
        await site.get(
          `/api/v1/deliveries?state=pending&sink=ops&limit=2&cursor=${page.next ?? ""}`,
          JSON_ONLY,
        )
      ).body,
    );
    expect(rest.deliveries).toHaveLength(1);
    const wrong = await site.get("/api/v1/deliveries?state=delivered", JSON_ONLY);
    expect([wrong.status, held(schemas.problem, wrong.body).fields?.[0]?.expected]).toEqual([
      400,
      "pending or dead",
    ]);
  });

  it("what would be decided about an event that is sent along", async () => {
    const site = await anApiSite();
    const { body } = await site.ask("POST", "/api/v1/explain", {
      body: {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: "a", namespace: "shop", uid: "u" },
        involvedObject: { kind: "Pod", name: "p", namespace: "shop" },
        type: "Normal",
        reason: "Scheduled",
        message: "ok",
        lastTimestamp: "2026-11-20T11:00:00Z",
      },
    });
    const explained = held(schemas.explanation, body);
    expect(explained.sinks.map(({ sink, owed }) => [sink, owed])).toEqual([
      ["ops", false],
      ["audit", true],
      ["team", false],
    ]);
  });

  it("follows what arrives, and only what fits", async () => {
    const site = await filled();
    const abort = new AbortController();
    const response = await fetch(`${site.url}/api/v1/tail?reason=Killing`, {
      signal: abort.signal,
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = (response.body ?? new ReadableStream())
      .pipeThrough(new TextDecoderStream())
      .getReader();
    await site.clock.advance(500);
    await take(site, [seen(11, NOON), seen(12, NOON, { reason: "Killing" })]);
    await site.clock.advance(500);
    let text = "";
    while (!/^data: .*\n\n/m.test(text)) text += (await reader.read()).value ?? "";
    abort.abort();
    const data = /^data: (.*)$/m.exec(text)?.[1] ?? "";
    expect(site.contract.streamed("/api/v1/tail", data)).toEqual([]);
    const row = held(schemas.eventRow, data);
    expect(row.event.reason).toBe("Killing");
    expect(text).toMatch(/^event: event$/m);
  });
});
