import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { etagOf } from "./etag.ts";

/** A file that the page loads. */
export interface Asset {
  readonly body: string;
  readonly type: string;
  /** Changes with the body. */
  readonly etag: string;
}

/** In the bundle the script is one file, made by scripts/build.ts; in the source tree its modules are served one by one, without their types. */
const IS_BUNDLE = path.basename(import.meta.dirname) === "dist";
const FOLDER = path.resolve(import.meta.dirname, IS_BUNDLE ? "web" : "../client");
const NAME = /^[a-z]+\.(?:js|ts|css|svg)$/;
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  ts: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** Reads each file once. */
export class Assets {
  readonly #read: Map<string, Asset | null>;

  /** @param made files that are nowhere: name → text */
  constructor(made: Readonly<Record<string, string>> = {}) {
    this.#read = new Map(Object.entries(made).map(([name, body]) => [name, assetOf(name, body)]));
  }

  /** `null`: there is no such file. */
  get(name: string): Asset | null {
    if (!NAME.test(name)) return null;
    let asset = this.#read.get(name);
    if (asset === undefined) {
      asset = load(name);
      // Only names of files that there are: the others are anybody's.
      if (asset !== null) this.#read.set(name, asset);
    }
    return asset;
  }
}

function load(name: string): Asset | null {
  const source = IS_BUNDLE ? name : name.replace(/\.js$/, ".ts");
  let body: string;
  try {
    body = readFileSync(path.join(FOLDER, source), "utf8");
  } catch {
    return null;
  }
  if (source.endsWith(".ts")) body = stripTypeScriptTypes(body);
  return assetOf(source, body);
}

function assetOf(name: string, body: string): Asset {
  return { body, type: TYPES[path.extname(name).slice(1)] ?? "", etag: etagOf(body) };
}
