import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Alert } from "../../../src/event/alert.ts";
import { normalize } from "../../../src/event/normalize.wire.ts";
import { loadBody } from "../../../src/template/body.ts";
import { buildView } from "../../../src/template/build-view.ts";
import type { BodyEngine, BodyTemplate } from "../../../src/sink/define.ts";
import { aDigest } from "../../support/alerts.ts";
import { anEvent } from "../../support/events.ts";

const NOW = Date.parse("2026-11-20T08:06:00Z");
const READER = { lang: "en", timezone: "Asia/Shanghai", now: NOW } as const;

const load = (
  text: string,
  engine: BodyEngine | null = null,
  format: BodyTemplate["format"] = "json",
) => loadBody({ source: "body", text }, engine, format);

async function problems(text: string, engine: BodyEngine | null = null): Promise<string[]> {
  const loaded = await load(text, engine);
  const issues = loaded.ok ? loaded.template.warnings : loaded.errors;
  return issues.map(({ where, message, hint }) => `${where}: ${message} (${hint ?? "-"})`);
}

async function render(
  text: string,
  alert: Alert = { kind: "event", event: anEvent() },
  { medium = "json", limit = 1e6 }: { medium?: "json" | "text"; limit?: number } = {},
): Promise<string> {
  const loaded = await load(text, null, medium);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  const view = buildView(alert, { ...READER, id: "id-1", labels: [], cluster: "prod-a", limit });
  return loaded.template.render("body", medium, view, READER);
}

describe("a body tells what it is written in", () => {
  it.each([
    ['{"a": "{{ .Type }}"}', '{"a": "Warning"}'],
    ['{"a": "{{.InvolvedObject.Name}}"}', '{"a": "web-7d4b9c"}'],
    ['{"a": "{{ if eq .Type "Warning" }}red{{ else }}blue{{ end }}"}', '{"a": "red"}'],
    ['{{- /* card */ -}} {"a": {{ .Count }}}', '{"a": 12}'],
    ['{{ $t := .Type }}{"a": "{{ $t }}"}', '{"a": "Warning"}'],
    ['{"a": "{{ "}}" }}"}', '{"a": "}}"}'],
    ['{"a": {{ printf "%q" .Reason }}}', '{"a": "BackOff"}'],
  ])("Go: %s", async (text, wanted) => {
    expect(await render(text)).toBe(wanted);
  });

  it.each([
    ['{"a": "{{reason}}"}', '{"a": "BackOff"}'],
    ['{"a": {{json type}} }', '{"a": "Warning" }'],
    ['{"a": "{{#if (eq type "Warning")}}red{{else}}blue{{/if}}"}', '{"a": "red"}'],
    ['{"a": "nothing of either"}', '{"a": "nothing of either"}'],
    ['{{! a comment }}{"a": "{{event.message}}"}', `{"a": ${JSON.stringify(anEvent().message)}}`],
  ])("Handlebars: %s", async (text, wanted) => {
    expect(await render(text)).toBe(wanted);
  });

  it("what is right in neither is told of as what it looks like", async () => {
    expect(await problems('{"a": "{{ .Tpye }}"}')).toEqual([
      expect.stringMatching(
        /^body:1:11: .*field Tpye in type \*v1\.Event \(did you mean "Type"\?\)$/,
      ),
    ]);
    expect(await problems('{"a": "{{ if .Type }}"}')).toEqual([
      "body:1:24: template: body:1: unexpected EOF (-)",
    ]);
    expect((await problems('{"a": "{{#if reason}}"}')).join()).not.toContain("template: body");
    expect(await problems('{"a": "{{reasn}}"}')).toEqual([
      expect.stringContaining('unknown field "reasn"'),
    ]);
  });

  it("unless it is said", async () => {
    expect(await problems('{"a": "{{reason}}"}', "go")).toEqual([
      expect.stringContaining('function "reason" not defined'),
    ]);
    expect((await load('{"a": "{{ .Type }}"}', "handlebars")).ok).toBe(false);
  });

  it("Go's engine is loaded where a body needs it only", () => {
    const script = `
      import { registerHooks } from "node:module";
      const loaded = [];
      registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
      const { loadBody } = await import("./src/template/body.ts");
      const engine = () => loaded.some((url) => url.includes("/template/go"));
      await loadBody({ source: "b", text: "{{reason}}" }, null, "text");
      const before = engine();
      await loadBody({ source: "b", text: "{{ .Reason }}" }, null, "text");
      console.log(before, engine());
    `;
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(output.trim()).toBe("false true");
  });
});

