import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseLang } from "../../../../src/web/auth/lang.ts";
import { FakeClock } from "../../../support/clock.ts";
import { accessFile, fileProver, sha256, Site } from "../../../support/guarded.ts";
import { aPageSite } from "../../../support/page.ts";

describe("the language of a page", () => {
  it.each([
    ["zh", "en", "zh"],
    ["en", "zh-CN", "en"],
    [undefined, "zh-CN,zh;q=0.9,en;q=0.8", "zh"],
    [undefined, "fr-FR, en;q=0.7, zh;q=0.5", "en"],
    [undefined, "fr", "en"],
    [undefined, undefined, "en"],
    [undefined, "", "en"],
    [undefined, "*", "en"],
    [undefined, ",;,q=", "en"],
    ["xx", "ZH", "zh"],
    // By how much it is wanted (RFC 9110, 12.5.4), not by where it stands.
    [undefined, "en;q=0.5, zh;q=0.9", "zh"],
    [undefined, "en;q=0.9, zh", "zh"],
    [undefined, "zh;q=0.999, en;q=1.000", "en"],
    [undefined, "fr, zh;q=0.3, en;q=0.2", "zh"],
    [undefined, "zh;q=0.8, en;q=0.8", "zh"],
    [undefined, "zh ; q=0.1 , en ; q=0.2", "en"],
    // A weight of zero is: not at all.
    [undefined, "zh;q=0, fr", "en"],
    [undefined, "zh;q=0.000, en;q=0", "en"],
    [undefined, "zh;q=2, en;q=0.1", "en"],
    [undefined, "zh;q=-1", "en"],
    // Other languages that begin alike are others.
    [undefined, "zho", "en"],
    [undefined, "zha-CN, en;q=0.1", "en"],
    [undefined, "zh_CN", "en"],
    [undefined, "zh-Hans-CN", "zh"],
  ] as const)("chosen %s, accepted %s: %s", (chosen, accepted, expected) => {
    expect(chooseLang(chosen, accepted)).toBe(expected);
  });

  it("is one of both whatever a header says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (header) => {
        expect(["en", "zh"]).toContain(chooseLang(undefined, header));
      }),
    );
  });

  it("is the one that is wanted more, in whatever order both stand", () => {
    const weight = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(weight, weight, fc.boolean(), (en, zh, swapped) => {
        fc.pre(en !== zh);
        const ranges = [`en-US;q=${(en / 1000).toFixed(3)}`, `zh-CN;q=${(zh / 1000).toFixed(3)}`];
        const header = (swapped ? ranges.toReversed() : ranges).join(", ");
        expect(chooseLang(undefined, header)).toBe(zh > en ? "zh" : "en");
      }),
    );
  });
});

const ACCESS = `tokens: [{ name: reader, sha256: ${sha256("readers")}, namespaces: [shop], may: [read] }]`;

describe("a language that was chosen", () => {
  async function site(): Promise<Site> {
    const clock = new FakeClock();
    return new Site({ tokens: [fileProver(accessFile(ACCESS), clock)] }, clock).start();
  }

  it("at the form is that of the pages behind it, and of the form itself the next time", async () => {
    const made = await site();
    const html = { accept: "text/html", "accept-language": "en" };
    const form = await made.request("/login?lang=zh", { headers: html });
    expect(form.text).toContain('lang="zh-CN"');
    const [kept = ""] = form.headers["set-cookie"] ?? [];
    expect(kept).toBe("kube-crier-lang=zh; Path=/; Max-Age=31536000; SameSite=Strict");
    const cookie = kept.split(";")[0] ?? "";
    expect((await made.request("/login", { headers: { ...html, cookie } })).text).toContain("登录");
    const refused = { ...html, cookie: `${cookie}; other=1` };
    expect((await made.request("/api", { headers: refused })).status).toBe(303);
    await made.close();
  });

  it("is no cookie where the address names none that there is", async () => {
    const made = await site();
    for (const query of ["", "?lang=", "?lang=fr", "?lang=zh%0d%0aSet-Cookie:x=1"]) {
      const { headers } = await made.request(`/login${query}`, {
        headers: { accept: "text/html" },
      });
      expect([query, headers["set-cookie"]]).toEqual([query, undefined]);
    }
    await made.close();
  });

  it.each([
    ["kube-crier-lang=zh", "zh-CN"],
    ["a=1; kube-crier-lang=zh", "zh-CN"],
    ["a=1;kube-crier-lang=zh ;b=2", "zh-CN"],
    ["kube-crier-lang=zhx", "en"],
    ["kube-crier-lang=fr", "en"],
    ["not-kube-crier-lang=zh", "en"],
    ["kube-crier-lang=zh-TW", "en"],
  ])("comes back as %s: %s, on pages and on refusals", async (cookie, lang) => {
    const made = await aPageSite();
    for (const path of ["/", "/sinks", "/nowhere", "/events/none", "/objects"])
      expect([path, (await made.get(path, { cookie })).body]).toEqual([
        path,
        expect.stringContaining(`<html lang="${lang}">`),
      ]);
  });
});
