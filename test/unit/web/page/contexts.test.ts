import { describe, expect, it } from "vitest";
import type { KubeEvent } from "../../../../src/event/event.ts";
import { storedKey } from "../../../../src/ledger/key.ts";
import { MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { never } from "../../../support/ledger.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";

/** Ends an attribute, an element, a script, a style, a comment and a textarea; would be a link, a handler and an entity. */
const EVIL = `"'><img src=x onerror=alert(1)></a></title></style></script></textarea>--><svg onload=alert(2)>javascript:alert(3)&lt;b&gt;`;

/** Elements and attributes of a document, as far as a browser would see them; texts are left out. */
function markupOf(body: string): readonly string[] {
  return body.match(/<(?:"[^"]*"|'[^']*'|[^'">])*>/g) ?? [];
}

/** What of it is a stranger's, elements, attributes and links; or that what they wrote is not there to be read. */
function foreignIn(body: string): readonly string[] {
  const markup = markupOf(body).map((tag) => tag.replaceAll(/"[^"]*"/g, '""'));
  const links = [...body.matchAll(/\b(?:href|action|formaction|src)="([^"]*)"/g)];
  const isThere = body.includes("onerror=alert(1)&gt;") || body.includes("%3Cimg");
  return [
    ...markup.filter((tag) => /onerror|onload|src=x|<img|javascript:/i.test(tag)),
    ...links.map(([, to]) => to ?? "").filter((to) => !/^(?:[/?#]|$)/.test(to)),
    ...(isThere ? [] : ["nothing of it is shown"]),
  ];
}

const event = seen(1, NOON - MINUTE, {
  reason: EVIL,
  message: EVIL,
  object: { kind: EVIL, name: EVIL, namespace: "shop" },
  reporter: { component: EVIL, host: EVIL },
});
const pathOf = (one: KubeEvent) => `/events/${encodeURIComponent(storedKey(one))}`;

async function withDelivery(changes: Parameters<typeof aPageSite>[0] = {}): Promise<PageSite> {
  const site = await aPageSite(changes);
  await take(site, [event, seen(2, NOON - MINUTE)], ["ops"]);
  site.outbox.settle("d1", {
    kind: "retry",
    at: NOON,
    notBefore: NOON + MINUTE,
    counted: true,
    reason: "rejected",
    detail: EVIL,
  });
  site.outbox.settle("d2", { kind: "delivered", at: NOON, sent: EVIL, answer: EVIL });
  site.outbox.written();
  return site;
}

describe("what strangers write is text", () => {
  it.each([
    [
      "in the list and its timeline, by every dimension",
      ["/", "/?by=kind", "/?by=component", "/?view=grouped"],
    ],
    ["on the page of an event, in its attempts", [pathOf(event)]],
    ["in the report, which is opened from a disk", ["/report?since=1h"]],
    [
      "on the axis of an object's story",
      [`/objects?${new URLSearchParams({ ns: "shop", kind: EVIL, name: EVIL }).toString()}`],
    ],
  ])("%s", async (where, paths) => {
    const site = await withDelivery();
    for (const path of paths)
      for (const lang of ["en", "zh"]) {
        const answer = await site.get(`${path}${path.includes("?") ? "&" : "?"}lang=${lang}`);
        expect([path, answer.status]).toEqual([path, 200]);
        expect([where, foreignIn(answer.body)]).toEqual([where, []]);
      }
  });

  it("in what a platform answered, and in the message that was sent", async () => {
    const site = await withDelivery();
    const { body } = await site.get(pathOf(seen(2, NOON - MINUTE)));
    expect(["answer", foreignIn(body)]).toEqual(["answer", []]);
    expect(body.match(/onerror=alert\(1\)&gt;/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it("in dead letters, in the last error of a sink and in what stands at the top", async () => {
    const sink = {
      name: EVIL,
      type: EVIL,
      state: "broken",
      until: null,
      inFlight: 0,
      budget: null,
      latency: null,
      lastError: { at: NOON, reason: "auth", detail: EVIL },
    } as const;
    const site = await withDelivery({ sinks: () => [sink], troubles: () => [EVIL] });
    site.outbox.settle("d1", {
      kind: "dead",
      at: NOON,
      counted: true,
      reason: "auth",
      detail: EVIL,
    });
    site.outbox.pending("ops", NOON);
    expect(["sinks", foreignIn((await site.get("/sinks")).body)]).toEqual(["sinks", []]);
  });

  it("in a digest, whose lines are a stranger's too", async () => {
    const site = await withDelivery();
    await site.outbox.add(
      [
        {
          event: seen(3, NOON),
          alert: { kind: "event", event: seen(3, NOON, { message: EVIL }) },
          sinks: ["team"],
        },
      ],
      [],
      never,
    );
    const line = {
      count: 1,
      severity: "warning",
      reason: EVIL,
      kind: EVIL,
      namespace: EVIL,
      workload: EVIL,
      objects: 1,
    } as const;
    const times = { from: event.lastSeen, to: event.lastSeen };
    const digest = {
      kind: "digest",
      cluster: EVIL,
      total: 1,
      moreKinds: 0,
      lines: [line],
      ...times,
    } as const;
    const { id } = site.outbox.fold("ops", ["d1"], digest, NOON);
    site.outbox.settle(id, { kind: "dead", at: NOON, counted: true, reason: "auth", detail: EVIL });
    site.outbox.written();
    expect(["digest", foreignIn((await site.get(`/deliveries/${id}`)).body)]).toEqual([
      "digest",
      [],
    ]);
  });

  it("in the options, and in an event that is tried through them", async () => {
    const option = {
      section: `sinks.${EVIL}`,
      name: EVIL,
      value: EVIL,
      where: EVIL,
      referred: false,
      about: EVIL,
    };
    const site = await aPageSite({
      options: () => [option, { ...option, section: "filter", where: null }],
    });
    expect(["options", foreignIn((await site.get("/configuration")).body)]).toEqual([
      "options",
      [],
    ]);
    const { body: form } = await site.get("/configuration");
    const _csrf = /name="_csrf" value="([^"]+)"/.exec(form)?.[1] ?? "";
    const object = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "a", namespace: "shop", uid: "u" },
      involvedObject: { kind: EVIL, name: EVIL, namespace: "shop" },
      reason: EVIL,
      message: EVIL,
    };
    for (const pasted of [JSON.stringify(object), EVIL])
      expect([
        "tried",
        foreignIn((await site.post("/configuration", { event: pasted, id: EVIL, _csrf })).body),
      ]).toEqual(["tried", []]);
  });

  it("in a template, its mistakes, its warnings and what it makes", async () => {
    const site = await aPageSite({
      templateText: () => EVIL,
      preview: async () => ({
        issues: [{ where: `${EVIL}:1:1`, message: EVIL, hint: EVIL }],
        warnings: [EVIL],
        looks: [{ lang: "en", drawn: null, text: EVIL, problem: EVIL }],
      }),
    });
    await take(site, [event]);
    expect(["template", foreignIn((await site.get("/templates")).body)]).toEqual(["template", []]);
    expect([
      "of an event",
      foreignIn((await site.get(`/templates?event=${encodeURIComponent(storedKey(event))}`)).body),
    ]).toEqual(["of an event", []]);
  });

  it("in what an address asks for: the form, the problems, links and hidden fields", async () => {
    const site = await aPageSite();
    for (const field of [
      "ns",
      "kind",
      "name",
      "reason",
      "q",
      "since",
      "from",
      "to",
      "cluster",
      "component",
      "sink",
      "state",
      "view",
      "lang",
      "cursor",
      "nonsense",
    ]) {
      const { status, body } = await site.get(
        `/?${new URLSearchParams({ [field]: EVIL }).toString()}`,
      );
      expect([field, [200, 400].includes(status)]).toEqual([field, true]);
      expect([field, foreignIn(body)]).toEqual([field, []]);
    }
  });
});
