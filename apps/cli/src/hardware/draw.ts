import {
  absentLinks, absentTiles, countDefects, dies, dieXY, directions, edgeNodes, isAbsentDie, isAbsentHubLink, isAbsentTile, neighbouringDie, neighbouringTile, tileIdOf, tiles, tileXYOnDie,
  dieOfTile, type Hardware,
} from '@kerf/hardware';
import { plural } from './units-text.ts';

export interface DrawOptions {
  /** Tiles that the rest cannot reach, wafer-wide ids. */
  readonly cutOff?: readonly number[];
  /** Lines under the name of the machine. */
  readonly lines?: readonly string[];
}

// All lengths in SVG units, as pixels on a screen.
const MAP = 860; // the longer side of the wafer
const LARGEST_PITCH = 44; // from tile to tile
const MARGIN = 26;
const LEGEND_LINE = 22;
const LEAST_WIDTH = 620;
/** Below this pitch tiles are not drawn one by one: the die is a plain area, and what is absent is counted in cells. */
const TILES_FROM = 2.6;
/** From this pitch on links are lines of their own. */
const LINKS_FROM = 11;
/** More marks than this become cells too, or the picture would be a file of many megabytes. */
const MOST_MARKS = 4000;
/** Side of a cell in which absences are counted. */
const CELL = 5;

/** Where things are on the drawing, and how large. */
interface Layout {
  readonly hardware: Hardware;
  readonly pitch: number;
  readonly gap: number;
  readonly left: number;
  readonly top: number;
  /** Depth of a memory node outside the edge of its die. */
  readonly node: number;
  readonly width: number;
  readonly height: number;
  readonly single: boolean;
  readonly tilewise: boolean;
}

/**
 * A wafer as an SVG: dies, tiles where they can be told apart, gateways, memory nodes, links between dies, and whatever
 * is absent or cut off. Readable on light and dark ground; a legend names only what is there.
 */
export function drawHardware(hardware: Hardware, { cutOff = [], lines = [] }: DrawOptions = {}): string {
  const layout = layOut(hardware, lines.length);
  const parts = [
    heading(hardware, lines),
    dieTemplate(layout),
    axes(layout),
    dieLinks(layout),
    diesDrawn(layout),
    ...defectsDrawn(layout, cutOff),
  ];
  const legendTop = layout.top + layout.height + MARGIN + 14;
  const { svg, bottom, right } = legend(layout, cutOff, legendTop);
  const width = Math.ceil(Math.max(LEAST_WIDTH, layout.left + layout.width + MARGIN, right + MARGIN));
  const height = Math.ceil(bottom + MARGIN / 2);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(hardware.name)}">`,
    `<title>${escape(hardware.name)}</title>`,
    STYLE,
    `<rect class="ground" width="${width}" height="${height}" rx="10"/>`,
    ...parts.filter((part) => part !== ''),
    svg,
    '</svg>',
    '',
  ].join('\n');
}

/** Plain classes and one media query: no variables, which some viewers do not know. */
const STYLE = `<style>
text{font-family:system-ui,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#1c2733}
.ground{fill:#ffffff}.name{font-size:19px;font-weight:650}.line,.key{font-size:12.5px;fill:#56636f}.axis{font-size:10.5px;fill:#7b8793}.die-name{font-size:11px;fill:#c43c3c}
.die{fill:#eef2f6;stroke:#aab6c2;stroke-width:1}.mesh{stroke:#b4c1ce;fill:none}.tile{fill:#7c9fc4}.plain{fill:#a9c1da}.lane{stroke:#8494a4;fill:none}.hub{stroke:#8494a4;fill:none;stroke-linecap:round}
.gateway{fill:#7a4fd0}.memory{fill:#179a86}.hole{fill:#eef2f6}.absent{fill:#d23b3b}.cross{stroke:#d23b3b;fill:none;stroke-linecap:round}.erase{stroke:#eef2f6;fill:none}.erase-ground{stroke:#ffffff;fill:none}
.absent-die{fill:#ffffff;stroke:#d23b3b;stroke-width:1.2;stroke-dasharray:5 4}.broken{stroke:#d23b3b;fill:none;stroke-linecap:round}.one-way{fill:#d23b3b}.cut-off{fill:#e79a12}.link-cell{fill:none;stroke:#d23b3b}
@media (prefers-color-scheme: dark){
text{fill:#e8edf2}.ground{fill:#11171e}.line,.key{fill:#a3b0bc}.axis{fill:#8694a1}.die-name{fill:#ff7b73}
.die{fill:#1a232d;stroke:#45535f}.mesh{stroke:#3a4957}.tile{fill:#4a76a3}.plain{fill:#3d648c}.lane,.hub{stroke:#7f909f}
.gateway{fill:#ab92f2}.memory{fill:#3cc9b2}.hole{fill:#1a232d}.absent{fill:#ff6b63}.cross,.broken,.link-cell{stroke:#ff6b63}.erase{stroke:#1a232d}.erase-ground{stroke:#11171e}
.absent-die{fill:#11171e;stroke:#ff6b63}.one-way{fill:#ff6b63}.cut-off{fill:#f2b84b}
}
</style>`;

