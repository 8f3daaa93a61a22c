import { describe, expect, it, onTestFinished } from "vitest";
import { storedKey } from "../../../../src/ledger/key.ts";
import { systemClock } from "../../../../src/clock.ts";
import { openReaderBeside } from "../../../../src/history/open.ts";
import { HOSTILE } from "../../../fixtures/hostile.ts";
import { anEvent } from "../../../support/events.ts";
import { HOUR, MINUTE, NOON, seen, take } from "../../../support/history.ts";
import { temporaryDirectory } from "../../../support/ledger.ts";
import { aPageSite, type PageSite } from "../../../support/page.ts";

/** The id of the n-th event, seen so many minutes before noon. */
const idOf = (n: number, minutes: number) => storedKey(seen(n, NOON - minutes * MINUTE));

/** Hrefs of a document, as a browser reads them. */
function hrefs(body: string): readonly string[] {
  return [...body.matchAll(/href="([^"]*)"/g)].map(([, href = ""]) =>
    href.replaceAll("&amp;", "&"),
  );
}

async function filled(): Promise<PageSite> {
  const site = await aPageSite();
  await take(site, [
    seen(1, NOON - 5 * MINUTE, {
      reason: "BackOff",
      message: "Back-off restarting failed container",
    }),
    seen(2, NOON - 4 * MINUTE, {
      reason: "OOMKilling",
      object: { kind: "Node", namespace: null, name: "node-3" },
      eventNamespace: "default",
    }),
    seen(3, NOON - 3 * HOUR, {
      type: "Normal",
      reason: "Scheduled",
      message: "Successfully assigned",
    }),
  ]);
  return site;
}

