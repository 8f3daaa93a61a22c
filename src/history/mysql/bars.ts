import type { Timeline } from "../history.ts";
import { DAY_MS, MINUTE_MS } from "./ids.ts";

const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440];
/** Bars that fit a page's width, where none are asked for; and the most there can be. */
const BARS = 120;
const BARS_MAX = 2_000;

export interface Frame {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

/** Whole bars. */
export function frameOf(asked: number | null, from: number, to: number): Frame {
  const step = stepOf(asked, to - from);
  return { from: Math.floor(from / step) * step, to: Math.ceil(to / step) * step, step };
}

/** The length that was asked for, or the shortest that makes no more bars than fit; never more than can be drawn. */
function stepOf(asked: number | null, range: number): number {
  const most = asked === null ? BARS : BARS_MAX;
  if (asked !== null && range / asked <= most) return asked;
  const minutes = MINUTES.find((step) => range / (step * MINUTE_MS) <= most);
  return minutes === undefined ? Math.ceil(range / most / DAY_MS) * DAY_MS : minutes * MINUTE_MS;
}

/** How often each value was there in each bar. */
export class Bars {
  readonly frame: Frame;
  readonly #counts = new Map<string, number[]>();

  constructor(frame: Frame) {
    this.frame = frame;
  }

  get length(): number {
    const { from, to, step } = this.frame;
    return Math.round((to - from) / step);
  }

  add(value: string, at: number, n: number): void {
    const bar = Math.floor((at - this.frame.from) / this.frame.step);
    if (bar >= 0 && bar < this.length) {
      const counts = this.of(value);
      counts[bar] = (counts[bar] ?? 0) + n;
    }
  }

  of(value: string): number[] {
    const known = this.#counts.get(value);
    if (known !== undefined) return known;
    const made = Array.from({ length: this.length }, () => 0);
    this.#counts.set(value, made);
    return made;
  }

  /** Largest first; those after the first `top` as one. */
  shaped(top: number): Pick<Timeline, "from" | "to" | "step" | "total" | "series"> {
    const series = [...this.#counts]
      .map(([value, counts]) => ({ value, total: sum(counts), counts }))
      .filter(({ total }) => total > 0)
      .toSorted((a, b) => b.total - a.total || a.value.localeCompare(b.value));
    const rest = series.slice(top);
    const counts = Array.from({ length: this.length }, (_, bar) =>
      sum(rest.map((one) => one.counts[bar] ?? 0)),
    );
    const other = rest.length === 0 ? [] : [{ value: null, total: sum(counts), counts }];
    return {
      ...this.frame,
      total: sum(series.map(({ total }) => total)),
      series: [...series.slice(0, top), ...other],
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
