import { readFileSync } from "node:fs";
import path from "node:path";

/** From package.json, which lies one folder above the bundle and two above this file. */
export function readVersion(): string {
  const up = path.basename(import.meta.dirname) === "dist" ? ".." : "../..";
  const manifest = JSON.parse(
    readFileSync(path.join(import.meta.dirname, up, "package.json"), "utf8"),
  ) as { version: string };
  return manifest.version;
}
