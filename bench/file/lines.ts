import { createReadStream } from "node:fs";

/** `node bench/file/lines.ts FILE`: the least there is to do, cut the file into lines and parse each. What `file1m` is measured against. */
const stream = createReadStream(process.argv[2] ?? "", {
  encoding: "utf8",
  highWaterMark: 262_144,
});
let rest = "";
let events = 0;
for await (const chunk of stream) {
  const lines = (rest + (chunk as string)).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines)
    if ((JSON.parse(line) as { kind?: string }).kind === "Event") events += 1;
}
process.stdout.write(`${events}\n`);