describe("a mistake in a Go body", () => {
  it.each([
    ["{{ .involvedObject.name }}", 'did you mean "InvolvedObject"?'],
    ["{{ .metadata.name }}", 'did you mean "ObjectMeta"?'],
    ["{{ .InvolvedObject.Knd }}", 'did you mean "Kind"?'],
    ["{{ .LastTimestamp.Formt `x` }}", 'did you mean "Format"?'],
    ["{{ .Zzzzzzzz }}", "fields there are: TypeMeta, ObjectMeta, InvolvedObject, Reason,"],
    ["{{ .Source.Zzzzzzzz }}", "fields there are: Component, Host"],
    ["{{ .Type | quoted }}", "functions there are: and, or, call, html, index"],
    ["{{ .Type | prinf }}", 'did you mean "print"?'],
  ])("names the nearest that exists, or those that do: %s", async (text, hint) => {
    expect((await problems(text, "go")).join("\n")).toContain(hint);
  });

  it("is found in what another event would show", async () => {
    expect((await problems('{{ if eq .Type "Normal" }}{{ .Nope }}{{ end }}1')).join()).toContain(
      "can't evaluate field Nope",
    );
  });

  it("is a warning where it depends on the event", async () => {
    const loaded = await load('{"a": "{{ .Related.Name }}"}');
    expect(loaded.ok).toBe(true);
    expect(await problems('{"a": "{{ .Related.Name }}"}')).toEqual([
      expect.stringContaining("nil pointer evaluating *v1.ObjectReference.Name"),
    ]);
  });

  it("is told with its place when it shows at last", async () => {
    const text = '{"a":\n "{{ .Related.Name }}"}';
    const event = anEvent({ related: null });
    await expect(render(text, { kind: "event", event })).rejects.toThrow(
      /^body:2:14: template: body:2:13: executing "body" at <\.Related\.Name>: nil pointer/,
    );
  });

  it("that is none of JSON where JSON is sent is warned of, once", async () => {
    expect(await problems("{{ .Reason }}: {{ .Message }}")).toEqual([
      expect.stringMatching(
        /^body: .*not valid JSON: line 1, column 1.*say what it is by contentType/,
      ),
    ]);
    const loaded = await load("{{ .Reason }}: {{ .Message }}", null, "text");
    expect(loaded.ok && loaded.template.warnings).toEqual([]);
  });

  it.each([
    ['{"a": "{{ .Reason }}"}', "json"],
    ['[{"a": "{{reason}}"}]', "json"],
    ['\n  {"a": 1}', "json"],
    ['{{- /* a card */ -}}\n{"a": {{ .Count }}}', "json"],
    ['{{ if eq .Type "Normal" }}{"a": 1}{{ else }}{"b": 2}{{ end }}', "json"],
    ['{{ define "x" }}{"a": 1}{{ end }}{{ template "x" . }}', "json"],
    ["{{ .Reason }}: {{ .Message }}", "text"],
    ["{{reason}}: {{message}}", "text"],
    ["<event>{{ .Reason }}</event>", "text"],
    ["event_total{{ .Count }}", "text"],
    // A mark before a text is no list of JSON.
    ["[prod] {{ .Message }}", "text"],
    ["[{{ .Type }}] {{ .Message }}", "text"],
    ["[{{severity}}] {{message}}", "text"],
    ["[2026] {{message}}", "text"],
    ["[生产] {{message}}", "text"],
    ["[prod]", "text"],
    ["{{! [] }}[{{#if cluster}}{{cluster}}{{else}}none{{/if}}] {{message}}", "text"],
    ["{{!-- {{x}} --}}[a]", "text"],
    ['{{ define "x" }}{{ end }}[INFO] {{ .Message }}', "text"],
    ["{{json event}}", "json"],
    ["{{#if event}}{{{json event}}}{{else}}{{json this}}{{/if}}", "json"],
    ["{{jsonish}}", null],
    ["[]", "json"],
    ["[1, {{ .Count }}]", "json"],
    ["[{{ .Count }}]", "json"],
    ["[{{json event}}]", "json"],
    ["[ {{{json event}}} ]", "json"],
    ["[true, null, -1]", "json"],
    ['[["{{reason}}"]]', "json"],
    ['[{{#each labels}}"{{this}}",{{/each}}1]', "json"],
    ['{{ $x := .Type }}[{{ range $i, $x := .Finalizers }}"{{ $x }}",{{ end }} 1]', "json"],
    ['{{- with .Type -}} [ "{{ . }}" ] {{- end -}}', "json"],
  ])(
    "of which nobody says what it gives tells by its beginning: %j is %s",
    async (text, medium) => {
      const loaded = await load(text, null, null);
      expect(loaded.ok ? loaded.template.medium : null).toBe(medium);
      const warnings = loaded.ok ? loaded.template.warnings : [];
      // In JSON what is raw is escaped all the same.
      expect(warnings.filter(({ message }) => !message.startsWith("{{{"))).toEqual([]);
    },
  );

  it.each([
    // Where the branch is not taken
    ['{{ if eq .Reason "X" }}{{ .Mesage }}{{ end }}', '1:27 .Mesage (did you mean "Message"?)'],
    [
      '{{ if eq .Type "X" }}a{{ else if eq .Type "Y" }}{{ .Tpye }}{{ else }}b{{ end }}',
      '1:52 .Tpye (did you mean "Type"?)',
    ],
    [
      '{{ if eq .Type "X" }}{{ if eq .Type "Y" }}a\n{{ .Source.Hosts }}{{ end }}{{ end }}',
      '2:11 .Source.Hosts (did you mean "Host"?)',
    ],
    // Where there is nothing in the examples
    ["{{ range .OwnerReferences }}{{ .Nmae }}{{ end }}", '1:32 .Nmae (did you mean "Name"?)'],
    ["{{ range $i, $o := .OwnerReferences }}{{ $o.Uid }}{{ end }}", "1:44 $o.Uid (did you mean"],
    ["{{ with .DeletionTimestamp }}{{ .Yaer }}{{ end }}", '1:33 .Yaer (did you mean "Year"?)'],
    ["{{ range .Labels }}x{{ else }}{{ .Tpye }}{{ end }}", "1:34 .Tpye"],
    // Where it need not be known any more
    ['{{ if and (eq .Type "X") .Tpye }}a{{ end }}', '1:26 .Tpye (did you mean "Type"?)'],
    ["{{ if or .Type .Tpye }}a{{ end }}", '1:16 .Tpye (did you mean "Type"?)'],
    ["{{ range 3 }}{{ if eq . 7 }}{{ break }}{{ $.Tpye }}{{ end }}{{ end }}", "1:44 $.Tpye"],
    [
      '{{ if eq .Type "X" }}{{ template "crad" . }}{{ end }}{{ define "card" }}{{ end }}',
      '1:34 {{template "crad" .}} (did you mean "card"?)',
    ],
    [
      '{{ if eq .Type "X" }}{{ template "card" . }}{{ end }}',
      '1:34 {{template "card" .}} (write {{ define "card" }}…{{ end }})',
    ],
    // Behind another mistake of the kind, and within a template that only this branch calls
    ['{{ if eq .Type "X" }}{{ .Related.Name }}{{ .Tpye }}{{ end }}', "1:44 .Tpye"],
    [
      '{{ define "c" }}{{ .Naem }}{{ end }}{{ if eq .Type "X" }}{{ template "c" .Source }}{{ end }}',
      "1:20 .Naem (fields there are: Component, Host)",
    ],
  ])("tells of a name that only some events come to: %s", async (text, wanted) => {
    const [first = "", ...more] = await problems(`{"a": "${text}"}`, "go");
    const shown = first.replace(
      /^body:(\d+):(\d+): .* at <(.*?)>: .* \(/,
      (_, line, column, at) =>
        // The column is that of the text within the string.
        `${line}:${line === "1" ? Number(column) - 7 : column} ${at} (`,
    );
    expect(shown.slice(0, wanted.length)).toBe(wanted);
    expect(more).toEqual([]);
  });

  it.each([
    // What is assigned where the branch is not taken is not there behind it.
    [
      '{{ $x := .InvolvedObject }}{{ if eq .Reason "X" }}{{ $x = .Source }}{{ $x.Host }}{{ end }}{{ $x.Name }}',
    ],
    ["{{ with .Series }}{{ .Count }}{{ else }}{{ .Count }}{{ end }}"],
    ["{{ if .Related }}{{ .Related.Name }}{{ end }}"],
    [
      '{{ define "r" }}{{ if . }}.{{ template "r" (slice . 1) }}{{ end }}{{ end }}{{ template "r" .Reason }}',
    ],
    ["{{ range $k, $v := .Labels }}{{ $k }}={{ $v }}{{ else }}none{{ end }}"],
    ["{{ range .Finalizers }}{{ . }}{{ continue }}{{ end }}"],
    ["{{ .Labels.anything }}{{ .Annotations.other }}"],
    ['{{ define "never" }}{{ .Nope }}{{ end }}'],
  ])("has nothing to tell of what is right on every way: %s", async (text) => {
    expect(await problems(`{"a": "${text.replaceAll('"', "`")}"}`, "go")).toEqual([]);
  });

  it("is explored within bounds", async () => {
    const deep = '{{ if eq .Type "X" }}'.repeat(200) + "{{ .Tpye }}" + "{{ end }}".repeat(200);
    expect(await problems(`{"a": "${deep}"}`, "go")).toHaveLength(1);
    const loops = "{{ range 900 }}".repeat(3) + "{{ .Tpye }}" + "{{ end }}".repeat(3);
    const found = await problems(`{"a": "${loops}"}`, "go");
    expect(found.join("\n")).toMatch(/can't evaluate field Tpye in type int/);
    expect(found.length).toBeLessThan(3);
    const twice = '{{ define "a" }}{{ template "a" . }}{{ template "a" . }}{{ end }}';
    expect(
      await problems(`{"a": "${twice}{{ if eq .Type "X" }}{{ template "a" . }}{{ end }}"}`, "go"),
    ).toEqual([]);
  });

  it("that goes on for ever ends", async () => {
    const loaded = await load("{{ range 9223372036854775807 }}{{ end }}");
    expect(loaded.ok && loaded.template.warnings[0]?.message).toContain("steps of execution");
  });
});

describe("the Event that a Go body sees", () => {
  const ALL =
    "{{ .Name }}|{{ .Namespace }}|{{ .UID }}|{{ .InvolvedObject.Kind }}/{{ .InvolvedObject.Namespace }}/{{ .InvolvedObject.Name }}|{{ .Type }}|{{ .Reason }}|{{ .Count }}|{{ .Source.Component }}@{{ .Source.Host }}|{{ .FirstTimestamp }}|{{ .LastTimestamp }}|{{ .EventTime.IsZero }}";

  const wire = (fields: Record<string, unknown>): Alert => {
    const event = normalize(
      {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: "web.17a1", namespace: "shop", uid: "u-1", resourceVersion: "7" },
        involvedObject: { kind: "Pod", namespace: "shop", name: "web" },
        reason: "R",
        type: "Normal",
        ...fields,
      },
      "prod-a",
      "2026-11-20T08:00:00Z",
    );
    if (event === null) throw new Error("no event");
    return { kind: "event", event };
  };

  it("is the one of the API", async () => {
    const alert = wire({
      source: { component: "kubelet", host: "node-1" },
      count: 3,
      firstTimestamp: "2026-11-20T08:00:00Z",
      lastTimestamp: "2026-11-20T08:05:30Z",
    });
    expect(await render(ALL, alert, { medium: "text" })).toBe(
      "web.17a1|shop|u-1|Pod/shop/web|Normal|R|3|kubelet@node-1|2026-11-20 16:00:00 +0800 CST|2026-11-20 16:05:30 +0800 CST|true",
    );
  });

  it("has eventTime as its last time where the API has none, as kube-eventer did it, and the latest in the series", async () => {
    const alert = wire({
      eventTime: "2026-11-20T08:00:00.123456Z",
      lastTimestamp: null,
      reportingController: "default-scheduler",
      series: { count: 7, lastObservedTime: "2026-11-20T08:30:00.654321Z" },
    });
    const text =
      "{{ .LastTimestamp }}|{{ .EventTime }}|{{ .Series.Count }}|{{ .Series.LastObservedTime }}";
    expect(await render(text, alert, { medium: "text" })).toBe(
      "2026-11-20 16:00:00.123456 +0800 CST|2026-11-20 16:00:00.123456 +0800 CST|7|2026-11-20 16:30:00.654321 +0800 CST",
    );
  });

  it("has the message as it came, and as much of it as fits where it is too long", async () => {
    const message = `a "b" \u0007\u202e\n${"x".repeat(100)}`;
    const alert: Alert = { kind: "event", event: anEvent({ message }) };
    expect(JSON.parse(await render('{"m": "{{ .Message }}"}', alert))).toEqual({ m: message });
    const cut = JSON.parse(await render('{"m": "{{ .Message }}"}', alert, { limit: 40 })) as {
      m: string;
    };
    expect(cut.m.length).toBeLessThan(message.length);
    expect(cut.m).toContain("characters)");
  });

  it("says a digest in its message", async () => {
    const text =
      "{{ .Type }}|{{ .Reason }}|{{ .InvolvedObject.Kind }}/{{ .InvolvedObject.Name }}|{{ .Count }}|{{ .LastTimestamp }}\n{{ .Message }}";
    const said = await render(text, aDigest(), { medium: "text" });
    expect(said).toMatch(
      /^Normal\|Digest\|Cluster\/prod-a\|37\|2026-11-20 16:05:30 \+0800 CST\n⚪ /,
    );
    expect(said).toContain("21 × BackOff · shop/web");
    expect(said).toContain("and 14 more kinds");
  });

  it("and a gap", async () => {
    const gap: Alert = {
      kind: "gap",
      cluster: "prod-a",
      since: "2026-11-20T08:00:00Z",
      until: "2026-11-20T08:07:00Z",
      cause: "downtime",
    };
    const said = await render('{"t": "{{ .Type }}", "m": "{{ .Message }}"}', gap);
    expect(JSON.parse(said)).toMatchObject({ t: "Warning" });
    expect((JSON.parse(said) as { m: string }).m).toContain("16:00");
  });
});
