/** A line end would begin another header, and of the others none is to be seen. */
const CONTROL = /[^\t -~\u0080-\u{10ffff}]/gu;
const BEYOND_ASCII = /[^\t -~]/;

/** What is wrong with a header's value; `null`: nothing. White space around it is none of it. */
export function headerValueProblem(value: string): string | null {
  return value.trim().search(CONTROL) === -1
    ? null
    : "has a character that no header can carry; expected text without line ends and control characters";
}

/** The same of a token or key: none of any platform has more than ASCII, so what has was mistyped. */
export function tokenProblem(value: string): string | null {
  return BEYOND_ASCII.test(value.trim())
    ? "has a character that no header can carry; expected ASCII"
    : null;
}

/**
 * Values may hold an event's text: control characters are left out of it. What is beyond ASCII goes out as UTF-8, as Go's client and curl
 * send it; Node's writes each character of a header as one byte.
 */
export function sendable(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (!Object.values(headers).some((value) => BEYOND_ASCII.test(value))) return headers;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Buffer.from(value.replaceAll(CONTROL, ""), "utf8").toString("latin1"),
    ]),
  );
}
