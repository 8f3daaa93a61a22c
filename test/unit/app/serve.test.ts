import { describe, expect, it, onTestFinished } from "vitest";
import { serve } from "../../../src/app/serve.ts";

async function served(host = "127.0.0.1") {
  const state = {
    waiting: ["kubernetes"],
    stopping: false,
    scrape: () => Promise.resolve("up 1\n"),
  };
  const failures: string[] = [];
  const server = await serve(
    { host, port: 0 },
    {
      health: { waitingFor: () => state.waiting, stopping: () => state.stopping },
      metrics: { contentType: "text/plain; version=0.0.4", text: () => state.scrape() },
      failed: (detail) => void failures.push(detail),
    },
  );
  onTestFinished(() => server.close());
  const get = async (path: string, method = "GET") => {
    const answer = await fetch(`${server.url}${path}`, { method });
    return {
      status: answer.status,
      text: await answer.text(),
      type: answer.headers.get("content-type"),
    };
  };
  return { state, server, get, failures };
}

describe("what is served", () => {
  it("/readyz: 503 with the names of what is waited for, then 200, then 503 at the end", async () => {
    const { state, get } = await served();
    expect(await get("/readyz")).toMatchObject({ status: 503, text: "waiting for kubernetes\n" });
    state.waiting = [];
    expect(await get("/readyz")).toMatchObject({ status: 200, text: "ok\n" });
    state.stopping = true;
    expect(await get("/readyz")).toMatchObject({ status: 503, text: "stopping\n" });
    expect(await get("/livez"), "no reason to be killed").toMatchObject({ status: 200 });
    for (const path of ["/healthz", "/healtz"])
      expect(await get(path), "as kube-eventer's probes ask").toMatchObject({ status: 200 });
  });

  it("/metrics: as Prometheus reads it", async () => {
    const { get } = await served();
    expect(await get("/metrics")).toEqual({
      status: 200,
      text: "up 1\n",
      type: "text/plain; version=0.0.4",
    });
  });

  it("to HEAD what GET is told, without the text; a query changes nothing", async () => {
    const { get } = await served();
    expect(await get("/livez?verbose", "HEAD")).toMatchObject({ status: 200, text: "" });
    expect(await get("/livez?verbose")).toMatchObject({
      status: 200,
      text: "ok\n",
      type: "text/plain; charset=UTF-8",
    });
  });

  it("nothing else, and nothing that changes anything", async () => {
    const { get } = await served();
    expect((await get("/")).status).toBe(404);
    expect((await get("/metrics/../secret")).status).toBe(404);
    expect((await get("/livez", "POST")).status).toBe(404);
  });

  it("a scrape that fails is a 500 without details for whoever asks, with them for the log", async () => {
    const { state, get, failures } = await served();
    state.scrape = () => Promise.reject(new Error("no such table: delivery"));
    expect(await get("/metrics")).toMatchObject({ status: 500, text: "internal error\n" });
    expect(failures).toEqual(["/metrics could not be answered: no such table: delivery"]);
    expect((await get("/livez")).status).toBe(200);
  });

  it("on all interfaces where no host is given", async () => {
    const { server } = await served("");
    expect((await fetch(`http://127.0.0.1:${server.port}/livez`)).status).toBe(200);
  });
});
