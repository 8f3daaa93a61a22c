import type { Readable } from "node:stream";
import { create, type AxiosRequestConfig, type AxiosResponse } from "axios";
import type { Outgoing } from "./define.ts";
import type { Agents, Arrived } from "./http.ts";

/** Requests by way of the proxy that the environment names for the host, or directly where NO_PROXY has it. */
export function byProxy({
  http,
  https,
}: Agents): (request: Outgoing, signal: AbortSignal) => Promise<Arrived> {
  const client = create({
    adapter: "http",
    httpAgent: http,
    httpsAgent: https,
    maxRedirects: 0,
    responseType: "stream",
    // Our own deadline covers the whole exchange; axios' would start anew with every byte that drips in.
    timeout: 0,
    validateStatus: null,
    transformRequest: [(body: unknown) => body],
    transformResponse: [],
  });
  return async ({ method, url, headers, body }, signal) => {
    const config: AxiosRequestConfig<string | Buffer> = {
      method,
      url,
      // It would take a body for a form that has no type.
      headers: { "content-type": false, ...headers },
      data: body,
      signal,
    };
    const response: AxiosResponse<Readable> = await client.request(config);
    // The http adapter fills them from Node's own, so in lower case.
    const arrived = Object.fromEntries(Object.entries(response.headers)) as Arrived["headers"];
    return { status: response.status, headers: arrived, body: response.data };
  };
}
