import { alertData, defineSink, jsonLine, s } from "../src/sink/index.ts";
import { writeLine } from "./stdout/line.ts";

export default defineSink({
  type: "stdout",
  title: "Standard output",
  summary: "One line for each alert on standard output: text for people, JSON for programs.",
  docs: "https://jsonlines.org",
  facts: {
    kind: "output",
    auth: "—",
    idempotency: "a line may be written again after a crash",
    batch: "one line an alert",
    testedAgainst: "the program's own output",
  },
  options: s.object({
    format: s
      .oneOf(["text", "json"], { description: "Lines of text, or one JSON object in each line." })
      .default("text"),
  }),
  defaultLevel: "Normal",
  uri: { target: null, keep: [] },
  example: { uri: "stdout:?format=json", yaml: { format: "json" } },
  blocks: ({ format }) => (format === "text" ? { line: "text" } : { title: "text", text: "text" }),
  limits: () => ({
    rates: [],
    concurrency: 1,
    body: null,
    blocks: {},
    throttledMs: 1000,
  }),
  create: ({ format }, { stdout }) => ({
    deliver(message, signal) {
      const line =
        format === "text" ? (message.blocks["line"] ?? "") : jsonLine(alertData(message));
      return writeLine(stdout, line, signal);
    },
    close: () => Promise.resolve(),
  }),
});
