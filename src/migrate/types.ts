import type { ConfigIssue } from "../config/config.ts";
import type { References } from "./references.ts";
import type { Word } from "./words.ts";

/** What stands in place of a URI of which nothing is known, so that the others can be judged: nothing is printed then. */
const STAND_INS: Readonly<Record<string, string>> = { sink: "log:", source: "kubernetes:" };

/**
 * `--sink=$(SINK)`: which sink it is stands in the variable as well. Where the input says what is in it, that takes its place; else there is
 * nothing to print.
 * @param words with marks in place of variables
 */
export function withTypes(
  words: readonly Word[],
  references: References,
  valueOf: (name: string) => string | null,
): { readonly words: readonly Word[]; readonly unknown: readonly ConfigIssue[] } {
  const unknown: ConfigIssue[] = [];
  const counts = new Map<string, number>();
  const typed = words.map(({ text, where }, at): Word => {
    const [, flag = "", uri = ""] =
      /^--?(sink|source)=(.*)$/s.exec(text) ??
      /^--?(sink|source) (.*)$/s.exec(`${words[at - 1]?.text ?? ""} ${text}`) ??
      [];
    if (flag === "") return { text, where };
    const number = (counts.get(flag) ?? 0) + 1;
    counts.set(flag, number);
    const [type = ""] = uri.split(":", 1);
    if (!references.isIn(type)) return { text, where };
    const missing: string[] = [];
    const filled = references.filled(type, (name) => {
      const value = valueOf(name);
      if (value === null) missing.push(name);
      return value ?? "";
    });
    const before = text.slice(0, text.length - uri.length);
    // Kubernetes fills in the variables of a variable, too.
    if (missing.length === 0)
      return references.marked({ text: before + filled + uri.slice(type.length), where });
    const names = missing.map((name) => `\${${name}}`).join(", ");
    unknown.push({
      where: `--${flag} #${number}`,
      message: `which ${flag} it is stands in ${names}, and the input does not say what that is`,
      hint: `write --${flag}=TYPE:…; a variable may stand behind the colon`,
    });
    return { text: before + (STAND_INS[flag] ?? ""), where };
  });
  return { words: typed, unknown };
}
