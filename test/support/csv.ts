/** The records of a text as RFC 4180 has them; throws where it is none. A reader of our own, so that what we write is not read by what wrote it. */
export function csvRecords(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        if (at >= text.length) throw new Error("a quote that nothing closes");
        if (text[at] === '"' && text[at + 1] === '"') at += 1;
        else if (text[at] === '"') break;
        cell += text[at];
      }
      at += 1;
    } else {
      while (at < text.length && !",\r\n".includes(text[at] ?? "")) {
        if (text[at] === '"') throw new Error(`a quote within an unquoted cell at ${at}`);
        cell += text[at];
        at += 1;
      }
    }
    record.push(cell);
    if (text[at] === ",") {
      at += 1;
      continue;
    }
    if (text.slice(at, at + 2) !== "\r\n") throw new Error(`expected a line end at ${at}`);
    at += 2;
    records.push(record);
    record = [];
  }
  return records;
}
