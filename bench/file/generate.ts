import { makeFile } from "./run.ts";

/** `npx node bench/file/generate.ts FILE [COUNT] [SEED]`: what the scenario `file1m` reads, 900 MB for 1,000,000 events. */
const [file, count = "1000000", seed = "1"] = process.argv.slice(2);
if (file === undefined || !(Number(count) > 0)) {
  process.stderr.write("usage: generate.ts FILE [COUNT] [SEED]\n");
  process.exitCode = 2;
} else await makeFile(file, Number(count), Number(seed));
