#!/usr/bin/env node
// Plain JavaScript without imports: it must get as far as its one clear line on any Node there is.

// Tokens in --sink flags must not stand in the process list, not even while the rest is loaded.
process.title = "kube-crier";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 19)) {
  await import("./runtime.ts");
  await import("./main.ts");
} else {
  process.stderr.write(
    `kube-crier needs Node 22.19 or newer and found ${process.version}. From a checkout use "npm run -s kube-crier -- ARGS", which brings its own.\n`,
  );
  process.exitCode = 2;
}
