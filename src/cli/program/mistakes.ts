import type { Command } from "commander";
import type { ConfigIssue } from "../../config/config.ts";
import { nearest } from "../../config/nearest.ts";
import { nameShown } from "../../config/shown.ts";

const LONG_DASH = /^[\u2010-\u2015\u2212]+/;

const isFlag = (word: string): boolean => /^-./.test(word);

/**
 * Flags the command does not know and words that belong to none, for the list of all that is wrong.
 * Of a word only its beginning is said: what follows may be a token.
 */
export function mistakesOf(command: Command): readonly ConfigIssue[] {
  const known = command.options.flatMap(({ long }) => long ?? []);
  return command.args.flatMap((word, index): ConfigIssue[] => {
    if (isFlag(word)) {
      const [name = word] = word.split("=");
      if (command.options.some(({ long, required }) => long === name && !required))
        return [{ where: name, message: "takes no value", hint: "give it alone, or leave it out" }];
      const close = nearest(name, known);
      return [
        {
          where: nameShown(name),
          message: "there is no such flag",
          hint: close === null ? `see the command's --help` : `did you mean ${close}?`,
        },
      ];
    }
    if (LONG_DASH.test(word))
      return [
        {
          where: `argument "${nameShown(word.replace(LONG_DASH, "--"))}"`,
          message: "begins with a long dash, which a text processor puts in place of --",
          hint: "write --",
        },
      ];
    const before = command.args[index - 1] ?? "";
    // The value of a flag that is unknown itself.
    if (isFlag(before) && !before.includes("=")) return [];
    return [
      {
        where: `argument "${nameShown(word).replace(/…?$/, "…")}"`,
        message: "belongs to no flag",
        hint: "write --FLAG=VALUE, in quotes where the value has spaces or &",
      },
    ];
  });
}

/**
 * What the parser says of a word it does not know, without what may be a token in it.
 * The parser's own suggestion takes the value of `--FLAG=VALUE` for a part of the name, and mostly finds none.
 * @param known the flags of the command
 */
export function withoutValues(text: string, known: readonly string[] = []): string {
  const [, flag] = /unknown option '(--[^=']+)=/.exec(text) ?? [];
  const close = flag === undefined ? null : nearest(flag, known);
  const meant =
    close === null || text.includes("(Did you mean") ? "" : `(Did you mean ${close}?)\n`;
  const said = text
    .replace(
      /(unknown (?:option|command) ')(.*)'/s,
      (_, before: string, word: string) => `${before}${nameShown(word)}'`,
    )
    .replace(/(but got \d+): .*\.$/ms, "$1.");
  return said + meant;
}
