import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { get, play, post, type Played } from "./support.ts";

const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "</pre></code></article><b>",
  "javascript:alert(1)",
  "${7*7} {{constructor}}",
  "\u202etxt.exe\u2028",
  "' onmouseover='x",
];

async function page({ sim }: Played, query = "", headers: Record<string, string> = {}) {
  const answer = await get(`${sim.url}/${query}`, headers);
  return answer.text;
}

function markdown(text: string, title = "t") {
  return { msgtype: "markdown", markdown: { title, text } };
}

/** The tags of a page: hostile text must add none. */
function tagsOf(html: string): string[] {
  return [...html.matchAll(/<([a-z][a-z0-9]*)\b/gi)].map((match) => (match[1] ?? "").toLowerCase());
}

describe("headers", () => {
  it.each(["/", "/style.css", "/live.js", "/version"])("of %s forbid inline code", async (path) => {
    const { sim } = await play();
    const { headers, status } = await get(sim.url + path);
    expect(status).toBe(200);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("style-src 'self'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  it("give the assets their types", async () => {
    const { sim } = await play();
    const types = await Promise.all(
      ["/", "/style.css", "/live.js"].map(
        async (path) => (await get(sim.url + path)).headers.get("content-type") ?? "",
      ),
    );
    expect(types.map((type) => type.toLowerCase())).toEqual([
      "text/html; charset=utf-8",
      "text/css; charset=utf-8",
      "text/javascript; charset=utf-8",
    ]);
  });
});

describe("an empty page", () => {
  it("says where to send to, at the address it was opened", async () => {
    const played = await play();
    const html = await page(played);
    expect(html).toContain("No message yet");
    expect(html).toContain(`${played.sim.url}/robot/send?access_token=TOKEN`);
    expect(html).toContain(`${played.sim.url}/open-apis/bot/v2/hook/TOKEN`);
  });

  it("shows configured robots before anything came", async () => {
    const played = await play({ robots: [{ platform: "lark", token: "x", name: "值班群" }] });
    const html = await page(played);
    expect(html).toContain("值班群");
    expect(html).toContain("Nothing was sent to this robot yet.");
    expect(html).not.toContain("No message yet");
  });
});

describe("language", () => {
  it.each([
    ["?lang=zh", "", "聊天模拟器", 'lang="zh"'],
    ["?lang=en", "zh-CN", "Chat simulator", 'lang="en"'],
    ["", "zh-CN,zh;q=0.9", "聊天模拟器", 'lang="zh"'],
    ["", "en-GB,zh;q=0.5", "Chat simulator", 'lang="en"'],
    ["", "", "Chat simulator", 'lang="en"'],
    ["?lang=fr", "", "Chat simulator", 'lang="en"'],
  ])("%j with Accept-Language %j is %s", async (query, accept, title, attribute) => {
    const html = await page(
      await play(),
      query,
      accept === "" ? {} : { "accept-language": accept },
    );
    expect(html).toContain(title);
    expect(html).toContain(attribute);
  });

  it("can be changed without losing the chat one looks at", async () => {
    const played = await play();
    await post(played.sim.webhook("dingtalk", "a"), markdown("x"));
    const html = await page(played, "?robot=dingtalk%2Fa&lang=zh");
    expect(html).toContain('href="/?lang=en&amp;robot=dingtalk%2Fa"');
  });
});

describe("hostile content", () => {
  it("adds no tag, in whatever message it comes", async () => {
    const calm = await play();
    const played = await play();
    const bodies = (text: string): [string, object][] => [
      ["/robot/send?access_token=a", { msgtype: "text", text: { content: text } }],
      ["/robot/send?access_token=b", { msgtype: "markdown", markdown: { title: text, text } }],
      ["/open-apis/bot/v2/hook/c", { msg_type: "text", content: { text } }],
      [
        "/open-apis/bot/v2/hook/d",
        {
          msg_type: "interactive",
          card: {
            header: { title: { tag: "plain_text", content: text } },
            elements: [{ tag: "markdown", content: text }],
          },
        },
      ],
      ["/cgi-bin/webhook/send?key=e", { msgtype: "markdown", markdown: { content: text } }],
      ["/services/T/B/f", { text, blocks: [{ type: "section", text: { type: "mrkdwn", text } }] }],
      ["/hook/g", { text }],
      ["/robot/send?access_token=h", { msgtype: text }],
    ];
    for (const [path, body] of bodies("calm")) await post(calm.sim.url + path, body);
    const expected = new Set(tagsOf(await page(calm)));
    for (const hostile of HOSTILE) {
      for (const [path, body] of bodies(hostile)) await post(played.sim.url + path, body);
      const html = await page(played);
      expect(tagsOf(html).filter((tag) => !expected.has(tag))).toEqual([]);
      expect(html).not.toContain("<script>alert");
      played.sim.control({ clear: true, resetLimits: true });
    }
  });

  it("cannot come in by a robot's token or name", async () => {
    const played = await play();
    played.sim.control({ robot: 'dingtalk/<b>"', name: "<i>'" });
    const html = await page(played);
    expect(html).not.toContain("<i>");
    expect(html).not.toContain('data-chat="dingtalk/<b>"');
    expect(html).toContain("&lt;i&gt;&#39;");
  });

  it.each([
    ["[x](javascript:alert(1))", 0],
    ["[x](data:text/html,1)", 0],
    ["[x](//a.example)", 0],
    ["[x](https://a.example/?a=1&b=2)", 1],
    ["[x](HTTP://a.example)", 1],
    ["![x](https://a.example/p.png)", 1],
  ])("%s leads anywhere only by http: %i", async (text, links) => {
    const played = await play();
    await post(played.sim.webhook("dingtalk", "a"), markdown(text));
    const html = await page(played);
    expect(html.match(/target="_blank"/g) ?? []).toHaveLength(links);
    expect(html).not.toMatch(/href="(?:javascript|data):/i);
    expect(html).not.toContain("<img");
    expect(html.match(/rel="noopener noreferrer nofollow"/g) ?? []).toHaveLength(links);
  });
});

describe("a chat", () => {
  it("shows formatted messages with robot and time, newest first in the document", async () => {
    const played = await play({
      robots: [{ platform: "dingtalk", token: "a", name: "生产告警群" }],
      timeZone: "Asia/Shanghai",
    });
    const url = played.sim.webhook("dingtalk", "a");
    await post(url, markdown("#### First\n\n**bold** `code`\n\n> quote\n\n- item"));
    await played.clock.advance(61_000);
    await post(url, markdown("Second"));
    const html = await page(played);
    expect(html).toContain("生产告警群");
    expect(html).toContain('<p class="h4">First</p>');
    expect(html).toContain("<strong>bold</strong>");
    expect(html).toContain("<code>code</code>");
    expect(html).toMatch(/<blockquote><p>quote<\/p><\/blockquote>/);
    expect(html).toMatch(/<li>\s*item\s*<\/li>/);
    expect(html).toContain('datetime="2026-11-20T08:00:00.000Z"');
    expect(html).toContain(">16:00:00</time>");
    expect(html.indexOf(">Second<")).toBeLessThan(html.indexOf(">First<"));
  });

  it("keeps the text of a code block to the character", async () => {
    const played = await play();
    const text = "line 1\n  indented <b>\n\n最后";
    await post(played.sim.webhook("dingtalk", "a"), markdown(`\`\`\`\n${text}\n\`\`\``));
    expect(await page(played)).toContain(
      "<pre><code>line 1\n  indented &lt;b&gt;\n\n最后</code></pre>",
    );
  });

  it("gives a Lark card its coloured header and Slack its bar, without inline style", async () => {
    const played = await play();
    await post(played.sim.webhook("lark", "a"), {
      msg_type: "interactive",
      card: {
        header: { template: "red", title: { tag: "plain_text", content: "Card title" } },
        elements: [],
      },
    });
    await post(played.sim.webhook("slack", "T/B/a"), {
      text: "t",
      attachments: [
        { color: "#F79009", blocks: [{ type: "header", text: { type: "plain_text", text: "H" } }] },
      ],
    });
    const html = await page(played);
    expect(html).toContain('fill="#d83931"');
    expect(html).toContain('fill="#F79009"');
    expect(html).toContain("Card title");
    expect(html).not.toContain("style=");
  });

  it("marks who is notified", async () => {
    const played = await play();
    const url = played.sim.webhook("dingtalk", "a");
    await post(url, markdown("x"));
    expect(await page(played)).not.toContain("notifies");
    await post(url, { ...markdown("@138 x"), at: { atMobiles: ["138"] } });
    expect(await page(played)).toContain("notifies @138");
    await post(url, { ...markdown("x"), at: { isAtAll: true } });
    expect(await page(played)).toContain("notifies everyone");
  });

  it("folds what a muted robot sent into one line that says until when", async () => {
    const played = await play();
    const url = played.sim.webhook("dingtalk", "a");
    for (let index = 0; index < 25; index += 1) await post(url, markdown("x"));
    const html = await page(played);
    expect(html).toMatch(
      /<b>5 ×<\/b>\s*<code>130101<\/code>\s*send too fast, exceed 20 times per minute · muted until 08:10:00/,
    );
    expect(html).toContain("20 shown, 5 refused");
    expect(await page(played, "?lang=zh")).toContain("已被限流至 08:10:00");
  });

  it("tells duplicates and injected faults apart", async () => {
    const played = await play();
    const url = played.sim.webhook("dingtalk", "a");
    for (let index = 0; index < 2; index += 1)
      await post(url, { ...markdown("once"), msgUuid: "1" });
    played.sim.control({ fault: { kind: "status", status: 503, requests: 1 } });
    await post(url, markdown("x"));
    played.sim.control({ fault: { kind: "reset", requests: 1 } });
    await post(url, markdown("x")).catch(() => undefined);
    const html = await page(played);
    expect(html).toContain("the same message again: answered ok, not shown twice");
    expect(html).toContain("503 · outage (injected)");
    expect(html).toContain("connection reset (injected)");
    expect(html.match(/<p>once<\/p>/g)).toHaveLength(1);
  });

  it("draws the newest sixty and counts the rest", async () => {
    const played = await play();
    for (let index = 0; index < 70; index += 1)
      await post(played.sim.webhook("hook", "a"), { index });
    const html = await page(played);
    expect(html.match(/<article/g)).toHaveLength(60);
    expect(html).toContain("10 older");
  });

  it("can be looked at alone", async () => {
    const played = await play();
    await post(played.sim.webhook("dingtalk", "a"), markdown("text of a"));
    await post(played.sim.webhook("wecom", "b"), {
      msgtype: "text",
      text: { content: "text of b" },
    });
    const both = await page(played);
    expect(both).toContain("text of a");
    expect(both).toContain("text of b");
    expect(both).toMatch(/href="\/\?robot=wecom%2Fb"\s*>\s*WeCom · b/);
    const one = await page(played, "?robot=wecom/b");
    expect(one).not.toContain("text of a");
    expect(one).toContain("text of b");
  });

  it("shows what was sent to no robot at all", async () => {
    const played = await play();
    await post(`${played.sim.url}/robot/send`, markdown("x"));
    expect(await page(played)).toContain("missing parameter access_token");
  });
});

describe("live", () => {
  it("has a version that changes with each message and each command, and only then", async () => {
    const played = await play();
    const version = async () => (await get(`${played.sim.url}/version`)).text;
    const before = await version();
    expect(await version()).toBe(before);
    expect(await page(played)).toContain(`data-version="${before}"`);
    await post(played.sim.webhook("hook", "a"), {});
    const after = await version();
    expect(after).not.toBe(before);
    played.sim.control({ clear: true });
    expect(await version()).not.toBe(after);
  });

  it("reloads by itself where there is no script", async () => {
    expect(await page(await play())).toContain(
      '<noscript><meta http-equiv="refresh" content="5" /></noscript>',
    );
  });

  it("has a script that parses", async () => {
    const { sim } = await play();
    const script = (await get(`${sim.url}/live.js`)).text;
    expect(() => new Script(script)).not.toThrow();
  });
});
