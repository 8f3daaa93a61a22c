import type { Hono, NodeEnv } from "../web/server.ts";
import { parseCommand } from "./command.ts";
import { forPrograms } from "./message.ts";
import { parseJson } from "./read.ts";
import type { Simulator } from "./simulator.ts";

/** For programs: what was received, and how the platforms are to behave. */
export function mountControl(app: Hono<NodeEnv>, simulator: Simulator): void {
  app.get("/_control", (c) => c.json(simulator.state()));
  app.post("/_control", async (c) => {
    // A page of another origin can post a form here, but not JSON.
    if (!/^application\/json\b/i.test(c.req.header("content-type") ?? ""))
      return c.json({ problems: ["Content-Type is not application/json"] }, 415);
    const command = parseCommand(parseJson(await c.req.text()));
    if ("problems" in command) return c.json(command, 400);
    simulator.control(command);
    return c.json(simulator.state());
  });
  app.get("/messages.json", (c) => {
    const after = Number(c.req.query("after") ?? 0);
    const state = c.req.query("state");
    const messages = simulator
      .messages(c.req.query("robot"))
      .filter((message) => message.id > after && (state === undefined || message.state === state))
      .map(forPrograms);
    return c.json({ messages });
  });
}
