import { describe, expect, it } from "vitest";
import { lint } from "../../../src/template/lint.ts";

const FILE = "ops.hbs";

/** The errors of a template, as `line:column message (hint)`. */
function errorsIn(source: string): readonly string[] {
  return lint(source, FILE).errors.map(
    ({ where, message, hint }) =>
      `${where.slice(FILE.length + 1)} ${message}${hint === null ? "" : ` (${hint})`}`,
  );
}

describe("what is right passes", () => {
  it.each([
    ["no tag at all", "hello"],
    ["nothing", ""],
    ["fields", "{{title}} {{object.name}} {{event.reporter.component}} {{this.title}} {{./title}}"],
    ["conditions", "{{#if namespace}}{{namespace}}{{else if host}}{{host}}{{else}}-{{/if}}"],
    ["unless", "{{#unless (eq type 'Normal')}}{{reason}}{{/unless}}"],
    ["a list of texts", "{{#each labels}}{{@index}} {{this}} {{../title}}{{else}}none{{/each}}"],
    ["a list of objects", "{{#each digest.lines}}{{count}} {{where}} {{@root.title}}{{/each}}"],
    [
      "a list with a name",
      "{{#each digest.lines as |line i|}}{{i}} {{line.where}} {{../name}}{{/each}}",
    ],
    [
      "an object",
      "{{#with event}}{{message}} {{#with object}}{{name}} {{../../title}}{{/with}}{{/with}}",
    ],
    ["helpers in helpers", "{{upper (truncate (default namespace 'x') 10)}}"],
    ["lines", "{{#each (lines message)}}- {{this}}\n{{/each}}"],
    ["a list's length", "{{#if labels.length}}{{join labels ' '}}{{/if}}"],
    ["a list of texts as a text", "{{labels}}"],
    ["an object as JSON", "{{json event}}"],
    ["literals", "{{plural 3 'pod'}} {{default null true}} {{eq undefined 1}}"],
    ["comments", "{{! one }}{{!-- two {{three}} --}}"],
    ["white space control", "{{~title~}}"],
    [
      "blocks",
      '{{#*inline "title"}}{{title}}{{/inline}}\n\n{{! between }}\n{{#*inline "text"}}{{> title}}{{/inline}}',
    ],
  ])("%s", (_, source) => {
    expect(errorsIn(source)).toEqual([]);
  });
});

