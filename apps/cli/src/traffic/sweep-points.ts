/** One rate of a series, measured. */
export interface Point {
  readonly rate: number;
  readonly saturated: boolean;
}

/** Between which rates a network saturates. */
export interface Saturation {
  /** Highest rate that was stable below the lowest that was saturated; null when the lowest was saturated. */
  readonly stable: number | null;
  /** Lowest rate that was saturated; null when none was. */
  readonly saturated: number | null;
}

const STEPS = 10;
const BISECTIONS = 5;

/**
 * The next rate to measure, or undefined when the curve is known: close to nothing first, then in tenths of the bound up to the
 * first saturated rate (or a fifth beyond the bound), then between the last stable and the first saturated one, halved five times.
 *
 * @param bound rate at which the busiest link would be full, flits per tile and cycle; undefined when nobody knows
 * @param most highest rate there is
 */
export function nextRate(points: readonly Point[], bound: number | undefined, most: number): number | undefined {
  const top = Math.min(most, (bound ?? most) * 1.2);
  const step = (bound ?? most / 10) / STEPS;
  if (points.length === 0) return tidy(Math.min(top, step / 5));
  const { stable, saturated } = saturationOf(points);
  if (saturated === null) {
    const highest = Math.max(...points.map(({ rate }) => rate));
    if (highest >= top) return undefined;
    // Without a bound the steps grow, so that saturation is found wherever it is.
    const grown = bound === undefined ? Math.max(step, highest * 1.5) : (Math.floor(highest / step + 0.01) + 1) * step;
    return tidy(Math.min(top, grown));
  }
  if (stable === null) return undefined;
  if (points.filter(({ rate }) => rate >= stable).length > BISECTIONS + 2 || saturated - stable < 0.005 * saturated) return undefined;
  const middle = tidy((stable + saturated) / 2);
  return points.length < 40 && middle > stable && middle < saturated ? middle : undefined;
}

export function saturationOf(points: readonly Point[]): Saturation {
  const saturated = Math.min(...points.filter((point) => point.saturated).map(({ rate }) => rate));
  const stable = Math.max(...points.filter(({ rate }) => rate < saturated).map(({ rate }) => rate));
  return { stable: Number.isFinite(stable) ? stable : null, saturated: Number.isFinite(saturated) ? saturated : null };
}

/** Four digits, so that tables can be read and rates typed again. */
function tidy(rate: number): number {
  return Number(rate.toPrecision(4));
}
