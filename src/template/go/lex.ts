import { type Bytes, decodeRune, isAlphaNumeric, isPrint, quote, unicodeName } from "./bytes.ts";

export type TokenKind =
  | "error"
  | "eof"
  | "text"
  | "leftDelim"
  | "rightDelim"
  | "space"
  | "assign"
  | "declare"
  | "pipe"
  | "char"
  | "charConstant"
  | "number"
  | "complex"
  | "string"
  | "rawString"
  | "variable"
  | "field"
  | "identifier"
  | "bool"
  | "leftParen"
  | "rightParen"
  | "dot"
  | "nil"
  | "keyword";

export interface Token {
  readonly kind: TokenKind;
  /** Of the first byte. */
  readonly at: number;
  readonly value: Bytes;
  readonly line: number;
}

const KEYWORDS = new Set("block break continue define else end if range template with".split(" "));
const SPACES = /^[ \t\r\n]*/;
const EOF = -1;

const isSpace = (c: string | number | undefined): boolean =>
  typeof c === "number" ? isSpace(String.fromCharCode(c)) : c !== undefined && /[ \t\r\n]/.test(c);

const TERMINATORS = new Set(".,|:)(");

/** Cuts a template into tokens, one at a time, as the parser asks: an error ends it. */
export class Lexer {
  /** All of it: what is left to read is cut off by an error. */
  readonly source: Bytes;
  private input: Bytes;
  private at = 0;
  private start = 0;
  private line = 1;
  private startLine = 1;
  private parens = 0;
  private insideAction = false;

  constructor(input: Bytes) {
    this.source = input;
    this.input = input;
  }

  next(): Token {
    return this.insideAction ? this.action() : this.text();
  }

  private emit(kind: TokenKind): Token {
    const value = this.input.slice(this.start, this.at);
    const token = { kind, at: this.start, value, line: this.startLine };
    this.line += newlines(value);
    this.start = this.at;
    this.startLine = this.line;
    return token;
  }

  private ignore(): void {
    this.emit("space");
  }

  private error(message: string): Token {
    const token: Token = { kind: "error", at: this.start, value: message, line: this.startLine };
    this.input = "";
    this.start = 0;
    this.at = 0;
    return token;
  }

  private peek(): number {
    return this.at >= this.input.length ? EOF : decodeRune(this.input, this.at)[0];
  }

  private take(): number {
    if (this.at >= this.input.length) return EOF;
    const [rune, size] = decodeRune(this.input, this.at);
    this.at += size;
    return rune;
  }

  private has(text: string, from = this.at): boolean {
    return this.input.startsWith(text, from);
  }

  private text(): Token {
    for (;;) {
      const open = this.input.indexOf("{{", this.at);
      if (open < 0) {
        this.at = this.input.length;
        return this.at > this.start ? this.emit("text") : { ...this.emit("eof"), value: "EOF" };
      }
      const trim = this.has("-", open + 2) && isSpace(this.input[open + 3]);
      this.at = trim ? this.start + trimmedRight(this.input.slice(this.start, open)) : open;
      const text = this.at > this.start ? this.emit("text") : null;
      this.at = open;
      this.ignore();
      if (text !== null) return text;
      const after = open + 2 + (trim ? 2 : 0);
      if (!this.has("/*", after)) {
        this.at = open + 2;
        const token = this.emit("leftDelim");
        this.at = after;
        this.ignore();
        this.insideAction = true;
        this.parens = 0;
        return token;
      }
      this.at = after;
      this.ignore();
      const failed = this.comment();
      if (failed !== null) return failed;
    }
  }

  private comment(): Token | null {
    const close = this.input.indexOf("*/", this.at + 2);
    if (close < 0) return this.error("unclosed comment");
    this.at = close + 2;
    const trim = this.rightDelim();
    if (trim === null) return this.error("comment ends before closing delimiter");
    this.at += trim ? 4 : 2;
    if (trim) this.skipSpaces();
    this.ignore();
    return null;
  }

  /** Whether an action closes here, and whether it trims. */
  private rightDelim(): boolean | null {
    if (isSpace(this.input[this.at]) && this.has("-}}", this.at + 1)) return true;
    return this.has("}}") ? false : null;
  }

  private skipSpaces(): void {
    this.at += SPACES.exec(this.input.slice(this.at))?.[0].length ?? 0;
  }

