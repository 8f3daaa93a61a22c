import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/**
 * Read at once. A string of more than 128 KiB is a large object to V8, and has it collect the whole of its memory again and again; what is
 * read from a smaller one is collected while it is young.
 */
const CHUNK = 32_768;

/** A text, part by part. */
export interface Text {
  readonly chunks: AsyncIterable<string>;
  /** It comes when it comes, as from a pipe: what is there is not to wait for more. */
  readonly isLive: boolean;
}

/** @param stdin standard input, asked for only where `path` is `-` */
export async function textOf(
  path: string,
  stdin: () => Readable,
  signal: AbortSignal,
): Promise<Text> {
  if (path === "-") return { chunks: follow(stdin(), signal), isLive: true };
  if ((await stat(path)).isFile()) return { chunks: read(path, signal), isLive: false };
  const stream = createReadStream(path, { highWaterMark: CHUNK });
  return { chunks: follow(stream, signal), isLive: true };
}

/** By one buffer, while a stream takes a new one for each part. */
async function* read(path: string, signal: AbortSignal): AsyncGenerator<string> {
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const decoder = new StringDecoder("utf8");
  const file = await open(path);
  try {
    while (!signal.aborted) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
      if (bytesRead === 0) break;
      yield decoder.write(buffer.subarray(0, bytesRead));
    }
    yield decoder.end();
  } finally {
    await file.close();
  }
}

async function* follow(stream: Readable, signal: AbortSignal): AsyncGenerator<string> {
  stream.setEncoding("utf8");
  const stop = (): void => void stream.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of stream) yield chunk as string;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
