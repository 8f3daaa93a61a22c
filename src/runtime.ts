import { enableCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";

/** What Node and V8 are told before the rest is loaded: by being imported first. */

// V8 lets garbage pile up to several times what is in use, and 8 MB at least. Here memory is the scarcer thing: a Pod has 250 MiB, and
// events are small.
// TurboFan takes five MiB once it has begun, and at its 3,000 calls of a function, or 500 rounds of a loop, it begins in the middle of
// starting. Set while running, so that it holds however the program is started.
for (const flag of [
  "--semi-space-growth-factor=1",
  "--heap-growing-percent=20",
  "--optimize-for-size",
  "--no-maglev-destroy-on-background",
  "--invocation-count-for-turbofan=30000",
  "--invocation-count-for-osr=5000",
])
  setFlagsFromString(flag);
// Code that was compiled when the bundle was made starts faster and takes 10 MB less; elsewhere it would litter the sources.
if (globalThis.BUNDLED === true) enableCompileCache(`${import.meta.dirname}/cache`);
