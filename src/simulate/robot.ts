import type { Limit } from "./limit.ts";
import type { Platform, ReceivedMessage, RobotOptions } from "./message.ts";
import type { RobotState } from "./platform.ts";

const MAX_SEEN = 10_000;

/** One robot and all that its platform remembers about it. */
export class Robot implements RobotState {
  readonly limit: Limit;
  readonly key: string;
  #options: RobotOptions;
  readonly #seen = new Set<string>();
  readonly #counts = { shown: 0, duplicate: 0, refused: 0, failed: 0 };

  constructor(options: RobotOptions, limit: Limit) {
    this.#options = options;
    this.key = robotKey(options.platform, options.token);
    this.limit = limit;
  }

  get options(): RobotOptions {
    return this.#options;
  }

  get seen(): ReadonlySet<string> {
    return this.#seen;
  }

  get counts(): Readonly<Record<ReceivedMessage["state"], number>> {
    return this.#counts;
  }

  count(state: ReceivedMessage["state"]): void {
    this.#counts[state] += 1;
  }

  remember(idempotencyKey: string): void {
    this.#seen.add(idempotencyKey);
    if (this.#seen.size <= MAX_SEEN) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }

  resetLimits(): void {
    this.limit.reset();
    this.#seen.clear();
  }

  /** `secret: null` takes it away. */
  configure(changes: {
    readonly secret?: string | null;
    readonly keywords?: readonly string[];
    readonly name?: string;
  }): void {
    const { secret: oldSecret, ...rest } = this.#options;
    const { secret = oldSecret ?? null, ...others } = changes;
    this.#options = { ...rest, ...others, ...(secret === null ? {} : { secret }) };
  }
}

export function robotKey(platform: Platform, token: string): string {
  return `${platform}/${token}`;
}
