import { describe, expect, it } from "vitest";
import { lint } from "../../../src/template/lint.ts";

/** The one mistake of a template, as it is told. */
function told(source: string): string {
  const { errors } = lint(source, "ops.hbs");
  expect(errors).toHaveLength(1);
  const [error] = errors;
  return `${error?.message} (${error?.hint})`;
}

const NO_LIST = "{{#each}} goes over a list, {{#with}} into an object";
const NO_OBJECT = "{{#if}} asks whether it says something";

describe("a mistake names what was written", () => {
  it.each([
    ["a text", '{{#each "a"}}x{{/each}}', `a is no list (${NO_LIST})`],
    ["a number", "{{#each 3}}x{{/each}}", `3 is no list (${NO_LIST})`],
    ["a truth", "{{#each true}}x{{/each}}", `true is no list (${NO_LIST})`],
    ["nothing", "{{#with null}}x{{/with}}", `null is no object (${NO_OBJECT})`],
    ["undefined", "{{#each undefined}}x{{/each}}", `undefined is no list (${NO_LIST})`],
    ["a field", "{{#with title}}x{{/with}}", `title is no object (${NO_OBJECT})`],
    [
      "a field of the root",
      "{{#each @root.title}}x{{/each}}",
      `@root.title is no list (${NO_LIST})`,
    ],
    ["what a helper gives", "{{#each (upper title)}}x{{/each}}", `upper is no list (${NO_LIST})`],
  ])("%s", (_, source, text) => {
    expect(told(source)).toBe(text);
  });

  it.each([
    ["3", "3"],
    ["null", "null"],
    ["title", "title"],
    ["@root.title", "@root.title"],
    ['"html5"', '"html5"'],
  ])("where a helper takes one of a few words and is given %s", (given, found) => {
    expect(told(`{{escape ${given} message}}`)).toBe(
      `escape does not know ${found} (one of "text", "markdown", "slack", "lark", "wecom", "json", "html")`,
    );
  });
});

describe("a mistake says what may have been meant", () => {
  it.each([
    ["a helper as a block", "{{#upper title}}x{{/upper}}", "write {{#if (upper …)}}…{{/if}}"],
    ["a block mistyped", "{{#iff title}}x{{/iff}}", "did you mean {{#if}}?"],
    ["no block there is", "{{#zzzz title}}x{{/zzzz}}", "blocks: #if, #unless, #each, #with"],
    ["a field mistyped", "{{object.nam}}", 'did you mean "name"?'],
    ["a field mistyped, from the root", "{{@root.mesage}}", 'did you mean "message"?'],
    [
      "a field of the root, within an object",
      "{{#with object}}{{lastSeen}}{{/with}}",
      'did you mean "@root.lastSeen"?',
    ],
    ["a field that is deeper, at the root", "{{fieldPath}}", 'did you mean "object.fieldPath"?'],
    ["a field of a text", "{{title.x}}", "it has no fields"],
    ["a helper mistyped", "{{uper title}}", 'did you mean "upper"?'],
  ])("%s", (_, source, hint) => {
    expect(told(source)).toContain(`(${hint})`);
  });

  it("or else all there is, so that nobody has to look it up", () => {
    expect(told("{{object.zzz}}")).toContain(
      "(fields: kind, apiVersion, namespace, name, uid, fieldPath)",
    );
    expect(told("{{qqqq}}")).toMatch(/\(fields: .*\bmessage\b.*\blastSeen\b/);
    expect(told("{{zzzz title}}")).toMatch(/\(helpers: .*\bquote\b.*\bnot\b/);
  });
});