describe("what is wrong has a place and a next step", () => {
  it.each([
    ["a field mistyped", "a\n  {{mesage}}", '2:5 unknown field "mesage" (did you mean "message"?)'],
    [
      "a field of a field",
      "{{object.nmae}}",
      '1:3 unknown field "object.nmae" (did you mean "name"?)',
    ],
    [
      "a field that is elsewhere",
      "{{fieldPath}}",
      '1:3 unknown field "fieldPath" (did you mean "object.fieldPath"?)',
    ],
    [
      "a field of a text",
      "{{title.length}}",
      '1:3 unknown field "title.length" (it has no fields)',
    ],
    [
      "a field in a condition",
      "{{#if mesage}}x{{/if}}",
      '1:7 unknown field "mesage" (did you mean "message"?)',
    ],
    [
      "a field in a helper",
      "{{upper mesage}}",
      '1:9 unknown field "mesage" (did you mean "message"?)',
    ],
    [
      "a field in a loop",
      "{{#each digest.lines}}\n{{wher}}{{/each}}",
      '2:3 unknown field "wher" (did you mean "where"?)',
    ],
    [
      "a field of the view inside a loop",
      "{{#each digest.lines}}{{title}}{{/each}}",
      '1:25 unknown field "title" (did you mean "@root.title"?)',
    ],
    ["a prototype", "{{constructor}}", /^1:3 unknown field "constructor" \(fields: id, alertKind/],
    [
      "a prototype's field",
      "{{title.constructor}}",
      '1:3 unknown field "title.constructor" (it has no fields)',
    ],
    [
      "../ out of the view",
      "{{../title}}",
      "1:3 ../title leads out of the view (../ only leads out of {{#each}} and {{#with}})",
    ],
    ["an unknown @", "{{@key}}", "1:3 unknown @key (outside of {{#each}} there is only @root)"],
    [
      "an unknown @ in a loop",
      "{{#each labels}}{{@key}}{{/each}}",
      "1:19 unknown @key (@index, @first, @last or @root)",
    ],
    [
      "a field of @root",
      "{{@root.titel}}",
      '1:3 unknown field "@root.titel" (did you mean "title"?)',
    ],
    [
      "a helper mistyped",
      "{{trunkate message 10}}",
      '1:1 unknown helper "trunkate" (did you mean "truncate"?)',
    ],
    [
      "a helper nobody knows",
      "{{lookup event 'x'}}",
      /^1:1 unknown helper "lookup" \(helpers: quote, code, json/,
    ],
    [
      "a helper inside a helper",
      "{{upper (lowr kind)}}",
      '1:9 unknown helper "lowr" (did you mean "lower"?)',
    ],
    [
      "too few arguments",
      "{{truncate message}}",
      "1:1 truncate takes 2 arguments, not 1 (as in {{truncate message 200}})",
    ],
    [
      "too many arguments",
      "{{upper a b}}",
      "1:1 upper takes 1 argument, not 2 (as in {{upper severity}})",
    ],
    [
      "a named argument",
      "{{truncate message length=10}}",
      "1:20 length=… is not understood (helpers take their arguments in order, without names)",
    ],
    [
      "a medium nobody knows",
      '{{escape "larc" message}}',
      '1:10 escape does not know "larc" (one of "text", "markdown", "slack", "lark", "wecom", "json", "html")',
    ],
    ["a medium that is a field", "{{escape kind message}}", /^1:10 escape does not know kind/],
    [
      "a date format",
      '{{date lastSeen "short"}}',
      /^1:17 date does not know "short" \(one of "moment", "time"/,
    ],
    [
      "a block mistyped",
      "{{#iff title}}x{{/iff}}",
      "1:1 unknown block {{#iff}} (did you mean {{#if}}?)",
    ],
    [
      "a block nobody knows",
      "{{#section}}x{{/section}}",
      "1:1 unknown block {{#section}} (blocks: #if, #unless, #each, #with)",
    ],
    ["a field as a block", "{{#digest}}x{{/digest}}", /^1:1 unknown block \{\{#digest\}\}/],
    ["an inverted field", "{{^digest}}x{{/digest}}", /^1:1 unknown block \{\{#digest\}\}/],
    [
      "a helper as a block",
      "{{#eq type 'Normal'}}x{{/eq}}",
      "1:1 unknown block {{#eq}} (write {{#if (eq …)}}…{{/if}})",
    ],
    [
      "a condition of nothing",
      "{{#if}}x{{/if}}",
      "1:1 {{#if}} takes one argument (as in {{#if namespace}})",
    ],
    [
      "a condition of two",
      "{{#each labels name}}x{{/each}}",
      "1:1 {{#each}} takes one argument (as in {{#each labels}})",
    ],
    ["a block word without #", "{{if title}}", "1:1 {{if}} without # (write {{#if …}}…{{/if}})"],
    [
      "a loop over a text",
      "{{#each title}}x{{/each}}",
      "1:1 title is no list ({{#each}} goes over a list, {{#with}} into an object)",
    ],
    [
      "into a text",
      "{{#with title}}x{{/with}}",
      "1:1 title is no object ({{#if}} asks whether it says something)",
    ],
    [
      "an object as a text",
      "{{event}}",
      "1:1 event is an object, not a text (name one of its fields, or write {{json event}})",
    ],
    [
      "a list of objects as a text",
      "{{digest.lines}}",
      "1:1 digest.lines is a list of objects, not a text (write {{#each digest.lines}}…{{/each}})",
    ],
    ["a literal", '{{"title"}}', "1:1 a literal cannot be called (begin with a field or a helper)"],
    [
      "a block within a block",
      '{{#*inline "a"}}{{#*inline "b"}}{{/inline}}{{/inline}}',
      "1:17 this is not allowed inside a block (blocks stand side by side)",
    ],
    [
      "a block without a name",
      "{{#*inline}}x{{/inline}}",
      '1:1 this block has no name (write {{#*inline "title"}}…{{/inline}})',
    ],
    ["another decorator", '{{#*other "a"}}x{{/other}}', /^1:1 this block has no name/],
    [
      "a block twice",
      '{{#*inline "a"}}{{/inline}}{{#*inline "a"}}{{/inline}}',
      '1:28 block "a" is there twice',
    ],
    [
      "text outside of the blocks",
      '{{#*inline "a"}}{{/inline}}\nstray',
      /^1:28 text outside of the blocks \(put it into/,
    ],
    [
      "a block that is not there",
      '{{#*inline "facts"}}{{/inline}}{{#*inline "b"}}{{> fact}}{{/inline}}',
      '1:48 unknown block "fact" (did you mean "facts"?)',
    ],
    [
      "a file",
      "{{> header}}",
      '1:1 unknown block "header" ({{> name}} includes a block of the same file)',
    ],
    [
      "a block with arguments",
      '{{#*inline "a"}}{{/inline}}{{#*inline "b"}}{{> a title}}{{/inline}}',
      "1:44 {{> a}} takes no arguments",
    ],
    [
      "a block in a loop",
      '{{#*inline "a"}}{{/inline}}{{#*inline "b"}}{{#each labels}}{{> a}}{{/each}}{{/inline}}',
      /^1:60 \{\{> a\}\} inside \{\{#each\}\}/,
    ],
    [
      "a block that includes itself",
      '{{#*inline "a"}}{{> a}}{{/inline}}',
      '1:17 block "a" includes itself',
    ],
  ] as const)("%s", (_, source, expected) => {
    const [first, ...others] = errorsIn(source);
    expect(others).toEqual([]);
    expect(first).toMatch(typeof expected === "string" ? exactly(expected) : expected);
  });

  it("is told all at once, in order", () => {
    expect(
      errorsIn("{{titel}}\n{{uper kind}}\n{{#if nam}}{{/if}}").map((error) => error.slice(0, 4)),
    ).toEqual(["1:3 ", "2:1 ", "3:7 "]);
  });

  it("two blocks that include each other", () => {
    const source = '{{#*inline "a"}}{{> b}}{{/inline}}{{#*inline "b"}}{{> a}}{{/inline}}';
    expect(errorsIn(source)).toEqual([
      '1:17 block "a" includes itself',
      '1:51 block "b" includes itself',
    ]);
  });
});

describe("what cannot be read at all", () => {
  it.each([
    [
      "a Go template",
      "a\nb {{ .Type }} c",
      /^2:6 cannot be read at "\{\{ \.Type \}\} c" \(this looks like a Go template/,
    ],
    [
      "a brace too many",
      'a\n\n{"x": {{json title}}}',
      '3:19 cannot be read at "{{json title}}}" (leave a space between }} and a } of your own)',
    ],
    [
      "a block left open",
      "a\nb {{#if title}} c",
      "2:18 the template ends inside a block (close each {{#if}} with {{/if}}, each {{#each}} with {{/each}})",
    ],
    [
      "a tag left open",
      "a\nb {{title",
      /^2:\d+ cannot be read at "\{\{title" \(close each \{\{ with/,
    ],
    [
      "a call in parentheses",
      "a {{(upper name)}}",
      /^1:5 cannot be read at "\{\{\(upper name\)\}\}" \(a helper is called without parentheses/,
    ],
    [
      "three braces closed by two",
      "a\n{{{upper name}} b",
      /^2:\d+ cannot be read at "\{\{\{upper name\}\} b" \(close each \{\{\{ with \}\}\}, or open it by \{\{\)/,
    ],
    ["a block closed by another", "{{#if title}}\n{{/each}}", "1:4 if doesn't match each"],
    [
      "the first of two same mistakes",
      "{{ok}} {{ok}}\n{{a b=}} {{a b=}}",
      /^2:7 cannot be read at "\{\{a b=\}\}/,
    ],
  ] as const)("%s", (_, source, expected) => {
    const [first, ...others] = errorsIn(source);
    expect(others).toEqual([]);
    expect(first).toMatch(typeof expected === "string" ? exactly(expected) : expected);
  });
});

describe("what works but is dangerous is said", () => {
  const warningsIn = (source: string) => lint(source, FILE).warnings;

  it("raw text", () => {
    expect(warningsIn("{{title}}\n {{{message}}}")).toEqual([
      {
        where: "ops.hbs:2:2",
        message:
          "{{{message}}} puts text of the cluster into the message as it is: it may format, link or mention everyone",
        hint: "write {{message}} unless that is wanted",
      },
    ]);
    expect(warningsIn("{{&message}}")).toHaveLength(1);
  });

  it("raw JSON is no danger", () => {
    expect(warningsIn("{{{json event}}}")).toEqual([]);
  });
});

describe("blocks", () => {
  it("are named in order; a template without is one block, the body", () => {
    expect(lint('{{#*inline "b"}}{{/inline}}{{#*inline "a-1"}}{{/inline}}', FILE).blocks).toEqual([
      "b",
      "a-1",
    ]);
    expect(lint("{{title}}", FILE).blocks).toEqual(["body"]);
    expect(lint("{{titel}}", FILE).blocks).toEqual([]);
  });

  it("know which of them serve others", () => {
    const source = '{{#*inline "facts"}}{{/inline}}{{#*inline "a"}}{{> facts}}{{/inline}}';
    expect(lint(source, FILE).included).toEqual(["facts"]);
  });
});

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`);
}
