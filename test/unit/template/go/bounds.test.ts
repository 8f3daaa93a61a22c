import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GoTemplateError } from "../../../../src/template/go/error.ts";
import { LIMITS, parseGoTemplate } from "../../../../src/template/go/template.ts";

const EVENT = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.1", namespace: "shop", labels: { app: "web" } },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web-0" },
  reason: "BackOff",
  message: 'said "no" {{ .Type }} 内存',
  type: "Warning",
  count: 3,
  lastTimestamp: "2026-11-20T08:00:00Z",
};

const render = (template: string): string =>
  parseGoTemplate(template).render(EVENT, "UTC").toString("utf8");

/** `text`, or Go's error: anything else is thrown. */
function outcome(template: string): string {
  try {
    render(template);
    return "text";
  } catch (error) {
    if (error instanceof GoTemplateError) return error.message;
    throw error;
  }
}

function failure(template: string): GoTemplateError {
  try {
    render(template);
  } catch (error) {
    if (error instanceof GoTemplateError) return error;
    throw error;
  }
  throw new Error("the template did not fail");
}

describe("no template runs away", () => {
  it("a range over a number beyond reason stops at the limit of steps", () => {
    expect(failure("{{ range 9223372036854775807 }}x{{ end }}").message).toBe(
      `template: body:1:9: executing "body" at <{{range 9223372036854775807}}x{{end}}>: exceeded ${LIMITS.steps} steps of execution`,
    );
    expect(failure("{{ range 1000 }}{{ range 1000 }}x{{ end }}{{ end }}").message).toContain(
      "steps of execution",
    );
  });

  it("a range without a body ends too", () => {
    expect(failure("{{ range 9223372036854775807 }}{{ end }}").message).toContain("steps");
  });

  it.each([
    '{{ range 400000 }}{{ $x := printf "%999999d" 1 }}{{ end }}',
    '{{ $s := printf "%999999d" 1 }}{{ range 400000 }}{{ $x := html $s }}{{ end }}',
    '{{ $s := printf "%999999d" 1 }}{{ $t := printf "%999999d" 1 }}{{ range 400000 }}{{ if eq $s $t }}{{ end }}{{ end }}',
  ])("work whose result is thrown away counts as well: %s", (template) => {
    expect(failure(template).message).toContain("the texts of functions are longer than");
  });

  it.each([
    '{{ printf "%999999d" (index .ManagedFields 0).FieldsV1.Raw }}',
    '{{ printf "%.999999d" (index .ManagedFields 0).FieldsV1.Raw }}',
    '{{ printf "%999999v" .Labels }}',
    '{{ printf "%999999z" .ObjectMeta }}',
    '{{ range 100 }}{{ $x := printf "%999999d" $.Finalizers | len }}{{ end }}',
  ])("a width counts for each part of a value, before the memory is full: %s", (template) => {
    const many = (one: (i: number) => readonly [string, unknown]): unknown =>
      Object.fromEntries(Array.from({ length: 1000 }, (_, i) => one(i)));
    const event = {
      metadata: {
        labels: many((i) => [`l${i}`, "v"]),
        finalizers: ["a", "b"],
        managedFields: [{ fieldsV1: many((i) => [`f:${i}`, {}]) }],
      },
    };
    expect(() => parseGoTemplate(template).render(event, "UTC")).toThrow(
      /^template: body:1:\d+: .*longer than \d+ bytes/,
    );
  });

  it("lists that methods copy in a loop count as well", () => {
    const event = {
      metadata: {
        managedFields: [{ fieldsV1: { "f:x": "y".repeat(50_000) } }],
      },
    };
    const template =
      '{{ $raw := (index .ManagedFields 0).FieldsV1.Raw }}{{ range 100000 }}{{ $x := $.LastTimestamp.AppendFormat $raw "2006" }}{{ end }}';
    expect(() => parseGoTemplate(template).render(event, "UTC")).toThrow(/longer than \d+ bytes/);
  });

  it("a long pipeline in a loop counts every command", () => {
    const long = "{{ $x := $.Type" + " | len | print".repeat(1000) + " }}";
    expect(failure(`{{ range 100000 }}${long}{{ end }}`).message).toContain("steps of execution");
  });

  it("templates call each other for every character of a long message, deeper than JavaScript's stack", () => {
    const text =
      '{{ define "each" }}{{ with . }}{{ if eq (slice . 0 1) "-" }}_{{ else }}{{ slice . 0 1 }}{{ end }}{{ template "each" (slice . 1) }}{{ end }}{{ end }}{{ template "each" .Message }}';
    const message = "pod-a is-on node-1; ".repeat(200);
    expect(parseGoTemplate(text).render({ message }, "UTC").toString()).toBe(
      message.replaceAll("-", "_"),
    );
  });

  it("a template that calls itself stops at a depth", () => {
    expect(failure('{{ define "x" }}{{ template "x" }}{{ end }}{{ template "x" }}').message).toBe(
      `template: body:1:28: executing "x" at <{{template "x"}}>: exceeded maximum template depth (${LIMITS.depth})`,
    );
  });

  it("a text that doubles stops at the limit of length", () => {
    const { message } = failure(
      '{{ $s := "0123456789" }}{{ range 100 }}{{ $s = print $s $s }}{{ end }}',
    );
    expect(message).toContain(`error calling print: the result is longer than ${LIMITS.text}`);
  });

  it("an output beyond the limit stops", () => {
    expect(failure('{{ range 100 }}{{ printf "%100000d" 1 }}{{ end }}').message).toContain(
      `the output is longer than ${LIMITS.text} bytes`,
    );
  });

  it("a format with many wide columns stops", () => {
    const format = "%999999d".repeat(20);
    expect(failure(`{{ printf "${format}" ${"1 ".repeat(20)} }}`).message).toContain(
      "error calling printf: the text is longer than",
    );
  });

  it("parentheses without end are refused", () => {
    const deep = `{{ ${"(".repeat(5000)}1${")".repeat(5000)} }}`;
    expect(failure(deep).message).toBe("template: body:1: max expression depth exceeded");
  });

  it("blocks within blocks without end are refused, not a crash", () => {
    const deep = "{{ if true }}".repeat(50_000) + "{{ end }}".repeat(50_000);
    expect(failure(deep).message).toMatch(/nested too deeply/);
  });

  it("what people write stays far below the limits", () => {
    expect(render("{{ range 1000 }}{{ . }},{{ end }}")).toHaveLength(3890);
    expect(
      render(
        '{{ define "r" }}{{ if . }}{{ len . }} {{ template "r" (slice . 1) }}{{ end }}{{ end }}{{ template "r" .Reason }}',
      ),
    ).toBe("7 6 5 4 3 2 1 ");
  });
});

