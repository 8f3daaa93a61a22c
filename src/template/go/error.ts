/** What Go's text/template says of a template that it cannot parse or execute, in its words. */
export class GoTemplateError extends Error {
  override readonly name = "GoTemplateError";
  /** From 1, the column in bytes. */
  readonly place: Place;
  /** For a name that no event makes right: the nearest there is, or those there are. */
  readonly hint: string | null;

  constructor(message: string, place: Place, hint: string | null = null) {
    super(message);
    this.place = place;
    this.hint = hint;
  }
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where a byte of a text is. */
export function placeOf(text: string, at: number): Place {
  const before = text.slice(0, at);
  return { line: before.split("\n").length, column: at - before.lastIndexOf("\n") };
}

/** What a function or method called by a template answers instead of a value; evaluation says where. */
export class GoCallError extends Error {
  override readonly name = "GoCallError";
}

/** What is printed would fill the memory. */
export class TooLong extends GoCallError {}
