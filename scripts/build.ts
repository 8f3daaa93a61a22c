import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build, type Plugin } from "esbuild";

/** One bundle for the image and the `bin` entry: dist/kube-crier.js, its chunks, and nothing from node_modules. */
const root = path.resolve(import.meta.dirname, "..");
const outdir = path.join(root, "dist");
const KUBE_CONFIG = path.join(root, "node_modules/@kubernetes/client-node/dist/config.js");
rmSync(outdir, { recursive: true, force: true });

/**
 * What libraries bring along and this program never calls, 40 MB of resident memory in all:
 * of client-node only KubeConfig's credentials are used, not its API classes and its own HTTP client; of zod no language but English.
 * Whoever calls a part left out gets an error that says so; the end-to-end tests run the bundle.
 */
const LEFT_OUT: readonly {
  readonly from: RegExp;
  readonly path: RegExp;
  readonly contents: string;
}[] = [
  {
    from: /@kubernetes[\\/]client-node[\\/]dist[\\/]/,
    path: /^(undici|\.\/gen\/index\.js|\.\/api\.js)$/,
    contents: `
      function LeftOut() { throw new Error("this part of client-node is left out of the bundle; see scripts/build.ts"); }
      module.exports = new Proxy({}, { get: () => LeftOut });
    `,
  },
  {
    from: /[\\/]zod[\\/]v4[\\/]/,
    path: /locales\/index\.(c?js)$/,
    contents: 'export { default as en } from "./en.js";',
  },
];

const leaveOut: Plugin = {
  name: "leave-out",
  setup(bundle) {
    // Its index brings every API class along; KubeConfig lives in a file of its own.
    bundle.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({ path: KUBE_CONFIG }));
    for (const [index, part] of LEFT_OUT.entries()) {
      bundle.onResolve({ filter: part.path }, async (found) => {
        if (found.namespace === "left-out" || !part.from.test(found.importer)) return undefined;
        const whole = await bundle.resolve(found.path, {
          kind: found.kind,
          resolveDir: found.resolveDir,
          namespace: "left-out",
        });
        return {
          path: whole.path,
          namespace: "left-out",
          pluginData: { index, resolveDir: path.dirname(whole.path) },
        };
      });
    }
    bundle.onLoad({ filter: /.*/, namespace: "left-out" }, ({ pluginData }) => {
      const { index, resolveDir } = pluginData as { index: number; resolveDir: string };
      return { contents: LEFT_OUT[index]?.contents ?? "", resolveDir, loader: "js" };
    });
  },
};

/**
 * An `import` of one of Node's own modules reads everything it exports, and some exports are loaded by being read: with node:http come
 * fetch and WebSocket, which nothing here uses. Asked for in this way it gives what is used. Not so for every module: each is a file more.
 */
const leanHttp: Plugin = {
  name: "lean-http",
  setup(bundle) {
    bundle.onResolve({ filter: /^(node:)?http$/ }, () => ({
      path: "http",
      namespace: "lean-http",
    }));
    bundle.onLoad({ filter: /.*/, namespace: "lean-http" }, () => ({
      contents: 'module.exports = process.getBuiltinModule("node:http");',
      loader: "js",
    }));
  },
};

await build({
  entryPoints: {
    "kube-crier": path.join(root, "src/bin.js"),
    // Begun by src/history/thread.ts, by this name.
    "history-worker": path.join(root, "src/history/worker.ts"),
    // And by src/app/web-thread.ts.
    "web-worker": path.join(root, "src/app/web-worker.ts"),
  },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node22.19",
  minify: true,
  legalComments: "linked",
  chunkNames: "[name]-[hash]",
  plugins: [leaveOut, leanHttp],
  // CommonJS packages ask for these; the version check in bin.js must stay free of imports that an old Node lacks.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url); const __filename = import.meta.filename; const __dirname = import.meta.dirname;',
  },
  define: { "globalThis.BUNDLED": "true" },
  logLevel: "warning",
});
// What browsers load: one script and one style sheet; the modules of the sources they would ask for one by one.
const client = path.join(root, "src/web/client");
await build({
  entryPoints: [path.join(client, "page.ts"), path.join(client, "page.css")],
  outdir: path.join(outdir, "web"),
  bundle: true,
  format: "esm",
  platform: "browser",
  target: ["es2022", "safari16"],
  minify: true,
  logLevel: "warning",
});
cpSync(path.join(client, "icon.svg"), path.join(outdir, "web/icon.svg"));
chmodSync(path.join(outdir, "kube-crier.js"), 0o755);
cpSync(path.join(root, "src/demo"), path.join(outdir, "demo"), { recursive: true });

// One run over nothing fills the compile cache that src/runtime.ts reads; a bundle that cannot do that much is no bundle.
const dataDir = mkdtempSync(path.join(tmpdir(), "kube-crier-build-"));
const program = path.join(outdir, "kube-crier.js");
const nothing = [
  "run",
  "--source=file:-",
  "--sink=webhook:http://127.0.0.1:9/",
  "--listen=127.0.0.1:0",
  `--data-dir=${dataDir}`,
];
const first = spawnSync(process.execPath, [program, ...nothing], {
  input: '{"kind":"List","items":[]}',
  encoding: "utf8",
});
rmSync(dataDir, { recursive: true, force: true });
if (first.status !== 0) throw new Error(`the bundle does not run:\n${first.stderr}`);