describe("the page of events", () => {
  it("begins with the last hour, newest first, each with who was told", async () => {
    const site = await filled();
    const { status, text, headers } = await site.get("/");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/html; charset=UTF-8");
    expect(text).toMatch(/11:56:00.*OOMKilling.*node-3.*11:55:00.*BackOff/);
    expect(text).not.toContain("Scheduled");
    expect(text).toContain("2 events");
  });

  it("shows what its address asks for, and writes it into its form", async () => {
    const site = await filled();
    const { text, body } = await site.get("/?since=24h&type=Normal&q=assigned");
    expect(text).toContain("Successfully assigned");
    expect(text).not.toContain("BackOff");
    expect(body).toMatch(/<option value="24h" selected/);
    expect(body).toMatch(/name="q"\s+value="assigned"/);
    expect(body).toMatch(/type="hidden" name="type" value="Normal"/);
  });

  it("takes fields that nobody filled in out of its address, which is then one to paste", async () => {
    const site = await filled();
    const { status, headers } = await site.get("/?since=&ns=shop&kind=&name=&reason=&q=");
    expect([status, headers.get("location")]).toEqual([303, "/?since=&ns=shop"]);
  });

  /** What a browser sends for the form as it stands there, with some fields filled in by hand. */
  function submitted(body: string, by: Readonly<Record<string, string>>): string {
    const form = /<form class="filter"[\s\S]*?<\/form>/.exec(body)?.[0] ?? "";
    const fields = [...form.matchAll(/<input[^>]*\sname="(\w+)"[^>]*\svalue="([^"]*)"/g)].map(
      ([, name = "", value = ""]) => [name, value] as const,
    );
    const since = /<option value="([^"]*)" selected/.exec(form)?.[1] ?? "";
    const sent = new URLSearchParams();
    for (const [name, value] of fields) sent.append(name, value);
    sent.set("since", since);
    for (const [name, value] of Object.entries(by)) sent.set(name, value);
    return `/?${sent.toString()}`;
  }

  const MINUTE_SHOWN = "from=2026-11-20T11%3A55%3A00.000Z&to=2026-11-20T11%3A56%3A00.000Z";

  it("leaves the time of a bar for another one that is chosen in the form", async () => {
    const site = await filled();
    const zoomed = await site.get(`/?type=Warning&${MINUTE_SHOWN}`);
    expect(zoomed.text).toContain("BackOff");
    expect(zoomed.text).not.toContain("OOMKilling");
    const sent = await site.get(submitted(zoomed.body, { since: "1h" }));
    expect([sent.status, sent.headers.get("location")]).toEqual([303, "/?type=Warning&since=1h"]);
    const all = {
      since: "1h",
      ns: "shop",
      kind: "Pod",
      name: "web*",
      reason: "BackOff",
      q: "restarting",
    };
    const full = await site.get(submitted(zoomed.body, all));
    expect(full.status, "though no field is empty").toBe(303);
    expect(full.headers.get("location")).not.toContain("from=");
    const written = await site.get(`/?since=1h&${MINUTE_SHOWN}`);
    expect(written.status, "an address that contradicts itself is a mistake").toBe(400);
  });

  it("stays with the time of a bar where something else is filled in, and names that time", async () => {
    const site = await filled();
    const zoomed = await site.get(`/?${MINUTE_SHOWN}`);
    expect(zoomed.body).toMatch(
      /<option value="" selected[^>]*>[^<]*11:55:00 – [^<]*11:56:00<\/option>/,
    );
    const sent = await site.get(submitted(zoomed.body, { kind: "Pod" }));
    const there = sent.headers.get("location") ?? "";
    expect(new URL(there, "http://x").searchParams.get("from")).toBe("2026-11-20T11:55:00.000Z");
    expect(there).toContain("kind=Pod");
    const kept = await site.get(there);
    expect(kept.status).toBe(200);
    expect(kept.text).toContain("BackOff");
    const wrong = await site.get("/?from=yesterday");
    expect([wrong.status, wrong.body.includes("yesterday –</option>")]).toEqual([400, true]);
  });

  it("leads to itself with one filter more wherever a name stands", async () => {
    const site = await filled();
    const { body } = await site.get("/?since=24h&type=Warning");
    expect(hrefs(body)).toEqual(
      expect.arrayContaining([
        "?since=24h&type=Warning&reason=BackOff",
        "?since=24h&type=Warning&ns=shop",
        "?since=24h&type=Warning&kind=Node",
        "/objects?ns=-&kind=Node&name=node-3",
        `/events/${encodeURIComponent(idOf(2, 4))}`,
      ]),
    );
  });

  it("draws the counts over time, each bar leading to its minute", async () => {
    const site = await filled();
    const { body } = await site.get("/");
    const bars = hrefs(body).filter((href) => href.startsWith("?from="));
    expect(bars.map((bar) => new URLSearchParams(bar).get("from"))).toEqual([
      "2026-11-20T11:55:00.000Z",
      "2026-11-20T11:56:00.000Z",
    ]);
  });

  it("goes on to older events, and back to the newest", async () => {
    const site = await aPageSite();
    await take(
      site,
      Array.from({ length: 60 }, (_, n) => seen(n, NOON - n * MINUTE)),
    );
    const first = await site.get("/?since=24h");
    const next = hrefs(first.body).find((href) => href.includes("cursor=")) ?? "";
    const second = await site.get(`/${next}`);
    expect(first.text).toContain("web-0 ");
    expect(second.text).toContain("web-59");
    expect(second.text).not.toContain("web-49 ");
    expect(hrefs(second.body)).toContain("?since=24h");
  });

  it("takes occurrences of the same object and reason together where it is asked to", async () => {
    const site = await aPageSite();
    const again = (count: number) =>
      anEvent({ count, lastSeen: new Date(NOON - (9 - count) * MINUTE).toISOString() });
    await take(site, [again(1), again(2), again(3)]);
    const rows = (body: string) => body.match(/<tr data-id/g)?.length;
    expect(rows((await site.get("/")).body)).toBe(3);
    expect(rows((await site.get("/?view=grouped")).body)).toBe(1);
  });

  it("says why it is empty and what to do", async () => {
    const site = await aPageSite({ watchingSince: () => NOON - 7 * MINUTE });
    for (const path of ["/", "/?since=", "/?since=7d&view=grouped&by=kind"]) {
      const { text } = await site.get(path);
      expect(text, path).toContain("Nothing has arrived yet. Watching since 11:53:00;");
      expect(text, path).not.toContain("fits this filter");
    }
    const filtered = await site.get("/?reason=NoSuchReason");
    expect(filtered.text).toContain("Nothing in the history fits this filter.");
    expect(hrefs(filtered.body)).toContain("/?since=24h");
  });

  it("says of a time in which nothing happened what the newest event is, and leads there", async () => {
    const site = await aPageSite({ watchingSince: () => NOON - 7 * MINUTE });
    await take(site, [seen(1, NOON - 30 * HOUR), seen(2, NOON - 26 * HOUR)]);
    const quiet = await site.get("/");
    expect(quiet.text).toContain("Nothing happened in this time.");
    expect(quiet.text).toContain("The newest event: 19 Nov 10:00:00 BackOff");
    expect(quiet.text).not.toMatch(/Nothing has arrived|Watching since/);
    expect(hrefs(quiet.body)).toContain(`/events/${encodeURIComponent(idOf(2, 26 * 60))}`);
    expect(hrefs(quiet.body)).toContain("/?since=24h");
    const wider = await site.get("/?since=24h");
    expect(hrefs(wider.body), "where one is already").not.toContain("/?since=24h");
    const chinese = await site.get("/?lang=zh");
    expect(chinese.text).toContain("这段时间没有事件。 最新的事件： 11月19日 10:00:00 BackOff");
  });

  it("opens an event that has no message, in the list and among its object's", async () => {
    const site = await aPageSite();
    await take(site, [
      seen(1, NOON - MINUTE, { message: "" }),
      seen(2, NOON - 2 * MINUTE, { message: " \n" }),
    ]);
    const { body } = await site.get("/");
    expect(body.match(/\(no message\)<\/a/g)).toHaveLength(2);
    expect((await site.get("/?lang=zh")).text).toContain("（无消息）");
  });

  it("shows at the field what cannot be understood, with an example, and answers 400", async () => {
    const site = await filled();
    const { status, body, text } = await site.get("/?since=yesterday&name=a*b*");
    expect(status).toBe(400);
    expect(text).toContain("since=yesterday");
    expect(text).toContain("a duration back from now (30m, 2h, 7d) or an ISO 8601 time");
    expect(body).toMatch(/name="name"[^>]*aria-invalid="true"/);
    expect(body).toContain('id="name-problem"');
    expect(body).toMatch(/<select name="since"[^>]*aria-invalid="true"/);
    expect(body).toContain('id="since-problem"');
    expect(text).not.toContain("last yesterday");
  });

  it("speaks Chinese where it is asked to, and remembers", async () => {
    const site = await filled();
    const accepted = await site.get("/", { "accept-language": "zh-CN,zh;q=0.9" });
    expect(accepted.body).toContain('<html lang="zh-CN">');
    expect(accepted.text).toContain("共 2 条事件");
    expect(accepted.text).toMatch(/着色依据 原因 级别 命名空间 类型 组件/);
    const chosen = await site.get("/?lang=en", { "accept-language": "zh-CN" });
    expect(chosen.text).toContain("2 events");
    const cookie = chosen.headers.get("set-cookie")?.split(";")[0] ?? "";
    const later = await site.get("/", { "accept-language": "zh-CN", cookie });
    expect(later.text).toContain("2 events");
  });

  it("is shown, with what is wrong, while the store cannot be read", async () => {
    // Nobody has begun a ledger there.
    const reader = openReaderBeside(temporaryDirectory(), () => 0, systemClock);
    onTestFinished(() => reader.close());
    const troubles = () => ["the ledger cannot be written since 11:40"];
    const site = await aPageSite({ reader, troubles });
    const { status, body, text } = await site.get("/");
    expect(status).toBe(200);
    expect(body).toContain('role="alert"');
    expect(text).toContain("the ledger cannot be written since 11:40");
    expect(text).toMatch(/there is no (readable )?ledger|holds no ledger|cannot be read/);
    expect(body).toContain('class="filter"');
  });
});

