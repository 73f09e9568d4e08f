// Draws a finished run as an SVG: every link of the wafer coloured by the bytes that crossed it, every expert shaded by the
// copies of tokens that it computed. For wafers joined edge to edge and small enough to look at.
//
// usage: node tools/draw-run.mjs RUN_FOLDER > picture.svg
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tableFromIPC } from 'apache-arrow';

/** Larger wafers would be a grey carpet, and an SVG of many megabytes. */
const MAX_TILES = 4096;

// All lengths in SVG units: tile to tile, side of a tile, lane of a link beside the middle, inside and between dies, margin.
const PITCH = 29;
const TILE = 12;
const LANE = 2.7;
const LABELS = 34;
const PAD = 9;
const GAP = 26;
const MARGIN = 34;
const HEAD = 84;
const FOOT = 112;

const LINK_COLOURS = ['#221c3f', '#5d1c72', '#b5345b', '#ef7d2c', '#fdf2a4'];
const EXPERT_COLOURS = ['#11243a', '#26809f'];
const SHADES = 32;
const FONT = 'font-family="Helvetica, Arial, DejaVu Sans, sans-serif"';

/** @typedef {{ router: number, port: string, bytes: number, busyCycles: number }} Link */
/** @typedef {{ bytes: number, busyCycles: number }} Load */

/**
 * The rows of one table, of all dies, as plain objects with the columns asked for.
 *
 * @param {string} folder the run folder
 * @param {string} table
 * @param {string[]} columns
 * @param {(row: Record<string, any>) => void} visit
 */
function eachRow(folder, table, columns, visit) {
  for (const file of readdirSync(join(folder, table)).filter((name) => name.endsWith('.arrow')).sort()) {
    const data = tableFromIPC(readFileSync(join(folder, table, file)));
    const vectors = columns.map((name) => /** @type {const} */ ([name, data.getChild(name)]));
    for (let row = 0; row < data.numRows; row++) {
      visit(Object.fromEntries(vectors.map(([name, vector]) => {
        const value = vector?.get(row);
        return [name, typeof value === 'bigint' ? Number(value) : value];
      })));
    }
  }
}

/**
 * @param {number} share 0 to 1
 * @param {string[]} colours at least two, as #rrggbb, evenly spaced
 * @returns {string}
 */
export function shade(share, colours) {
  const at = Math.min(1, Math.max(0, share)) * (colours.length - 1);
  const low = Math.min(Math.floor(at), colours.length - 2);
  const channel = (/** @type {string} */ colour, /** @type {number} */ i) => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  return `#${[0, 1, 2].map((i) => {
    const from = channel(colours[low] ?? '', i);
    return Math.round(from + (channel(colours[low + 1] ?? '', i) - from) * (at - low)).toString(16).padStart(2, '0');
  }).join('')}`;
}

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10;
/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/**
 * @param {string} folder of a complete run
 * @returns {string} the SVG
 */
