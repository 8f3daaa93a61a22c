import type { Word } from "./words.ts";

/** What stands for a variable while a URI is taken apart: letters and digits only, which no parser changes. */
const MARK = /KCREF(\d+)X/g;

/** What a variable is called, where nobody says which there are: `pa$sword` is a password. */
const VARIABLE = /^[A-Z_][A-Z0-9_]*$/;

/** A variable of the container, as far as the input tells. */
export interface Variable {
  readonly name: string;
  /** `null`: it comes from elsewhere. */
  readonly value: string | null;
  /** Where from: `key "token" of the Secret "robots"`; `null`: it stands in the input. */
  readonly from: string | null;
}

/** The variables that a command line refers to, by number. */
export class References {
  readonly #names: string[] = [];
  /** Names that are known to be set; `null`: anything may be. */
  readonly #known: ReadonlySet<string> | null;

  constructor(known: ReadonlySet<string> | null) {
    this.#known = known;
  }

  get names(): readonly string[] {
    return this.#names;
  }

  /**
   * `$(NAME)`, which Kubernetes fills in, and `${NAME}` and `$NAME`, which kube-eventer does; of a variable that nobody sets
   * Kubernetes leaves the text, and kube-eventer would leave nothing, which no password was meant to be. Of `$$` Kubernetes leaves one.
   */
  marked({ text, where }: Word): Word {
    const found = /\$\$\(|\$\(([A-Za-z_]\w*)\)|\$?\$\{([A-Za-z_]\w*)\}|\$?\$([A-Za-z_]\w*)/g;
    return {
      where,
      text: text.replace(found, (whole, ofPod?: string, braced?: string, bare?: string) => {
        if (whole === "$$(") return "$(";
        const name = braced ?? ofPod ?? bare ?? "";
        const isKnown = this.#known?.has(name) ?? (bare === undefined || VARIABLE.test(bare));
        return braced === undefined && !isKnown ? whole : this.#mark(name);
      }),
    };
  }

  #mark(name: string): string {
    if (!this.#names.includes(name)) this.#names.push(name);
    return `KCREF${this.#names.indexOf(name)}X`;
  }

  /** The text with what `fill` says for each variable, told what stands before it. */
  filled(text: string, fill: (name: string, before: string) => string): string {
    return text.replace(MARK, (whole, index: string, at: number) => {
      const name = this.#names[Number(index)];
      return name === undefined ? whole : fill(name, text.slice(0, at));
    });
  }

  /** As the configuration writes it: `${NAME}`, and `$${…}` for what is no reference. */
  written(text: string): string {
    const plain = text.replace(/\$\{[^}]*\}/g, (braced) => `$${braced}`);
    return this.filled(plain, (name) => `\${${name}}`);
  }

  isIn(text: string): boolean {
    return this.filled(text, () => "") !== text;
  }
}
