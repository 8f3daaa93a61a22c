/** One block of a stream of server-sent events, as the HTML standard has it; `id` is where the client goes on after a break. */
export function block(event: string, data: string, id: number | null = null): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${id === null ? "" : idLine(id)}event: ${event}\n${lines.join("")}\n`;
}

/** Put before a block it becomes the block's own. */
export function idLine(id: number): string {
  return `id: ${id}\n`;
}

/** How long a client waits before it comes again, and something to see at once that the stream is there. */
export const BEGIN = "retry: 2000\n: following\n\n";

const encoder = new TextEncoder();

export function encode(text: string): Uint8Array {
  return encoder.encode(text);
}
