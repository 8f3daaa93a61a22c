/** What a stream is cut into: a line, or the remark that one was too long to keep. */
export type Line = { readonly kind: "line"; readonly text: string } | { readonly kind: "tooLong" };

/**
 * Cuts text at `\n` and nothing else (readline would also cut at U+2028, in the middle of an Event's message).
 * Memory is bounded: a line over `maxLength` UTF-16 units is left out and reported.
 */
export class LineSplitter {
  readonly #maxLength: number;
  #parts: string[] = [];
  #length = 0;
  #skipping = false;

  constructor(maxLength = 8 * 1024 * 1024) {
    this.#maxLength = maxLength;
  }

  *push(chunk: string): Generator<Line> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf("\n", start);
      if (end === -1) break;
      const piece = chunk.slice(start, end);
      start = end + 1;
      if (this.#skipping || this.#length + piece.length > this.#maxLength) {
        this.#forget();
        yield { kind: "tooLong" };
      } else {
        const text = this.#parts.length === 0 ? piece : this.#join(piece);
        if (text !== "" && text !== "\r") yield { kind: "line", text };
      }
    }
    if (start < chunk.length && !this.#skipping) {
      this.#length += chunk.length - start;
      if (this.#length > this.#maxLength) {
        this.#forget();
        this.#skipping = true;
      } else this.#parts.push(start === 0 ? chunk : chunk.slice(start));
    }
  }

  /** What came after the last `\n`; empty where nothing did. */
  rest(): string {
    return this.#skipping ? "" : this.#join("");
  }

  #join(piece: string): string {
    const text = this.#parts.join("") + piece;
    this.#forget();
    return text;
  }

  #forget(): void {
    this.#parts = [];
    this.#length = 0;
    this.#skipping = false;
  }
}
