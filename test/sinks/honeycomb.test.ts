import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import honeycomb from "../../sinks/honeycomb.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import { type Message, Secret } from "../../src/sink/index.ts";
import { openSink } from "../../src/sink/open.ts";
import { aGap } from "../support/alerts.ts";
import { anEvent } from "../support/events.ts";
import { type Inbox, type Received, type Reply, startInbox } from "../support/inbox.ts";
import { aMessage, optionsFor, problemsWith, requestOf } from "../support/messages.ts";
import { quietIo, sinkFrom } from "../support/sinks.ts";

const writekey = "hcaik_0123456789";
const NOW = Date.parse("2026-11-20T08:05:31Z");
const never = new AbortController().signal;

/** The Events API as https://docs.honeycomb.io/api/events/create-events has it: path, key, shape and limits, and a status for each event. */
function api({ method, url, headers, body }: Received): Reply {
  const problem = (status: number, error: string) => ({ status, body: { status, error } });
  if (headers["x-honeycomb-team"] !== writekey)
    return { status: 401, body: { error: "unknown API key - check your credentials" } };
  if (method !== "POST" || url !== "/1/batch/my%20events") return problem(404, "Dataset not found");
  if (headers["content-type"] !== "application/json") return problem(415, "unsupported media type");
  if (Buffer.byteLength(body) > 5_000_000) return problem(413, "request body too large");
  const events = JSON.parse(body) as readonly Record<string, unknown>[];
  if (!Array.isArray(events) || events.length === 0) return problem(400, "no events");
  return { status: 200, body: events.map(statusOf) };
}

function statusOf({ time, data, ...rest }: Record<string, unknown>) {
  const refused = (error: string) => ({ status: 400, error });
  if (typeof data !== "object" || data === null)
    return refused("Request body should not be empty.");
  if (Object.keys(rest).some((name) => name !== "samplerate")) return refused("unknown field");
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(String(time))) return refused("bad time");
  const values = Object.values(data);
  if (values.length > 2_000) return refused("Event has too many columns.");
  if (values.some((one) => Buffer.byteLength(String(one)) > 64 * 1024))
    return refused("a field is too long");
  if (Buffer.byteLength(JSON.stringify(data)) > 100_000) return refused("event too large");
  if (String((data as Record<string, unknown>)["message"]).includes("(poison)"))
    return refused("Request body is malformed and cannot be read.");
  return { status: 202 };
}

let inbox: Inbox;
let client: HttpClient;

