/** One JSON value of a text, and where it begins: both from 1. */
export interface JsonValue {
  readonly value: unknown;
  readonly line: number;
  readonly column: number;
}

/** The text is not JSON; `line` and `column` from 1. */
export class FormatError extends Error {
  readonly line: number;
  readonly column: number;

  constructor(message: string, line: number, column: number) {
    super(message);
    this.name = "FormatError";
    this.line = line;
    this.column = column;
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const NEWLINE = 10;
const RETURN = 13;

/**
 * Reads a stream of text as its top-level JSON objects and arrays, however they are laid out: one document, one a line,
 * or pretty-printed one after the other as `kubectl get -w -o json` does. Holds one value at a time.
 */
export class ValueSplitter {
  #parts: string[] = [];
  #depth = 0;
  #inString = false;
  #escaped = false;
  #line = 1;
  #column = 0;
  #begin = { line: 1, column: 1 };

  /** The values that end in `chunk`; throws FormatError where one is no JSON. */
  *push(chunk: string): Generator<JsonValue> {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const unit = chunk.charCodeAt(index);
      if (this.#depth === 0 && opens(unit)) {
        // One a line is by far the most common, and what large files have: V8 finds its end and reads it much faster than the walk below.
        const end = lineEnd(chunk, index);
        const value = end === null ? undefined : parsed(chunk.slice(index, end));
        if (end !== null && value !== undefined) {
          yield { value, line: this.#line, column: this.#column + 1 };
          this.#column += end - index;
          index = end - 1;
          continue;
        }
      }
      if (unit === NEWLINE) {
        this.#line += 1;
        this.#column = 0;
      } else this.#column += 1;

      if (this.#inString) this.#insideString(unit);
      else if (this.#depth === 0) {
        if (opens(unit)) {
          start = index;
          this.#begin = { line: this.#line, column: this.#column };
          this.#depth = 1;
        } else if (!isBlank(unit)) throw this.#expected(chunk.slice(index, index + 20));
      } else if (unit === QUOTE) this.#inString = true;
      else if (opens(unit)) this.#depth += 1;
      else if (closes(unit)) {
        this.#depth -= 1;
        if (this.#depth === 0) {
          this.#parts.push(chunk.slice(start, index + 1));
          const text = this.#parts.join("");
          this.#parts = [];
          yield parseValue(text, this.#begin);
        }
      }
    }
    if (this.#depth > 0) this.#parts.push(start === 0 ? chunk : chunk.slice(start));
  }

  /** Throws where the text ended within a value. */
  end(): void {
    if (this.#depth === 0) return;
    throw new FormatError(
      "the JSON that begins here does not end",
      this.#begin.line,
      this.#begin.column,
    );
  }

  #insideString(unit: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (unit === BACKSLASH) this.#escaped = true;
    else if (unit === QUOTE) this.#inString = false;
    // JSON allows no raw line break in a string: a line was cut short, and reading on would swallow the next.
    else if (unit === NEWLINE)
      throw new FormatError("a line ends within a string", this.#begin.line, this.#begin.column);
  }

  #expected(found: string): FormatError {
    const what = UNDECODED.test(found)
      ? "what is no text in UTF-8 (UTF-16, as PowerShell's `>` writes it, or compressed?)"
      : JSON.stringify(found);
    return new FormatError(
      `expected a JSON object or array, found ${what}`,
      this.#line,
      this.#column,
    );
  }
}

/** What the beginning of UTF-16, of gzip and of other binary files is read as. */
const UNDECODED = /^[\ufffd\p{Cc}]/u;

/** Where the line that `from` stands in ends, if a value may end there. */
function lineEnd(chunk: string, from: number): number | null {
  const newline = chunk.indexOf("\n", from);
  const end = chunk.charCodeAt(newline - 1) === RETURN ? newline - 1 : newline;
  return end > from + 1 && closes(chunk.charCodeAt(end - 1)) ? end : null;
}

/** Undefined where the text is not exactly one value. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The error says where in the whole text it is wrong. */
function parseValue(text: string, at: { line: number; column: number }): JsonValue {
  try {
    return { value: JSON.parse(text), ...at };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const told = /at position (\d+)/.exec(message)?.[1];
    const offset = told === undefined ? firstNonToken(text) : Number(told);
    const before = text.slice(0, offset).split("\n");
    throw new FormatError(
      // The rest of V8's message quotes the text, or repeats the place.
      `not JSON: ${message.replace(/( in JSON at position|, (\.\.\.)?").*$/s, "")}`,
      at.line + before.length - 1,
      (before.length === 1 ? at.column : 1) + (before.at(-1) ?? "").length,
    );
  }
}

const TOKEN =
  /[ \t\r\n]*(?:[{}[\],:]|true\b|false\b|null\b|-?\d[\d.eE+-]*|"(?:[^"\\]|\\["\\/bfnrtu])*")/y;

/** Where the first thing stands that is no token of JSON; 0 where each is one, and only their order is wrong. */
function firstNonToken(text: string): number {
  const token = new RegExp(TOKEN);
  let end = 0;
  while (token.test(text)) end = token.lastIndex;
  const rest = text.slice(end);
  return rest.trim() === "" ? 0 : end + (rest.length - rest.trimStart().length);
}

function opens(unit: number): boolean {
  return unit === 123 || unit === 91;
}

function closes(unit: number): boolean {
  return unit === 125 || unit === 93;
}

/** JSON's white space, a byte order mark, and the record separator of JSON text sequences. */
function isBlank(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13) || unit === 0xfeff || unit === 0x1e;
}
