import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Batches } from "../../../src/sink/batch.ts";
import { createHttpClient, type HttpClient } from "../../../src/sink/http.ts";
import type { HttpAnswer, HttpBatch, HttpRequest } from "../../../src/sink/index.ts";
import { type Inbox, type Received, startInbox } from "../../support/inbox.ts";

/** Lines in, a line for each out: `ok`, or what is wrong with it. */
const LINES: HttpBatch = {
  max: 10,
  bytes: 1_000,
  join: (bodies) => bodies.join("\n"),
  split: (answer, count) => {
    const lines = answer.text.split("\n");
    return answer.status === 200 && lines.length === count
      ? lines.map((text) => ({ ...answer, text }))
      : null;
  },
};

let inbox: Inbox;
let client: HttpClient;
let batches: Batches;
const never = new AbortController().signal;

beforeAll(async () => {
  inbox = await startInbox();
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(() => {
  inbox.reply(echo);
  batches = open();
});
afterAll(async () => {
  client.close();
  await inbox.close();
});

const echo = ({ body }: Received) => ({
  status: 200,
  body: body
    .split("\n")
    .map((line) => `ok ${line}`)
    .join("\n"),
});
const open = (batch: Partial<HttpBatch> = {}) =>
  new Batches({ ...LINES, ...batch }, (request, signal) =>
    client.exchange(request, { timeoutMs: 5000, signal }),
  );
const post = (body: string, path = "/"): HttpRequest => ({
  method: "POST",
  url: `${inbox.url}${path}`,
  headers: { "content-type": "text/plain" },
  body,
});
const send = (body: string, signal = never) => batches.send(post(body), signal);
const textOf = ({ status, text }: HttpAnswer) => `${status} ${text}`;
/** What the requests made since carried, each as its lines. */
function since(count: number): readonly (readonly string[])[] {
  return inbox.requests.slice(count).map(({ body }) => body.split("\n"));
}
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

describe("what is told in one turn", () => {
  it("goes in one request, and each gets the answer that speaks of it", async () => {
    const before = inbox.requests.length;
    const answers = await Promise.all(["a", "b", "c"].map((body) => send(body)));
    expect(answers.map(textOf)).toEqual(["200 ok a", "200 ok b", "200 ok c"]);
    expect(since(before)).toEqual([["a", "b", "c"]]);
    expect(inbox.requests.at(-1)?.headers["content-type"]).toBe("text/plain");
  });

  it("goes as it is where it is one", async () => {
    inbox.reply({ status: 202, body: "whatever" });
    expect(textOf(await send("a"))).toBe("202 whatever");
  });

  it("goes in as many requests as the number asks for, in order", async () => {
    const before = inbox.requests.length;
    const answers = await Promise.all(numbered(23).map((body) => send(body)));
    expect(answers.map(({ text }) => text)).toEqual(numbered(23).map((body) => `ok ${body}`));
    expect(
      since(before)
        .map((lines) => lines.length)
        .toSorted((a, b) => b - a),
    ).toEqual([10, 10, 3]);
  });

  it("stays below the size, and what is too large alone goes alone", async () => {
    const before = inbox.requests.length;
    const bodies = ["a".repeat(400), "é".repeat(200), "b".repeat(400), "c".repeat(2_000)];
    await Promise.all(bodies.map((body) => send(body)));
    const sizes = inbox.requests.slice(before).map(({ body }) => Buffer.byteLength(body));
    expect(sizes.toSorted((a, b) => a - b)).toEqual([400, 801, 2_000]);
  });

  it("shares a request only with what goes to the same place", async () => {
    const before = inbox.requests.length;
    const places = ["/x", "/y", "/x"];
    await Promise.all(places.map((path, index) => batches.send(post(`n${index}`, path), never)));
    const carried = inbox.requests.slice(before).map(({ url, body }) => `${url} ${body}`);
    expect(carried.toSorted()).toEqual(["/x n0\nn2", "/y n1"]);
  });
});

describe("a server that is slow", () => {
  it("has four requests of ours at most, and what comes meanwhile goes together", async () => {
    batches = open({ max: 2 });
    inbox.reply("hang");
    const before = inbox.requests.length;
    const telling = numbered(11).map((body) => send(body));
    const first = await inbox.received(before + 1);
    await inbox.received(before + 4);
    const last = send("last");
    inbox.reply(echo);
    first.answer(echo(first));
    await inbox.received(before + 5);
    for (const request of inbox.requests.slice(before + 1, before + 4))
      request.answer(echo(request));
    expect((await Promise.all([...telling, last])).map(({ text }) => text)).toEqual(
      [...numbered(11), "last"].map((body) => `ok ${body}`),
    );
    expect(since(before).map((lines) => lines.length)).toEqual([2, 2, 2, 2, 2, 2]);
  });
});

describe("a refusal", () => {
  it.each([400, 413, 422])("of the whole for one of them (%i) harms no other", async (status) => {
    inbox.reply((request) =>
      request.body.includes("bad") ? { status, body: "no" } : echo(request),
    );
    const bodies = ["a", "b", "bad", "c", "d"];
    const answers = await Promise.all(bodies.map((body) => send(body)));
    expect(answers.map(textOf)).toEqual([
      "200 ok a",
      "200 ok b",
      `${status} no`,
      "200 ok c",
      "200 ok d",
    ]);
  });

  it.each([401, 403, 404, 429, 500, 503])(
    "that is about none of them (%i) is everyone's answer, and asked for once",
    async (status) => {
      inbox.reply({ status, body: "no" });
      const before = inbox.requests.length;
      const answers = await Promise.all(["a", "b", "c"].map((body) => send(body)));
      expect(answers.map(textOf)).toEqual(Array(3).fill(`${status} no`));
      expect(inbox.requests.length).toBe(before + 1);
    },
  );

  it("that is too long to be read to its end is asked for in halves", async () => {
    const most = 1024 * 1024;
    inbox.reply(({ body }) => ({
      status: 200,
      body: body
        .split("\n")
        .map((line) => `ok ${line}`.padEnd(most / 2, "."))
        .join("\n"),
    }));
    const before = inbox.requests.length;
    const answers = await Promise.all(["a", "b", "c", "d"].map((body) => send(body)));
    expect(answers.map(({ text }) => text.slice(0, 4))).toEqual(["ok a", "ok b", "ok c", "ok d"]);
    expect(since(before)).toEqual([
      ["a", "b", "c", "d"],
      ["a", "b"],
      ["c", "d"],
    ]);
  });

  it.each([401, 500])("with a page of megabytes (%i) is asked for once", async (status) => {
    inbox.reply({ status, body: "x".repeat(3 * 1024 * 1024) });
    const before = inbox.requests.length;
    const answers = await Promise.all(["a", "b"].map((body) => send(body)));
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
    expect(inbox.requests.length).toBe(before + 1);
  });

  it("of one alone is its answer", async () => {
    inbox.reply({ status: 400, body: "no" });
    const before = inbox.requests.length;
    expect(textOf(await send("a"))).toBe("400 no");
    expect(inbox.requests.length).toBe(before + 1);
  });

  it("with fewer answers than were asked for is everyone's to judge", async () => {
    inbox.reply({ status: 200, body: "ok a" });
    const answers = await Promise.all(["a", "b"].map((body) => send(body)));
    expect(answers.map(textOf)).toEqual(["200 ok a", "200 ok a"]);
  });

  it("by a broken connection is everyone's, and the next go on", async () => {
    inbox.reply("reset");
    const answers = await Promise.allSettled(["a", "b"].map((body) => send(body)));
    for (const answer of answers)
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "ECONNRESET" } });
    inbox.reply(echo);
    expect(textOf(await send("c"))).toBe("200 ok c");
  });
});

