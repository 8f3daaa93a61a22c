import { z } from "../../sink/schema.ts";

/** What is sent to the API, as schemas: read by them, and described by them. */

export const previewRequest = z
  .strictObject({
    sink: z.string().describe("a sink of the configuration"),
    text: z.string().max(100_000).optional().describe("the template; without it the one in use"),
    event: z.string().optional().describe("the id of an event; without it an example"),
  })
  .meta({
    id: "PreviewRequest",
    examples: [{ sink: "ops", text: '{{#*inline "title"}}{{reason}}: {{title}}{{/inline}}' }],
  });

export const kubernetesEvent = z
  .looseObject({
    apiVersion: z.enum(["v1", "events.k8s.io/v1"]),
    kind: z.literal("Event", {
      error: "Event: an object as `kubectl get event NAME -o json` prints it",
    }),
  })
  .meta({
    id: "KubernetesEvent",
    description:
      "An Event of core/v1 or events.k8s.io/v1, as `kubectl get event NAME -o json` prints it",
    examples: [
      {
        apiVersion: "v1",
        kind: "Event",
        metadata: { name: "web-7d4b9c.17a1", namespace: "shop", uid: "6f1c2f9e" },
        involvedObject: { kind: "Pod", namespace: "shop", name: "web-7d4b9c" },
        type: "Warning",
        reason: "BackOff",
        message: "Back-off restarting failed container",
        lastTimestamp: "2026-11-20T08:05:30Z",
      },
    ],
  });
