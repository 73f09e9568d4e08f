/** One latency–load curve. */
export interface Curve {
  readonly name: string;
  /** Stable points, rates rising. */
  readonly points: readonly { readonly rate: number; readonly latencyCycles: number }[];
  /** Highest stable and lowest saturated rate; null where there is none. */
  readonly stable: number | null;
  readonly saturated: number | null;
}

const WIDTH = 960;
const HEIGHT = 560;
const LEFT = 84;
const RIGHT = 28;
const TOP = 74;
const BOTTOM = 64;
const LEGEND_ROW = 20;
const MARKS = ['circle', 'square', 'diamond', 'triangle'] as const;
const DASHES = ['', '7 4', '2 4', '9 4 2 4'];
/** Okabe & Ito's colours (2008), told apart with any colour vision, in a shade for light and one for dark ground. */
const LIGHT = ['#0072b2', '#b34700', '#007a5a', '#a0447f', '#7a6a00', '#3b3b98', '#8a1c1c', '#4d4d4d'];
const DARK = ['#56b4e9', '#f0903c', '#2fc596', '#e29ac4', '#f0e442', '#a3a3f5', '#ff8f8f', '#c8c8c8'];

/** Draws latency against load as an SVG that can be read on light and dark ground; saturation is marked on each curve. */
export function curveSvg(title: string, curves: readonly Curve[]): string {
  const all = curves.flatMap(({ points }) => points);
  const xMost = niceTop(Math.max(1e-6, ...curves.flatMap(({ points, saturated }) => [...points.map(({ rate }) => rate), saturated ?? 0])));
  const yMost = niceTop(tallest(curves));
  const legendRows = Math.ceil(curves.length / 2);
  const top = TOP + legendRows * LEGEND_ROW;
  const height = HEIGHT + legendRows * LEGEND_ROW;
  const bottom = height - BOTTOM;
  const x = (rate: number): number => LEFT + (rate / xMost) * (WIDTH - LEFT - RIGHT);
  const y = (cycles: number): number => bottom - (cycles / yMost) * (bottom - top);
  const at = (value: number): string => value.toFixed(1);

  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}: packet latency against offered load">`,
    `<style>${style(curves.length)}</style>`,
    `<clipPath id="plot"><rect x="${LEFT}" y="${top - 8}" width="${WIDTH - LEFT - RIGHT + 8}" height="${bottom - top + 8}"/></clipPath>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="${LEFT}" y="32">${escaped(title)}</text>`,
    `<text class="note" x="${LEFT}" y="54">Mean packet latency against offered load. Dashed verticals: from here to the right the network is saturated.</text>`,
  ];
  for (const [index, { name }] of curves.entries()) {
    const lx = LEFT + (index % 2) * ((WIDTH - LEFT - RIGHT) / 2);
    const ly = TOP + Math.floor(index / 2) * LEGEND_ROW;
    out.push(`<line class="line c${index}" x1="${lx}" y1="${ly}" x2="${lx + 34}" y2="${ly}"${dash(index)}/>`, mark(index, lx + 17, ly), `<text class="label" x="${lx + 42}" y="${ly + 4.5}">${escaped(name)}</text>`);
  }
  for (const tick of ticks(yMost)) {
    out.push(`<line class="grid" x1="${LEFT}" y1="${at(y(tick))}" x2="${WIDTH - RIGHT}" y2="${at(y(tick))}"/>`, `<text class="label end" x="${LEFT - 10}" y="${at(y(tick) + 4.5)}">${number(tick)}</text>`);
  }
  for (const tick of ticks(xMost)) {
    out.push(`<line class="grid" x1="${at(x(tick))}" y1="${top}" x2="${at(x(tick))}" y2="${bottom}"/>`, `<text class="label middle" x="${at(x(tick))}" y="${bottom + 22}">${number(tick)}</text>`);
  }
  out.push(
    `<path class="axis" d="M${LEFT} ${top}V${bottom}H${WIDTH - RIGHT}"/>`,
    `<text class="axis-name middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 18}">Offered load (flits per tile and cycle)</text>`,
    `<text class="axis-name middle" transform="translate(24 ${(top + bottom) / 2}) rotate(-90)">Mean packet latency (cycles)</text>`,
  );
  if (all.length === 0) out.push(`<text class="label middle" x="${(LEFT + WIDTH) / 2}" y="${(top + bottom) / 2}">No rate was stable.</text>`);
  const labels: number[][] = [];
  for (const [index, { points, stable, saturated }] of curves.entries()) {
    out.push('<g clip-path="url(#plot)">');
    if (saturated !== null) {
      const edge = stable === null ? saturated : (stable + saturated) / 2;
      out.push(`<line class="edge c${index}" x1="${at(x(edge))}" y1="${top}" x2="${at(x(edge))}" y2="${bottom}"/>`);
    }
    out.push(`<polyline class="line c${index}"${dash(index)} points="${points.map(({ rate, latencyCycles }) => `${at(x(rate))},${at(y(latencyCycles))}`).join(' ')}"/>`);
    for (const { rate, latencyCycles } of points) if (latencyCycles <= yMost) out.push(mark(index, x(rate), y(latencyCycles)));
    out.push('</g>');
    if (saturated !== null) {
      const edge = stable === null ? saturated : (stable + saturated) / 2;
      // Labels of curves that saturate close to each other go below each other.
      let row = 0;
      while (labels[row]?.some((taken) => Math.abs(taken - x(edge)) < 56) === true) row++;
      (labels[row] ??= []).push(x(edge));
      const left = x(edge) > WIDTH - RIGHT - 56;
      out.push(`<text class="mark c${index}${left ? ' end' : ''}" x="${at(x(edge) + (left ? -6 : 6))}" y="${top + 14 + row * 17}">${number(Number(edge.toPrecision(3)))}</text>`);
    }
  }
  out.push('</svg>');
  return `${out.join('\n')}\n`;
}

