/**
 * What is wrong with a text that should be JSON and where, by line and column; `null` where nothing is. JSON.parse knows the place of some errors
 * and quotes the text for others; this names it for all, and quotes at most a few characters.
 */
export function jsonProblem(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch {
    const at = failureIn(text);
    const before = text.slice(0, at);
    const line = before.split("\n").length;
    const column = at - before.lastIndexOf("\n");
    const found = at >= text.length ? "the end" : JSON.stringify(text.slice(at, at + 12));
    return `line ${line}, column ${column} (position ${at}): unexpected ${found}`;
  }
}

const SPACE = /[ \t\n\r]*/y;
const CONTROL = "\u0000-\u001f";
const STRING = new RegExp(
  String.raw`"(?:[^"\\${CONTROL}]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*`,
  "y",
);
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where a text stops being JSON: its length, where it only ends too early. */
function failureIn(text: string): number {
  let at = 0;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return false;
    at += found[0].length;
    return true;
  };
  const take = (character: string): boolean => {
    skip(SPACE);
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const string = (): boolean => {
    skip(SPACE);
    if (!skip(STRING) || text[at] !== '"') return false;
    at += 1;
    return true;
  };
  const open: ("}" | "]")[] = [];
  for (;;) {
    skip(SPACE);
    if (take("{")) {
      open.push("}");
      if (!take("}")) {
        if (!string() || !take(":")) return at;
        continue;
      }
      open.pop();
    } else if (take("[")) {
      open.push("]");
      if (!take("]")) continue;
      open.pop();
    } else if (text[at] === '"' ? !string() : !skip(SCALAR)) {
      return at;
    }
    for (;;) {
      const closer = open.at(-1);
      if (closer !== undefined && take(",")) {
        if (closer === "}" && (!string() || !take(":"))) return at;
        break;
      }
      if (closer === undefined || !take(closer)) {
        skip(SPACE);
        return at;
      }
      open.pop();
    }
  }
}
