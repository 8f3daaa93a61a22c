import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { HOSTILE } from "../fixtures/hostile.ts";
import { World } from "../support/world.ts";

/** A Lark card as kube-eventer's documentation has it. */
const CARD =
  '{"msg_type":"interactive","card":{"header":{"title":{"tag":"plain_text","content":"test"},"template":"Red"},"elements":[{"tag":"div","text":{"tag":"lark_md","content":"**EventId:**  {{ .ObjectMeta.UID }}\\n**EventType:**  {{ .Type }}\\n **Object**: {{ .InvolvedObject.Kind }}/{{ .InvolvedObject.Name }}\\n**EventTime:**  {{ .LastTimestamp }}\\n**EventMessage:**  {{ .Message }}"}}]}}';

interface Card {
  readonly card: { readonly elements: readonly { readonly text: { readonly content: string } }[] };
}
const textOf = (body: string): string =>
  (JSON.parse(body) as Card).card.elements[0]?.text.content ?? "";

const SENT = JSON.parse(
  readFileSync(path.resolve(import.meta.dirname, "../fixtures/kube-eventer/lark.json"), "utf8"),
) as readonly { event: string; body: string; object: Record<string, unknown> }[];

const CORPUS: readonly (readonly [string, string])[] = [
  ...HOSTILE.map(({ name, text }) => [name, text] as const),
  ["ten kilobytes", 'line "x"\n\t\\ 内存 '.repeat(600).slice(0, 10_240)],
  ["template syntax", '{{ .Type }} {{ end }} }} {{/* x */}} {{ printf "%s" . }} {{message}}'],
  ["every control character", String.fromCharCode(...Array.from({ length: 32 }, (_, c) => c))],
];

/** kube-crier with a body in a ConfigMap, before an inbox. */
async function story(
  content: string,
  options = "",
  type = "&header=Content-Type=application/json",
) {
  const world = await World.begin();
  const inbox = await world.inbox();
  const path = "/api/v1/namespaces/kube-system/configmaps/custom-body";
  world.api.answer(
    {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "ConfigMap", data: { content } }),
    },
    (request) => request.path === path,
    100,
  );
  const flags = {
    sink: [
      `webhook:${inbox.url}/lark?level=Normal&method=POST${type}&custom_body_configmap=custom-body&custom_body_configmap_namespace=kube-system${options}`,
    ],
    timezone: "Asia/Shanghai",
  };
  return { world, inbox, flags };
}

describe("a Lark card that kube-eventer's users keep in a ConfigMap", () => {
  it("arrives as kube-eventer sent it", async () => {
    const { world, inbox, flags } = await story(CARD);
    const life = await world.watching(flags);
    for (const { event, object } of SENT) world.api.create(event, object);
    await life.delivered(SENT.length);
    const found = inbox.requests.map(({ body }) => body.replace(/EventId:\*\*  [\w-]+/, ""));
    const wanted = SENT.map(({ body }) => body.replace(/EventId:\*\*  [\w-]+/, ""));
    expect(found.toSorted()).toEqual(wanted.toSorted());
    expect(inbox.requests[0]?.headers["content-type"]).toBe("application/json");
    expect(inbox.requests[0]?.url).toBe("/lark");
  });

  it("arrives as valid JSON, the text intact, whatever the message says", async () => {
    const { world, inbox, flags } = await story(CARD);
    const life = await world.watching(flags);
    const wanted = new Map(
      CORPUS.map(([, message], index) => {
        const { metadata } = world.api.create(`hostile-${index}`, { message });
        return [metadata.uid, message.toWellFormed()] as const;
      }),
    );
    await life.delivered(CORPUS.length);
    const found = new Map(
      inbox.requests.map(({ body }) => {
        const [, uid = "", message = ""] =
          /^\*\*EventId:\*\*  (.*?)\n.*?\*\*EventMessage:\*\*  (.*)$/s.exec(textOf(body)) ?? [];
        return [uid, message] as const;
      }),
    );
    for (const [uid, message] of wanted) expect(found.get(uid), uid).toBe(message);
    expect(found.size).toBe(wanted.size);
    expect(life.observed.of("dead")).toEqual([]);
  });

  it("a gap in what could be seen comes in the same card", async () => {
    const { world, inbox, flags } = await story(CARD);
    const life = await world.watching(flags);
    world.api.create("one");
    await life.delivered(1);
    await life.stop();
    await world.pass(3 * 3600);
    world.api.forget();
    const second = await world.watching(flags);
    await second.delivered(1);
    const text = textOf(inbox.requests.at(-1)?.body ?? "");
    expect(text).toContain("**EventType:**  Warning");
    expect(text).toContain("**Object**: Cluster/prod-a");
    expect(text).toMatch(/\*\*EventMessage:\*\* {2}⚪ .*\S/s);
  });
});

