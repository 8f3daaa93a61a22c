import type { Explanation, SinkExplanation } from "../../explain/event.ts";
import type { FilterTest } from "../../explain/filter.ts";
import type { DeliveryRow } from "../../ledger/ledger.ts";
import { html, type Html } from "../server.ts";
import { spanText } from "../../template/times.ts";
import type { Allowance } from "../../explain/allowance.ts";
import type { Difference } from "../../explain/then.ts";
import { attemptNumber } from "../../event/delivery.ts";
import type { KubeEvent } from "../../event/event.ts";
import type { Desk } from "./desk.ts";
import { deliveryPath } from "./rows.ts";
import { count, instant, moment, type Reader } from "./reader.ts";
import { MARKS } from "./told.ts";

export interface TraceView {
  readonly seenAt: number;
  readonly event: Pick<KubeEvent, "resourceVersion" | "count" | "firstSeen">;
  readonly suppressed: string | null;
  readonly explanation: Explanation;
  readonly differences: readonly Difference[];
  readonly deliveries: readonly DeliveryRow[];
  readonly drawSent: Desk["drawSent"];
  readonly reader: Reader;
}

/** The story of an event's delivery, in the order in which it happened: seen, decided, then each sink. */
export function drawTrace({
  seenAt,
  event: { resourceVersion, count: times, firstSeen },
  suppressed,
  explanation,
  differences,
  deliveries,
  drawSent,
  reader,
}: TraceView): Html {
  const { words, decisionWords } = reader;
  const told = new Set(deliveries.map(({ sink }) => sink));
  return html`<ol class="trace">
      <li>
        ${instant(seenAt, reader)} ${words.seen}
        ${resourceVersion === "" ? "" : html`<span class="soft">resourceVersion ${resourceVersion}</span>`}
        ${
          times === 1
            ? ""
            : html`<span class="soft"
                >${decisionWords.series(count(times, reader))}, ${decisionWords.since}
                ${moment(firstSeen, reader)}</span
              >`
        }
      </li>
      ${
        explanation.global.length === 0
          ? ""
          : html`<li>${words.filters} ${drawTests(explanation.global)}</li>`
      }
      ${
        suppressed === null
          ? ""
          : html`<li><b>${words.suppressed[suppressed] ?? suppressed}</b></li>`
      }
      ${deliveries.map((delivery) => drawDelivery(delivery, explanation, drawSent, reader))}
      ${explanation.sinks
        .filter(({ sink }) => !told.has(sink))
        .map((sink) => drawUntold(sink, reader))}
    </ol>
    ${differences.length === 0 ? "" : drawDifferences(differences, reader)}`;
}

/** It was another configuration then: without this the tests above would seem to contradict what happened. */
function drawDifferences(differences: readonly Difference[], { decisionWords }: Reader): Html {
  return html`<div class="otherwise" role="note">
    <p>${decisionWords.otherwise}</p>
    <ul>
      ${differences.map(
        ({ sink, what }) => html`<li><b>${sink}</b> ${decisionWords.differences[what]}</li>`,
      )}
    </ul>
  </div>`;
}

/** One delivery: how it stands, the tests it passed, its attempts, the answer and the message. */
export function drawDelivery(
  delivery: DeliveryRow,
  explanation: Explanation | null,
  drawSent: Desk["drawSent"],
  reader: Reader,
): Html {
  const { words } = reader;
  const { sink, state, owedAt, settledAt, notBefore, reason } = delivery;
  const explained = explanation?.sinks.find((one) => one.sink === sink) ?? null;
  return html`<li class="${state}" id="delivery-${delivery.id}">
    <header>
      ${instant(settledAt ?? owedAt, reader)} <b>${sink}</b>
      <i class="mark ${state}" aria-hidden="true">${MARKS[state]}</i> ${words.states[state]}
      ${reason === null ? "" : html`<span class="soft">${reason}</span>`}
      ${
        state === "pending" && notBefore > reader.now
          ? html`<span class="soft">${words.nextTry("")}${moment(notBefore, reader)}</span>`
          : ""
      }
    </header>
    ${explained === null ? "" : html`${drawTests(explained.tests)} ${drawAllowance(explained.allowance, reader)}`}
    ${drawTries(delivery, reader)}
    ${
      delivery.foldedInto === null
        ? ""
        : html`<p>
            <a href="${deliveryPath(delivery.foldedInto)}">${words.foldedInto}</a>
          </p>`
    }
    ${
      delivery.answer === null || delivery.answer === ""
        ? ""
        : html`<p class="soft">${words.answer}: <code>${delivery.answer}</code></p>`
    }
    ${
      delivery.sent === null || delivery.sent === ""
        ? ""
        : html`<details>
            <summary>${words.message}</summary>
            ${drawMessage(delivery.sent, drawSent(delivery), words.request)}
          </details>`
    }
  </li>`;
}

