import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SinkConfig } from "../../../src/config/config.ts";
import type { FlagValues } from "../../../src/config/flags.ts";
import type { Secret } from "../../../src/sink/index.ts";
import { load } from "../../support/config.ts";

const URL_OF_CHAT = "https://chat.example.com/send?access_token=made-up";

/** Texts as they come in Secrets: any character, but for the line break at the end, which is left out. */
const text = fc
  .oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(..."a1&=+%?#/:@$ {}\\'\",;\n\t~".split("")), minLength: 1 }),
  )
  .filter((value) => !/^\s|\s$/u.test(value) && value.isWellFormed());

const hiddenIn = (value: unknown) => (value as Secret).reveal();

interface Way {
  readonly flags?: FlagValues;
  readonly yaml?: string;
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
}

/** In every way there is to say what an option of a sink is. */
function waysOf(option: string, parameter: string, value: string): Readonly<Record<string, Way>> {
  const uri = (written: string): FlagValues => ({
    sink: [`chat:${URL_OF_CHAT}&name=ops&${parameter}=${written}`],
  });
  const yaml = (written: string) =>
    `sinks: {ops: {type: chat, url: "${URL_OF_CHAT}", ${option}: ${written}}}`;
  // What would be a reference in a file has a second dollar.
  const quoted = JSON.stringify(value.replaceAll(/\$(?=\{[^}]*\})/g, "$$$$"));
  return {
    "percent-encoded in a URI": { flags: uri(encodeURIComponent(value)) },
    "with + for spaces in a URI": { flags: uri(encodeURIComponent(value).replaceAll("%20", "+")) },
    "by a variable in a URI": { flags: uri("${VALUE}"), env: { VALUE: value } },
    "by a variable as kube-eventer writes it": { flags: uri("$VALUE"), env: { VALUE: value } },
    "in quotes in a file": { yaml: yaml(quoted) },
    "by a variable in a file": { yaml: yaml('"${VALUE}"'), env: { VALUE: `${value}\n` } },
    "by { $env }": { yaml: yaml("{ $env: VALUE }"), env: { VALUE: value } },
    "by { $file }": { yaml: yaml("{ $file: /run/value }"), files: { "/run/value": `${value}\n` } },
  };
}

function sinkOf({ flags = {}, yaml, env = {}, files = {} }: Way): SinkConfig | undefined {
  const given = { flags, files, env: { TZ: "UTC", ...env } };
  return load(given, ...(yaml === undefined ? [] : [yaml])).config.sinks[0];
}

const WAYS = Object.keys(waysOf("secret", "secret", "x"));

describe("a text means the same however it is written", () => {
  it.each(WAYS)("a secret: %s", (way) => {
    fc.assert(
      fc.property(text, (value) => {
        const sink = sinkOf(waysOf("secret", "sign", value)[way] ?? {});
        expect(sink?.name).toBe("ops");
        expect(hiddenIn(sink?.options["secret"])).toBe(value);
      }),
      { numRuns: 100 },
    );
  });

  it.each(WAYS)("a label: %s", (way) => {
    fc.assert(
      fc.property(text, (value) => {
        const ways = waysOf("labels", "label", value);
        // A list in a file: one text there is split at its commas.
        const one = ways[way] ?? {};
        const yaml = one.yaml?.replace(/labels: (.*)\}\}$/s, "labels: [$1]}}");
        expect(sinkOf(yaml === undefined ? one : { ...one, yaml })?.labels).toEqual([value]);
      }),
      { numRuns: 60 },
    );
  });

  it("a header's value, of which everything behind the first = is one", () => {
    fc.assert(
      fc.property(text, (value) => {
        const ways: readonly Way[] = [
          { flags: { sink: [`chat:${URL_OF_CHAT}&header=X-Key=${encodeURIComponent(value)}`] } },
          {
            flags: { sink: [`chat:${URL_OF_CHAT}&header=X-Key=\${VALUE}`] },
            env: { VALUE: value },
          },
          {
            yaml: `sinks: {ops: {type: chat, url: "${URL_OF_CHAT}", headers: {X-Key: {$env: VALUE}}}}`,
            env: { VALUE: value },
          },
        ];
        for (const way of ways) {
          const headers = sinkOf(way)?.options["headers"] as Readonly<Record<string, Secret>>;
          expect(Object.entries(headers).map(([key, one]) => [key, one.reveal()])).toEqual([
            ["X-Key", value],
          ]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("the whole address, which a variable may hold", () => {
    const url = `${URL_OF_CHAT}%2B%26`;
    const ways: readonly Way[] = [
      { flags: { sink: [`chat:${url}`] } },
      { flags: { sink: ["chat:${VALUE}"] }, env: { VALUE: url } },
      { flags: { sink: ["chat:${VALUE}"] }, env: { VALUE: `${url}\n` } },
      { flags: { sink: ["chat:$VALUE&level=Warning"] }, env: { VALUE: url } },
      { flags: { sink: [`'chat:${url}'`] } },
      { flags: { sink: [`"chat:${url}"`] } },
      { yaml: "sinks: {ops: {type: chat, url: { $env: VALUE }}}", env: { VALUE: url } },
      { yaml: `sinks: {ops: {type: chat, url: "${url}"}}` },
    ];
    for (const way of ways) expect(hiddenIn(sinkOf(way)?.options["url"])).toBe(url);
  });
});

describe("what kube-eventer's users write behind the question mark", () => {
  const sink = (query: string) => sinkOf({ flags: { sink: [`chat:${URL_OF_CHAT}&${query}`] } });

  it.each([
    ["namespaces=shop%2Cpay", ["shop", "pay"]],
    ["namespaces=shop,+pay", ["shop", "pay"]],
    ["namespaces=shop&namespaces=pay", ["shop", "pay"]],
    ["namespaces=shop&&namespace=pay&", ["shop", "pay"]],
    ["Namespaces=shop", ["shop"]],
    ["namespaces=", []],
    ["namespaces", []],
    ["namespaces=,", []],
  ])("%s", (query, namespaces) => {
    expect(sink(query)?.filter.namespaces).toEqual(namespaces);
  });

  it.each([
    ["level=warning", "Warning"],
    ["level=NORMAL", "Normal"],
    ["level=", "Warning"],
    ["Level=Normal", "Normal"],
  ])("%s", (query, level) => {
    expect(sink(query)?.filter.level).toBe(level);
  });
});
