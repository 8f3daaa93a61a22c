import type { Lang } from "../config/config.ts";

export type Words = Readonly<Record<Lang, string>>;

/** How far a canary has come. */
export type Stage = "unwritten" | "written" | "seen" | "taken" | "refused" | "arrived";

/** One canary, from its writing to its acceptance. */
export class Round {
  readonly count: number;
  stage: Stage = "unwritten";
  /** When the last attempt to write it began: milliseconds since the epoch. */
  sentAt: number;
  /** What the API server or the sink said last. */
  detail = "";
  readonly #over = Promise.withResolvers<void>();

  constructor(count: number, sentAt: number) {
    this.count = count;
    this.sentAt = sentAt;
  }

  /** Settles when it has arrived, or was refused for good. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  end(stage: "refused" | "arrived"): void {
    this.stage = stage;
    this.#over.resolve();
  }

  get isUnwritten(): boolean {
    return this.stage === "unwritten";
  }

  /** Between the watch and its end: another one would only queue behind it. */
  get isUnderWay(): boolean {
    return this.stage === "seen" || this.stage === "taken";
  }

  /** Where it is stuck, in words. @param to the sink that has to accept it; `null`: the ledger alone */
  whereabouts(to: string | null): Words {
    const [en, zh] = stuckAt(this.stage, to ?? "");
    // What others said is in their words.
    return this.detail === ""
      ? { en, zh }
      : { en: `${en}: ${this.detail}`, zh: `${zh}：${this.detail}` };
  }
}

function stuckAt(stage: Stage, sink: string): readonly [en: string, zh: string] {
  switch (stage) {
    case "unwritten":
      return ["the API server did not take it", "API server 没有接受它"];
    case "written":
      return [
        "the API server has it, and it did not come on the watch",
        "API server 已有它，但 watch 没有收到",
      ];
    case "seen":
      return [
        "it came on the watch, and the ledger does not hold it",
        "watch 已收到它，但没有写入账本",
      ];
    case "taken":
      return [
        `it is in the ledger, and ${sink} has not accepted it`,
        `它已写入账本，但 ${sink} 还没有接受`,
      ];
    case "refused":
      return [`${sink} refused it`, `${sink} 拒绝了它`];
    case "arrived":
      return ["it arrived", "它已到达"];
  }
}
