/** Beyond ASCII a header has no meaning that both ends agree on; a line end in it would begin another. */
const UNSENDABLE = /[^\t -~]/;
const ALL_UNSENDABLE = new RegExp(UNSENDABLE, "g");

/** What is wrong with a header's value; `null`: nothing. White space around it is none of it. */
export function headerValueProblem(value: string): string | null {
  return UNSENDABLE.test(value.trim())
    ? "has a character that no header can carry; expected ASCII"
    : null;
}

/** Values may hold an event's text: what HTTP cannot carry is left out of it. */
export function sendable(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (!Object.values(headers).some((value) => UNSENDABLE.test(value))) return headers;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replaceAll(ALL_UNSENDABLE, "")]),
  );
}
