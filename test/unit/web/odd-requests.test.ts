import { describe, expect, it } from "vitest";
import { storedKey } from "../../../src/ledger/key.ts";
import { UnreadableError, BusyError } from "../../../src/history/history.ts";
import { NOON, seen, take } from "../../support/history.ts";
import { aPageSite, type PageSite } from "../../support/page.ts";

/** As a program on this machine sends it: with the token of a change, whatever else it gets wrong. */
async function sender(site: PageSite) {
  const { csrf } = JSON.parse((await site.get("/api/v1/whoami")).body) as { csrf: string };
  return async (path: string, type: string, body: string) => {
    const headers = { "x-csrf-token": csrf, "content-type": type };
    const answer = await fetch(site.url + path, { method: "POST", headers, body });
    return { status: answer.status, body: await answer.text() };
  };
}

const JSON_TYPE = "application/json";

describe("a form that cannot be read", () => {
  it.each([
    ["/deliveries/d1", "multipart/form-data"],
    ["/deliveries/d1", "multipart/form-data; boundary=x"],
    ["/configuration", "multipart/form-data"],
    ["/templates", "multipart/form-data"],
    ["/templates/preview", "multipart/form-data; boundary=x"],
    ["/templates/configmap", "Multipart/Form-Data; boundary="],
  ])("at %s as %s is the sender's mistake, and none of ours", async (path, type) => {
    const site = await aPageSite();
    const send = await sender(site);
    const { status, body } = await send(path, type, "no parts at all");
    expect([status, JSON.parse(body)]).toMatchObject([
      400,
      { error: "the form cannot be read; send it as a browser does" },
    ]);
    expect(site.failures).toEqual([]);
    expect(site.settled).toEqual([]);
  });

  it.each(["text/plain", "application/octet-stream", "application/jsonx"])(
    "as %s is no form: nothing of it counts",
    async (type) => {
      const site = await aPageSite();
      const send = await sender(site);
      const { status, body } = await send("/deliveries/d1", type, "act=discard");
      expect([status, body]).toMatchObject([400, expect.stringContaining("retry or discard")]);
      expect(site.settled).toEqual([]);
    },
  );

  it("is read in either form that browsers send, whatever the case of its type", async () => {
    const site = await aPageSite();
    const send = await sender(site);
    const parts = '--x\r\nContent-Disposition: form-data; name="act"\r\n\r\nburn\r\n--x--\r\n';
    for (const [type, body] of [
      ["multipart/form-data; boundary=x", parts],
      ["application/x-www-form-urlencoded; charset=utf-8", "act=burn"],
    ] as const) {
      const answer = await send("/deliveries/d1", type, body);
      expect([type, answer.status]).toEqual([type, 400]);
    }
    // What is read is looked at: the id alone is wrong now.
    expect(
      (
        await send(
          "/deliveries/d1",
          "multipart/form-data; boundary=x",
          parts.replace("burn", "retry"),
        )
      ).status,
    ).toBe(404);
    expect(site.failures).toEqual([]);
  });
});

describe("JSON that goes too deep", () => {
  const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  const event = (extra: string) =>
    `{"apiVersion":"v1","kind":"Event","metadata":{"uid":"u1","name":"a","namespace":"shop"},"involvedObject":{"kind":"Pod","name":"web"},"reason":"R","x":${extra}}`;

  it.each([
    ["as the whole of it", nested(100_000)],
    ["in a field", event(nested(100_000))],
    ["in a field, by one level", event(nested(100))],
  ])("%s is refused with how deep it may go", async (_, body) => {
    const site = await aPageSite();
    const answer = await (await sender(site))("/api/v1/explain", JSON_TYPE, body);
    expect(answer.status).toBe(400);
    const { fields } = JSON.parse(answer.body) as { fields: { field: string; expected: string }[] };
    expect(fields).toMatchObject([
      { field: "body", expected: "at most 100 objects and lists within each other" },
    ]);
    expect(site.failures).toEqual([]);
  });

  it("and is just within the bound is taken", async () => {
    const site = await aPageSite();
    const answer = await (await sender(site))("/api/v1/explain", JSON_TYPE, event(nested(99)));
    expect([answer.status, answer.body]).toMatchObject([
      200,
      expect.stringContaining('"reason":"R"'),
    ]);
  });

  it.each([
    ["as the whole of it", nested(40_000)],
    ["in a list", `{"kind":"List","items":${nested(40_000)}}`],
  ])("pasted into the form is told as no event: %s", async (_, text) => {
    const site = await aPageSite();
    const send = await sender(site);
    const pasted = new URLSearchParams({ event: text }).toString();
    const { status, body } = await send(
      "/configuration",
      "application/x-www-form-urlencoded",
      pasted,
    );
    expect(status).toBe(400);
    expect(body).not.toMatch(/call stack|RangeError/);
    expect(body).toMatch(/expected an Event, found an? (array|list)/);
    expect(site.failures).toEqual([]);
  });
});

