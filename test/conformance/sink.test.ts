import { readdirSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sinks } from "../../sinks/index.ts";
import { createHttpClient, type HttpClient } from "../../src/sink/http.ts";
import type { HttpSinkDefinition, SinkDefinition } from "../../src/sink/index.ts";
import { openSink, verdictOn } from "../../src/sink/open.ts";
import { secretsOf } from "../../src/sink/redact.ts";
import { optionsOf } from "../../src/sink/schema.ts";
import { parseSinkUri } from "../../src/sink/uri.ts";
import { type Inbox, startInbox } from "../support/inbox.ts";
import { anEvent } from "../support/events.ts";
import { aMessage } from "../support/messages.ts";
import { malformed } from "../support/rendering.ts";
import { bare, filled, openAt, quietIo } from "../support/sinks.ts";

/** What every sink promises, asked of every sink there is: a new one is asked, too, without a line here. */
const NOW = Date.parse("2026-11-20T08:05:31Z");
const never = new AbortController().signal;
const isHttp = (sink: SinkDefinition): sink is HttpSinkDefinition => sink.transport === "http";
const parsed = (sink: SinkDefinition) => sink.options.parse(sink.example.yaml) as never;

let inbox: Inbox;
let client: HttpClient;

beforeAll(async () => {
  inbox = await startInbox();
  client = createHttpClient({ userAgent: "kube-crier/test", proxy: false });
});
beforeEach(() => inbox.reply({ status: 200, body: "" }));
afterAll(async () => {
  client.close();
  await inbox.close();
});

describe("the registry", () => {
  it("holds every file of the folder", () => {
    const files = readdirSync(path.resolve(import.meta.dirname, "../../sinks"))
      .filter((name) => name.endsWith(".ts") && name !== "index.ts")
      .map((name) => name.slice(0, -3));
    expect(sinks.map((sink) => sink.type)).toEqual(files.toSorted());
  });
});

describe.each(sinks.map((sink) => [sink.type, sink] as const))("the sink %s", (_, sink) => {
  it("means the same by its example as a URI and as YAML", () => {
    const { options, house, issues } = parseSinkUri(sink, sink.example.uri, [], () => null);
    expect(issues).toEqual([]);
    expect(house).toEqual({});
    expect(bare(sink.options.parse(options))).toEqual(bare(parsed(sink)));
  });

  it("describes each of its options in a sentence", () => {
    for (const { name, meta } of optionsOf(sink.options)) {
      expect(meta.description, name).toMatch(/^[A-Z].{10,}[.…]$/s);
    }
  });

  it("has no two options that answer to one name", () => {
    const names = optionsOf(sink.options)
      .flatMap(({ name, meta }) => [name, ...(meta.aliases ?? [])])
      .map((name) => name.replaceAll(/[_-]/g, "").toLowerCase());
    expect(names).toEqual([...new Set(names)]);
  });

  it("says what it is and where its platform is documented", () => {
    expect(sink.title).not.toBe("");
    expect(sink.summary).toMatch(/\.$/);
    expect(URL.canParse(sink.docs)).toBe(true);
  });

  it("limits only what it renders or may render, and to something", () => {
    const { blocks, concurrency, rates, throttledMs } = sink.limits(parsed(sink));
    for (const size of Object.values(blocks)) expect(size.max).toBeGreaterThan(100);
    for (const rate of rates) expect(rate.count * rate.perMs).toBeGreaterThan(0);
    expect(concurrency).toBeGreaterThan(0);
    expect(throttledMs).toBeGreaterThan(0);
    const rendered = Object.keys(sink.blocks(parsed(sink)));
    // A record has no words of ours.
    expect(rendered.length > 0 || !isHttp(sink) || sink.isRecord === true).toBe(true);
  });

  it("shows no secret of its options in any way of printing them", () => {
    const options: unknown = parsed(sink);
    const shown = [
      JSON.stringify(options),
      inspect(options, { depth: 9, showHidden: true }),
    ].join();
    for (const secret of secretsOf(options)) expect(shown).not.toContain(secret);
  });
});

