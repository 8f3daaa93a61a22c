import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline, Readable, type Transform } from "node:stream";
import { constants, createBrotliDecompress, createUnzip } from "node:zlib";
import type { Outgoing } from "./define.ts";
import type { Agents, Arrived } from "./http.ts";

/** No body at all, as a 204 has it, is no mistake of the packing: how long it is HTTP itself says. */
const unzip = () => createUnzip({ finishFlush: constants.Z_SYNC_FLUSH });
const unbrotli = () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH });

const UNPACK: ReadonlyMap<string, () => Transform> = new Map([
  ["gzip", unzip],
  ["x-gzip", unzip],
  ["deflate", unzip],
  ["br", unbrotli],
]);

/**
 * One request without anything in between. Node's own client: axios took as much of the processor as all the rest of a delivery
 * (docs/adr/0011). Rejects with Node's errors, whose codes `TransportError` knows.
 */
export function directly(
  { method, url, headers, body }: Outgoing,
  agents: Agents,
  signal: AbortSignal,
): Promise<Arrived> {
  return new Promise((resolve, reject) => {
    const secure = /^https:/i.test(url);
    const send = secure ? httpsRequest : httpRequest;
    const length =
      body === "" && method === "GET" ? {} : { "content-length": Buffer.byteLength(body) };
    const outgoing = send(
      url,
      { method, headers: { ...headers, ...length }, agent: secure ? agents.https : agents.http },
      (response) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: unpacked(response),
        }),
    );
    // Also for what comes after the answer, which nobody waits for any more.
    outgoing.on("error", reject);
    // Nobody asked for another protocol; Node would close the connection and say nothing of it.
    outgoing.once("upgrade", ({ statusCode = 0, headers: said }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, headers: said, body: Readable.from([]) });
    });
    const stop = () => outgoing.destroy();
    signal.addEventListener("abort", stop, { once: true });
    outgoing.once("close", () => signal.removeEventListener("abort", stop));
    outgoing.end(body);
  });
}

/** We ask for none, and yet there are servers that compress. */
function unpacked(response: IncomingMessage): Readable {
  const encoding = response.headers["content-encoding"]?.trim().toLowerCase() ?? "";
  const unpack = UNPACK.get(encoding);
  return unpack === undefined ? response : pipeline(response, unpack(), () => undefined);
}
