import type { Answer, Answering, Question } from "../../src/history/question.ts";

export interface Gated {
  readonly answering: Answering;
  /** What reached it, in order. */
  readonly served: readonly Question[];
  /** Answers the one that waits longest; false where none waits. */
  readonly answer: (value?: unknown) => boolean;
}

/** A store that answers each question only when it is told to. */
export function gatedAnswering(): Gated {
  const served: Question[] = [];
  const gates: ((value: Answer) => void)[] = [];
  return {
    answering: {
      answer: (question) => {
        served.push(question);
        return new Promise((resolve) => gates.push(resolve));
      },
      close: () => Promise.resolve(),
    },
    served,
    answer: (value) => {
      const gate = gates.shift();
      gate?.(value as Answer);
      return gate !== undefined;
    },
  };
}