function layOut(hardware: Hardware, lines: number): Layout {
  const { wafer, die } = hardware;
  const single = dies(hardware) === 1;
  const across = Math.max(wafer.diesX * die.tilesX, wafer.diesY * die.tilesY);
  const most = Math.max(wafer.diesX, wafer.diesY);
  const nodes = edgeNodes(hardware).length > 0;
  // Room between dies for lanes and memory nodes, whatever the size of a tile.
  const gap = single ? 0 : Math.max(most > 40 ? 2 : 10, Math.min(nodes ? 22 : 18, (MAP * 0.2) / most));
  const pitch = Math.min(LARGEST_PITCH, (MAP - (most - 1) * gap) / across);
  const node = nodes ? Math.max(3, Math.min(8, single ? 8 : gap * 0.3)) : 0;
  return {
    hardware, pitch, gap, single, node,
    left: MARGIN + 22 + node,
    top: 50 + lines * 18 + 26 + node,
    width: wafer.diesX * die.tilesX * pitch + (wafer.diesX - 1) * gap,
    height: wafer.diesY * die.tilesY * pitch + (wafer.diesY - 1) * gap,
    tilewise: pitch >= TILES_FROM,
  };
}

function heading({ name }: Hardware, lines: readonly string[]): string {
  const text = lines.map((line, i) => `<text class="line" x="${MARGIN}" y="${60 + i * 18}">${escape(line)}</text>`);
  return [`<text class="name" x="${MARGIN}" y="38">${escape(name)}</text>`, ...text].join('\n');
}

/** One die, drawn once and used for all that are there. */
function dieTemplate({ hardware, pitch, node, tilewise }: Layout): string {
  const { tilesX, tilesY } = hardware.die;
  const width = tilesX * pitch;
  const height = tilesY * pitch;
  const side = tileSide(pitch);
  const inset = (pitch - side) / 2;
  const parts = [`<rect class="die" x="-1" y="-1" width="${n(width + 2)}" height="${n(height + 2)}" rx="${n(Math.min(4, pitch / 2))}"/>`];
  if (!tilewise) {
    parts.push(`<rect class="plain" width="${n(width)}" height="${n(height)}"/>`);
  } else {
    if (pitch >= LINKS_FROM) {
      const path: string[] = [];
      for (let y = 0; y < tilesY; y++) if (tilesX > 1) path.push(`M${n(pitch / 2)} ${n((y + 0.5) * pitch)}H${n(width - pitch / 2)}`);
      for (let x = 0; x < tilesX; x++) if (tilesY > 1) path.push(`M${n((x + 0.5) * pitch)} ${n(pitch / 2)}V${n(height - pitch / 2)}`);
      if (path.length > 0) parts.push(`<path class="mesh" stroke-width="${n(linkWidth(pitch))}" d="${path.join('')}"/>`);
    }
    parts.push(`<rect fill="url(#tiles)" width="${n(width)}" height="${n(height)}"/>`);
  }
  if (hardware.d2d?.shape === 'hub') {
    const size = Math.max(side, 3);
    for (const { x, y } of hardware.d2d.gateways) parts.push(square('gateway', (x + 0.5) * pitch, (y + 0.5) * pitch, size));
  }
  for (const { edge, first, tiles: along } of edgeNodes(hardware)) {
    // A node spans the tiles that it serves, with a slit to the next.
    const from = first * pitch;
    const length = along * pitch;
    const slit = Math.min(1.5, length * 0.14);
    const at = { west: -2 - node, east: width + 2, north: -2 - node, south: height + 2 }[edge];
    const [x, y, w, h] = edge === 'west' || edge === 'east' ? [at, from + slit, node, length - 2 * slit] : [from + slit, at, length - 2 * slit, node];
    parts.push(`<rect class="memory" x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}"/>`);
  }
  const pattern = tilewise
    ? `<pattern id="tiles" width="${n(pitch)}" height="${n(pitch)}" patternUnits="userSpaceOnUse"><rect class="tile" x="${n(inset)}" y="${n(inset)}" width="${n(side)}" height="${n(side)}" rx="${n(Math.min(3, side / 6))}"/></pattern>`
    : '';
  return `<defs>${pattern}<g id="die">${parts.join('')}</g></defs>`;
}

