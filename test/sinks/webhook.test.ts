import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import webhook from "../../sinks/webhook.ts";
import { parseSinkUri } from "../../src/sink/uri.ts";
import { aDigest } from "../support/alerts.ts";
import { anEvent } from "../support/events.ts";
import { aMessage, optionsFor, problemsWith, requestOf } from "../support/messages.ts";
import { mustRender } from "../support/rendering.ts";

const url = "https://hooks.example.com/k8s?team=abc";
const event = anEvent({ message: 'Back-off "web" \\ 容器\n\u0007' });
const message = aMessage({ event, blocks: { title: "🟠 web", text: "🟠 web\nBack-off" } });
const data = {
  id: message.id,
  kind: "event",
  severity: "warning",
  title: "🟠 web",
  text: "🟠 web\nBack-off",
  event,
  digest: null,
  gap: null,
};

describe("what a webhook is sent", () => {
  it("is JSON built from data, with the id to know a repetition by", () => {
    const request = requestOf(webhook, { url }, message);
    expect(request).toMatchObject({ method: "POST", url });
    expect(request.headers).toEqual({
      "content-type": "application/json",
      "idempotency-key": message.id,
    });
    expect(request.json()).toEqual(data);
  });

  it("tells a gap without an event", () => {
    expect(requestOf(webhook, { url }, aMessage({ event: null })).json()).toMatchObject({
      kind: "gap",
      event: null,
      digest: null,
      gap: { cluster: "prod-a", cause: "downtime", since: "2026-11-20T08:00:00Z" },
    });
  });

  it("tells a digest with its lines", () => {
    const alert = {
      kind: "digest",
      cluster: "prod-a",
      total: 37,
      from: "2026-11-20T08:00:00Z",
      to: "2026-11-20T08:07:00Z",
      lines: [],
      moreKinds: 0,
    } as const;
    expect(requestOf(webhook, { url }, aMessage({ event: null, alert })).json()).toMatchObject({
      kind: "digest",
      digest: { total: 37, lines: [] },
    });
  });

  it.each(["PUT", "PATCH", "GET", "DELETE", "REPORT", "put"])(
    "goes by %s when told to",
    (method) => {
      expect(requestOf(webhook, { url, method }, message).method).toBe(method.toUpperCase());
    },
  );

  it("carries the user's headers", () => {
    const headers = { Authorization: "Basic YTpi==", "X-Token": "t" };
    expect(requestOf(webhook, { url, headers }, message).headers).toMatchObject({
      authorization: "Basic YTpi==",
      "x-token": "t",
    });
  });

  it("cuts a message of a megabyte, says so, and stays below its limit", () => {
    const long = aMessage({ event: anEvent({ message: "\u0001".repeat(1_000_000) }), blocks: {} });
    const request = requestOf(webhook, { url }, long);
    expect(Buffer.byteLength(request.body)).toBeLessThanOrEqual(1_000_000);
    expect(request.json()).toMatchObject({
      event: { message: expect.stringMatching(/… \(125000 of 1000000 characters\)$/) as unknown },
    });
  });
});

describe("a body of the user's own", () => {
  const own = aMessage({ event, blocks: { body: '{"say":"hi"}' } });

  it("is sent as it was rendered, as JSON unless a header says otherwise", () => {
    const request = requestOf(webhook, { url, bodyFile: "/etc/body.hbs" }, own);
    expect(request.body).toBe('{"say":"hi"}');
    expect(request.headers["content-type"]).toBe("application/json");
    const headers = { "Content-Type": "text/plain" };
    const text = requestOf(webhook, { url, bodyFile: "/etc/body.hbs", headers }, own);
    expect(text.headers).toEqual({ "content-type": "text/plain", "idempotency-key": message.id });
  });

  it.each([
    ['{"say":"hi"}', "application/json"],
    ["\n [1]", "application/json"],
    ["Pod web is back", "text/plain; charset=utf-8"],
    ["<event/>", "text/plain; charset=utf-8"],
    ["", "text/plain; charset=utf-8"],
  ])("%j without a word about its type is sent as %s", (body, type) => {
    const request = requestOf(webhook, { url, bodyFile: "/b" }, aMessage({ blocks: { body } }));
    expect(request.body).toBe(body);
    expect(request.headers["content-type"]).toBe(type);
  });

  it.each([
    [{}, { title: "text", text: "text" }],
    [{ bodyFile: "/b.hbs" }, { body: "json" }],
    [{ bodyFile: "/b.hbs", contentType: "text/plain" }, { body: "text" }],
    [{ bodyFile: "/b.hbs", contentType: "application/vnd.acme+json" }, { body: "json" }],
    [{ customBodyConfigmap: "cm", headers: { "content-type": "text/xml" } }, { body: "text" }],
  ])("is escaped for what it is: %j", (given, blocks) => {
    expect(webhook.blocks(optionsFor(webhook, { url, ...given }))).toEqual(blocks);
  });

  it.each([
    [{}, null],
    [{ bodyFile: "/b.hbs" }, { file: "/b.hbs", engine: null, format: null }],
    [
      { bodyFile: "/b.hbs", contentType: "application/xml" },
      { file: "/b.hbs", engine: null, format: "text" },
    ],
    [
      { bodyFile: "/b.hbs", headers: { "content-type": "application/json; charset=utf-8" } },
      { file: "/b.hbs", engine: null, format: "json" },
    ],
    [
      { bodyFile: "/b.tmpl", engine: "go" },
      { file: "/b.tmpl", engine: "go", format: null },
    ],
    [
      { customBodyConfigmap: "cm" },
      { configMap: "cm", namespace: "default", key: "content", engine: null, format: null },
    ],
    [
      {
        customBodyConfigmap: "cm",
        customBodyConfigmapNamespace: "kube-system",
        engine: "handlebars",
      },
      {
        configMap: "cm",
        namespace: "kube-system",
        key: "content",
        engine: "handlebars",
        format: null,
      },
    ],
  ])("comes from where %j says", (given, place) => {
    expect(webhook.bodyTemplate?.(optionsFor(webhook, { url, ...given }))).toEqual(place);
  });
});

