import type { ReceivedMessage } from "./message.ts";

const MAX_BODIES = 64 * 1024 * 1024;

/** The messages kept, oldest dropped first; what is dropped stays counted by the robots. */
export class MessageStore {
  readonly #keep: number;
  #messages: ReceivedMessage[] = [];
  #bytes = 0;
  #lastId = 0;
  readonly #listeners = new Set<(message: ReceivedMessage) => void>();

  constructor(keep: number) {
    this.#keep = keep;
  }

  get lastId(): number {
    return this.#lastId;
  }

  add(message: Omit<ReceivedMessage, "id">): ReceivedMessage {
    this.#lastId += 1;
    const added: ReceivedMessage = { id: this.#lastId, ...message };
    this.#messages.push(added);
    this.#bytes += added.request.bytes;
    while (this.#messages.length > this.#keep || this.#bytes > MAX_BODIES) {
      const dropped = this.#messages.shift();
      if (dropped === undefined) break;
      this.#bytes -= dropped.request.bytes;
    }
    for (const listener of this.#listeners) listener(added);
    return added;
  }

  /** Oldest first. */
  list(robot?: string): readonly ReceivedMessage[] {
    return robot === undefined
      ? [...this.#messages]
      : this.#messages.filter((message) => message.robot === robot);
  }

  clear(): void {
    this.#messages = [];
    this.#bytes = 0;
  }

  /** Called with each message from now on. @returns how to stop */
  subscribe(listener: (message: ReceivedMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Resolves with the shown messages once there are `count` of them, those already kept included. */
  shown(count: number, robot?: string): Promise<readonly ReceivedMessage[]> {
    const now = () => this.list(robot).filter((message) => message.state === "shown");
    const found = now();
    if (found.length >= count) return Promise.resolve(found);
    return new Promise((resolve) => {
      const stop = this.subscribe(() => {
        const later = now();
        if (later.length < count) return;
        stop();
        resolve(later);
      });
    });
  }
}
