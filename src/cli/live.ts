import { Writable } from "node:stream";
import type { Clock } from "../clock.ts";
import { shorten } from "./table.ts";

const EVERY_MS = 250;
/** Where the terminal does not say: a pty nobody has given a size has 0 columns. */
const COLUMNS = 80;

/** The last line of a terminal, renewed in place below what is logged. */
export class LiveLine {
  readonly #stream: NodeJS.WritableStream & { readonly columns?: number };
  #text = "";

  constructor(stream: NodeJS.WritableStream & { readonly columns?: number }) {
    this.#stream = stream;
  }

  /** A log line: goes above the live one. */
  write(text: string): void {
    this.#stream.write(`${this.#erase()}${text}${this.#text}`);
  }

  /** `stream` is the same terminal: what is written there goes above the live line, too. */
  sharing(stream: NodeJS.WritableStream): Writable {
    const above = new Writable({
      decodeStrings: false,
      write: (text: string | Uint8Array, _encoding, done) => {
        this.#stream.write(this.#erase());
        stream.write(text, (error) => done(error ?? null));
        this.#stream.write(this.#text);
      },
    });
    // Whoever wrote is told by the callback; of the terminal itself `main` hears.
    above.on("error", () => undefined);
    return above;
  }

  /** Shows what `line` says, four times a second, until the answer is called. */
  show(line: () => string, clock: Clock): () => void {
    const ended = new AbortController();
    const renew = async () => {
      while (!ended.signal.aborted) {
        const { columns = 0 } = this.#stream;
        const text = shorten(line(), (columns > 0 ? columns : COLUMNS) - 1);
        if (text !== this.#text) {
          this.#stream.write(this.#erase() + text);
          this.#text = text;
        }
        await clock.sleep(EVERY_MS, ended.signal);
      }
    };
    void renew();
    return () => {
      ended.abort();
      this.#stream.write(this.#erase());
      this.#text = "";
    };
  }

  #erase(): string {
    return this.#text === "" ? "" : "\r\u001B[2K";
  }
}
