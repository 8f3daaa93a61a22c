/** Of JSON, in characters: as hexadecimal digits, six for each at most, it stays below the megabyte that any server takes (`max_allowed_packet`). */
const MAX = 150_000;
/** What each text in it is cut to, in turn, until all of it fits. */
const CUTS = [MAX, 16_384, 1_024];
/** What a thing is known by stays whole. */
const WHOLE: ReadonlySet<string> = new Set(["key", "uid"]);
/** As `JSON.stringify` writes half of a surrogate pair, which is no JSON to a database. */
const HALF = /\\ud[89a-f][0-9a-f]{2}/;

/**
 * As the tables keep it. Whoever may create Events may make one that is larger than a request to the server may be; it would be
 * refused again and again, and everything behind it would wait: its texts are cut, which nobody reads to their end.
 */
export function storedJson(value: object): string {
  const json = JSON.stringify(value);
  if (json.length <= MAX && !HALF.test(json)) return json;
  for (const most of CUTS) {
    const cut = JSON.stringify(value, shortened(most));
    if (cut.length <= MAX) return cut;
  }
  // Thousands of labels, for bodies over a core/v1 Event alone.
  return JSON.stringify({ ...value, core: undefined }, shortened(CUTS.at(-1) ?? 0));
}

function shortened(most: number): (key: string, value: unknown) => unknown {
  return (key, value) => {
    if (typeof value !== "string") return value;
    if (value.length <= most || WHOLE.has(key)) return value.toWellFormed();
    return `${value.slice(0, most - 1).toWellFormed()}…`;
  };
}
