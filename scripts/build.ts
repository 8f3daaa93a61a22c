import { chmodSync, rmSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";

/** One bundle for the image and the `bin` entry: dist/kube-crier.js, its chunk, and nothing from node_modules. */
const root = path.resolve(import.meta.dirname, "..");
const outdir = path.join(root, "dist");
rmSync(outdir, { recursive: true, force: true });

await build({
  entryPoints: { "kube-crier": path.join(root, "src/bin.js") },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22.19",
  minifySyntax: true,
  legalComments: "linked",
  chunkNames: "chunk-[hash]",
  // CommonJS packages ask for these; the version check in bin.js must stay free of imports that an old Node lacks.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url); const __filename = import.meta.filename; const __dirname = import.meta.dirname;',
  },
  logLevel: "warning",
});
chmodSync(path.join(outdir, "kube-crier.js"), 0o755);
