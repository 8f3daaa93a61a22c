import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { storedKey } from "../../src/ledger/key.ts";
import { NOON } from "../support/history.ts";
import { accessFile, fileProver, sha256 } from "../support/guarded.ts";
import { anIncident } from "../support/incident.ts";
import { FakeClock } from "../support/clock.ts";
import { aBrowser, aTab, axe, CHROMIUM, WITHOUT_CHROMIUM } from "./browser.ts";

const SAID = {
  en: {
    retry: "Retry",
    discard: "Discard",
    none: "Nothing was given up.",
    paused: "paused by the platform until 12:00:24",
    mayNot: "You may read this, but not retry or discard.",
    show: "Show",
    configMap: "As a ConfigMap",
    token: "Token",
    enter: "Sign in",
    leave: "Log out",
    wrong: "This token is not valid",
  },
  zh: {
    retry: "重试",
    discard: "丢弃",
    none: "没有放弃任何通知。",
    paused: "被平台限流至 12:00:24",
    mayNot: "您可以查看，但无权重试或丢弃。",
    show: "查看",
    configMap: "导出为 ConfigMap",
    token: "令牌",
    enter: "登录",
    leave: "退出",
    wrong: "令牌无效",
  },
} as const;

const ACCESS = `tokens:
  - { name: ops, sha256: ${sha256("s3cret-of-ops")}, namespaces: ["*"], may: [read, change] }
  - { name: shop, sha256: ${sha256("s3cret-of-shop")}, namespaces: [shop], may: [read] }
`;

/** Those who have a token; the others stay outside. */
function withTokens() {
  const clock = new FakeClock(new Date(NOON).toISOString());
  return { tokens: [fileProver(accessFile(ACCESS), clock)], proxy: null, open: false };
}

