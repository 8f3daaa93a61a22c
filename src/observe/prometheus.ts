/** prom-client's one door. */
export { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, Summary } from "prom-client";
