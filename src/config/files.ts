import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** The file system as far as configuration needs it. */
export interface Files {
  read(
    file: string,
  ):
    | { readonly ok: true; readonly text: string }
    | { readonly ok: false; readonly problem: string };
  /** The *.yaml and *.yml files of a directory, sorted by name; `null` where `place` is no directory. */
  list(place: string): readonly string[] | null;
}

/** What was asked of the file system and what it said, as plain data. */
export interface FilesSeen {
  readonly reads: ReadonlyMap<string, ReturnType<Files["read"]>>;
  readonly lists: ReadonlyMap<string, ReturnType<Files["list"]>>;
}

/** Remembers what is read. */
export function recorded(files: Files): { readonly files: Files; readonly seen: FilesSeen } {
  const reads = new Map<string, ReturnType<Files["read"]>>();
  const lists = new Map<string, ReturnType<Files["list"]>>();
  const remember = <T>(map: Map<string, T>, place: string, said: T): T => {
    map.set(place, said);
    return said;
  };
  return {
    files: {
      read: (file) => remember(reads, file, files.read(file)),
      list: (place) => remember(lists, place, files.list(place)),
    },
    seen: { reads, lists },
  };
}

/** Says again what it said then, whatever has become of the files since. */
export function replayed({ reads, lists }: FilesSeen): Files {
  return {
    read: (file) => reads.get(file) ?? { ok: false, problem: "it was not read at the start" },
    list: (place) => lists.get(place) ?? null,
  };
}

/** Another encoding would be sent as question marks; a byte order mark is left out. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "part of the path is not a directory",
  ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8; save it as that",
};

export const diskFiles: Files = {
  read: (file) => {
    try {
      return { ok: true, text: UTF8.decode(readFileSync(file)) };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { ok: false, problem: PROBLEMS[code ?? ""] ?? message };
    }
  },
  list: (place) => {
    let names: string[];
    try {
      if (!statSync(place).isDirectory()) return null;
      names = readdirSync(place);
    } catch {
      // Reading it as a file says what is wrong with it.
      return null;
    }
    return names
      .filter((name) => /^[^.].*\.ya?ml$/.test(name))
      .toSorted()
      .map((name) => path.join(place, name));
  },
};
