/** What a bar is drawn for. The order is that of the legend. */
export const barKinds = ['matrix', 'vector', 'memory', 'multicast', 'reduce', 'barrier', 'L1'] as const;
export type BarKind = (typeof barKinds)[number];

export interface GanttBar {
  readonly startCycle: number;
  readonly endCycle: number;
  readonly kind: BarKind;
  /** Only waits for others: a receive or a barrier. */
  readonly waits: boolean;
  readonly label: string;
  /** Shown when a reader points at it. */
  readonly text: string;
}

export interface GanttTile {
  readonly name: string;
  readonly lanes: readonly { readonly engine: string; readonly bars: readonly GanttBar[] }[];
}

export interface Gantt {
  readonly title: string;
  readonly note: string;
  readonly fromCycle: number;
  readonly toCycle: number;
  readonly tiles: readonly GanttTile[];
}

const WIDTH = 1200;
const LEFT = 96;
const RIGHT = 30;
const TOP = 104;
const LANE = 22;
const BAR = 16;
const TILE_HEAD = 26;
const TILE_GAP = 12;
const BOTTOM = 52;
/** Bars narrower than this are drawn together with their neighbours of the same kind. */
const LEAST_WIDTH = 1.2;
/** A sign of a label is about as wide. */
const SIGN_WIDTH = 6.3;

/** Okabe & Ito's colours (2008) in a shade for light and one for dark ground; signs on the bars are the ground's colour. */
const LIGHT: Record<BarKind, string> = { matrix: '#0072b2', vector: '#007a5a', memory: '#b34700', multicast: '#a0447f', reduce: '#8a1c1c', barrier: '#5f6670', L1: '#7a6a00' };
const DARK: Record<BarKind, string> = { matrix: '#56b4e9', vector: '#2fc596', memory: '#f0903c', multicast: '#e29ac4', reduce: '#ff8f8f', barrier: '#9aa3ae', L1: '#d8cc50' };

/** Draws what the engines of some tiles did, as an SVG that can be read on light and dark ground. */
export function ganttSvg({ title, note, fromCycle, toCycle, tiles }: Gantt): string {
  const span = Math.max(1, toCycle - fromCycle);
  const plot = WIDTH - LEFT - RIGHT;
  const x = (cycle: number): number => LEFT + ((cycle - fromCycle) / span) * plot;
  const used = barKinds.filter((kind) => tiles.some(({ lanes }) => lanes.some(({ bars }) => bars.some((bar) => bar.kind === kind))));
  const bottom = TOP + tiles.reduce((sum, { lanes }) => sum + TILE_HEAD + lanes.length * LANE + TILE_GAP, 0);
  const height = bottom + BOTTOM;
  const out: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}: what the engines of ${tiles.length} tiles did">`,
    `<style>${style()}</style>`,
    `<clipPath id="plot"><rect x="${LEFT}" y="${TOP - 4}" width="${plot}" height="${bottom - TOP + 8}"/></clipPath>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="24" y="36">${escaped(title)}</text>`,
    `<text class="note" x="24" y="58">${escaped(note)}</text>`,
    legend(used, tiles),
  ];
  const step = niceStep(span);
  for (let tick = Math.ceil(fromCycle / step) * step; tick <= toCycle; tick += step) {
    const at = x(tick).toFixed(1);
    out.push(`<line class="grid" x1="${at}" y1="${TOP}" x2="${at}" y2="${bottom}"/>`, `<text class="tick middle" x="${at}" y="${bottom + 18}">${countText(tick)}</text>`);
  }
  out.push(`<text class="tick middle" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${bottom + 38}">cycles from the start of the kernel</text>`);
  let top = TOP;
  for (const { name, lanes } of tiles) {
    out.push(`<text class="tile" x="24" y="${top + 17}">${escaped(name)}</text>`);
    top += TILE_HEAD;
    for (const { engine, bars } of lanes) {
      out.push(`<line class="lane" x1="${LEFT}" y1="${top + LANE / 2}" x2="${WIDTH - RIGHT}" y2="${top + LANE / 2}"/>`, `<text class="engine end" x="${LEFT - 10}" y="${top + LANE / 2 + 4}">${engine}</text>`, '<g clip-path="url(#plot)">');
      for (const bar of drawn(bars, x, fromCycle, toCycle)) {
        const [left, right] = [x(bar.startCycle), x(bar.endCycle)];
        const width = Math.max(0.8, right - left);
        out.push(`<rect class="${bar.waits ? 'wait' : 'bar'} ${bar.kind}" x="${left.toFixed(2)}" y="${top + (LANE - BAR) / 2}" width="${width.toFixed(2)}" height="${BAR}" rx="2"><title>${escaped(bar.text)}</title></rect>`);
        const [from, to] = [Math.max(left, LEFT), Math.min(right, WIDTH - RIGHT)];
        if (!bar.waits && bar.label.length * SIGN_WIDTH + 8 <= to - from) out.push(`<text class="on middle" x="${((from + to) / 2).toFixed(1)}" y="${top + LANE / 2 + 4}">${escaped(bar.label)}</text>`);
      }
      out.push('</g>');
      top += LANE;
    }
    top += TILE_GAP;
  }
  out.push('</svg>');
  return `${out.join('\n')}\n`;
}

