import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { problemsOf } from "../../support/config.ts";

/** What is said of a value that an option cannot have: found, expected, next step. */
const URL_OF_CHAT = "https://chat.example.com/send?access_token=made-up";
const sink = (options: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ sinks: { ops: { type: "chat", url: URL_OF_CHAT, ...options } } });
/** Less where it stands. */
const said = (options: Readonly<Record<string, unknown>>) =>
  problemsOf({}, sink(options)).replace(/^file1\.yaml:\d+:\d+: sinks\.ops\./, "");

describe("a value that cannot be", () => {
  it.each([
    [{ retries: 0 }, "retries: expected at least 1; found 0 (for example 3)"],
    [{ retries: 6 }, "retries: expected at most 5; found 6 (for example 3)"],
    [{ retries: 2.5 }, "retries: expected a whole number; found 2.5 (for example 3)"],
    [{ retries: [] }, "retries: expected a number; found a list (for example 3)"],
    [{ retries: {} }, "retries: expected a number; found a map (for example 3)"],
    [{ msgType: "txt" }, 'msgType: expected one of text, markdown; found "txt"'],
    [{ everyone: 7 }, "everyone: expected true or false; found 7"],
    [{ everyone: "maybe" }, 'everyone: expected true or false; found "maybe"'],
  ])("%j is told with what is expected and found", (options, message) => {
    expect(said(options)).toContain(message);
  });

  it("a typing mistake away from one that can is asked about", () => {
    expect(said({ msgType: "markdwon" })).toContain('did you mean "markdown"?');
    expect(said({ msgType: "voice" })).not.toContain("did you mean");
  });

  it.each([
    [12_345_678, "a number"],
    [true, "a boolean"],
    [["SECmadeup"], "a list"],
  ])("that is a secret, %j, is told by its kind alone", (value, kind) => {
    const text = said({ secret: value });
    expect(text).toContain(`found ${kind}`);
    expect(text).not.toMatch(/SECmadeup|12345678|true/);
  });

  it("a number where text belongs is to be quoted; of a secret it is not repeated", () => {
    const text = said({ secret: 123_456_789 });
    expect(text).toContain("secret: expected text");
    expect(text).toContain("found a number");
    expect(text).toContain("write it in quotes");
    expect(text).not.toContain("123456789");
  });

  it.each([59, 60, 61, 200])("of %i characters is cut where it is long", (length) => {
    const value = "x".repeat(length - 2);
    const text = said({ msgType: value });
    const shown = /found (.*?)(?: \(|$)/m.exec(text)?.[1] ?? "";
    expect(shown).toBe(length <= 60 ? `"${value}"` : `"${value.slice(0, 59)}…`);
  });

  it("whatever its characters, is shown in one line of whole characters", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 }),
          fc.string({ unit: fc.constantFrom("\n", "\r", "\t", "\0", "\u001b", "a", "😀") }),
        ),
        (value) => {
          fc.pre(!["text", "markdown"].includes(value) && !value.includes("$"));
          const text = said({ msgType: value });
          expect(text.isWellFormed()).toBe(true);
          expect(text.split("\n")).toHaveLength(1);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("an option that is not there", () => {
  it.each([
    ["msgtype", 'did you mean "msgType"?'],
    ["signn", 'did you mean "secret"?'],
    ["colour", "the options here: url, secret, msgType"],
    ["exclude", '"exclude" belongs into "filter" here'],
    ["namespaces", '"namespaces" belongs into "filter" here'],
    ["retries 3", 'write a colon and a space behind "retries"'],
    ["retries:3", 'write a colon and a space behind "retries"'],
  ])("%j is told with the next step", (key, hint) => {
    const text = problemsOf({}, sink({ [key]: 1 }));
    expect(text).toContain("there is no such option");
    expect(text).toContain(hint);
  });

  it("is missing where it must be there, with what it is and how to write it", () => {
    const text = problemsOf({}, "sinks: {ops: {type: chat}}");
    expect(text).toContain("sinks.ops.url: is missing: The robot's URL, token included");
    expect(text).toContain("write ${NAME}, { $env: NAME } or { $file: PATH } to keep it out");
  });

  it("is missing in a URI, where its example is one", () => {
    const text = problemsOf({ flags: { sink: ["chat:"] } });
    expect(text).toMatch(/^--sink #1.*url.*is missing/);
    expect(text).toContain("write it like this: chat:https://chat.example.com/send?access_token=");
  });
});