beforeAll(async () => {
  inbox = await startInbox();
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(() => inbox.reply(api));
afterAll(async () => {
  client.close();
  await inbox.close();
});

const open = (given: Readonly<Record<string, unknown>> = {}) =>
  openSink(
    honeycomb,
    optionsFor(honeycomb, { apiHost: inbox.url, writekey, dataset: "my events", ...given }),
    { client, timeoutMs: 5000, ...quietIo() },
  );
const tell = async (message: Message, given = {}) =>
  (await open(given).tell(message, NOW, never)).verdict;

describe("an event in Honeycomb", () => {
  it("has kube-eventer's fields by their names, and its own time", () => {
    const request = requestOf(honeycomb, { writekey }, aMessage());
    expect(request).toMatchObject({
      method: "POST",
      url: "https://api.honeycomb.io/1/batch/heapster",
      headers: { "content-type": "application/json", "x-honeycomb-team": writekey },
    });
    expect(request.json()).toEqual([
      {
        time: "2026-11-20T08:05:30Z",
        data: {
          namespace: "shop",
          kind: "Pod",
          name: "web-7d4b9c",
          subobject: "spec.containers{web}",
          "source.component": "kubelet",
          "source.host": "node-1",
          count: 12,
          type: "Warning",
          reason: "BackOff",
          message: "Back-off restarting failed container web in pod web-7d4b9c",
          cluster: "prod-a",
          action: "",
          first_seen: "2026-11-20T08:00:00Z",
          object_uid: "0c0ffee0-1111-2222-3333-444455556666",
          event_id: "6f1c2f9e-2f5e-4c57-9d1a-0a4b8d0a7c11",
          resource_version: "81234",
        },
      },
    ]);
  });

  it("is a gap, too, so that who counts can see it", () => {
    const gap = aMessage({ event: null, alert: aGap() });
    expect(requestOf(honeycomb, { writekey }, gap).json()).toMatchObject([
      {
        time: "2026-11-20T02:09:00Z",
        data: { kind: "Cluster", name: "prod-a", reason: "HistoryGap" },
      },
    ]);
  });

  it.each([
    ["quotes", '"'],
    ["newlines", "\n"],
    ["control characters", "\u0001"],
    ["Chinese", "容"],
    ["emoji", "👩‍👩‍👧"],
    ["letters", "x"],
  ])("fits the limits with a message full of %s, cut and said so", async (_, unit) => {
    const event = anEvent({ message: unit.repeat(200_000), reason: unit.repeat(5_000) });
    const { body } = requestOf(honeycomb, { writekey }, aMessage({ event }));
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(100_000);
    expect(body).toMatch(/… \(\d+ of \d+ characters\)/);
    expect(await tell(aMessage({ event }))).toEqual({ kind: "accepted" });
  });

  it.each([
    ["https://api.eu1.honeycomb.io/", "https://api.eu1.honeycomb.io/1/batch/a%2Bb%3Fc"],
    ["http://refinery.ops:8080", "http://refinery.ops:8080/1/batch/a%2Bb%3Fc"],
    ["https://proxy.example.com/honey", "https://proxy.example.com/honey/1/batch/a%2Bb%3Fc"],
  ])("goes to %s", (apiHost, url) => {
    expect(requestOf(honeycomb, { apiHost, writekey, dataset: "a+b?c" }, aMessage()).url).toBe(url);
  });
});

describe("many events", () => {
  const messages = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      aMessage({ event: anEvent({ uid: `u${index}`, message: `number ${index}` }) }),
    );

  it("go in batches of fifty, each event once", async () => {
    const before = inbox.requests.length;
    const sink = open();
    const told = await Promise.all(messages(120).map((one) => sink.tell(one, NOW, never)));
    for (const { verdict } of told) expect(verdict).toEqual({ kind: "accepted" });
    const bodies = inbox.requests
      .slice(before)
      .map(({ body }) => JSON.parse(body) as { data: { event_id: string } }[]);
    expect(bodies.map((body) => body.length).toSorted((a, b) => b - a)).toEqual([50, 50, 20]);
    expect(new Set(bodies.flat().map(({ data }) => data.event_id)).size).toBe(120);
  });

  it("have each their own verdict: what is refused harms no other", async () => {
    const sink = open();
    const bad = aMessage({ event: anEvent({ message: "(poison)" }) });
    const [first, poisoned, last] = await Promise.all(
      [messages(1)[0] ?? bad, bad, messages(1)[0] ?? bad].map((one) => sink.tell(one, NOW, never)),
    );
    expect(first?.verdict).toEqual({ kind: "accepted" });
    expect(last?.verdict).toEqual({ kind: "accepted" });
    expect(poisoned?.verdict).toEqual({
      kind: "permanent",
      reason: "rejected",
      detail:
        "400 Request body is malformed and cannot be read.; the event was refused for what is in it; the history has it as it was sent",
    });
    expect(poisoned?.sent).toContain("(poison)");
    expect(poisoned?.sent).not.toContain("number 0");
    expect(poisoned?.answer).toContain("malformed");
    expect(first?.answer).toBe('HTTP 200: [{"status":202}]');
  });

  it("stay below five megabytes a request", async () => {
    const before = inbox.requests.length;
    const sink = open();
    const large = Array.from({ length: 60 }, () =>
      aMessage({ event: anEvent({ message: "x".repeat(60_000) }) }),
    );
    for (const { verdict } of await Promise.all(large.map((one) => sink.tell(one, NOW, never))))
      expect(verdict).toEqual({ kind: "accepted" });
    for (const { body } of inbox.requests.slice(before))
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(5_000_000);
  });

  it("are each asked to wait where one is dropped for the rate", async () => {
    inbox.reply({ status: 200, body: [{ status: 202 }, { status: 429, error: "dropped" }] });
    const sink = open();
    const told = await Promise.all(messages(2).map((one) => sink.tell(one, NOW, never)));
    expect(told.map(({ verdict }) => verdict.kind)).toEqual(["accepted", "throttled"]);
  });

  it("are tried again where the answer is not one for each", async () => {
    inbox.reply({ status: 200, body: [{ status: 202 }] });
    const sink = open();
    const told = await Promise.all(messages(3).map((one) => sink.tell(one, NOW, never)));
    expect(told.map(({ verdict }) => verdict.kind)).not.toContain("permanent");
  });
});

describe("what Honeycomb says when it refuses", () => {
  it("is the key's fault, with what to look at", async () => {
    expect(await tell(aMessage(), { writekey: "hcaik_other" })).toEqual({
      kind: "permanent",
      reason: "auth",
      detail:
        "401 unknown API key - check your credentials; check writekey, and that apihost is of the region of your team (api.honeycomb.io or api.eu1.honeycomb.io)",
    });
  });

  it("is the dataset's", async () => {
    expect(await tell(aMessage(), { dataset: "none" })).toMatchObject({
      kind: "permanent",
      reason: "config",
      detail: expect.stringMatching(/^404 Dataset not found; create the dataset/) as unknown,
    });
  });

  it.each<[string, Reply, Readonly<Record<string, unknown>>]>([
    [
      "throttled for its plan",
      { status: 403, body: { error: "throttled" } },
      { kind: "permanent", reason: "auth" },
    ],
    [
      "too large after all",
      { status: 413, body: { error: "too large" } },
      { kind: "permanent", reason: "tooLarge", detail: "413 too large" },
    ],
    [
      "too fast, without saying for how long",
      { status: 429, body: { error: "You have exceeded your rate limit.", detail: "later" } },
      {
        kind: "throttled",
        retryAfterMs: null,
        detail:
          "429 You have exceeded your rate limit. later; lower what is sent by a filter, or raise the plan's limit",
      },
    ],
    ["a fault of theirs", { status: 500, body: "" }, { kind: "retryable", reason: "server" }],
    [
      "a fault of theirs with one event",
      { status: 200, body: [{ status: 503, error: "try later" }] },
      { kind: "retryable", reason: "server" },
    ],
    [
      "a page of something in between",
      { status: 200, body: "<html>sign in</html>" },
      { kind: "retryable", reason: "server" },
    ],
    ["an event without a status", { status: 200, body: [{}] }, { kind: "retryable" }],
  ])("is %s", async (_, reply, expected) => {
    inbox.reply(reply);
    expect(await tell(aMessage())).toMatchObject(expected);
  });
});

describe("--sink=honeycomb", () => {
  const sinkOf = (uri: string, env: Readonly<Record<string, string>> = {}) =>
    sinkFrom(uri, env).sink;
  const shown = (uri: string, env = {}) =>
    Object.fromEntries(
      Object.entries(sinkOf(uri, env).options).map(([name, value]) => [
        name,
        value instanceof Secret ? value.reveal() : value,
      ]),
    );

  it("is kube-eventer's", () => {
    expect(shown("honeycomb:?dataset=mydataset&writekey=secretwritekey")).toEqual({
      apiHost: "https://api.honeycomb.io",
      dataset: "mydataset",
      writekey: "secretwritekey",
    });
    expect(
      shown("honeycomb:?writekey=k&apihost=https://api.eu1.honeycomb.io/&level=Warning"),
    ).toMatchObject({ apiHost: "https://api.eu1.honeycomb.io/", dataset: "heapster" });
    expect(sinkOf("honeycomb:?writekey=k").filter.level).toBe("Normal");
  });

  it("takes the key from HONEYCOMB_WRITEKEY where none is given", () => {
    const env = { HONEYCOMB_WRITEKEY: "from-the-environment" };
    expect(shown("honeycomb:?dataset=d", env)).toMatchObject({ writekey: "from-the-environment" });
    expect(shown("honeycomb:?dataset=d&writekey=k", env)).toMatchObject({ writekey: "k" });
    expect(() => sinkOf("honeycomb:?dataset=d")).toThrow("writekey: is missing");
    expect(() => sinkOf("honeycomb:?dataset=d", { HONEYCOMB_WRITEKEY: "" })).toThrow("is missing");
  });

  it.each([
    [{ dataset: "a/b" }, "dataset: has a slash in it"],
    [{ dataset: " " }, "dataset: is empty"],
    [{ apiHost: "api.honeycomb.io" }, "apiHost: is not a URL"],
  ])("refuses %j", (given, problem) => {
    expect(problemsWith(honeycomb, { writekey, ...given }).join()).toContain(problem);
  });

  it("is told its address once", () => {
    expect(() =>
      sinkOf("honeycomb:https://a.example?apihost=https://b.example&writekey=k"),
    ).toThrow("api_host is given twice: as the address and as a parameter");
  });
});