function diesDrawn(layout: Layout): string {
  const { hardware, pitch } = layout;
  const { tilesX, tilesY } = hardware.die;
  const parts: string[] = [];
  for (let dieId = 0; dieId < dies(hardware); dieId++) {
    const { x, y } = cornerOf(layout, dieId);
    if (!isAbsentDie(hardware, dieId)) {
      parts.push(`<use href="#die" x="${n(x)}" y="${n(y)}"/>`);
      continue;
    }
    const [width, height] = [tilesX * pitch, tilesY * pitch];
    const label = width >= 44 && height >= 18 ? `<text class="die-name" text-anchor="middle" x="${n(x + width / 2)}" y="${n(y + height / 2 + 4)}">absent</text>` : '';
    parts.push(`<rect class="absent-die" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="4"/>${label}`);
  }
  return parts.join('\n');
}

/** Coordinates along the rim: of dies, or of tiles where there is one die. */
function axes(layout: Layout): string {
  const { hardware, single, pitch, gap, left, top, node } = layout;
  const { wafer, die } = hardware;
  const labels: string[] = [];
  const mark = (count: number, step: number, room: number, place: (i: number) => string) => {
    const every = [1, 2, 4, 5, 8, 10, 16, 20, 32, 50, 64, 100, 128, 256, 512, 1024, 4096, 16384].find((e) => e * step >= room) ?? count;
    for (let i = 0; i < count; i += every) labels.push(place(i));
  };
  const stepX = single ? pitch : die.tilesX * pitch + gap;
  const stepY = single ? pitch : die.tilesY * pitch + gap;
  const middleX = (single ? pitch : die.tilesX * pitch) / 2;
  const middleY = (single ? pitch : die.tilesY * pitch) / 2;
  mark(single ? die.tilesX : wafer.diesX, stepX, 22, (i) => `<text class="axis" text-anchor="middle" x="${n(left + i * stepX + middleX)}" y="${n(top - node - 9)}">${i}</text>`);
  mark(single ? die.tilesY : wafer.diesY, stepY, 14, (i) => `<text class="axis" text-anchor="end" x="${n(left - node - 9)}" y="${n(top + i * stepY + middleY + 3.5)}">${i}</text>`);
  labels.push(`<text class="axis" text-anchor="end" x="${n(left - node - 9)}" y="${n(top - node - 9)}">${single ? 'x, y' : 'die'}</text>`);
  return labels.join('\n');
}

