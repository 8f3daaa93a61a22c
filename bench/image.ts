import { readFileSync } from "node:fs";
import path from "node:path";

const DOCKERFILE = path.resolve(import.meta.dirname, "../deploy/Dockerfile");

/** What the image sets in the environment: what is measured here runs as it does there. */
export function imageEnvironment(dockerfile = readFileSync(DOCKERFILE, "utf8")) {
  return Object.fromEntries(
    [...dockerfile.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name = "", value = ""]) => [
      name,
      value,
    ]),
  );
}

/** The same as arguments of `env`. */
export function imageSettings(): readonly string[] {
  return Object.entries(imageEnvironment()).map(([name, value]) => `${name}=${value}`);
}
