import type { Clock } from "../../clock.ts";
import type { KubeEvent } from "../../event/event.ts";
import { normalize } from "../../event/normalize.wire.ts";
import type { Checkpoint, SourceItem, Witness } from "../source.ts";
import { type Frame, metadataOf, versionOf } from "./frames.ts";
import { Occurrences } from "./occurrences.ts";
import { compareVersions } from "./version.ts";

/** What one line of a watch comes to. */
export type Reading =
  | { readonly kind: "item"; readonly item: SourceItem }
  /** The line was fine and says nothing. */
  | { readonly kind: "nothing" }
  | { readonly kind: "refused"; readonly error: Error }
  | { readonly kind: "garbage"; readonly detail: string };

export interface ProgressOptions {
  readonly scope: string;
  /** The name of the cluster. */
  readonly cluster: string;
  readonly clock: Clock;
}

/** How far a stream has come, and what a line of its watch means for that. */
export class Progress {
  readonly occurrences = new Occurrences();
  readonly #options: ProgressOptions;
  #identity = "";
  #version = "";
  #at = 0;
  #witness: Witness | null = null;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Everything up to here has been taken. */
  get version(): string {
    return this.#version;
  }

  /** When that was last known to be so: milliseconds since the epoch. */
  get at(): number {
    return this.#at;
  }

  /** The Event seen last, unless its end was seen too. */
  get witness(): Witness | null {
    return this.#witness;
  }

  /** @param identity of the cluster, which checkpoints carry */
  begin(identity: string): void {
    this.#identity = identity;
  }

  resume(checkpoint: Checkpoint): void {
    this.#version = checkpoint.resourceVersion;
    this.#at = checkpoint.at;
    this.#witness = checkpoint.witness ?? null;
  }

  /** The newest of a list; `null`: there is none. */
  listed(newest: KubeEvent | null): void {
    if (newest === null) this.#witness = null;
    else this.#saw(newest, Math.min(this.#options.clock.now(), Date.parse(newest.lastSeen)));
  }

  /** The cluster is at `version` and all before it is taken, now; backwards too, as after a restored etcd. */
  reached(
    version: string,
    at: number = this.#options.clock.now(),
  ): Extract<SourceItem, { kind: "checkpoint" }> {
    this.#version = version;
    this.#at = at;
    return {
      kind: "checkpoint",
      checkpoint: {
        scope: this.#options.scope,
        cluster: this.#identity,
        resourceVersion: version,
        at: this.#at,
        ...(this.#witness === null ? {} : { witness: this.#witness }),
      },
    };
  }

  read(frame: Frame): Reading {
    switch (frame.kind) {
      case "garbage":
      case "refused":
        return frame;
      case "bookmark":
        return this.#moved(frame.resourceVersion);
      case "deleted": {
        // Its time to live is over, or its namespace is gone: nothing happened to the object.
        const uid = metadataOf(frame.object)["uid"];
        if (typeof uid === "string") this.occurrences.forget(uid);
        if (uid === this.#witness?.uid) this.#witness = null;
        return this.#moved(versionOf(frame.object), this.#at);
      }
      case "changed":
        return this.#changed(frame.object);
    }
  }

  #changed(object: unknown): Reading {
    const now = this.#options.clock.now();
    const receivedAt = new Date(now).toISOString();
    const event = normalize(object, this.#options.cluster, receivedAt);
    if (event === null) return { kind: "garbage", detail: "the object of a change is no Event" };
    this.#saw(event, now);
    // It may have been long on its way, and others behind it are: all is known up to when it was written, and not up to now.
    const written = Math.min(now, Date.parse(event.lastSeen));
    const moved = this.#moved(event.resourceVersion, Math.max(this.#at, written));
    if (!this.occurrences.take(event)) return moved;
    const checkpoint =
      moved.kind === "item" && moved.item.kind === "checkpoint" ? moved.item.checkpoint : null;
    return { kind: "item", item: { kind: "event", event, checkpoint } };
  }

  #saw({ uid, type }: KubeEvent, at: number): void {
    this.#witness = { uid, type, at };
  }

  /** A watch never takes the checkpoint backwards, whatever it says. */
  #moved(version: string, at?: number): Reading {
    if (version === "") return { kind: "nothing" };
    const backwards = (compareVersions(version, this.#version) ?? 0) < 0;
    return { kind: "item", item: this.reached(backwards ? this.#version : version, at) };
  }
}