/** Links between dies: a lane for each border router where they can be told apart, a band where not; a bridge between hubs. */
function dieLinks(layout: Layout): string {
  const { hardware, pitch, gap } = layout;
  const { d2d, die } = hardware;
  if (d2d === null || dies(hardware) === 1) return '';
  const lanes: string[] = [];
  const bridges: string[] = [];
  const lanewise = pitch >= 5;
  for (let dieId = 0; dieId < dies(hardware); dieId++) {
    for (const direction of ['east', 'south'] as const) {
      const beyond = neighbouringDie(hardware, dieId, direction);
      if (beyond < 0 || isAbsentDie(hardware, dieId) || isAbsentDie(hardware, beyond)) continue;
      const { x, y } = cornerOf(layout, dieId);
      const along = direction === 'east' ? die.tilesY : die.tilesX;
      const far = direction === 'east' ? x + die.tilesX * pitch : y + die.tilesY * pitch;
      if (d2d.shape === 'hub') {
        const middle = (direction === 'east' ? y : x) + (along * pitch) / 2;
        bridges.push(direction === 'east' ? `M${n(far + 1)} ${n(middle)}h${n(gap - 2)}` : `M${n(middle)} ${n(far + 1)}v${n(gap - 2)}`);
        continue;
      }
      if (lanewise) {
        for (let i = 0; i < along; i++) {
          const [tileX, tileY] = direction === 'east' ? [die.tilesX - 1, i] : [i, die.tilesY - 1];
          const tile = tileIdOf(hardware, dieId, tileX, tileY);
          if (isAbsentTile(hardware, tile) || isAbsentTile(hardware, neighbouringTile(hardware, tile, direction))) continue;
          const at = (direction === 'east' ? y : x) + (i + 0.5) * pitch;
          lanes.push(direction === 'east' ? `M${n(far)} ${n(at)}h${n(gap)}` : `M${n(at)} ${n(far)}v${n(gap)}`);
        }
      } else {
        const start = (direction === 'east' ? y : x) + 0.1 * along * pitch;
        const length = 0.8 * along * pitch;
        lanes.push(direction === 'east' ? `M${n(far + gap / 2)} ${n(start)}v${n(length)}` : `M${n(start)} ${n(far + gap / 2)}h${n(length)}`);
      }
    }
  }
  const parts: string[] = [];
  if (lanes.length > 0) parts.push(`<path class="lane" stroke-width="${n(lanewise ? linkWidth(pitch) : Math.max(1, gap * 0.35))}" ${lanewise ? '' : 'stroke-dasharray="1 1.4" '}d="${lanes.join('')}"/>`);
  if (bridges.length > 0) parts.push(`<path class="hub" stroke-width="${n(Math.max(2, gap * 0.32))}" d="${bridges.join('')}"/>`);
  return parts.join('\n');
}

interface AbsentLink {
  readonly from: number;
  /** Number of its direction. */
  readonly d: number;
  /** Whether the link back is absent too; it is then not listed apart. */
  readonly bothWays: boolean;
}

function absentLinksOf(hardware: Hardware): AbsentLink[] {
  const links = absentLinks(hardware);
  const named = new Set(links.map(({ tile, direction }) => tile * 4 + directions.indexOf(direction)));
  return links.flatMap(({ tile, direction }) => {
    const d = directions.indexOf(direction);
    const bothWays = named.has(neighbouringTile(hardware, tile, direction) * 4 + (d ^ 1));
    return bothWays && d % 2 === 1 ? [] : [{ from: tile, d, bothWays }];
  });
}

function defectsDrawn(layout: Layout, cutOff: readonly number[]): string[] {
  const { hardware } = layout;
  const tilesAway = absentTiles(hardware);
  const links = absentLinksOf(hardware);
  return [
    cutOffDrawn(layout, cutOff),
    layout.tilewise && tilesAway.length <= MOST_MARKS ? tilesMarked(layout, tilesAway) : cellsMarked(layout, tilesAway, 'absent'),
    layout.tilewise && links.length <= MOST_MARKS ? linksMarked(layout, links) : cellsMarked(layout, links.map(({ from }) => from), 'link-cell'),
    hubLinksMarked(layout),
  ];
}

function cutOffDrawn(layout: Layout, cutOff: readonly number[]): string {
  if (cutOff.length === 0) return '';
  if (!layout.tilewise || cutOff.length > MOST_MARKS) return cellsMarked(layout, cutOff, 'cut-off');
  const side = tileSide(layout.pitch);
  return cutOff.map((tile) => {
    const { x, y } = middleOf(layout, tile);
    return square('cut-off', x, y, Math.max(side, 3));
  }).join('');
}

