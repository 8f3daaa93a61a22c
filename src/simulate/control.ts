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
    const { robot, state, after = "0" } = c.req.query();
    const problems = listProblems(c.req.query());
    if (problems.length > 0) return c.json({ problems }, 400);
    const messages = simulator
      .messages(robot)
      .filter(({ id, state: is }) => id > Number(after) && (state === undefined || is === state))
      .map(forPrograms);
    return c.json({ messages });
  });
}

const STATES = ["shown", "duplicate", "refused", "failed"];

/** A list that is empty for a mistake in the question would be taken for an answer. */
function listProblems(query: Readonly<Record<string, string>>): string[] {
  const { state, after } = query;
  const problems = Object.keys(query)
    .filter((key) => !["robot", "state", "after"].includes(key))
    .map((key) => `unknown parameter "${key}"; expected robot, state, after`);
  if (state !== undefined && !STATES.includes(state))
    problems.push(`state is "${state}"; expected shown, duplicate, refused or failed`);
  if (after !== undefined && !/^\d+$/.test(after))
    problems.push(`after is "${after}"; expected the id of a message`);
  return problems;
}
