/** A point as line protocol's documentation has it: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ */
export interface Point {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  /** Nanoseconds, as they were written: too many digits for a number. */
  readonly time: string;
}

/**
 * Reads lines by the documented rules and nothing more: a line end ends a point wherever it stands, a backslash before a comma, a space or an
 * equals sign escapes it, and only a quote and a backslash are escaped in a string. Throws where a server must refuse.
 */
export function readLines(body: string): readonly Point[] {
  return body
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(readLine);
}

function readLine(line: string): Point {
  let at = 0;
  const bad = (what: string): never => {
    throw new Error(`unable to parse '${line.slice(0, 80)}': ${what} at ${at}`);
  };
  const name = (ends: string): string => {
    let text = "";
    for (; at < line.length && !ends.includes(line[at] ?? ""); at += 1) {
      const next = line[at + 1] ?? "";
      if (line[at] === "\\" && ", =".includes(next) && next !== "") at += 1;
      // InfluxDB takes whatever follows a backslash for escaped, so that it ends nothing.
      else if (line[at] === "\\" && ends.includes(next)) bad("a backslash before an end");
      text += line[at] ?? "";
    }
    return text;
  };
  const string = (): string => {
    if (line[at] !== '"') bad("no string");
    let text = "";
    for (at += 1; line[at] !== '"'; at += 1) {
      if (at >= line.length) bad("an unfinished string");
      if (line[at] === "\\" && (line[at + 1] === '"' || line[at + 1] === "\\")) at += 1;
      text += line[at] ?? "";
    }
    at += 1;
    return text;
  };

  const measurement = name(", ");
  if (measurement === "") bad("no measurement");
  const tags: Record<string, string> = {};
  while (line[at] === ",") {
    at += 1;
    const key = name("= ,");
    if (key === "" || line[at] !== "=") bad("a tag without a value");
    at += 1;
    const value = name(", =");
    if (value === "") bad("an empty tag");
    if (Object.hasOwn(tags, key)) bad("a tag twice");
    tags[key] = value;
  }
  if (line[at] !== " ") bad("no fields");
  const fields: Record<string, string> = {};
  do {
    at += 1;
    const key = name("=, ");
    if (key === "" || line[at] !== "=") bad("a field without a value");
    at += 1;
    fields[key] = string();
    if (Buffer.byteLength(fields[key]) > 65_536) bad("a string of more than 64 KB");
  } while (line[at] === ",");
  if (line[at] !== " ") bad("no timestamp");
  const time = line.slice(at + 1);
  if (!/^-?\d+$/.test(time)) bad("no timestamp");
  return { measurement, tags, fields, time };
}