describe("whatever an Event says", () => {
  it("is text on the page, in every field that an Event has", async () => {
    const site = await aPageSite();
    const evil = `"><img src=x onerror=alert(1)><script>alert(2)</script>'\`{{x}}`;
    await take(
      site,
      HOSTILE.map(({ text }, n) => seen(n, NOON - MINUTE, { message: text, reason: text })).concat(
        seen(999, NOON - MINUTE, {
          type: evil,
          reason: evil,
          message: evil,
          action: evil,
          cluster: evil,
          eventName: evil,
          reporter: { component: evil, host: evil, instance: evil },
          object: { kind: evil, name: evil, namespace: evil, fieldPath: evil, apiVersion: evil },
          related: {
            kind: evil,
            name: evil,
            namespace: evil,
            fieldPath: null,
            apiVersion: null,
            uid: evil,
          },
        }),
      ),
    );
    const id = encodeURIComponent(idOf(999, 1));
    for (const path of [
      "/?limit=1000",
      "/?limit=1000&view=grouped",
      `/events/${id}`,
      `/objects?ns=shop&kind=Pod&name=${encodeURIComponent(evil)}`,
      "/report",
    ]) {
      const { status, body } = await site.get(path);
      expect(status, path).toBe(200);
      const tags = new Set([...body.matchAll(/<([a-z][a-z0-9-]*)\b/gi)].map(([, tag]) => tag));
      expect(tags, path).not.toContain("img");
      expect(body.match(/<script\b[^>]*>/g) ?? [], path).toEqual(
        path === "/report" ? [] : ['<script src="/assets/page.js" type="module">'],
      );
      const bare = (body.match(/<[a-z][^>]*>/gi) ?? []).map((tag) =>
        tag.replaceAll(/"[^"]*"/g, ""),
      );
      expect(
        bare.filter((tag) => /\son\w+\s*=/i.test(tag)),
        path,
      ).toEqual([]);
      expect(hrefs(body).filter((href) => /^\s*(javascript|data|vbscript):/i.test(href))).toEqual(
        [],
      );
    }
  });
});