describe("an engine", () => {
  it("is for a body of one's own, and one of the two", () => {
    expect(problemsWith(webhook, { url, engine: "go" })).toEqual([
      "engine: is for a body of your own; give bodyFile or customBodyConfigmap, too",
    ]);
    expect(problemsWith(webhook, { url, engine: "jinja", bodyFile: "/b" })).toHaveLength(1);
    expect(problemsWith(webhook, { url, engine: "go", bodyFile: "/b" })).toEqual([]);
  });
});

describe("a CloudEvent", () => {
  const attributes = {
    specversion: "1.0",
    type: "dev.kube-crier.event.v1",
    source: "/clusters/prod-a/namespaces/shop",
    id: `${event.uid}/${event.resourceVersion}`,
    time: event.lastSeen,
    subject: "Pod/web-7d4b9c",
    datacontenttype: "application/json",
  };

  it("is one JSON object in structured mode", () => {
    const request = requestOf(webhook, { url, cloudevents: "structured" }, message);
    expect(request.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
    expect(request.json()).toEqual({ ...attributes, data });
  });

  it("is another for each occurrence of an event without a version, as a file may have it", () => {
    const ids = [1, 2, 2].map((count) => {
      const told = aMessage({ event: anEvent({ uid: "u", resourceVersion: "", count }) });
      return requestOf(webhook, { url, cloudevents: "binary" }, told).headers["ce-id"];
    });
    expect(ids).toEqual(["u/count-1", "u/count-2", "u/count-2"]);
  });

  it("has its attributes in headers in binary mode, percent-encoded", () => {
    const odd = anEvent({
      cluster: 'prod "ä" 100%',
      object: { name: "Euro € 😀", namespace: null },
    });
    const request = requestOf(
      webhook,
      { url, cloudevents: "binary" },
      aMessage({ event: odd, blocks: {} }),
    );
    expect(request.headers).toMatchObject({
      "content-type": "application/json",
      "ce-specversion": "1.0",
      "ce-id": `${odd.uid}/81234`,
      "ce-subject": "Pod/Euro%20%E2%82%AC%20%F0%9F%98%80",
      "ce-source": "/clusters/prod%2520%2522%25C3%25A4%2522%2520100%2525",
    });
    expect(request.json()).toMatchObject({ event: { uid: odd.uid } });
  });

  it("has the delivery's id where there is no event", () => {
    const request = requestOf(
      webhook,
      { url, cloudevents: "structured" },
      aMessage({ event: null }),
    );
    expect(request.json()).toMatchObject({
      id: message.id,
      type: "dev.kube-crier.gap.v1",
      source: "/clusters/prod-a",
      time: "2026-11-20T08:07:00Z",
    });
  });

  it("takes the source it is given, and a body that is not JSON as text", () => {
    const given = {
      url,
      cloudevents: "structured",
      cloudeventsSource: "https://prod-a.example.com",
      bodyFile: "/b.hbs",
      contentType: "text/plain",
    };
    expect(requestOf(webhook, given, aMessage({ blocks: { body: "hi" } })).json()).toMatchObject({
      source: "https://prod-a.example.com",
      datacontenttype: "text/plain",
      data: "hi",
    });
  });

  it.each(["\\", '"', "\u0001", "容", "🟠", "\ud83d"])(
    "stays below the 64 KiB that every intermediary must take, be its message all %j",
    (text) => {
      const long = anEvent({ message: text.repeat(200_000) });
      const { message: told } = mustRender(webhook, { url }, { kind: "event", event: long });
      for (const cloudevents of ["structured", "binary"]) {
        const { body } = requestOf(webhook, { url, cloudevents }, told);
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(64 * 1024);
        expect(body).toContain("of 200000 characters)");
      }
    },
  );

  it("has a body that only says to be JSON as the text it is", () => {
    const given = { url, cloudevents: "structured", bodyFile: "/b.hbs" };
    const told = aMessage({ blocks: { body: "{not json" } });
    const headers = { "content-type": "application/json" };
    expect(requestOf(webhook, { ...given, headers }, told).json()).toMatchObject({
      datacontenttype: "application/json",
      data: "{not json",
    });
  });

  it("names a cluster that has no name, and a digest's time", () => {
    const nameless = aMessage({ event: anEvent({ cluster: "", object: { namespace: "shop" } }) });
    const given = { url, cloudevents: "structured" };
    expect(requestOf(webhook, given, nameless).json()).toMatchObject({
      source: "/clusters/default/namespaces/shop",
    });
    const digest = aMessage({ event: null, alert: aDigest() });
    expect(requestOf(webhook, given, digest).json()).toMatchObject({
      type: "dev.kube-crier.digest.v1",
      time: aDigest().to,
    });
  });
});

describe("a signed webhook", () => {
  it("signs time and body as openssl does", () => {
    // printf '%s' '1700000000.{"a":"容"}' | openssl dgst -sha256 -hmac 0a1b2c3d4e5f6071 -hex
    const request = requestOf(
      webhook,
      { url, bodyFile: "/b.hbs", signingSecret: "0a1b2c3d4e5f6071" },
      aMessage({ blocks: { body: '{"a":"容"}' } }),
    );
    expect(request.headers).toMatchObject({
      "x-kube-crier-timestamp": "1700000000",
      "x-kube-crier-signature":
        "sha256=ca02445d7b13774d3dc430bd38229c0ac234acd5d14d64b73e81dcd8204c8b64",
    });
  });

  it("signs exactly the bytes it sends, in binary CloudEvents too", () => {
    const given = { url, signingSecret: "s", cloudevents: "binary" };
    const { headers, body } = requestOf(webhook, given, message);
    const hmac = createHmac("sha256", "s").update(`1700000000.${body}`).digest("hex");
    expect(headers["x-kube-crier-signature"]).toBe(`sha256=${hmac}`);
  });
});

describe("a webhook's URI", () => {
  const house = ["level", "namespaces", "kinds", "reason"];

  it("keeps the receiver's parameters and lets none of ours reach it", () => {
    const uri =
      "webhook:http://10.0.0.7:8080/hook?team=a%2Bb&level=Normal&header=X-Token=abc&header=Authorization=Basic%20YTpi==&custom_body_configmap=cm&kinds=Pod&v=2";
    const parsed = parseSinkUri(webhook, uri, house, () => null);
    expect(parsed.issues).toEqual([]);
    expect(parsed.options).toEqual({
      url: "http://10.0.0.7:8080/hook?team=a%2Bb&v=2",
      headers: { "X-Token": "abc", Authorization: "Basic YTpi==" },
      customBodyConfigmap: "cm",
    });
    expect(requestOf(webhook, parsed.options, message).url).toBe(
      "http://10.0.0.7:8080/hook?team=a%2Bb&v=2",
    );
  });
});

describe("a webhook's options", () => {
  it.each([
    [{ headers: { "Content-Length": "1" } }, "headers: Content-Length is set by the HTTP client"],
    [{ headers: { "X Y": "1" } }, "headers: has a name HTTP does not allow"],
    [{ bodyFile: "/b", customBodyConfigmap: "c" }, "bodyFile: and customBodyConfigmap are both"],
    [{ method: "PUT /x" }, "method: "],
    // It would be left out, and the receiver would know nobody.
    [{ headers: { "X-Key": "s3cr\u0000t" } }, "headers: X-Key has a character that no header can"],
    [{ headers: { "X-Key": "a\nX-Other: b" } }, "headers: X-Key has a character"],
  ])("refuse %j", (given, problem) => {
    expect(problemsWith(webhook, { url, ...given }).join("\n")).toContain(problem);
  });

  it("take a header's value in any language", () => {
    expect(problemsWith(webhook, { url, headers: { "X-Team": "容器" } })).toEqual([]);
  });

  it("take a header's value that ends with a line, and say nothing of one that is refused", () => {
    const headers = { "X-Key": "fedcba9876543210\n" };
    expect(problemsWith(webhook, { url, headers })).toEqual([]);
    const refused = problemsWith(webhook, { url, headers: { "X-Key": "fedcba\u007f" } });
    expect(refused.join()).not.toContain("fedcba");
  });

  it("take http to any host, and no budget but eight requests at a time", () => {
    expect(problemsWith(webhook, { url: "http://receiver.shop.svc:80/" })).toEqual([]);
    expect(webhook.limits(optionsFor(webhook, { url }))).toMatchObject({
      rates: [],
      concurrency: 8,
    });
  });
});