describe("names that every object of the language has", () => {
  const NAMES = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];

  it.each(NAMES)("%s is no field of Grafana's", async (name) => {
    const site = await aPageSite();
    const send = await sender(site);
    const variable = await send(
      "/api/v1/grafana/variable",
      JSON_TYPE,
      `{"payload":{"target":"${name}"}}`,
    );
    const option = await send(
      "/api/v1/grafana/metric-payload-options",
      JSON_TYPE,
      `{"name":"${name}"}`,
    );
    expect([variable.status, option.status]).toEqual([400, 400]);
    for (const { body } of [variable, option])
      expect(body).toContain(`found \\"${name}\\", expected one of type`);
    const tags = await send("/api/v1/grafana/tag-values", JSON_TYPE, `{"key":"${name}"}`);
    expect([tags.status, tags.body]).toEqual([200, "[]"]);
    expect(site.failures).toEqual([]);
  });

  it.each(NAMES)("%s is no field of a query, on the page or in the API", async (name) => {
    const site = await aPageSite();
    for (const path of ["/", "/events.csv", "/report", "/tail", "/api/v1/events"]) {
      const { status, body } = await site.get(`${path}?${name}=1`, { accept: "*/*" });
      expect([path, status]).toEqual([path, 400]);
      expect(body).toContain("expected one of the fields: since, from, to");
    }
  });
});

describe("what is wrong with a field", () => {
  it("is said without an example where there is none to give", async () => {
    const site = await aPageSite();
    const { body } = await site.get("/api/v1/events?nonsense=1", { accept: "*/*" });
    const { error } = JSON.parse(body) as { error: string };
    expect(error).toMatch(/^nonsense: found "1", expected one of the fields: .*cursor$/);
    const page = await site.get("/?nonsense=1");
    expect(page.text).toMatch(/nonsense=1 : expected one of the fields: [a-z, ]+top /);
    expect(page.text).not.toContain("like nonsense=");
    expect((await site.get("/?nonsense=1&lang=zh")).text).not.toContain("例如 nonsense=");
  });

  it("of a body is said with an example of that field, not of all of it", async () => {
    const site = await aPageSite();
    const send = await sender(site);
    const { status, body } = await send("/api/v1/templates/preview", JSON_TYPE, '{"sink":7}');
    expect(status).toBe(400);
    expect((JSON.parse(body) as { fields: unknown }).fields).toEqual([
      { field: "sink", found: "7", expected: "string", example: '"ops"' },
    ]);
  });

  it("of a list of dead letters is that it is of one sink and one state", async () => {
    const site = await aPageSite();
    for (const [query, field, found] of [
      ["sink=ops,audit", "sink", "ops,audit"],
      ["sink=ops&sink=audit", "sink", "ops,audit"],
      ["state=dead,pending", "state", "dead,pending"],
      ["state=delivered", "state", "delivered"],
    ] as const) {
      const { status, body } = await site.get(`/api/v1/deliveries?${query}`, { accept: "*/*" });
      expect([query, status]).toEqual([query, 400]);
      expect(JSON.parse(body)).toMatchObject({ fields: [{ field, found }] });
    }
    expect((await site.get("/api/v1/deliveries?sink=ops", { accept: "*/*" })).status).toBe(200);
  });

  it.each([
    ["/objects", "ns"],
    ["/objects?ns=shop", "kind"],
    ["/objects?ns=shop&kind=Pod", "name"],
    ["/objects?ns=shop,pay&kind=Pod&name=web", "ns"],
    ["/objects?ns=shop&kind=Pod,Job&name=web", "kind"],
    ["/objects?ns=shop&kind=Pod&name=web&name=db", "name"],
  ])("of %s is %s: a story is of one object", async (path, field) => {
    const site = await aPageSite();
    const { status, text } = await site.get(path);
    expect(status).toBe(400);
    expect(text).toMatch(new RegExp(`${field}: found .*, expected one: the object`));
  });
});

describe("HEAD", () => {
  it.each(["/tail", "/api/v1/tail"])("of %s follows nothing", async (path) => {
    const site = await aPageSite();
    for (let n = 0; n < 3; n += 1) {
      const answer = await fetch(site.url + path, { method: "HEAD" });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("content-type")).toBe("text/event-stream");
      expect(await answer.text()).toBe("");
    }
    expect(site.hub.size).toBe(0);
    expect((await fetch(`${site.url}${path}?ns=a&limit=x`, { method: "HEAD" })).status).toBe(400);
  });

  it.each([
    "/",
    "/sinks",
    "/events.csv",
    "/report",
    "/api/v1/events",
    "/api/v1/openapi.json",
    "/assets/page.css",
    "/login/style.css",
  ])("of %s has the headers of GET, and no body", async (path) => {
    const site = await aPageSite();
    await take(site, [seen(1, NOON - 1_000)]);
    const get = await fetch(site.url + path);
    const head = await fetch(site.url + path, { method: "HEAD" });
    await get.text();
    expect(head.status).toBe(get.status);
    for (const name of ["content-type", "etag", "cache-control", "content-disposition"])
      expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
    expect(await head.text()).toBe("");
  });
});

describe("while the history cannot be asked", () => {
  const id = encodeURIComponent(storedKey(seen(1, NOON)));
  const PATHS = [`/events/${id}`, "/objects?ns=shop&kind=Pod&name=web-1", `/deliveries/x`];

  it.each([
    ["it is away", new UnreadableError("the disk is gone"), 503, "1"],
    ["this caller asks too much", new BusyError(900, true, 7), 429, "7"],
    ["all ask too much", new BusyError(900, false, 7), 503, "7"],
  ])(
    "since %s, the page of one says so, and when to come again",
    async (_, error, status, after) => {
      const fails = () => Promise.reject(error);
      const { reader } = await aPageSite();
      const site = await aPageSite({
        reader: { ...reader, event: fails, events: fails, delivery: fails },
      });
      for (const path of PATHS) {
        const answer = await site.get(path);
        expect([path, answer.status, answer.headers.get("retry-after")]).toEqual([
          path,
          status,
          after,
        ]);
        expect(answer.text).toContain(error.message);
      }
      expect(site.failures).toEqual([]);
    },
  );
});
