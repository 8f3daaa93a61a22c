/** A part of the client that its types leave out: see the driver. */
declare module "kafkajs/src/network/requestQueue/index.js" {
  interface RequestQueue {
    /** Milliseconds since the epoch; -1: the broker asked for no pause. */
    readonly throttledUntil: number;
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests: (this: RequestQueue) => void;
  }
  const requestQueue: { readonly prototype: RequestQueue };
  export default requestQueue;
}