export function drawRun(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  if (manifest.status !== 'complete') throw new Error(`The run in ${folder} is ${manifest.status}, not complete.`);
  const { hardware, scenario, model } = manifest;
  const { wafer: { diesX, diesY }, die: { tilesX, tilesY } } = hardware;
  const perDie = tilesX * tilesY;
  if (hardware.d2d?.shape === 'hub') throw new Error('Dies joined by hubs are not drawn: their links have no place between tiles.');
  if (diesX * diesY * perDie > MAX_TILES) throw new Error(`${diesX * diesY * perDie} tiles are too many to look at, at most ${MAX_TILES}.`);

  // What happened: load of each link, copies of each expert, and the tiles to which results came back, which hold the tokens.
  /** @type {Map<string, Load>} */
  const links = new Map();
  const tokenTiles = new Set();
  eachRow(folder, 'links', ['router', 'port', 'phase', 'bytes', 'busyCycles'], ({ router, port, phase, bytes, busyCycles }) => {
    if (port === 'local') {
      if (phase === 'combine' && bytes > 0) tokenTiles.add(router);
      return;
    }
    const load = links.get(`${router} ${port}`) ?? { bytes: 0, busyCycles: 0 };
    links.set(`${router} ${port}`, { bytes: load.bytes + bytes, busyCycles: load.busyCycles + busyCycles });
  });
  /** @type {number[]} */
  const dieOfExpert = manifest.expertPlacement.dieOfExpert;
  const copies = dieOfExpert.map(() => 0);
  eachRow(folder, 'experts', ['expert', 'tokens'], ({ expert, tokens }) => void (copies[expert] = (copies[expert] ?? 0) + tokens));

  // Where things are: middles of tiles.
  const dieWidth = LABELS + tilesX * PITCH + PAD;
  const dieHeight = PAD + tilesY * PITCH + PAD;
  const width = 2 * MARGIN + diesX * dieWidth + (diesX - 1) * GAP;
  const height = HEAD + diesY * dieHeight + (diesY - 1) * GAP + FOOT;
  const dieCorner = (/** @type {number} */ die) => ({ left: MARGIN + (die % diesX) * (dieWidth + GAP), top: HEAD + Math.floor(die / diesX) * (dieHeight + GAP) });
  const middle = (/** @type {number} */ x, /** @type {number} */ y) => {
    const { left, top } = dieCorner(Math.floor(y / tilesY) * diesX + Math.floor(x / tilesX));
    return { cx: left + LABELS + ((x % tilesX) + 0.5) * PITCH, cy: top + PAD + ((y % tilesY) + 0.5) * PITCH };
  };
  const placeOf = (/** @type {number} */ tile) => {
    const die = Math.floor(tile / perDie);
    const local = tile % perDie;
    return { x: (die % diesX) * tilesX + (local % tilesX), y: Math.floor(die / diesX) * tilesY + Math.floor(local / tilesX) };
  };

  /** @type {string[]} */
  const svg = [];
  const text = (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ words, /** @type {string} */ attributes) => svg.push(`<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped(words)}</text>`);
  const heading = `${model.name} on ${hardware.name}`;
  const { steps, tokensPerDie } = scenario.workload;
  svg.push(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ${FONT}>`);
  svg.push(`<title>${escaped(heading)}: bytes on every link</title>`);
  svg.push(`<rect width="${width}" height="${height}" rx="14" fill="#0c111c"/>`);
  text(MARGIN, 40, heading, 'font-size="24" font-weight="bold" fill="#f2f5fa"');
  text(MARGIN, 64, `${steps} decode steps × ${model.moeLayers} MoE layers, ${tokensPerDie} tokens per die: every token travels to its ${model.topK} experts and the results travel back. ${diesX} × ${diesY} dies of ${tilesX} × ${tilesY} tiles.`, 'font-size="14" fill="#9fb0c6"');

  // Dies, and on them the blocks of their experts.
  const fewest = Math.min(...copies);
  const most = Math.max(...copies);
  for (let die = 0; die < diesX * diesY; die++) {
    const { left, top } = dieCorner(die);
    svg.push(`<rect x="${left}" y="${top}" width="${dieWidth}" height="${dieHeight}" rx="7" fill="#131b2a" stroke="#33435c"/>`);
    text(left + 6, top + 15, `die ${die}`, 'font-size="11" font-weight="bold" fill="#cdd8e6"');
    const experts = dieOfExpert.flatMap((home, expert) => (home === die ? [expert] : []));
    experts.forEach((expert, rank) => {
      // As @kerf/moe divides a die: contiguous runs of tiles, row by row; with more experts than tiles, several on one.
      const first = experts.length > perDie ? rank % perDie : Math.floor((rank * perDie) / experts.length);
      const end = experts.length > perDie ? first + 1 : Math.floor(((rank + 1) * perDie) / experts.length);
      const colour = shade(((copies[expert] ?? 0) - fewest) / Math.max(1, most - fewest), EXPERT_COLOURS);
      for (let tile = first; tile < end;) {
        const y = Math.floor(tile / tilesX);
        const stop = Math.min(end, (y + 1) * tilesX);
        // One rectangle per row of tiles, joined to the next row of the same expert.
        const joined = end > (y + 1) * tilesX ? 0 : 3;
        svg.push(`<rect x="${left + LABELS + (tile % tilesX) * PITCH + 1.5}" y="${top + PAD + y * PITCH + (tile === first ? 1.5 : -1.5)}" width="${(stop - tile) * PITCH - 3}" height="${PITCH - joined + (tile === first ? 0 : 3)}" fill="${colour}"/>`);
        tile = stop;
      }
      const firstRow = Math.floor(first / tilesX);
      const lastRow = Math.floor((end - 1) / tilesX);
      if (experts.length <= tilesY) text(left + LABELS - 4, top + PAD + ((firstRow + lastRow + 1) / 2) * PITCH + 4, `e${expert}`, 'font-size="11" fill="#8fd3e8" text-anchor="end"');
    });
  }

  // Links, one lane per direction, thin to thick by shade so that the picture also reads without colour.
  const drawn = [...links].map(([key, load]) => ({ router: Number(key.split(' ')[0]), port: key.split(' ')[1] ?? '', ...load }));
  const heaviest = drawn.reduce((max, { bytes }) => Math.max(max, bytes), 1);
  /** @type {string[][]} */
  const paths = Array.from({ length: SHADES + 1 }, () => []);
  /** @param {Link} link */
  const ends = ({ router, port }) => {
    const { x, y } = placeOf(router);
    const [dx, dy] = port === 'east' ? [1, 0] : port === 'west' ? [-1, 0] : port === 'south' ? [0, 1] : [0, -1];
    const from = middle(x, y);
    const to = middle(x + dx, y + dy);
    const inset = TILE / 2 + 0.5;
    return { x1: round(from.cx + dx * inset - dy * LANE), y1: round(from.cy + dy * inset + dx * LANE), x2: round(to.cx - dx * inset - dy * LANE), y2: round(to.cy - dy * inset + dx * LANE) };
  };
  for (const link of drawn) {
    const { x1, y1, x2, y2 } = ends(link);
    paths[Math.round((link.bytes / heaviest) * SHADES)]?.push(`M${x1} ${y1}L${x2} ${y2}`);
  }
  paths.forEach((path, i) => {
    if (path.length > 0) svg.push(`<path d="${path.join('')}" stroke="${shade(i / SHADES, LINK_COLOURS)}" stroke-width="${round(1.6 + (2.2 * i) / SHADES)}" fill="none"/>`);
  });

  // Tiles, and on some of them tokens.
  /** @type {string[]} */
  const squares = [];
  for (let tile = 0; tile < diesX * diesY * perDie; tile++) {
    const { x, y } = placeOf(tile);
    const { cx, cy } = middle(x, y);
    squares.push(`M${round(cx - TILE / 2)} ${round(cy - TILE / 2)}h${TILE}v${TILE}h${-TILE}z`);
  }
  svg.push(`<path d="${squares.join('')}" fill="#26344a" stroke="#5a7090" stroke-width="0.8"/>`);
  for (const tile of [...tokenTiles].sort((a, b) => a - b)) {
    const { x, y } = placeOf(tile);
    const { cx, cy } = middle(x, y);
    svg.push(`<circle cx="${round(cx)}" cy="${round(cy)}" r="3.2" fill="#eaf6ff"/>`);
  }
  const busiest = drawn.reduce((a, b) => (b.busyCycles > a.busyCycles ? b : a), drawn[0] ?? { router: 0, port: 'east', bytes: 0, busyCycles: 0 });
  const ring = ends(busiest);
  svg.push(`<circle cx="${round((ring.x1 + ring.x2) / 2)}" cy="${round((ring.y1 + ring.y2) / 2)}" r="11" fill="none" stroke="#ffffff" stroke-width="1.8"/>`);

  // Legend.
  const base = height - FOOT + 34;
  const scale = (/** @type {number} */ x, /** @type {number} */ w, /** @type {string} */ id, /** @type {string[]} */ colours, /** @type {string} */ what, /** @type {string} */ low, /** @type {string} */ high) => {
    svg.push(`<linearGradient id="${id}">${colours.map((colour, i) => `<stop offset="${i / (colours.length - 1)}" stop-color="${colour}"/>`).join('')}</linearGradient>`);
    text(x, base, what, 'font-size="13" fill="#cdd8e6"');
    svg.push(`<rect x="${x}" y="${base + 10}" width="${w}" height="13" rx="2" fill="url(#${id})" stroke="#33435c"/>`);
    text(x, base + 41, low, 'font-size="12" fill="#9fb0c6"');
    text(x + w, base + 41, high, 'font-size="12" fill="#9fb0c6" text-anchor="end"');
  };
  scale(MARGIN, 270, 'links', LINK_COLOURS, 'Line: bytes over one directed link', '0 MB', megabytes(heaviest));
  scale(MARGIN + 320, 250, 'experts', EXPERT_COLOURS, 'Block: copies of tokens an expert computed', String(fewest), String(most));
  const notes = MARGIN + 630;
  svg.push(`<path d="M${notes - 6} ${base - 10}h12v12h-12z" fill="#26344a" stroke="#5a7090"/><circle cx="${notes}" cy="${base - 4}" r="3.2" fill="#eaf6ff"/>`);
  text(notes + 18, base, 'a tile that holds tokens; e0, e1, … are experts and their tiles', 'font-size="13" fill="#cdd8e6"');
  svg.push(`<circle cx="${notes}" cy="${base + 20}" r="8" fill="none" stroke="#ffffff" stroke-width="1.8"/>`);
  const share = (100 * busiest.busyCycles) / manifest.totals.simulatedCycles;
  text(notes + 18, base + 24, `the busiest link: busy ${share.toFixed(1)} % of the time, ${megabytes(busiest.bytes)}`, 'font-size="13" fill="#cdd8e6"');
  const origin = `${manifest.trace.origin} routing trace, ${(manifest.totals.simulatedCycles / hardware.clockMegahertz / 1000).toFixed(2)} ms simulated`;
  text(notes + 18, base + 48, `${origin}; run ${String(manifest.digest).slice(0, 12)}`, 'font-size="12" fill="#9fb0c6"');
  svg.push('</svg>');
  return `${svg.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, ...more] = process.argv.slice(2);
  if (folder === undefined || more.length > 0 || !existsSync(join(folder, 'manifest.json'))) {
    console.error('usage: node tools/draw-run.mjs RUN_FOLDER > picture.svg\nRUN_FOLDER is what kerf run wrote: a folder with a manifest.json.');
    process.exit(2);
  }
  try {
    process.stdout.write(drawRun(folder));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
