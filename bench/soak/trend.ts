/** A measurement: when, in seconds, and what. */
export type Sample = readonly [seconds: number, value: number];

export interface Trend {
  /** Theil–Sen: the median of the slopes of all pairs, per second. One outlier in four moves it little. */
  readonly slope: number;
  /** The slope is above this with 97.5 % confidence (Sen 1968), samples being no more independent than they are. */
  readonly atLeast: number;
  /** `atLeast` over the time that was measured: the growth which chance does not explain. */
  readonly growth: number;
}

/** 97.5 % of the normal distribution. */
const Z = 1.96;

/**
 * Whether something rises. Neighbouring samples of a process's memory resemble each other, which makes a random walk look like a trend:
 * the variance of Kendall's S is therefore multiplied by (1 + r)/(1 - r), r being the autocorrelation of neighbours once the slope is taken off
 * (the modified Mann–Kendall test of Yue and Wang 2004).
 */
export function trendOf(samples: readonly Sample[]): Trend {
  const n = samples.length;
  const slopes = pairs(samples).sort();
  if (n < 4) return { slope: median(slopes), atLeast: Number.NEGATIVE_INFINITY, growth: 0 };
  const slope = median(slopes);
  const rest = samples.map(([at, value]) => value - slope * at);
  const variance = (n * (n - 1) * (2 * n + 5)) / 18;
  const spread = Z * Math.sqrt(variance * inflation(rest));
  const rank = Math.floor((slopes.length - spread) / 2);
  const atLeast = rank < 0 ? Number.NEGATIVE_INFINITY : (slopes[rank] ?? 0);
  const seconds = (samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0);
  return { slope, atLeast, growth: Math.max(0, atLeast * seconds) };
}

function pairs(samples: readonly Sample[]): Float64Array {
  const slopes = new Float64Array((samples.length * (samples.length - 1)) / 2);
  let at = 0;
  for (const [index, [later, high]] of samples.entries())
    for (const [earlier, low] of samples.slice(0, index)) {
      slopes[at] = (high - low) / (later - earlier);
      at += 1;
    }
  return slopes;
}

/** By how much fewer independent samples there are than samples; what swings back and forth counts as independent. */
function inflation(rest: readonly number[]): number {
  const mean = rest.reduce((sum, value) => sum + value, 0) / rest.length;
  const off = rest.map((value) => value - mean);
  const square = off.reduce((sum, value) => sum + value * value, 0);
  if (square === 0) return 1;
  const neighbours = off.reduce((sum, value, index) => sum + value * (off[index + 1] ?? 0), 0);
  const r = Math.min(0.95, Math.max(0, neighbours / square));
  return (1 + r) / (1 - r);
}

function median(sorted: Float64Array): number {
  const middle = sorted.length / 2;
  return sorted.length === 0
    ? 0
    : ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}
