import { clip, coreEvent, type KubeEvent } from "../../src/sink/index.ts";
import { encodeLog } from "./protobuf.ts";

/** Of one value: Log Service takes up to 1 MB in a log. In characters, which JSON may write in six bytes. */
const MESSAGE_CHARACTERS = 150_000;

export type Fields = readonly (readonly [name: string, value: string])[];

/** An occurrence with the fields that kube-eventer gave it: indices and queries stay. */
export function logOf(event: KubeEvent, label: Fields): { log: Buffer; isCut: boolean } {
  const message = clip(event.message, MESSAGE_CHARACTERS);
  const { object, reporter } = event;
  const at = Date.parse(event.lastSeen);
  const contents: [string, string][] = [
    ["eventId", JSON.stringify(coreEvent({ ...event, message }), null, 1)],
    ["hostname", reporter.host ?? ""],
    ["level", event.type],
    ...(object.kind === "Pod"
      ? ([
          ["pod_id", object.uid ?? ""],
          ["pod_name", object.name],
        ] as [string, string][])
      : []),
    ...label.map(([name, value]): [string, string] => [name, value]),
  ];
  const log = encodeLog({
    time: Math.floor(at / 1000),
    nanoseconds: (at % 1000) * 1_000_000,
    contents,
  });
  return { log, isCut: message !== event.message };
}