const http = sinks.filter(isHttp);

describe.each(http.map((sink) => [sink.type, sink] as const))("over HTTP, %s", (_, sink) => {
  const open = (timeoutMs?: number) => openAt(sink, inbox.url, client, timeoutMs).open;
  const message = filled(sink, parsed(sink), "Back-off restarting failed container");
  const tell = async () => open().tell(message, NOW, never);

  it("makes the same request from the same message at the same time", () => {
    const build = () => sink.request(parsed(sink), message, NOW);
    expect(build()).toEqual(build());
    expect(build().url).toMatch(/^https:/);
  });

  it("names the delivery alike in each attempt, or in none", () => {
    const names = [NOW, NOW + 3_600_000].map((now) => {
      const { body, headers } = sink.request(parsed(sink), message, now);
      return `${body} ${JSON.stringify(headers)}`.includes(message.id);
    });
    expect(new Set(names).size).toBe(1);
  });

  it("puts no secret into the body", () => {
    const { body } = sink.request(parsed(sink), message, NOW);
    for (const secret of secretsOf(parsed(sink))) expect(body).not.toContain(secret);
  });

  it.each([
    ["quotes", '"'],
    ["backslashes", "\\"],
    ["newlines", "\n"],
    ["Chinese", "容"],
    ["emoji", "👩‍👩‍👧"],
  ])("stays within its limits when every block is full of %s", (_, unit) => {
    const { body: size } = sink.limits(parsed(sink));
    const long = unit.repeat(200_000);
    const message = {
      ...filled(sink, parsed(sink), long),
      // Without blocks it is the event's own words that fill the body.
      ...(sink.isRecord === true ? aMessage({ event: anEvent({ message: long }) }) : {}),
    };
    const request = sink.request(parsed(sink), message, NOW);
    const { body } = request;
    const length = size?.unit === "bytes" ? Buffer.byteLength(body) : body.length;
    expect(length).toBeLessThanOrEqual(size?.max ?? Infinity);
    expect(malformed(request)).toBeNull();
  });

  it("judges every status there is", async () => {
    const silent = { kind: "retryable", reason: "server" };
    const expected = (status: number) => {
      if (status >= 200 && status < 300) return sink.refusesWith200 ? silent : { kind: "accepted" };
      if (status === 429) return { kind: "throttled", retryAfterMs: null };
      if (status === 408 || status === 425) return { kind: "retryable", reason: "timeout" };
      if (status >= 500 && status !== 501 && status !== 505) return silent;
      return { kind: "permanent" };
    };
    for (let status = 100; status < 200; status += 1) {
      const verdict = verdictOn(sink, { status, headers: {}, text: "", json: undefined }, NOW);
      expect(verdict, `HTTP ${status}`).toMatchObject({ kind: "permanent" });
    }
    for (let status = 200; status < 600; status += 1) {
      inbox.reply({ status });
      expect((await tell()).verdict, `HTTP ${status}`).toMatchObject(expected(status));
    }
  });

  it.each(sink.samples.map((sample) => [sample.name, sample] as const))(
    "takes its platform's answer for what it is: %s",
    async (_, { status, headers = {}, body, expect: kind, source }) => {
      inbox.reply({ status, headers, body });
      const { verdict, answer } = await tell();
      expect(verdict.kind, source).toBe(kind);
      expect(answer).toContain(`HTTP ${status}`);
    },
  );

  it("knows at least one refusal hidden in HTTP 200, or that there is none", () => {
    const hidden = sink.samples.filter((one) => one.status === 200 && one.expect !== "accepted");
    expect(hidden.length > 0).toBe(sink.refusesWith200);
    expect(sink.samples.some((one) => one.expect === "accepted")).toBe(true);
  });

  it("asks again where a 2xx has a body that cannot be unpacked, unless the receiver is anybody's", async () => {
    const headers = { "content-encoding": "gzip" };
    inbox.reply({ status: 200, headers, body: "not packed" });
    // A webhook's status says it all; everybody else has an answer of its own, and this is somebody's in between.
    expect((await tell()).verdict.kind).toBe(sink.type === "webhook" ? "accepted" : "retryable");
    inbox.reply({ status: 401, headers, body: "not packed" });
    expect((await tell()).verdict).toMatchObject({ kind: "permanent", reason: "auth" });
  });

  it("refuses to follow a redirect", async () => {
    inbox.reply({ status: 302, headers: { location: `${inbox.url}/elsewhere` } });
    const before = inbox.requests.length;
    expect((await tell()).verdict).toMatchObject({ kind: "permanent", reason: "rejected" });
    expect(inbox.requests).toHaveLength(before + 1);
  });

  it.each([
    ["in seconds", "7", 7000],
    ["as a date", new Date(NOW + 9000).toUTCString(), 9000],
  ])("waits as long as the server asks: Retry-After %s", async (_, value, retryAfterMs) => {
    for (const status of [429, 503]) {
      inbox.reply({ status, headers: { "retry-after": value } });
      expect((await tell()).verdict).toMatchObject({ kind: "throttled", retryAfterMs });
    }
  });

  it("tries again after a server that never answers, one that stalls, and one that hangs up", async () => {
    for (const reply of ["hang", "stall"] as const) {
      inbox.reply(reply);
      const { verdict } = await open(50).tell(message, NOW, never);
      expect(verdict).toMatchObject({ kind: "retryable", reason: "timeout" });
    }
    inbox.reply("reset");
    expect((await tell()).verdict).toMatchObject({ kind: "retryable", reason: "network" });
  });

  it("stops at once when told to, closes the socket, and does not count it", async () => {
    inbox.reply("hang");
    const stop = new AbortController();
    const count = inbox.requests.length + 1;
    const telling = open(60_000).tell(message, NOW, stop.signal);
    const request = await inbox.received(count);
    stop.abort();
    expect((await telling).aborted).toBe(true);
    await request.closed;
  });

  it("gives no secret away when the server echoes all it was sent", async () => {
    const { options, open: opened } = openAt(sink, inbox.url, client);
    const secrets = secretsOf(options);
    expect(secrets.length).toBeGreaterThan(0);
    for (const status of [200, 302, 400, 404, 429, 500]) {
      for (const wrap of [
        (text: string) => text,
        (text: string) => ({ errcode: 310000, errmsg: text, code: 9499, msg: text, error: text }),
        (text: string) => `${"x".repeat(190)}${text}`,
      ]) {
        inbox.reply(({ url, headers, body }) => ({
          status,
          body: wrap(`${url} ${Object.values(headers).join(" ")} ${body} ${secrets.join(" ")}`),
        }));
        const told = await opened.tell(message, NOW, never);
        const shown = JSON.stringify(told) + inspect(told, { depth: 9 });
        for (const secret of secrets) expect(shown).not.toContain(secret);
      }
    }
  });

  it("can be closed twice", async () => {
    const opened = open();
    await opened.close();
    await expect(opened.close()).resolves.toBeUndefined();
  });
});

const direct = sinks.filter((sink) => !isHttp(sink));

describe.each(direct.map((sink) => [sink.type, sink] as const))("without HTTP, %s", (_, sink) => {
  const open = () =>
    openSink(sink, sink.options.parse(sink.example.yaml), {
      client,
      timeoutMs: 1000,
      ...quietIo(),
      stdout: process.stderr,
    });

  it("does nothing once it is told to stop, and does not count it", async () => {
    const stop = AbortSignal.abort();
    const told = await open().tell(aMessage(), NOW, stop);
    expect(told).toMatchObject({ aborted: true, verdict: { kind: "retryable" } });
  });

  it("can be closed twice", async () => {
    const opened = open();
    await opened.close();
    await expect(opened.close()).resolves.toBeUndefined();
  });
});