/** A hole with a cross; with small tiles a red square. Lines of links to it are erased first. */
function tilesMarked(layout: Layout, absent: readonly number[]): string {
  const { pitch, hardware } = layout;
  const side = tileSide(pitch);
  const erased: string[] = [];
  const holes: string[] = [];
  const crosses: string[] = [];
  for (const tile of absent) {
    const { x, y } = middleOf(layout, tile);
    if (pitch < LINKS_FROM) {
      holes.push(square('absent', x, y, Math.max(side, 3)));
      continue;
    }
    const on = tileXYOnDie(hardware, tile);
    if (on.x > 0) erased.push(`M${n(x)} ${n(y)}h${n(-pitch)}`);
    if (on.x + 1 < hardware.die.tilesX) erased.push(`M${n(x)} ${n(y)}h${n(pitch)}`);
    if (on.y > 0) erased.push(`M${n(x)} ${n(y)}v${n(-pitch)}`);
    if (on.y + 1 < hardware.die.tilesY) erased.push(`M${n(x)} ${n(y)}v${n(pitch)}`);
    holes.push(square('hole', x, y, side + 1));
    const arm = side * 0.3;
    crosses.push(`M${n(x - arm)} ${n(y - arm)}l${n(2 * arm)} ${n(2 * arm)}M${n(x - arm)} ${n(y + arm)}l${n(2 * arm)} ${n(-2 * arm)}`);
  }
  const parts: string[] = [];
  if (erased.length > 0) {
    // The eraser runs over the neighbours too: draw those again.
    parts.push(`<path class="erase" stroke-width="${n(linkWidth(pitch) + 1)}" d="${erased.join('')}"/>`, neighboursDrawn(layout, absent));
  }
  parts.push(holes.join(''));
  if (crosses.length > 0) parts.push(`<path class="cross" stroke-width="${n(Math.max(1.4, side * 0.12))}" d="${crosses.join('')}"/>`);
  return parts.join('\n');
}

function neighboursDrawn(layout: Layout, absent: readonly number[]): string {
  const { hardware, pitch } = layout;
  const around = new Set<number>();
  const gateways = new Set(hardware.d2d?.shape === 'hub' ? hardware.d2d.gateways.map(({ x, y }) => tileIdOf(hardware, 0, x, y)) : []);
  for (const tile of absent) {
    for (const direction of directions) {
      const to = neighbouringTile(hardware, tile, direction);
      if (to >= 0 && dieOfTile(hardware, to) === dieOfTile(hardware, tile) && !isAbsentTile(hardware, to)) around.add(to);
    }
  }
  const side = tileSide(pitch);
  return [...around].map((tile) => {
    const { x, y } = middleOf(layout, tile);
    const on = tileXYOnDie(hardware, tile);
    return square(gateways.has(tileIdOf(hardware, 0, on.x, on.y)) ? 'gateway' : 'tile', x, y, side);
  }).join('');
}

/** A bar across the link; where only one way is absent, an arrowhead that points along it. */
function linksMarked(layout: Layout, links: readonly AbsentLink[]): string {
  const { pitch, hardware } = layout;
  const bars: string[] = [];
  const heads: string[] = [];
  const arm = Math.max(1.8, Math.min(5, pitch * 0.17));
  for (const { from, d, bothWays } of links) {
    const a = middleOf(layout, from);
    const b = middleOf(layout, neighbouringTile(hardware, from, directions[d]!));
    const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
    const [dx, dy] = [Math.sign(b.x - a.x), Math.sign(b.y - a.y)];
    if (bothWays) {
      bars.push(`M${n(x - dy * arm)} ${n(y - dx * arm)}L${n(x + dy * arm)} ${n(y + dx * arm)}`);
    } else {
      heads.push(`M${n(x + dx * arm)} ${n(y + dy * arm)}L${n(x - dx * arm + dy * arm)} ${n(y - dy * arm + dx * arm)}L${n(x - dx * arm - dy * arm)} ${n(y - dy * arm - dx * arm)}Z`);
    }
  }
  const parts: string[] = [];
  if (bars.length > 0) parts.push(`<path class="broken" stroke-width="${n(Math.max(1.3, arm * 0.62))}" d="${bars.join('')}"/>`);
  if (heads.length > 0) parts.push(`<path class="one-way" d="${heads.join('')}"/>`);
  return parts.join('\n');
}

/** Where tiles are too small or too many: how many of a cell there are, as its opacity. */
function cellsMarked(layout: Layout, places: readonly number[], name: string): string {
  if (places.length === 0) return '';
  const { pitch } = layout;
  const tilesOfCell = Math.max(1, Math.round(CELL / pitch));
  const cells = new Map<string, number>();
  for (const tile of places) {
    const { x, y } = tileXYOnDie(layout.hardware, tile);
    const key = `${dieOfTile(layout.hardware, tile)} ${Math.floor(x / tilesOfCell)} ${Math.floor(y / tilesOfCell)}`;
    cells.set(key, (cells.get(key) ?? 0) + 1);
  }
  const { tilesX, tilesY } = layout.hardware.die;
  return [...cells].map(([key, count]) => {
    const [dieId, cx, cy] = key.split(' ').map(Number) as [number, number, number];
    const corner = cornerOf(layout, dieId);
    const width = Math.min(tilesOfCell, tilesX - cx * tilesOfCell);
    const height = Math.min(tilesOfCell, tilesY - cy * tilesOfCell);
    const strength = 0.3 + 0.7 * Math.sqrt(count / (width * height));
    return `<rect class="${name}" opacity="${strength.toFixed(2)}" x="${n(corner.x + cx * tilesOfCell * pitch)}" y="${n(corner.y + cy * tilesOfCell * pitch)}" width="${n(Math.max(2.5, width * pitch))}" height="${n(Math.max(2.5, height * pitch))}"/>`;
  }).join('');
}

