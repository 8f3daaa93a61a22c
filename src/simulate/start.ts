import { systemClock, type Clock } from "../clock.ts";
import { listen } from "../web/server.ts";
import type { Platform } from "./message.ts";
import { createSimulator, type Simulator, type SimulatorOptions } from "./simulator.ts";

export interface StartOptions extends Omit<SimulatorOptions, "clock"> {
  readonly clock?: Clock;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
}

export interface RunningSimulator extends Simulator {
  /** The page. */
  readonly url: string;
  readonly port: number;
  /** The webhook URL of a robot, as the platform would have given it out. */
  webhook(platform: Platform, token: string): string;
  close(): Promise<void>;
}

export async function startSimulator(options: StartOptions = {}): Promise<RunningSimulator> {
  const { host = "127.0.0.1", port = 0, clock = systemClock, ...rest } = options;
  const simulator = createSimulator({ ...rest, clock });
  const server = await listen({ host, port, app: simulator.app });
  return {
    ...simulator,
    url: server.url,
    port: server.port,
    webhook: (platform, token) => server.url + webhookPath(platform, token),
    close: () => {
      simulator.stop();
      return server.close();
    },
  };
}

function webhookPath(platform: Platform, token: string): string {
  switch (platform) {
    case "dingtalk":
      return `/robot/send?access_token=${encodeURIComponent(token)}`;
    case "lark":
      return `/open-apis/bot/v2/hook/${encodeURIComponent(token)}`;
    case "wecom":
      return `/cgi-bin/webhook/send?key=${encodeURIComponent(token)}`;
    case "slack":
      return `/services/${encodedPath(token)}`;
    case "hook":
      return `/hook/${encodedPath(token)}`;
  }
}

function encodedPath(token: string): string {
  return token.split("/").map(encodeURIComponent).join("/");
}
