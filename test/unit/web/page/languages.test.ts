import { describe, expect, it } from "vitest";
import { WORDS as LOGIN } from "../../../../src/web/auth/words.ts";
import { CONFIGURATION_WORDS } from "../../../../src/web/page/configuration-words.ts";
import { DECISION_WORDS } from "../../../../src/web/page/decision-words.ts";
import { EN } from "../../../../src/web/page/words-en.ts";
import { ZH } from "../../../../src/web/page/words-zh.ts";

type Said = (...given: readonly unknown[]) => string;

const BOOKS = {
  page: { en: EN, zh: ZH },
  login: LOGIN,
  decision: DECISION_WORDS,
  configuration: CONFIGURATION_WORDS,
};
/** What is given to a place in a text: neither Han nor Latin, so that it is known again. */
const PLACES = ["①", "②"];

/** Every text by where it stands, with places where something is filled in. */
function textsOf(words: unknown, path = ""): readonly (readonly [string, string])[] {
  if (typeof words === "string") return [[path, words]];
  if (typeof words === "function") return [[path, filled(words as Said, path)]];
  if (typeof words !== "object" || words === null) return [];
  return Object.entries(words).flatMap(([name, of]) => textsOf(of, `${path}.${name}`));
}

const filled = (say: Said, path: string): string =>
  path === ".withMade" ? say(PLACES) : say(...PLACES);
const saying = (words: unknown, path = ""): readonly (readonly [string, Said])[] => {
  if (typeof words === "function") return [[path, words as Said]];
  if (typeof words !== "object" || words === null) return [];
  return Object.entries(words).flatMap(([name, of]) => saying(of, `${path}.${name}`));
};

describe.each(Object.entries(BOOKS))("the words of the %s", (_, { en, zh }) => {
  it("use in each language all that they are given", () => {
    for (const words of [en, zh])
      for (const [path, say] of saying(words)) {
        const text = filled(say, path);
        const given = path === ".withMade" ? PLACES : PLACES.slice(0, say.length);
        for (const place of given) expect(text, path).toContain(place);
      }
  });

  it("take as much in one language as in the other", () => {
    const shape = (words: unknown) => saying(words).map(([path, say]) => [path, say.length]);
    expect(shape(zh)).toEqual(shape(en));
  });

  it("have no trace of a program in them", () => {
    for (const [path, text] of [...textsOf(en), ...textsOf(zh)]) {
      expect(text, path).not.toMatch(/undefined|\bnull\b|NaN|\[object|\$\{|\{\{|=>|[<>]/);
      expect(text, path).not.toMatch(/ {2}|^\s|\s$|[\p{Cc}\p{Cf}\ufffd]/u);
    }
  });

  it("have no English left in Chinese but names, commands and what the other language is called", () => {
    const names =
      /\bkube-crier( dead list)?\b|\bkubectl get event NAME -o json\b|\/api\/v1\/\S+?=dead|\b(zh-CN|CSV|YAML|ConfigMap|Handlebars|Kubernetes|JSON|id|p50 \/ p99)\b/g;
    const left = textsOf(zh)
      .filter(([path]) => !/^\.(otherLanguage|other|keys\.\d+\.0)$/.test(path))
      .filter(([, text]) => /[A-Za-z]/.test(text.replaceAll(names, "")));
    expect(left).toEqual([]);
  });

  it("are Chinese with Chinese punctuation, and with a blank between Han and what is not", () => {
    for (const [path, text] of textsOf(zh)) {
      expect(text, path).not.toMatch(/\p{Script=Han}[,:;?!()]|[,;?!()]\p{Script=Han}/u);
      expect(text, path).not.toMatch(/\p{Script=Han}[A-Za-z0-9①②]|[A-Za-z0-9①②]\p{Script=Han}/u);
    }
  });

  it("are English without Chinese punctuation", () => {
    for (const [path, text] of textsOf(en).filter(([at]) => !/other/i.test(at)))
      expect(text, path).not.toMatch(/[，。：；？！（）、]/);
  });

  it("end a sentence in one language where they do in the other", () => {
    const ends = (text: string) => /[.。]$/.test(text);
    const chinese = new Map(textsOf(zh));
    for (const [path, text] of textsOf(en))
      expect(ends(chinese.get(path) ?? ""), `${path}: ${text}`).toBe(ends(text));
  });
});

describe("what may be unknown", () => {
  it.each([
    ["en", EN],
    ["zh", ZH],
  ])("is left out of a sentence, which is whole without it, in %s", (_, words) => {
    for (const text of [words.refine(null), words.indexing(null)]) {
      expect(text).toMatch(/[.。]$/);
      expect(text).not.toMatch(/null|①/);
    }
    expect(words.refine(null)).not.toBe(words.refine("①"));
    expect(words.expected("①", null)).not.toMatch(/null|like|例如|[,，]/);
    expect(words.withMade(["Pod"])).toMatch(/ Pod$/);
  });
});

describe("a number", () => {
  it.each([
    ["0", "0 events"],
    ["1", "1 event"],
    ["2", "2 events"],
    ["11", "11 events"],
    ["1,001", "1,001 events"],
  ])("%s counts %s", (count, text) => {
    expect(EN.total(count)).toBe(text);
    expect(ZH.total(count)).toBe(`共 ${count} 条事件`);
  });

  it.each([
    ["1", "Digest of 1 that was too old to be told singly", "1 more, as it is by default"],
    ["2", "Digest of 2 that were too old to be told singly", "2 more, as they are by default"],
    ["0", "Digest of 0 that were too old to be told singly", "0 more, as they are by default"],
    ["21", "Digest of 21 that were too old to be told singly", "21 more, as they are by default"],
  ])("%s agrees with its verb", (count, digest, defaults) => {
    expect(DECISION_WORDS.en.tooOldDigest(count)).toBe(digest);
    expect(CONFIGURATION_WORDS.en.defaults(count)).toBe(defaults);
  });
});

describe("two things that differ", () => {
  const groups = ["nav", "fields", "dimensions", "columns", "states", "suppressed", "sinkStates"];
  it.each(groups)("of %s are called differently, in each language", (group) => {
    for (const words of [EN, ZH]) {
      const names = Object.values(words[group as "states"]);
      expect(new Set(names).size, names.join(", ")).toBe(names.length);
    }
  });

  it("are called the same wherever they stand", () => {
    for (const words of [EN, ZH]) {
      expect(words.states.folded).toBe(words.foldedInto);
      expect(words.deadColumns[1]).toBe(words.fields.sink);
      expect(words.sinkColumns[0]).toBe(words.fields.sink);
      for (const column of ["reason", "kind", "type"] as const)
        expect(words.dimensions[column]).toBe(words.fields[column].toLowerCase());
    }
  });
});
