import { describe, expect, it } from "vitest";
import { aPageSite } from "../../../support/page.ts";

/** What the page loads, and what the API answers: weighed by the same rule (RFC 9110, 13.1.2). */
describe.each([
  "/assets/page.css",
  "/assets/page.js",
  "/assets/chat.css",
  "/assets/icon.svg",
  "/api/v1/openapi.json",
  "/api/v1/events",
])("%s", (path) => {
  async function weighed() {
    const site = await aPageSite();
    const first = await site.get(path, { accept: "*/*" });
    const etag = first.headers.get("etag") ?? "";
    const again = (known: string) => site.get(path, { accept: "*/*", "if-none-match": known });
    return { first, etag, again };
  }

  it("comes with an ETag, and asks to be asked about again", async () => {
    const { first, etag } = await weighed();
    expect([first.status, etag]).toEqual([200, expect.stringMatching(/^"[\w-]{22}"$/)]);
    expect(first.headers.get("cache-control")).toBe("private, no-cache");
  });

  it("is not sent to who has it: alone, in a list, or as a proxy that compresses names it", async () => {
    const { etag, again } = await weighed();
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, `"a",W/${etag} ,"b"`, "*"]) {
      const { status, body, headers } = await again(known);
      expect([known, status, body]).toEqual([known, 304, ""]);
      expect(headers.get("etag")).toBe(etag);
      expect(headers.get("cache-control")).toBe("private, no-cache");
    }
  });

  it("is sent to who has something else", async () => {
    const { first, etag, again } = await weighed();
    const [bare, cut] = [etag.slice(1, -1), `${etag.slice(0, -2)}"`];
    for (const known of ["", '"other"', bare, cut, "W/", '"*"']) {
      const { status, body } = await again(known);
      expect([known, status, body]).toEqual([known, 200, first.body]);
    }
  });
});
