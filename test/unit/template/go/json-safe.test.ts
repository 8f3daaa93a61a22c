import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseGoTemplate } from "../../../../src/template/go/template.ts";

const eventOf = (message: string) => ({
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "web.1", namespace: "shop", labels: { app: "web", tier: 'a"b' } },
  involvedObject: { kind: "Pod", namespace: "shop", name: "web-0" },
  reason: "BackOff",
  message,
  type: "Warning",
  count: 3,
  lastTimestamp: "2026-11-20T08:00:00Z",
});

const safe = (template: string, message: string) =>
  parseGoTemplate(template).renderSafe(eventOf(message), "Asia/Shanghai");

/** A Lark card as it is kept in a ConfigMap for kube-eventer. */
const CARD =
  '{"msg_type":"interactive","card":{"header":{"title":{"tag":"plain_text","content":"test"},"template":"Red"},"elements":[{"tag":"div","text":{"tag":"lark_md","content":"**Kind:** {{ .InvolvedObject.Kind }}\\n**At:** {{ .LastTimestamp }}\\n**Message:** {{ .Message }}"}}]}}';

const HOSTILE = [
  'exec: "sh": not found',
  "C:\\new\\table",
  "line\nline\r\n\ttab",
  "\u0000\u0001\u0007\u001b[31m",
  "emoji 😀 and 内存不足",
  "\u2028 and \u2029",
  "{{ .Type }} {{ end }} }}",
  '","evil":"1',
  "\\",
  '\\"',
  "x".repeat(10_240),
];

interface Card {
  readonly card: { readonly elements: readonly { readonly text: { readonly content: string } }[] };
}

const contentOf = (text: string): string =>
  (JSON.parse(text) as Card).card.elements[0]?.text.content ?? "";

describe("a body that is JSON stays JSON", () => {
  it.each(HOSTILE.map((message) => [message]))("a card with %j", (message) => {
    const { text, json } = safe(CARD, message);
    expect(json).toBe(true);
    expect(contentOf(text)).toBe(
      `**Kind:** Pod\n**At:** 2026-11-20 16:00:00 +0800 CST\n**Message:** ${message}`,
    );
  });

  it("whatever the message says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (message) => {
        const { text } = safe('{"m": "a {{ .Message }} b", "k": "{{ .Reason }}"}', message);
        // A half of a surrogate pair is no text: it arrives as the character that says so.
        expect(JSON.parse(text)).toEqual({ m: `a ${message.toWellFormed()} b`, k: "BackOff" });
      }),
    );
  });

  it("what stands outside strings stays as it is", () => {
    expect(
      JSON.parse(
        safe('{"n": {{ .Count }}, "q": {{ printf "%q" .Reason }}, "s": "{{ .Message }}"}', 'a"b')
          .text,
      ),
    ).toEqual({ n: 3, q: "BackOff", s: 'a"b' });
  });

  it("a value's own quotes, outside, open and close strings as any others", () => {
    const { text } = safe('{"a": {{ printf "\\"%s" .Reason }} {{ .Message }}"}', 'x"y');
    expect(JSON.parse(text)).toEqual({ a: 'BackOff x"y' });
  });

  it("keys are strings too", () => {
    const { text } = safe(
      '{ {{- range $k, $v := .Labels }}"{{ $k }}":"{{ $v }}",{{ end }}"z":1}',
      "",
    );
    expect(JSON.parse(text)).toEqual({ app: "web", tier: 'a"b', z: 1 });
  });

  it("an escape that the template wrote does not end a string", () => {
    const { text } = safe('{"a": "\\"{{ .Message }}\\" \\\\", "b": "{{ .Message }}"}', 'x"');
    expect(JSON.parse(text)).toEqual({ a: '"x"" \\', b: 'x"' });
  });

  it("what `js` escaped is not escaped again", () => {
    const { text } = safe(
      '{"a": "{{ js .Message }}", "b": "{{ .Message | js }}"}',
      'it\'s "so" \\ <b>\n',
    );
    const message = 'it\'s "so" \\ <b>\n';
    expect(JSON.parse(text)).toEqual({ a: message, b: message });
  });

  it("a character cut in half does not break the text", () => {
    const { text } = safe('{"a": "{{ slice .Message 0 4 }}"}', "内存");
    expect(JSON.parse(text)).toEqual({ a: "内\ufffd" });
  });

  it("lists and bodies that begin with an action", () => {
    expect(JSON.parse(safe('[{"a": "{{ .Message }}"}]', '"').text)).toEqual([{ a: '"' }]);
    const { text } = safe('{{- $m := .Message }}\n {"a": "{{ $m }}"}', '"');
    expect(JSON.parse(text)).toEqual({ a: '"' });
    const defined = safe(
      '{{ define "m" }}"{{ .Message }}"{{ end }}{"a": {{ template "m" . }}}',
      '"',
    );
    expect(JSON.parse(defined.text)).toEqual({ a: '"' });
  });
});

describe("a body that is no JSON is left alone", () => {
  it.each([
    ["{{ .Message }}", 'a "b"'],
    ['said "{{ .Message }}"', 'said "a "b""'],
    ["[prod] {{ .Message }}", '[prod] a "b"'],
    ["<b>{{ .Message }}</b>", '<b>a "b"</b>'],
  ])("%s", (template, text) => {
    expect(safe(template, 'a "b"')).toEqual({ text, json: false });
  });

  it("a message that looks like JSON does not make the body JSON", () => {
    expect(safe('{{ .Message }} "{{ .Message }}"', '{"a":1}')).toEqual({
      text: '{"a":1} "{"a":1}"',
      json: false,
    });
  });
});