describe("one that nobody waits for any more", () => {
  it("is not sent, where it has not been yet", async () => {
    const before = inbox.requests.length;
    await expect(send("a", AbortSignal.abort())).rejects.toMatchObject({ wasAborted: true });
    const stop = new AbortController();
    const gone = send("b", stop.signal);
    const stays = send("c");
    stop.abort();
    await expect(gone).rejects.toMatchObject({ wasAborted: true });
    expect(textOf(await stays)).toBe("200 ok c");
    expect(since(before)).toEqual([["c"]]);
  });

  it("leaves the request to the others; when all have gone, its connection is closed", async () => {
    inbox.reply("hang");
    const before = inbox.requests.length;
    const [one, two] = [new AbortController(), new AbortController()];
    const first = send("a", one.signal);
    const second = send("b", two.signal);
    const request = await inbox.received(before + 1);
    one.abort();
    await expect(first).rejects.toMatchObject({ wasAborted: true });
    two.abort();
    await expect(second).rejects.toMatchObject({ wasAborted: true });
    await request.closed;
    inbox.reply(echo);
    expect(textOf(await send("c"))).toBe("200 ok c");
  });

  it("is left out when the rest is sent again in halves", async () => {
    inbox.reply("hang");
    const before = inbox.requests.length;
    const stop = new AbortController();
    const gone = send("a", stop.signal);
    const rest = ["b", "c"].map((body) => send(body));
    const request = await inbox.received(before + 1);
    stop.abort();
    await expect(gone).rejects.toMatchObject({ wasAborted: true });
    inbox.reply(echo);
    request.answer({ status: 400, body: "no" });
    expect((await Promise.all(rest)).map(textOf)).toEqual(["200 ok b", "200 ok c"]);
    expect(since(before).slice(1).flat()).toEqual(["b", "c"]);
  });
});