describe.skipIf(CHROMIUM === null).each(["en", "zh"] as const)(
  `sinks, templates, login (%s)${WITHOUT_CHROMIUM}`,
  (lang) => {
    const said = SAID[lang];
    const { browser } = aBrowser();
    const locale = lang === "zh" ? "zh-CN" : "en-GB";

    it.each([true, false])(
      "what was given up is sent again or discarded (scripts: %s)",
      async (javaScriptEnabled) => {
        const site = await anIncident();
        const { page } = await aTab(browser(), site.url, { locale, javaScriptEnabled });
        await page.goto("/sinks");
        expect(await page.locator("table.sinks").innerText()).toContain(said.paused);
        const dead = page.locator("table.dead tbody tr");
        expect(await dead.count()).toBe(2);
        const given = site.history.deliveries({ state: "dead" }).map(({ id }) => id);
        await dead.filter({ hasText: "93000" }).getByRole("button", { name: said.discard }).click();
        await page.waitForURL(/#dead$/);
        expect(await dead.count()).toBe(1);
        await dead.getByRole("button", { name: said.retry }).click();
        await page.getByText(said.none).waitFor();
        expect(site.audit.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
          "discard done",
          "retry done",
        ]);
        expect(site.audit.map(({ target }) => target).toSorted()).toEqual(given.toSorted());
        expect(site.history.deliveries({ state: "discarded" })).toHaveLength(1);
        expect(javaScriptEnabled ? await axe(page) : []).toEqual([]);
      },
    );

    it("a template is written beside what the chat will show, in both languages", async () => {
      const site = await anIncident();
      const { page } = await aTab(browser(), site.url, { locale, acceptDownloads: true });
      await page.goto("/templates");
      const editor = page.locator("textarea");
      const looks = page.locator(".look");
      expect(await looks.count()).toBe(2);
      expect(await looks.first().locator(".chat").innerText()).toContain(
        "Back-off restarting container",
      );
      expect(await looks.last().locator(".chat").innerText()).toContain("容器反复崩溃");

      await editor.fill(
        '{{#*inline "title"}}{{reason}}{{/inline}}\n{{#*inline "markdown"}}hello **{{reason}}** <b>x</b>{{/inline}}\n{{#*inline "text"}}t{{/inline}}',
      );
      await looks.first().getByText("hello BackOff").waitFor();
      expect(await looks.first().locator("b").count()).toBe(0);

      await editor.fill('{{#*inline "markdown"}}{{nosuchfield}}{{/inline}}');
      const lint = page.locator("#lint .failed").first();
      await lint.waitFor();
      expect(await lint.innerText()).toMatch(/dingtalk\.hbs:1:\d+[\s\S]*nosuchfield/);
      expect(await axe(page)).toEqual([]);
      await editor.fill('{{#*inline "title"}}x{{/inline}}\n{{nosuchfield}}\n');
      await lint.getByRole("link", { name: /:2:/ }).click();
      const chosen = () => {
        const { value, selectionStart, selectionEnd } =
          document.activeElement as HTMLTextAreaElement;
        return value.slice(selectionStart, selectionEnd);
      };
      expect(await page.evaluate(chosen)).toBe("{{nosuchfield}}");

      await page.locator("select[name=sink]").selectOption("slack-sre");
      await page.getByText("fallback is the notification").waitFor();
      expect(await page.locator("#lint .failed").count()).toBe(0);
      await page.locator("select[name=sink]").selectOption("ding-oncall");
      await page.getByText("DingTalk: title is what").waitFor();
      await editor.fill('{{#*inline "title"}}mine{{/inline}}');
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: said.configMap }).click(),
      ]);
      expect(download.suggestedFilename()).toBe("kube-crier-templates.yaml");
      expect(parse(readFileSync(await download.path(), "utf8"))).toMatchObject({
        kind: "ConfigMap",
        data: { "dingtalk.hbs": '{{#*inline "title"}}mine{{/inline}}' },
      });
    });

    it.each(["lark-shop", "slack-sre", "wecom-pay"])(
      "the preview looks like its chat, of a real event, without a script: %s",
      async (sink) => {
        const site = await anIncident();
        const { page } = await aTab(browser(), site.url, { locale, javaScriptEnabled: false });
        await page.goto(`/templates?sink=${sink}&event=${encodeURIComponent(site.id)}`);
        expect(await page.locator("select[name=sink]").inputValue()).toBe(sink);
        for (const chat of await page.locator(".look .chat").all())
          expect(await chat.innerText()).toContain("web-7d4b9c6f5-x2x9k");
        await page.getByRole("button", { name: said.show }).click();
        expect(await page.locator(".look .chat").count()).toBe(2);
      },
    );

    it.each([true, false])(
      "one signs in with a token and out again (scripts: %s)",
      async (javaScriptEnabled) => {
        const site = await anIncident(withTokens());
        const { page } = await aTab(browser(), site.url, {
          locale,
          javaScriptEnabled,
          refusals: [401],
        });
        const pasted = `/events/${encodeURIComponent(site.id)}`;
        await page.goto(pasted);
        await page.waitForURL(/\/login\?next=/);
        expect(javaScriptEnabled ? await axe(page) : []).toEqual([]);
        await page.getByLabel(said.token).fill("s3cret-of-mallory");
        await page.getByRole("button", { name: said.enter }).click();
        expect(await page.getByRole("alert").innerText()).toContain(said.wrong);
        await page.getByLabel(said.token).fill("s3cret-of-ops");
        await page.keyboard.press("Enter");
        await page.waitForURL(`${site.url}${pasted}`);
        expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("BackOff");

        const [cookie] = (await page.context().cookies()).filter(({ httpOnly }) => httpOnly);
        expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict" });
        await page.goto("/sinks");
        await page.getByRole("button", { name: said.retry }).first().click();
        await page.waitForURL(/#dead$/);
        expect(site.audit.at(-1)).toMatchObject({ who: "ops", action: "retry", outcome: "done" });

        await page.getByRole("button", { name: said.leave }).click();
        await page.waitForURL(/\/login/);
        await page.goBack();
        await page.goto("/sinks");
        await page.waitForURL(/\/login\?next=/);
        // The cookie that was valid before is no use to whoever kept it.
        const kept = await fetch(`${site.url}/sinks`, {
          redirect: "manual",
          headers: { accept: "text/html", cookie: `${cookie?.name}=${cookie?.value}` },
        });
        expect(kept.status).toBe(303);
      },
    );

    it("who may see one namespace sees no other, and may not change anything", async () => {
      const site = await anIncident(withTokens());
      const { page } = await aTab(browser(), site.url, { locale, refusals: [403, 404] });
      await page.goto("/login");
      await page.getByLabel(said.token).fill("s3cret-of-shop");
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.pathname === "/");
      const text = await page.locator("#rows").innerText();
      expect(text).toContain("shop/");
      expect(text).not.toMatch(/node-3 |pay\/|batch\/|data\//);
      expect(await page.locator(".strip").innerText()).not.toContain("OOMKilling");
      await page.goto("/sinks");
      expect(await page.getByRole("button", { name: said.retry }).count()).toBe(0);
      const [hidden] = site.history.events({ namespace: "pay" });
      const gone = await page.goto(
        `/events/${encodeURIComponent(hidden === undefined ? "" : storedKey(hidden.event))}`,
      );
      expect(gone?.status()).toBe(404);
      const refused = await page.goto("/?ns=pay");
      expect(refused?.status()).toBe(403);
      expect(await page.locator("main").innerText()).toContain("pay");
      expect(await axe(page)).toEqual([]);
    });
  },
);
