import type { Failure } from "../../sinks/kafka/errors.ts";
import { Partition } from "../../sinks/kafka/partition.ts";
import type { KafkaRecord } from "../../sinks/kafka/record.ts";
import type { Verdict } from "../../src/sink/index.ts";

/** A partition whose broker answers as it is told. */
export class Scripted {
  readonly sent: (readonly string[])[] = [];
  readonly answers: (Failure | null)[] = [];
  resets = 0;
  readonly partition: Partition;

  constructor(maxBytes = 1_000_000) {
    this.partition = new Partition(0, {
      maxBytes,
      send: (_, records) => {
        this.sent.push(records.map(({ id }) => id));
        const [answer = null] = this.answers.splice(0, 1);
        return Promise.resolve(answer);
      },
      reset: () => {
        this.resets += 1;
        return Promise.resolve();
      },
    });
  }

  deliver(...ids: readonly string[]): Promise<readonly Verdict[]> {
    return Promise.all(
      ids.map((id) => new Promise<Verdict>((resolve) => this.partition.add(aRecord(id), resolve))),
    );
  }
}

export function aRecord(id: string): KafkaRecord {
  const bytes = 400;
  return { id, key: "k", value: id, headers: {}, timestamp: "0", bytes, isCut: false };
}