/** High enough for the bend of every curve, not so high that everything else is flat. */
function tallest(curves: readonly Curve[]): number {
  const idle = Math.max(1, ...curves.map(({ points }) => points[0]?.latencyCycles ?? 0));
  const most = Math.max(1, ...curves.flatMap(({ points }) => points.map(({ latencyCycles }) => latencyCycles)));
  return Math.min(most * 1.05, idle * 5);
}

interface Colours {
  readonly ground: string;
  readonly ink: string;
  readonly faint: string;
  readonly soft: string;
  readonly curves: readonly string[];
}

const light: Colours = { ground: '#ffffff', ink: '#1f2328', faint: '#d8dde3', soft: '#57606a', curves: LIGHT };
const dark: Colours = { ground: '#14171c', ink: '#e8ebef', faint: '#333a44', soft: '#a5aeb9', curves: DARK };

function style(curves: number): string {
  return [
    'text{font-family:system-ui,"Segoe UI","DejaVu Sans",sans-serif}.title{font-size:19px;font-weight:600}.note{font-size:13px}.label{font-size:13px}.axis-name{font-size:14px}.mark{font-size:12.5px;font-weight:600;paint-order:stroke;stroke-width:5;stroke-linejoin:round}',
    '.end{text-anchor:end}.middle{text-anchor:middle}.grid{stroke-width:1}.axis{stroke-width:1.5;fill:none}.line{stroke-width:2.2;fill:none;stroke-linejoin:round}.dot{stroke-width:1}.edge{stroke-width:1.5;stroke-dasharray:4 4}',
    colours(light, curves),
    `@media (prefers-color-scheme:dark){${colours(dark, curves)}}`,
  ].join('');
}

/** Written out, without variables of CSS, which not every reader of drawings knows. */
function colours({ ground, ink, faint, soft, curves }: Colours, count: number): string {
  const own = Array.from({ length: count }, (_, index) => {
    const colour = curves[index % curves.length];
    return `.line.c${index},.edge.c${index}{stroke:${colour}}.dot.c${index},.mark.c${index}{fill:${colour}}`;
  });
  return `.ground{fill:${ground}}.title,.label,.axis-name{fill:${ink}}.note{fill:${soft}}.grid{stroke:${faint}}.axis{stroke:${ink}}.dot,.mark{stroke:${ground}}${own.join('')}`;
}

function dash(index: number): string {
  const pattern = DASHES[Math.floor(index / MARKS.length) % DASHES.length]!;
  return pattern === '' ? '' : ` stroke-dasharray="${pattern}"`;
}

function mark(index: number, x: number, y: number): string {
  const [cx, cy] = [x.toFixed(1), y.toFixed(1)];
  switch (MARKS[index % MARKS.length]!) {
    case 'circle':
      return `<circle class="dot c${index}" cx="${cx}" cy="${cy}" r="4"/>`;
    case 'square':
      return `<rect class="dot c${index}" x="${(x - 3.6).toFixed(1)}" y="${(y - 3.6).toFixed(1)}" width="7.2" height="7.2"/>`;
    case 'diamond':
      return `<path class="dot c${index}" d="M${cx} ${(y - 5.2).toFixed(1)}l5.2 5.2l-5.2 5.2l-5.2 -5.2z"/>`;
    case 'triangle':
      return `<path class="dot c${index}" d="M${cx} ${(y - 5).toFixed(1)}l5 9h-10z"/>`;
  }
}

/** A round number at or above the value, with few ticks below. */
function niceTop(value: number): number {
  const step = niceStep(value);
  return Math.ceil(value / step - 1e-9) * step;
}

function niceStep(value: number): number {
  const rough = value / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough - 1e-12) ?? 10);
}

function ticks(top: number): number[] {
  const step = niceStep(top);
  return Array.from({ length: Math.round(top / step) + 1 }, (_, tick) => Number((tick * step).toPrecision(10)));
}

function number(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
