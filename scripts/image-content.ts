import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

/**
 * `node scripts/image-content.ts DIR`, after `npm run build`: everything the image holds besides its base, as it will lie under `/`.
 * Fails where that is more than the image may weigh.
 */
const LIMIT_BYTES = 60_000_000;
const ROOT = path.resolve(import.meta.dirname, "..");

/** kube-eventer is started with flags alone; what it was started with means `run`. */
const KUBE_EVENTER = '#!/bin/sh\nexec kube-crier run "$@"\n';

const target = process.argv[2];
if (target === undefined) {
  process.stderr.write("usage: node scripts/image-content.ts DIR\n");
  process.exitCode = 2;
} else {
  const bytes = assemble(path.resolve(target));
  process.stdout.write(`${target}: ${(bytes / 1e6).toFixed(1)} MB\n`);
  if (bytes > LIMIT_BYTES) {
    process.stderr.write(
      `the image's content may be ${LIMIT_BYTES / 1e6} MB at most; look for what the bundle has taken in\n`,
    );
    process.exitCode = 1;
  }
}

function assemble(out: string): number {
  rmSync(out, { recursive: true, force: true });
  const app = path.join(out, "app");
  for (const name of ["dist", "templates", "package.json", "LICENSE"])
    cpSync(path.join(ROOT, name), path.join(app, name), { recursive: true });
  // `kube-crier demo` in a container.
  cpSync(path.join(ROOT, "src/demo/events.jsonl"), path.join(app, "dist/demo/events.jsonl"));
  writeFileSync(path.join(app, "sbom.cdx.json"), billOfMaterials());

  mkdirSync(path.join(out, "usr/local/bin"), { recursive: true });
  symlinkSync("/app/dist/kube-crier.js", path.join(out, "usr/local/bin/kube-crier"));
  writeFileSync(path.join(out, "kube-eventer"), KUBE_EVENTER);
  chmodSync(path.join(out, "kube-eventer"), 0o755);
  return sizeOf(out);
}

/** What the bundle was made from, by the lock file; without the Node that is for working on the project. */
function billOfMaterials(): string {
  const omit = ["--omit=dev", "--omit=optional"];
  const form = ["--sbom-format=cyclonedx", "--sbom-type=application"];
  return execFileSync("npm", ["sbom", "--package-lock-only", ...form, ...omit], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
  });
}

function sizeOf(place: string): number {
  const { size } = lstatSync(place);
  if (!lstatSync(place).isDirectory()) return size;
  return readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name)), 0);
}