describe("mistakes in a Go body", () => {
  it.each([
    [
      '{"a": "{{ .Reson }}"}',
      /kube-system\/custom-body\/content:1:11: .*can't evaluate field Reson.*\(did you mean "Reason"\?\)|did you mean "Reason"\?/s,
    ],
    ['{"a": "{{ .Type "}', /custom-body\/content:1:\d+: template: body:1: /],
    ['{"a": "{{ .Type | uper }}"}', /function "uper" not defined/],
  ])("stop the start, with place and the nearest right name: %s", async (content, message) => {
    const { world, flags } = await story(content);
    await expect(world.start(flags).summary).rejects.toThrow(message);
  });

  it("one that only some events show becomes a dead letter that names its place", async () => {
    const { world, flags } = await story(
      '{"a": "{{ index .Message 3 }}", "b": "{{ if eq .Reason "Odd" }}{{ .Nope }}{{ end }}"}',
    );
    const life = await world.watching(flags);
    world.api.create("odd", { reason: "Odd" });
    await life.until("dead", () => life.observed.of("dead").length > 0);
    expect(life.log).toContain("custom-body/content:1:");
    expect(life.log).toContain("can't evaluate field Nope");
  });

  it("a result that is no JSON is warned of at the start", async () => {
    const { world, flags } = await story('{"a": {{ .Message }}}');
    const life = await world.watching(flags);
    expect(life.lines("warn").join("\n")).toMatch(
      /custom-body\/content: what this body gives for an example event is not valid JSON: line 1, column 7.*contentType/,
    );
  });
});

describe("what an Event says besides", () => {
  it("is there for a body: labels, annotations, the object's version", async () => {
    const { world, inbox, flags } = await story(
      '{"team": "{{ index .ObjectMeta.Annotations "example.com/team" }}", "all": "{{ range $k, $v := .Labels }}{{ $k }}={{ $v }};{{ end }}", "version": {{ .InvolvedObject.ResourceVersion }}}',
    );
    const life = await world.watching(flags);
    world.api.create("annotated", {
      metadata: {
        labels: { tier: "front", app: "web" },
        annotations: { "example.com/team": 'the "shop"' },
      },
      involvedObject: {
        apiVersion: "v1",
        kind: "Pod",
        namespace: "shop",
        name: "web-0",
        resourceVersion: "81200",
      },
    });
    await life.delivered(1);
    expect(JSON.parse(inbox.requests[0]?.body ?? "")).toEqual({
      team: 'the "shop"',
      all: "app=web;tier=front;",
      version: 81_200,
    });
  });
});

describe("a body that is no JSON", () => {
  it.each(["{{ .Reason }}: {{ .Message }}", "{{reason}}: {{{message}}}"])(
    "arrives as the text it is, as with kube-eventer, and without a warning: %s",
    async (body) => {
      const { world, inbox, flags } = await story(body, "", "");
      const life = await world.watching(flags);
      world.api.create("plain", { reason: "Odd", message: 'it said "no"\n<&>' });
      await life.delivered(1);
      expect(inbox.requests[0]?.body).toBe('Odd: it said "no"\n<&>');
      expect(inbox.requests[0]?.headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(life.lines("warn").join("\n")).not.toContain("JSON");
    },
  );
});

describe("the engine of a body", () => {
  it.each([
    ["handlebars", '{"a": "{{ .Reason }}"}', /body\/content:1:\d+: /],
    ["go", '{"a": "{{reason}}"}', /body\/content:1:10: .*function "reason" not defined/],
  ])(
    "that is said to be %s is that, whatever the body looks like",
    async (engine, content, words) => {
      const { world, flags } = await story(content, `&engine=${engine}`);
      await expect(world.start(flags).summary).rejects.toThrow(words);
    },
  );

  it("in Handlebars stays that, beside another in Go", async () => {
    const { world, inbox, flags } = await story('{"go": "{{ .Reason }}"}');
    const file = world.file("body.hbs");
    writeFileSync(file, '{"handlebars": "{{reason}}"}');
    const hook = `webhook:${inbox.url}/other?name=other&body_file=${file}`;
    const life = await world.watching({ ...flags, sink: [...flags.sink, hook] });
    world.api.create("one");
    await life.delivered(2);
    expect(inbox.requests.map(({ body }) => body).toSorted()).toEqual([
      '{"go": "BackOff"}',
      '{"handlebars": "BackOff"}',
    ]);
  });
});
