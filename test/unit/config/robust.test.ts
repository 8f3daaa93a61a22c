import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/config/config.ts";
import { describeConfig } from "../../../src/config/describe.ts";
import { parseBytes, parseListen } from "../../../src/config/grammar.ts";
import { expand } from "../../../src/config/secrets.ts";
import { parseSource } from "../../../src/config/source-uri.ts";
import { toYaml } from "../../../src/config/yaml.ts";
import { compileFilter } from "../../../src/pipeline/filter.ts";
import { type Given, load } from "../../support/config.ts";
import { anEvent } from "../../support/events.ts";

/**
 * `loaded`, or `refused` where each problem has a place and words for people; anything else is what a test must not see.
 */
function loadsOrRefuses(given: Given, ...yaml: readonly string[]): string {
  try {
    const { config } = load(given, ...yaml);
    describeConfig(config);
    for (const { filter } of [config, ...config.sinks]) compileFilter(filter)(anEvent());
    return "loaded";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const odd = error.issues.find(
      ({ where, message }) =>
        where === "" || /undefined|\[object Object\]|Invalid input/.test(message),
    );
    if (odd !== undefined) return `oddly worded: ${odd.where}: ${odd.message}`;
    return error.issues.length > 0 ? "refused" : "refused without a reason";
  }
}

const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1e9, 1.5, "", " ", "*", "/(/", "/a/i", "10s"),
  fc.constantFrom<unknown>("Warning", "chat", "stdout", "${CHAT_URL}", "${NOPE}", "$${X}", "UTC"),
  fc.string(),
);
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("$env", "$file", "type", "exclude")),
      tie("value"),
      { maxKeys: 3 },
    ),
  ),
})).value;

const OPTIONS = ["cluster", "lang", "timezone", "sources", "filter", "sinks", "dataDir", "history"];
const SINK_OPTIONS = ["type", "url", "secret", "headers", "mention", "filter", "timeout", "labels"];

describe("whatever stands in a file", () => {
  it("is loaded or refused with reasons", () => {
    const file = fc.dictionary(fc.oneof(fc.constantFrom(...OPTIONS), fc.string()), anything, {
      maxKeys: 5,
    });
    fc.assert(
      fc.property(file, (value) => {
        expect(loadsOrRefuses({}, toYaml(value, false))).toMatch(/^(loaded|refused)$/);
      }),
      { numRuns: 100 },
    );
  });

  it("below sinks as well", () => {
    const entry = fc.dictionary(fc.oneof(fc.constantFrom(...SINK_OPTIONS), fc.string()), anything, {
      maxKeys: 6,
    });
    fc.assert(
      fc.property(entry, fc.constantFrom("chat", "hook", "stdout"), (options, type) => {
        expect(loadsOrRefuses({}, toYaml({ sinks: { a: { ...options, type } } }, false))).toMatch(
          /^(loaded|refused)$/,
        );
      }),
      { numRuns: 100 },
    );
  });

  it("even where it is no YAML", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(loadsOrRefuses({}, text)).toMatch(/^(loaded|refused)$/);
      }),
      { numRuns: 100 },
    );
  });
});

describe("whatever is given as a flag", () => {
  it("is loaded or refused with reasons", () => {
    const parameters = fc.array(
      fc.tuple(
        fc.constantFrom("level", "reason", "names", "label", "timeout", "sign", "header", "x", ""),
        fc.string(),
      ),
      { maxLength: 4 },
    );
    const uri = fc
      .tuple(
        fc.constantFrom("chat:https://c.example.com/x", "stdout:", "hook:", "nope:"),
        parameters,
      )
      .map(
        ([head, pairs]) => `${head}?${pairs.map(([name, value]) => `${name}=${value}`).join("&")}`,
      );
    fc.assert(
      fc.property(fc.array(uri, { maxLength: 3 }), fc.string(), (sink, source) => {
        expect(
          loadsOrRefuses({ flags: { sink, source: [source, `kubernetes:?${source}`] } }),
        ).toMatch(/^(loaded|refused)$/);
        expect(
          loadsOrRefuses({ flags: { sink: [source], listen: source, ledgerMax: source } }),
        ).toMatch(/^(loaded|refused)$/);
      }),
      { numRuns: 100 },
    );
  });
});

describe("small grammars are total", () => {
  it("sizes, addresses and sources answer for any text", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const parsed of [parseBytes(text), parseListen(text), parseSource(text)])
          expect(typeof parsed.ok).toBe("boolean");
      }),
    );
  });

  it("text without a dollar is never touched", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("$")),
        (text) => {
          expect(expand(text, {})).toEqual({ text, values: [], problems: [] });
        },
      ),
    );
  });

  it("what is put in is put in whole, and not looked at again", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (value, around) => {
        const plain = around.replaceAll("$", "");
        expect(expand(`${plain}\${X}`, { X: value }).text).toBe(plain + value);
        const encoded = expand("${X}", { X: value.toWellFormed() }, encodeURIComponent).text;
        expect(decodeURIComponent(encoded)).toBe(value.toWellFormed());
      }),
    );
  });
});

describe("a secret", () => {
  it("of any shape is in no message, whatever is wrong around it", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9+/=_-]{12,40}$/);
    const place = fc.constantFrom(
      (text: string) => ({ sinks: { a: { type: "chat", url: text, retries: 99 } } }),
      (text: string) => ({ sinks: { a: { type: "chat", url: `ftp://${text}` } } }),
      (text: string) => ({ sinks: { a: { type: "chat", secret: [text], headers: text } } }),
      (text: string) => ({ sinks: { a: { type: "chat", headers: { x: { y: text } } } } }),
    );
    fc.assert(
      fc.property(secret, place, (text, build) => {
        for (const written of [text, "${S3CRET}"]) {
          const env = { TZ: "UTC", S3CRET: text };
          let said = "";
          try {
            load({ env }, toYaml(build(written), false));
          } catch (error) {
            said = String(error);
          }
          expect(said).not.toBe("");
          expect(said).not.toContain(text);
        }
      }),
    );
  });
});