describe("where an error is", () => {
  it.each([
    ["{{ .Type ", 1, 10],
    ["a\n{{ .Type }}\n  {{ .Nope }}", 3, 6],
    ["{{ foo }}", 1, 4],
    ['{{ index .Message "a" }}', 1, 4],
    ["{{ if .Type }}\n{{ .X }}{{ end }}", 2, 4],
  ])("%j", (template, line, column) => {
    expect(failure(template).place).toEqual({ line, column });
  });

  it("columns count bytes, as Go's do", () => {
    expect(failure("容{{ .Nope }}").message).toContain("body:1:6:");
    expect(failure("容{{ .Nope }}").message).toContain("<.Nope>");
    expect(failure("{{ .内存 }}").message).toContain("can't evaluate field 内存");
  });
});

describe("templates from anywhere", () => {
  const word = fc.constantFrom(
    ..."{{ }} {{- -}} if else end range with define template block break continue . .Type .Labels .Foo .LastTimestamp .Unix $ $x := = | ( ) , \"a\" `b` 'c' 1 -2 0x1f 1.5 2i nil true print printf index slice len and or not eq lt \n /* */ é".split(
      " ",
    ),
  );

  it("give text or an error of Go's form, nothing else", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 25 }), (words) => {
        const template = words.join(" ");
        expect(outcome(template), template).toMatch(/^(?:text|template: (?:body|:))/);
      }),
      { numRuns: 3000 },
    );
  });

  it("any bytes, too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (inner) => {
        expect(outcome(`{{${inner}}}`), inner).toMatch(/^(?:text|template: )/);
      }),
      { numRuns: 2000 },
    );
  });

  it("text without an action is itself", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        fc.pre(!text.includes("{{"));
        expect(render(text)).toBe(text);
      }),
    );
  });
});

describe("events of any shape", () => {
  it("what is absent or of another type is Go's zero value", () => {
    const template =
      "{{ .Type }}|{{ .Count }}|{{ .InvolvedObject.Name }}|{{ .LastTimestamp }}|{{ .Series }}|{{ len .Labels }}";
    const zero = "|0||0001-01-01 00:00:00 +0000 UTC|nil|0";
    const go = parseGoTemplate(template);
    const odd = {
      type: 5,
      count: "x",
      involvedObject: [],
      lastTimestamp: "yesterday",
      metadata: { labels: [1] },
    };
    for (const event of [{}, null, 7, "x", odd])
      expect(go.render(event, "UTC").toString()).toBe(zero);
  });

  it("an Event of events.k8s.io/v1 is seen as core/v1 has it", () => {
    const event = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "e" },
      regarding: { kind: "Pod", name: "web-0" },
      note: "words",
      reason: "R",
      deprecatedCount: 4,
      deprecatedLastTimestamp: "2026-11-20T08:00:00Z",
      deprecatedSource: { component: "kubelet" },
      reportingController: "kubelet",
    };
    const template =
      "{{ .InvolvedObject.Kind }}/{{ .InvolvedObject.Name }} {{ .Message }} {{ .Count }} {{ .LastTimestamp.Unix }} {{ .Source.Component }} {{ .ReportingController }}";
    expect(parseGoTemplate(template).render(event, "UTC").toString()).toBe(
      "Pod/web-0 words 4 1795161600 kubelet kubelet",
    );
  });

  it("names that JavaScript's objects have are no fields", () => {
    for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
      expect(failure(`{{ .${name} }}`).message).toContain(`can't evaluate field ${name}`);
      expect(render(`{{ .Labels.${name} }}`)).toBe("<no value>");
    }
  });
});