/** As the chat showed it, with what was sent behind it; or what was sent alone. */
function drawMessage(sent: string, drawn: Html | null, request: string): Html {
  if (drawn === null) return html`<pre>${sent}</pre>`;
  return html`<div class="chat">${drawn}</div>
    <details>
      <summary>${request}</summary>
      <pre>${sent}</pre>
    </details>`;
}

/** `at most 20 in 1 min; what is more is told in a digest`: why something may have been folded, or have waited. */
export function drawAllowance({ rates, excess }: Allowance, reader: Reader): Html {
  const { decisionWords, lang } = reader;
  const each = rates.map(({ count: most, perMs }) =>
    decisionWords.rate(count(most, reader), spanText(perMs, lang)),
  );
  const separator = lang === "zh" ? "，" : ", ";
  return html`<p class="soft">
    ${
      each.length === 0
        ? decisionWords.unlimited
        : `${decisionWords.atMost(each.join(separator))}${lang === "zh" ? "；" : "; "}${decisionWords.excess[excess]}`
    }
  </p>`;
}

/** Each attempt that is kept: the first, the last ones, and how the one ended that was accepted. */
function drawTries(
  { tries, attempts, state, settledAt, tookMs, detail }: DeliveryRow,
  reader: Reader,
): Html | string {
  const { words } = reader;
  const took = (ms: number | null) => (ms === null ? "" : `${count(ms, reader)} ms`);
  const numbered = tries.map((one, index) => ({
    ...one,
    number: attemptNumber(index, tries.length, attempts),
  }));
  if (tries.length === 0 && state !== "delivered")
    return detail === null ? "" : html`<p class="detail">${detail}</p>`;
  return html`<ol class="tries">
    ${numbered.map(
      ({ at, tookMs: ms, reason, detail: said, number }) =>
        html`<li>
          ${instant(at, reader)} ${words.attempt(number)} <b>${reason}</b>
          <span class="soft">${took(ms)}</span> <span class="detail">${said}</span>
        </li>`,
    )}
    ${
      state === "delivered" && settledAt !== null
        ? html`<li>
            ${instant(settledAt, reader)}
            ${words.attempt(attemptNumber(tries.length, tries.length, attempts))}
            <b>${words.accepted}</b>
            <span class="soft">${took(tookMs)}</span>
          </li>`
        : ""
    }
  </ol>`;
}

function drawUntold({ sink, tests }: SinkExplanation, { words }: Reader): Html {
  return html`<li class="none">
    <header><b>${sink}</b> <i class="mark none" aria-hidden="true">·</i> ${words.notRouted}</header>
    ${drawTests(tests)}
  </li>`;
}

/** Each test as a person would say it: `level Warning ✓`, `namespaces shop ✓ shop`. */
export function drawTests(tests: readonly FilterTest[]): Html | string {
  if (tests.length === 0) return "";
  return html`<ul class="tests">
    ${tests.map(
      ({ list, found, wanted, matched, passed }) =>
        html`<li class="${passed ? "passed" : "failed"}" title="${wanted.join(", ")}">
          ${list} <q>${found}</q> <i class="mark" aria-hidden="true">${passed ? "✓" : "✗"}</i>
          ${matched === null || matched === found ? "" : html`<code>${matched}</code>`}
        </li>`,
    )}
  </ul>`;
}