/** What lies in the window, with narrow neighbours as one. */
function drawn(bars: readonly GanttBar[], x: (cycle: number) => number, fromCycle: number, toCycle: number): GanttBar[] {
  const result: GanttBar[] = [];
  let together = 1;
  for (const bar of bars) {
    if (bar.endCycle < fromCycle || bar.startCycle > toCycle || bar.endCycle === bar.startCycle) continue;
    const last = result.at(-1);
    const narrow = last !== undefined && last.kind === bar.kind && last.waits === bar.waits && x(bar.startCycle) - x(last.endCycle) < 0.4 && x(bar.endCycle) - x(bar.startCycle) < LEAST_WIDTH && x(last.endCycle) - x(last.startCycle) < 40;
    if (narrow) {
      together++;
      result[result.length - 1] = { ...last, endCycle: Math.max(last.endCycle, bar.endCycle), label: '', text: `${together} operations (${bar.kind}), cycles ${last.startCycle} to ${bar.endCycle}` };
    } else {
      together = 1;
      result.push(bar);
    }
  }
  return result;
}

function legend(kinds: readonly BarKind[], tiles: readonly GanttTile[]): string {
  const waits = tiles.some(({ lanes }) => lanes.some(({ bars }) => bars.some((bar) => bar.waits)));
  let x = 24;
  const entry = (mark: string, text: string): string => {
    const svg = `<g transform="translate(${x} 84)">${mark}<text class="key" x="20" y="0">${text}</text></g>`;
    x += 20 + text.length * 7.2 + 22;
    return svg;
  };
  return [
    ...kinds.map((kind) => entry(`<rect class="bar ${kind}" y="-11" width="14" height="13" rx="2"/>`, kind === 'memory' ? 'load, store' : kind === 'multicast' ? 'multicast, send' : kind === 'L1' ? 'inside L1' : kind)),
    ...(waits ? [entry('<rect class="wait barrier" y="-11" width="14" height="13" rx="2"/>', 'waits for other tiles')] : []),
  ].join('\n');
}

function style(): string {
  const own = (colours: Record<BarKind, string>, ground: string, ink: string, soft: string, faint: string): string =>
    `.ground{fill:${ground}}.title,.tile,.key{fill:${ink}}.note,.tick,.engine{fill:${soft}}.grid{stroke:${faint}}.lane{stroke:${faint}}.on{fill:${ground}}${barKinds.map((kind) => `.bar.${kind}{fill:${colours[kind]}}.wait.${kind}{fill:${colours[kind]};fill-opacity:.18;stroke:${colours[kind]};stroke-opacity:.55}`).join('')}`;
  return [
    'text{font-family:system-ui,"Segoe UI","DejaVu Sans",sans-serif}.title{font-size:20px;font-weight:600}.note,.key,.tick{font-size:13px}.tile{font-size:14px;font-weight:600}.engine{font-size:12.5px}.on{font-size:11px}.middle{text-anchor:middle}.end{text-anchor:end}.grid,.lane{stroke-width:1}.wait{stroke-width:1}',
    own(LIGHT, '#ffffff', '#1f2328', '#57606a', '#dde2e8'),
    `@media (prefers-color-scheme:dark){${own(DARK, '#14171c', '#e8ebef', '#a5aeb9', '#2b323b')}}`,
  ].join('');
}

/** 1, 2 or 5 times a power of ten, so that there are about eight lines. */
function niceStep(span: number): number {
  const rough = span / 8;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  return Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? 10 * power);
}

function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);
}
