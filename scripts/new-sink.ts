import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { scaffold } from "./scaffold.ts";

/** `npm run new:sink NAME`: a sink, its template and its test, then the generated files. Overwrites nothing. */
const ROOT = path.resolve(import.meta.dirname, "..");
const [name, ...rest] = process.argv.slice(2);

try {
  if (name === undefined || rest.length > 0) throw new Error("usage: npm run new:sink NAME");
  const files = scaffold(name);
  const taken = files.filter((file) => existsSync(path.join(ROOT, file.path)));
  if (taken.length > 0) {
    throw new Error(`there is one already: ${taken.map((file) => file.path).join(", ")}`);
  }
  for (const file of files) {
    const target = path.join(ROOT, file.path);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, file.text);
    process.stdout.write(`wrote ${file.path}\n`);
  }
  await import("./gen.ts");
  process.stdout.write(`next: npx vitest run test/sinks/${name}.test.ts test/conformance\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
