import type { Env } from "../../src/config/secrets.ts";
import type { Files } from "../../src/config/files.ts";
import type { FlagValues } from "../../src/config/flags.ts";
import { ConfigError } from "../../src/config/config.ts";
import { type Loaded, loadConfig } from "../../src/config/load.ts";
import { registry } from "./registry.ts";

/** The environment the fixtures are written for. */
export const FIXTURE_ENV: Env = {
  TZ: "UTC",
  CHAT_URL: "https://chat.example.com/send?access_token=token-from-env",
  CHAT_TOKEN: "token&from+env=%41",
  HOOK_URL: "https://hook.example.com/in?key=hook-key-from-env",
  TEAM: "shop",
  EMPTY: "",
};

export const FIXTURE_FILES: Readonly<Record<string, string>> = {
  "/secrets/chat-sign": "SECfromFile\n",
  "/secrets/empty": "\n",
};

/** Files that exist in the test only; `conf.d/` names are listed as a directory. */
export function memoryFiles(texts: Readonly<Record<string, string>>): Files {
  return {
    read: (file) => {
      const text = texts[file];
      return text === undefined
        ? { ok: false, problem: "there is no such file" }
        : { ok: true, text };
    },
    list: (place) =>
      place.endsWith("/")
        ? Object.keys(texts)
            .filter((file) => file.startsWith(place))
            .toSorted()
        : null,
  };
}

export interface Given {
  readonly flags?: FlagValues;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Env;
}

/** Loads with the test's sinks; each text of `yaml` is a file given by --config. */
export function load(given: Given, ...yaml: readonly string[]): Loaded {
  const names = yaml.map((_, index) => `file${index + 1}.yaml`);
  const texts = Object.fromEntries(yaml.map((text, index) => [names[index] ?? "", text]));
  return loadConfig({
    flags: { config: names, ...given.flags },
    registry,
    env: given.env ?? FIXTURE_ENV,
    files: memoryFiles({ ...FIXTURE_FILES, ...given.files, ...texts }),
  });
}

/** The text of everything wrong, one issue a line; empty when nothing is. */
export function problemsOf(given: Given, ...yaml: readonly string[]): string {
  try {
    load(given, ...yaml);
    return "";
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}
