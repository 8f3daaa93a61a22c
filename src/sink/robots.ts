import { fieldsOf } from "./answer.ts";
import type { HttpAnswer, HttpSinkDefinition, SinkDefinition } from "./define.ts";
import { LOOPBACK } from "./schema.ts";
import { Secret } from "./secret.ts";
import { statusVerdict } from "./status.ts";

/** How platforms say in the body how it went. */
const CODES = ["errcode", "code", "StatusCode", "status"] as const;

/**
 * A webhook whose address is a robot's, as kube-eventer's users have it: what it sends stays its own, but the platform's rates, its size, and
 * its refusals inside HTTP 200 hold for it as for the sink that is made for them. Any other definition comes back as it is.
 */
export function forRobots(
  definition: SinkDefinition,
  options: Readonly<Record<string, unknown>>,
  registry: readonly SinkDefinition[],
): SinkDefinition {
  const { uri } = definition;
  const address = uri.target === null ? null : options[uri.target];
  if (definition.transport !== "http" || uri.keep !== "*" || !(address instanceof Secret))
    return definition;
  const url = address.reveal();
  const native = registry.find((one) => isAt(url, one));
  const target = native?.uri.target ?? null;
  if (native === undefined || target === null) return definition;
  // kube-eventer's documentation writes http to WeCom, which its own sink does not take.
  const known = [url, url.replace(/^http:/i, "https:")]
    .map((webhook) => native.options.safeParse({ [target]: webhook }))
    .find(({ success }) => success);
  if (known?.data === undefined) return definition;
  const { rates, concurrency, throttledMs, body } = native.limits(known.data);
  const robot = native.robot?.(known.data);
  return {
    ...definition,
    limits: (given) => {
      const own = definition.limits(given);
      return { ...own, rates, concurrency, throttledMs, body: body ?? own.body };
    },
    // What says no code is something in between, which is judged as any receiver is.
    accept: (answer) => (saysCode(answer) ? native.accept(answer) : statusVerdict(answer)),
    ...(robot === undefined ? {} : { robot: () => robot, robotOf: native.type }),
  };
}

/** On loopback the robots are simulated. */
function isAt(url: string, definition: SinkDefinition): definition is HttpSinkDefinition {
  const { transport, uri } = definition;
  const { hostname, pathname } = URL.parse(url) ?? { hostname: "", pathname: "" };
  if (transport !== "http" || uri.robots === undefined) return false;
  const { hosts, path } = uri.robots;
  return (hosts.includes(hostname) || LOOPBACK.test(hostname)) && pathname.startsWith(path);
}

function saysCode({ json }: HttpAnswer): boolean {
  const fields = fieldsOf(json);
  return fields !== null && CODES.some((name) => name in fields);
}
