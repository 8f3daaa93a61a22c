import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createTemplates } from "../../../../src/template/templates.ts";
import { HOSTILE } from "../../../fixtures/hostile.ts";
import { anIncident } from "../../../support/incident.ts";
import type { PageSite } from "../../../support/page.ts";

const csrfIn = (body: string) => /name="_csrf" value="([^"]*)"/.exec(body)?.[1] ?? "";
const editorIn = (body: string) =>
  /<textarea[^>]*>\n?([\s\S]*?)<\/textarea>/.exec(body)?.[1]?.replaceAll("&quot;", '"') ?? "";

async function post(site: PageSite, path: string, fields: Readonly<Record<string, string>>) {
  const { body } = await site.get("/templates");
  return site.post(path, { event: "", _csrf: csrfIn(body), ...fields });
}

const DING = { sink: "ding-oncall", of: "ding-oncall" };

describe("the page of templates", () => {
  it("says what is wrong at its line, with the line", async () => {
    const site = await anIncident();
    const text = '{{#*inline "title"}}{{title}}{{/inline}}\n\n  {{#if reson}}x{{/if}}\n';
    const { status, text: read, body } = await post(site, "/templates", { ...DING, text });
    expect(status).toBe(200);
    expect(read).toMatch(/dingtalk\.hbs:3:\d+/);
    expect(body).toMatch(/<a href="#text" data-line="3"><code>dingtalk\.hbs:3:\d+<\/code><\/a>/);
    expect(body).toContain('<pre class="excerpt">{{#if reson}}x{{/if}}</pre>');
    expect(body).toMatch(/<textarea[^>]*aria-invalid="true"/);
    // What was written is still there to be mended.
    expect(editorIn(body)).toContain("{{#if reson}}");
    const fine = await site.get("/templates");
    expect(fine.body).not.toContain("aria-invalid");
  });

  it("begins anew with another kind of sink, and goes on with another of the same kind", async () => {
    const site = await anIncident();
    const text = '{{#*inline "title"}}mine{{/inline}}';
    const other = await post(site, "/templates", { sink: "slack-sre", of: "ding-oncall", text });
    expect(editorIn(other.body)).toContain("Slack: fallback is the notification");
    expect(other.body).toContain('name="of" value="slack-sre"');
    const same = await post(site, "/templates", { ...DING, text });
    expect(editorIn(same.body).trim()).toBe(text);
  });

  it("exports a ConfigMap that loads as it is, and says how to use it", async () => {
    const site = await anIncident();
    const text = '{{!-- 中文 --}}\r\n{{#*inline "title"}}mine: {{reason}}{{/inline}}\r\n';
    const { status, headers, body } = await post(site, "/templates/configmap", { ...DING, text });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toContain("application/yaml");
    expect(headers.get("content-disposition")).toContain("kube-crier-templates.yaml");
    expect(body).toContain("templates: [configmap:NAMESPACE/kube-crier-templates]");
    const map = parse(body) as { kind: string; data: Record<string, string> };
    expect(map).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kube-crier-templates" },
    });
    const builtinDir = path.resolve(import.meta.dirname, "../../../../templates");
    const source = "configmap:shop/kube-crier-templates";
    const loaded = createTemplates({ builtinDir, overrides: [{ source, files: map.data }] });
    expect(loaded.get("dingtalk").check(["title", "markdown"])).toEqual([]);
    // HTML has forms end lines with CR and LF.
    expect(map.data["dingtalk.hbs"]).toBe(text.replaceAll("\r\n", "\n"));
  });

  it("shows beside a chat's message the request behind it, folded away", async () => {
    const site = await anIncident();
    const text =
      '{{#*inline "title"}}mine{{/inline}}{{#*inline "markdown"}}# {{reason}}{{/inline}}';
    const { body } = await post(site, "/templates/preview", { ...DING, text });
    expect(body.match(/<section class="look"/g)).toHaveLength(2);
    expect(body).toMatch(/lang="en"[\s\S]*lang="zh-CN"/);
    expect(body).toContain('<div class="chat">');
    expect(body).toMatch(/<details\s*>/);
    expect(body).toContain("&quot;msgtype&quot;:&quot;markdown&quot;");
    expect(body).not.toContain('class="failed"');
  });

  it("names a mistake of no line by its place alone, and shows of a long line its beginning", async () => {
    const site = await anIncident();
    const nothing = await post(site, "/templates/preview", { ...DING, text: "x" });
    expect(nothing.body).toMatch(/<li class="failed"><code>[^<]+<\/code>/);
    const long = `{{#*inline "title"}}${"x".repeat(200)}{{mesage}}{{/inline}}`;
    const { body } = await post(site, "/templates/preview", { ...DING, text: long });
    const [, excerpt = ""] = /<pre class="excerpt">([^<]*)<\/pre>/.exec(body) ?? [];
    expect(excerpt.replaceAll("&quot;", '"')).toHaveLength(121);
    expect(excerpt.endsWith("x…")).toBe(true);
  });

  it("lets no template write into it", async () => {
    const site = await anIncident();
    const tags = async (text: string) => {
      const { body } = await post(site, "/templates/preview", { ...DING, text });
      return body.match(/<script|<img|<svg|<iframe|<style/gi);
    };
    for (const { name, text } of HOSTILE)
      expect(await tags(`${text}\n{{nosuch}}`), name).toBeNull();
  });

  it("refuses a template that no person writes, and a sink there is not", async () => {
    const site = await anIncident();
    const long = await post(site, "/templates", { ...DING, text: "x".repeat(100_001) });
    expect([long.status, long.text]).toEqual([400, expect.stringContaining("at most 100000")]);
    const none = await post(site, "/templates", { sink: "nobody", of: "nobody", text: "" });
    expect([none.status, none.text]).toEqual([
      404,
      expect.stringContaining("found &quot;nobody&quot;"),
    ]);
  });
});