function hubLinksMarked(layout: Layout): string {
  const { hardware, pitch, gap } = layout;
  if (hardware.d2d?.shape !== 'hub' || hardware.defects === undefined) return '';
  const { tilesX, tilesY } = hardware.die;
  const erased: string[] = [];
  const crosses: string[] = [];
  const heads: string[] = [];
  const arm = Math.max(3, gap * 0.26);
  for (let dieId = 0; dieId < dies(hardware); dieId++) {
    for (const [direction, back] of [['east', 'west'], ['south', 'north']] as const) {
      const beyond = neighbouringDie(hardware, dieId, direction);
      if (beyond < 0 || isAbsentDie(hardware, dieId) || isAbsentDie(hardware, beyond)) continue;
      const there = isAbsentHubLink(hardware, dieId, direction);
      const home = isAbsentHubLink(hardware, beyond, back);
      if (!there && !home) continue;
      const corner = cornerOf(layout, dieId);
      const east = direction === 'east';
      const x = corner.x + (east ? tilesX * pitch + gap / 2 : (tilesX * pitch) / 2);
      const y = corner.y + (east ? (tilesY * pitch) / 2 : tilesY * pitch + gap / 2);
      if (there && home) {
        erased.push(east ? `M${n(x - gap / 2 + 1.5)} ${n(y)}h${n(gap - 3)}` : `M${n(x)} ${n(y - gap / 2 + 1.5)}v${n(gap - 3)}`);
        crosses.push(`M${n(x - arm)} ${n(y - arm)}l${n(2 * arm)} ${n(2 * arm)}M${n(x - arm)} ${n(y + arm)}l${n(2 * arm)} ${n(-2 * arm)}`);
      } else {
        const s = there ? 1 : -1;
        const [dx, dy] = east ? [s, 0] : [0, s];
        heads.push(`M${n(x + dx * arm)} ${n(y + dy * arm)}L${n(x - dx * arm + dy * arm)} ${n(y - dy * arm + dx * arm)}L${n(x - dx * arm - dy * arm)} ${n(y - dy * arm - dx * arm)}Z`);
      }
    }
  }
  const parts: string[] = [];
  if (crosses.length > 0) parts.push(`<path class="erase-ground" stroke-width="${n(gap * 0.5)}" d="${erased.join('')}"/><path class="cross" stroke-width="2" d="${crosses.join('')}"/>`);
  if (heads.length > 0) parts.push(`<path class="one-way" d="${heads.join('')}"/>`);
  return parts.join('\n');
}

