#!/usr/bin/env node
// Plain JavaScript without imports: it must get as far as its one clear line on any Node there is.

// Tokens in --sink flags must not stand in the process list, not even while the rest is loaded.
process.title = "kube-crier";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 19)) {
  // V8 lets garbage pile up to several times what is in use, and 8 MB at least. Here memory is the scarcer thing: a Pod has 250 MiB, and
  // events are small.
  // TurboFan takes five MiB once it has begun, and at its 3,000 calls of a function, or 500 rounds of a loop, it begins in the middle of
  // starting. Set while running, so that it holds however the program is started.
  const v8 = await import("node:v8");
  for (const flag of [
    "--semi-space-growth-factor=1",
    "--heap-growing-percent=20",
    "--optimize-for-size",
    "--no-maglev-destroy-on-background",
    "--invocation-count-for-turbofan=30000",
    "--invocation-count-for-osr=5000",
  ])
    v8.setFlagsFromString(flag);
  // Code that was compiled when the bundle was made starts faster and takes 10 MB less; elsewhere it would litter the sources.
  if (globalThis.BUNDLED)
    (await import("node:module")).enableCompileCache(`${import.meta.dirname}/cache`);
  await import("./main.ts");
} else {
  process.stderr.write(
    `kube-crier needs Node 22.19 or newer and found ${process.version}. From a checkout use "npm run -s kube-crier -- ARGS", which brings its own.\n`,
  );
  process.exitCode = 2;
}
