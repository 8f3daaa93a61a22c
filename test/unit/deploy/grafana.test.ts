import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { OPERATIONS } from "../../../src/web/api/operations.ts";
import { anApiSite } from "../../support/api.ts";
import { MINUTE, NOON, seen, take } from "../../support/history.ts";
import { find, manifests } from "../../support/manifests.ts";
import { snippetsOf } from "../../support/snippets.ts";

/** What docs/grafana.md tells people to write works as it stands there. */
const snippets = snippetsOf("grafana.md");
const under = (heading: string, language: string) =>
  snippets.find((one) => one.language === language && one.heading === heading)?.text ?? "";

interface Provisioned {
  readonly datasources: readonly {
    readonly type: string;
    readonly access?: string;
    readonly url?: string;
    readonly jsonData: {
      readonly httpHeaderName1: string;
      readonly allowedHosts?: readonly string[];
    };
    readonly secureJsonData: { readonly httpHeaderValue1: string };
  }[];
}

describe("docs/grafana.md", () => {
  it("points the JSON data source to where its requests are answered, with a token", () => {
    const [source] = (parse(under("The JSON data source", "yaml")) as Provisioned).datasources;
    const base = new URL(source?.url ?? "").pathname;
    const paths = OPERATIONS.map(({ path }) => path);
    for (const path of [
      "",
      "/query",
      "/metrics",
      "/metric-payload-options",
      "/variable",
      "/tag-keys",
      "/tag-values",
    ])
      expect(paths).toContain(base + path);
    expect(source).toMatchObject({
      type: "simpod-json-datasource",
      access: "proxy",
      jsonData: { httpHeaderName1: "Authorization" },
      secureJsonData: { httpHeaderValue1: expect.stringMatching(/^Bearer /) },
    });
  });

  it("has a payload that is answered", async () => {
    const site = await anApiSite();
    await take(site, [seen(1, NOON - MINUTE)]);
    const payload: unknown = JSON.parse(under("The JSON data source", "json"));
    const { status, body } = await site.ask("POST", "/api/v1/grafana/query", {
      body: {
        range: { from: "2026-11-20T11:00:00.000Z", to: "2026-11-20T12:00:00.000Z" },
        targets: [{ target: "counts", payload }],
      },
    });
    expect([status, body]).toEqual([200, expect.stringContaining("BackOff")]);
  });

  it("has an address for Infinity that is answered, with the columns it names", async () => {
    const [source] = (parse(under("The Infinity data source", "yaml")) as Provisioned).datasources;
    const written = under("The Infinity data source", "text").trim();
    expect(source?.jsonData.allowedHosts).toEqual([written.split("/").slice(0, 3).join("/")]);
    const site = await anApiSite();
    await take(site, [seen(1, NOON - MINUTE)]);
    // As the plugin's documentation says: milliseconds.
    const path = written
      .replace(source?.jsonData.allowedHosts?.[0] ?? "", "")
      .replace("${__timeFrom}", String(NOON - 60 * MINUTE))
      .replace("${__timeTo}", String(NOON));
    const { status, body } = await site.get(path);
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({
      events: [
        {
          at: "2026-11-20T11:59:00.000Z",
          event: { message: expect.any(String), reason: "BackOff" },
        },
      ],
    });
  });

  it("binds a role that is shipped, and asks where the shipped Service answers", () => {
    const scripts = snippets.map(({ text }) => text).join("\n");
    const service = find(manifests("kube-crier-web.yaml"), "Service", "kube-crier-web");
    const [{ port }] = (service["spec"] as { ports: [{ port: number }] }).ports;
    expect(scripts.match(/http:\/\/[^\s/]+/g)).toEqual(
      Array(3).fill(`http://kube-crier-web.kube-crier.svc:${port}`),
    );
    const role = /--clusterrole=(\S+)/.exec(scripts)?.[1] ?? "";
    expect(find(manifests("kube-crier-web.yaml"), "ClusterRole", role)).toBeDefined();
  });
});