  private close(trim: boolean): Token {
    if (trim) {
      this.at += 2;
      this.ignore();
    }
    this.at += 2;
    const token = this.emit("rightDelim");
    if (trim) {
      this.skipSpaces();
      this.ignore();
    }
    this.insideAction = false;
    return token;
  }

  private action(): Token {
    const trim = this.rightDelim();
    if (trim !== null)
      return this.parens === 0 ? this.close(trim) : this.error("unclosed left paren");
    const rune = this.take();
    if (rune === EOF) return this.error("unclosed action");
    const c = rune < 0x80 ? String.fromCharCode(rune) : "";
    if (isSpace(c)) return this.space();
    if (c === "=") return this.emit("assign");
    if (c === ":") return this.take() === 0x3d ? this.emit("declare") : this.error("expected :=");
    if (c === "|") return this.emit("pipe");
    if (c === '"') return this.quoted('"', "quoted string", "string");
    if (c === "'") return this.quoted("'", "character constant", "charConstant");
    if (c === "`") return this.raw();
    if (c === "$") return this.name("variable");
    // A dot that ends the input begins a number to Go.
    if (c === "." && !/\d/.test(this.input[this.at] ?? "0")) return this.name("field");
    if (/[.+\-0-9]/.test(c)) {
      this.at -= 1;
      return this.number();
    }
    if (isAlphaNumeric(rune)) return this.identifier();
    if (c === "(") {
      this.parens++;
      return this.emit("leftParen");
    }
    if (c === ")") {
      this.parens--;
      return this.parens < 0 ? this.error("unexpected right paren") : this.emit("rightParen");
    }
    if (c !== "" && isPrint(rune)) return this.emit("char");
    return this.error(`unrecognized character in action: ${unicodeName(rune)}`);
  }

  private space(): Token {
    this.at -= 1;
    this.skipSpaces();
    // The last space may belong to a trim marker.
    if (this.has("-}}")) {
      this.at -= 1;
      if (this.at === this.start) return this.close(true);
    }
    return this.emit("space");
  }

  private identifier(): Token {
    while (isAlphaNumeric(this.peek())) this.take();
    if (!this.terminated()) return this.error(`bad character ${unicodeName(this.peek())}`);
    const word = this.input.slice(this.start, this.at);
    if (KEYWORDS.has(word)) return this.emit("keyword");
    if (word === "nil") return this.emit("nil");
    return this.emit(word === "true" || word === "false" ? "bool" : "identifier");
  }

  private name(kind: "field" | "variable"): Token {
    if (this.terminated()) return this.emit(kind === "variable" ? kind : "dot");
    while (isAlphaNumeric(this.peek())) this.take();
    if (!this.terminated()) return this.error(`bad character ${unicodeName(this.peek())}`);
    return this.emit(kind);
  }

  private terminated(): boolean {
    const c = this.input[this.at];
    return c === undefined || isSpace(c) || TERMINATORS.has(c) || this.has("}}");
  }

  private quoted(mark: string, what: string, kind: TokenKind): Token {
    for (;;) {
      let rune = this.take();
      if (rune === mark.charCodeAt(0)) return this.emit(kind);
      if (rune === 0x5c) rune = this.take() === 0x0a || this.at > this.input.length ? 0x0a : 0x20;
      if (rune === EOF || rune === 0x0a) return this.error(`unterminated ${what}`);
    }
  }

  private raw(): Token {
    const close = this.input.indexOf("`", this.at);
    if (close < 0) return this.error("unterminated raw quoted string");
    this.at = close + 1;
    return this.emit("rawString");
  }

  private number(): Token {
    const bad = (): Token =>
      this.error(`bad number syntax: ${quote(this.input.slice(this.start, this.at))}`);
    if (!this.scanNumber()) return bad();
    if (!/[+-]/.test(this.input[this.at] ?? "")) return this.emit("number");
    if (!this.scanNumber() || this.input[this.at - 1] !== "i") return bad();
    return this.emit("complex");
  }

  private scanNumber(): boolean {
    const found = NUMBER.exec(this.input.slice(this.at));
    this.at += found?.[0].length ?? 0;
    if (!isAlphaNumeric(this.peek())) return true;
    this.take();
    return false;
  }
}

const NUMBER =
  /^[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/;

const newlines = (s: Bytes): number => s.split("\n").length - 1;

function trimmedRight(s: Bytes): number {
  let end = s.length;
  while (end > 0 && isSpace(s[end - 1])) end--;
  return end;
}
