import { Writable } from "node:stream";

/** To the beginning of the row, and rid of it. */
export const RENEW = "\r\u001B[2K";

/** What a person sees: rows, of which the last is where the cursor stands. */
export class Terminal extends Writable {
  readonly isTTY = true;
  columns = 60;
  readonly rows: string[] = [""];
  /** Every text that ever stood in the last row. */
  readonly seen: string[] = [];

  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    for (const [row, line] of String(chunk).split("\n").entries()) {
      if (row > 0) this.rows.push("");
      const [before, ...renewed] = line.split(RENEW);
      const text = renewed.at(-1) ?? `${this.rows.at(-1)}${before}`;
      this.rows[this.rows.length - 1] = text;
      this.seen.push(text);
    }
    done();
  }
}