/** Names what can be seen, in one or more lines under the wafer. */
function legend(layout: Layout, cutOff: readonly number[], top: number): { svg: string; bottom: number; right: number } {
  const { hardware, tilewise, pitch } = layout;
  const absent = countDefects(hardware);
  const entries: { mark: string; text: string }[] = [];
  const box = (name: string) => `<rect class="${name}" x="0" y="-10" width="12" height="12" rx="2"/>`;
  const present = tiles(hardware) - absent.tiles;
  entries.push({ mark: box(tilewise ? 'tile' : 'plain'), text: tilewise ? plural(present, 'tile') : `${plural(present, 'tile')}, not drawn one by one` });
  const { d2d, memory } = hardware;
  if (d2d?.shape === 'hub') entries.push({ mark: box('gateway'), text: `${d2d.gateways.length} gateways per die` });
  if (d2d !== null && dies(hardware) > 1) {
    const text = d2d.shape === 'hub' ? 'link between hubs' : 'lanes between dies';
    entries.push({ mark: `<path class="${d2d.shape === 'hub' ? 'hub' : 'lane'}" stroke-width="${d2d.shape === 'hub' ? 4 : 2}" d="M0 -4h12"/>`, text });
  }
  const nodes = edgeNodes(hardware);
  if (nodes.length > 0) entries.push({ mark: box('memory'), text: `memory node (${plural(nodes[0]!.channels, 'channel')})` });
  else if (memory !== null) entries.push({ mark: '', text: `${plural(memory.channels, 'memory channel')} per die, without a place` });
  else entries.push({ mark: '', text: 'no memory channels' });
  const cells = !tilewise ? `, in cells of ${Math.max(1, Math.round(CELL / pitch))} × ${Math.max(1, Math.round(CELL / pitch))}: the more, the stronger` : '';
  if (absent.dies > 0) entries.push({ mark: '<rect class="absent-die" x="0" y="-10" width="12" height="12" rx="2"/>', text: plural(absent.dies, 'absent die') });
  const alone = absent.tiles - absent.dies * hardware.die.tilesX * hardware.die.tilesY;
  if (alone > 0) {
    const cross = '<rect class="hole" x="0" y="-10" width="12" height="12" rx="2"/><path class="cross" stroke-width="1.8" d="M3 -7l6 6M3 -1l6 -6"/>';
    entries.push({ mark: pitch >= LINKS_FROM ? cross : box('absent'), text: `${plural(alone, 'absent tile')}${cells}` });
  }
  const links = absentLinksOf(hardware);
  const oneWay = links.filter(({ bothWays }) => !bothWays).length;
  if (links.length - oneWay > 0) entries.push({ mark: '<path class="broken" stroke-width="2.4" d="M6 -10v12"/>', text: `${plural(links.length - oneWay, 'absent link')}, both ways${cells}` });
  if (oneWay > 0) entries.push({ mark: '<path class="one-way" d="M1 -10L11 -4L1 2Z"/>', text: `${plural(oneWay, 'link')} absent one way, as the arrow points` });
  if (absent.hubLinks > 0) entries.push({ mark: '<path class="cross" stroke-width="1.8" d="M2 -8l8 8M2 0l8 -8"/>', text: `${plural(absent.hubLinks, 'absent directed link')} between hubs, those of absent dies included` });
  if (cutOff.length > 0) entries.push({ mark: box('cut-off'), text: `${plural(cutOff.length, 'tile')} cut off from the rest` });
  const limit = Math.max(LEAST_WIDTH, layout.left + layout.width + MARGIN) - MARGIN;
  let x = MARGIN;
  let y = top;
  let right = x;
  const drawn = entries.map(({ mark, text }) => {
    const width = (mark === '' ? 0 : 18) + text.length * 7;
    if (x > MARGIN && x + width > limit) [x, y] = [MARGIN, y + LEGEND_LINE];
    const svg = `<g transform="translate(${n(x)} ${n(y)})">${mark}<text class="key" x="${mark === '' ? 0 : 18}">${escape(text)}</text></g>`;
    right = Math.max(right, x + width);
    x += width + 20;
    return svg;
  });
  return { svg: drawn.join('\n'), bottom: y + 12, right };
}

function cornerOf({ hardware, left, top, pitch, gap }: Layout, dieId: number): { x: number; y: number } {
  const { x, y } = dieXY(hardware, dieId);
  return { x: left + x * (hardware.die.tilesX * pitch + gap), y: top + y * (hardware.die.tilesY * pitch + gap) };
}

function middleOf(layout: Layout, tile: number): { x: number; y: number } {
  const corner = cornerOf(layout, dieOfTile(layout.hardware, tile));
  const { x, y } = tileXYOnDie(layout.hardware, tile);
  return { x: corner.x + (x + 0.5) * layout.pitch, y: corner.y + (y + 0.5) * layout.pitch };
}

function tileSide(pitch: number): number {
  return pitch * (pitch >= LINKS_FROM ? 0.68 : 0.8);
}

function linkWidth(pitch: number): number {
  return Math.max(1, Math.min(2.5, pitch * 0.08));
}

function square(name: string, x: number, y: number, side: number): string {
  return `<rect class="${name}" x="${n(x - side / 2)}" y="${n(y - side / 2)}" width="${n(side)}" height="${n(side)}" rx="${n(Math.min(3, side / 6))}"/>`;
}

/** At most two decimals, none of them zeros. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);
}
