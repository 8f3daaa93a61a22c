import type { Config } from "../config/config.ts";
import type { Alert } from "../event/alert.ts";
import { attemptNumber } from "../event/delivery.ts";
import { DROP_REASONS } from "../event/reason.ts";
import { type Decision, findDecision } from "../explain/decision.ts";
import type { DeliveryRow } from "../ledger/ledger.ts";
import { decisionOf } from "../web/api/answers.ts";
import { DECISION_WORDS } from "../web/page/decision-words.ts";
import { explanationText } from "./explain-text.ts";
import { EXIT, type ExitCode, type Io } from "./io.ts";
import { readable, readerAt } from "./place.ts";
import { inline, shorten } from "./table.ts";

/** A person waits this long. */
const DEADLINE_MS = 30_000;
const DETAIL_COLUMNS = 160;
const MESSAGE_COLUMNS = 80;

/** `kube-crier explain --id`: the whole path of what is in the ledger, beside whatever writes it. */
export async function explainStored(
  config: Config,
  id: string,
  json: boolean,
  io: Io,
): Promise<ExitCode> {
  const { dataDir } = config;
  const place = config.ledger === null ? { dataDir } : { dataDir, ledger: config.ledger.reveal() };
  const reader = await readerAt(place, io);
  try {
    const ask = { visible: "all", deadlineMs: DEADLINE_MS, signal: io.signal } as const;
    const decision = await findDecision(reader, config, id, ask);
    if (decision === null) {
      io.stderr.write(
        `the ledger${config.ledger === null ? ` in ${dataDir}` : ""} holds no event and no delivery of the id ${JSON.stringify(id.slice(0, 200))}; "kube-crier history --json" shows the ids. What no sink wanted is kept with --history-keeps=all only\n`,
      );
      return EXIT.failed;
    }
    io.stdout.write(
      json ? `${JSON.stringify(decisionOf(decision))}\n` : decisionText(config, decision),
    );
    return EXIT.ok;
  } catch (error) {
    throw readable(place, error);
  } finally {
    await reader.close();
  }
}

function decisionText(config: Config, decision: Decision): string {
  if (decision.kind === "summary") {
    const { row, folded } = decision.delivery;
    return [
      line(0, summaryText(row.alert)),
      deliveryText(row),
      folded.length === 0 ? "" : line(2, "what it tells of:"),
      ...folded.map(({ id, event }) =>
        line(4, `${event.reason}: ${shorten(event.message, MESSAGE_COLUMNS)} (${id})`),
      ),
    ].join("");
  }
  const { story, explanation, differences } = decision;
  const { id, event, receivedAt, suppressed, deliveries } = story.row;
  const words = DECISION_WORDS.en;
  const series =
    event.count > 1
      ? `, ${words.series(String(event.count))}, ${words.since} ${event.firstSeen}`
      : "";
  return [
    explanationText(config, event, explanation),
    `\n${line(2, `what happened to ${id}`)}`,
    line(4, `it arrived at ${iso(receivedAt)}${series}`),
    suppressed === null ? "" : line(4, `owed to nobody: ${DROP_REASONS[suppressed]}`),
    ...deliveries.map(deliveryText),
    ...(differences.length === 0 ? [] : [line(2, words.otherwise)]),
    ...differences.map(({ sink, what }) => line(4, `${sink} ${words.differences[what]}`)),
  ].join("");
}

function deliveryText(row: DeliveryRow): string {
  const { id, sink, state, owedAt, settledAt, attempts, tries, foldedInto, answer } = row;
  const reason = row.reason === null ? "" : `, ${row.reason}`;
  return [
    line(4, `${sink}: ${state} at ${iso(settledAt ?? owedAt)}${reason} (delivery ${id})`),
    ...tries.map((one, index) => {
      const number = attemptNumber(index, tries.length, attempts);
      const detail = shorten(one.detail, DETAIL_COLUMNS);
      return line(6, `attempt ${number} at ${iso(one.at)}: ${one.reason}, ${detail}`);
    }),
    state === "delivered"
      ? line(6, `attempt ${attemptNumber(tries.length, tries.length, attempts)}: accepted`)
      : "",
    state === "pending" ? line(6, `tried next at ${iso(row.notBefore)}`) : "",
    foldedInto === null ? "" : line(6, `told in the digest ${foldedInto}`),
    answer === null || answer === "" ? "" : line(6, `answer: ${shorten(answer, DETAIL_COLUMNS)}`),
  ].join("");
}

function summaryText(alert: Alert): string {
  const words = DECISION_WORDS.en;
  switch (alert.kind) {
    case "event":
      return alert.event.reason;
    case "digest": {
      const total = String(alert.total);
      const what = alert.tooOld === true ? words.tooOldDigest(total) : words.digest(total);
      return `${what}, ${alert.from} to ${alert.to}`;
    }
    case "gap":
      return `${words.gap}, ${alert.since} to ${alert.until}`;
  }
}

/** What an Event says and a platform answers is not ours: nothing of it steers a terminal. */
function line(indent: number, text: string): string {
  return `${" ".repeat(indent)}${inline(text)}\n`;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
