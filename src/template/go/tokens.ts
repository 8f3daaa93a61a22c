import { type Bytes, quote, runesOf } from "./bytes.ts";
import { type Place, placeOf } from "./error.ts";
import type { Lexer, Token } from "./lex.ts";

/** Tokens with up to three to look at again. An error's line is that of the token read last, as Go has it. */
export class Tokens {
  private readonly held: Token[] = [];
  private waiting = 0;
  private readonly lexer: Lexer;

  constructor(lexer: Lexer) {
    this.lexer = lexer;
  }

  get line(): number {
    return this.held[0]?.line ?? 0;
  }

  /** Where that token is. */
  get place(): Place {
    return placeOf(this.lexer.source, this.held[0]?.at ?? 0);
  }

  next(): Token {
    if (this.waiting > 0) this.waiting--;
    else this.held[0] = this.lexer.next();
    return this.at(this.waiting);
  }

  peek(): Token {
    if (this.waiting > 0) return this.at(this.waiting - 1);
    this.waiting = 1;
    this.held[0] = this.lexer.next();
    return this.held[0];
  }

  /** Before the token read last, and before the given ones, the latest first. */
  back(...before: readonly Token[]): void {
    this.waiting++;
    for (const [index, token] of before.entries()) this.held[index + 1] = token;
    if (before.length > 0) this.waiting = before.length + 1;
  }

  nextSolid(): Token {
    let token = this.next();
    while (token.kind === "space") token = this.next();
    return token;
  }

  peekSolid(): Token {
    const token = this.nextSolid();
    this.back();
    return token;
  }

  private at(index: number): Token {
    const token = this.held[index];
    if (token === undefined) throw new RangeError("no such token");
    return token;
  }
}

/** A token as an error names it. */
export function tokenText({ kind, value }: Token): Bytes {
  if (kind === "eof" || kind === "error") return value;
  if (kind === "keyword" || kind === "dot" || kind === "nil") return `<${value}>`;
  if (value.length <= 10) return quote(value);
  let size = 0;
  let runes = 0;
  for (const [, bytes] of runesOf(value)) {
    if (++runes > 10) break;
    size += bytes;
  }
  return `${quote(value.slice(0, size))}...`;
}
