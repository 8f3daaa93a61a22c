import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { CATCH_UP } from "../../../../src/web/page/tail.ts";
import { NOON, seen, take } from "../../../support/history.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";

interface Tail {
  /** Names of the objects that came, in order. */
  readonly names: string[];
  readonly ids: string[];
  until(count: number): Promise<void>;
  close(): void;
}

/** Follows `/tail` as a browser does. */
async function follow(site: PageSite, address: string, lastEventId?: string): Promise<Tail> {
  const leave = new AbortController();
  const response = await fetch(site.url + address, {
    signal: leave.signal,
    headers: lastEventId === undefined ? {} : { "last-event-id": lastEventId },
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const names: string[] = [];
  const ids: string[] = [];
  void (async () => {
    let text = "";
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      const messages = text.split("\n\n");
      text = messages.pop() ?? "";
      for (const message of messages) {
        const name = /name=(web-\d+)/.exec(message)?.[1];
        if (name !== undefined) names.push(name);
        const id = /^id: (\d+)$/m.exec(message)?.[1];
        if (id !== undefined) ids.push(id);
      }
    }
  })().catch(() => undefined);
  return {
    names,
    ids,
    async until(count) {
      while (names.length < count) {
        await site.clock.advance(500);
      }
    },
    close: () => leave.abort(),
  };
}

/** Where the page's own button would begin. */
async function tailOf(site: PageSite, address: string): Promise<string> {
  const { body } = await site.get(address);
  return (/data-tail="([^"]*)"/.exec(body)?.[1] ?? "").replaceAll("&amp;", "&");
}

const three = (from: number) => [0, 1, 2].map((n) => seen(from + n, NOON));

describe("what arrives", () => {
  it("comes from the moment on at which the page was drawn, not from when somebody pressed the button", async () => {
    const site = await aPageSite();
    await take(site, three(1));
    const address = await tailOf(site, "/?since=1h");
    await take(site, three(4));
    const tail = await follow(site, address);
    await tail.until(3);
    expect(tail.names).toEqual(["web-4", "web-5", "web-6"]);
  });

  it("goes on where a connection was cut, without a gap and without saying anything twice", async () => {
    const site = await aPageSite();
    const address = await tailOf(site, "/?since=1h");
    const stays = await follow(site, address);
    const goes = await follow(site, address);
    await take(site, three(1));
    await Promise.all([stays.until(3), goes.until(3)]);
    goes.close();
    await take(site, three(4));
    await stays.until(6);
    const again = await follow(site, address, goes.ids.at(-1));
    await take(site, three(7));
    await Promise.all([stays.until(9), again.until(6)]);
    expect([...goes.names, ...again.names]).toEqual(stays.names);
    expect(stays.names).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `web-${n}`));
  });

  it("is bounded for whoever was away for long, and for a place of another ledger", async () => {
    const site = await aPageSite();
    const many = CATCH_UP + 10;
    await take(
      site,
      Array.from({ length: many }, (_, n) => seen(n + 1, NOON)),
    );
    for (const after of ["1", "999999999999"]) {
      const tail = await follow(site, `/tail?after=${after}`);
      await tail.until(CATCH_UP);
      expect(tail.names[0]).toBe("web-11");
      expect(tail.names.at(-1)).toBe(`web-${many}`);
      tail.close();
    }
  });

  it("leads to the page's filters, and nowhere by what the connection alone needs", async () => {
    const site = await aPageSite();
    const address = await tailOf(site, "/?since=1h&ns=shop");
    await take(site, three(1));
    const response = await fetch(site.url + address);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const first = reader?.read();
    await site.clock.advance(500);
    const { value = "" } = (await first) ?? {};
    expect(value).toContain("?since=1h&amp;ns=shop&amp;reason=BackOff");
    expect(value).not.toContain("after=");
    await reader?.cancel();
  });

  it.each(["/tail", "/api/v1/tail"])("%s says so where the place is none", async (path) => {
    const site = await aPageSite();
    const { status, body } = await site.get(path, { "last-event-id": "yesterday" });
    expect(status).toBe(400);
    expect(body).toMatch(
      /Last-Event-ID: found \S*yesterday\S* expected the id of the last message/,
    );
  });

  it("is cut for a reader who takes nothing, before it fills our memory; the others go on", async () => {
    const site = await aPageSite();
    const address = await tailOf(site, "/?since=1h");
    const stays = await follow(site, address);
    const { port } = new URL(site.url);
    const stuck = connect(Number(port), "127.0.0.1", () =>
      stuck.write(`GET ${address} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
    );
    stuck.on("error", () => undefined);
    // The head is read, and then nothing more.
    await new Promise((resolve) => stuck.once("data", resolve));
    stuck.pause();
    const message = "x".repeat(20_000);
    for (let batch = 0; batch < 8; batch += 1) {
      await take(
        site,
        Array.from({ length: 250 }, (_, n) => seen(batch * 250 + n, NOON, { message })),
      );
      await stays.until((batch + 1) * 250);
    }
    let got = 0;
    stuck.on("data", (part) => (got += part.length)).resume();
    await new Promise((resolve) => stuck.once("close", resolve));
    expect(got).toBeLessThan(1_900 * message.length);
    expect(stays.names).toHaveLength(2_000);
    stays.close();
  });
});
