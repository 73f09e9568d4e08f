import { edgeNodes, tilesPerDie, type DirectionName, type EdgeNode, type Hardware } from '@kerf/hardware';
import { affineValue, elementBytes, type ProgramInstances } from '@kerf/program';
import { CostError } from '../costs/errors.ts';
import type { CostOptions } from '../costs/options.ts';
import { channelOf, checkMemoryMap, type MemoryMap } from '../costs/memory-address.ts';
import { acceptTime, createMemory, requestSpread, type Memory } from '../costs/memory-channel.ts';
import type { AnswerColumns } from './engine-state.ts';
import type { LaidOutPrograms, PlacedTiles } from './laid-out-programs.ts';
import type { TileHardware } from './tile-hardware.ts';

/** Tensors begin at multiples of this. */
const TENSOR_ALIGNMENT = 4096;
/** What a channel takes at a time. */
const LINE_BYTES = 128;

/**
 * The memory of a die as the tiles see it: where tensors lie, which node a tile uses, and the channels behind it.
 *
 * Each tensor lies at one edge. With aliasing, all channels of that edge are one address space, and a tile reaches it through the node
 * of its own column (north and south) or row (west and east). Without, a tile's part of a tensor lies in the channels of that
 * node: what is loaded once for a row or column of tiles is near it. Machines that give channels no place have one address space
 * over all of them, reached without crossing the fabric.
 */
export class DieMemory {
  readonly memory: Memory;
  readonly #laid: LaidOutPrograms;
  readonly #placed: PlacedTiles;
  readonly #packetBytes: number;
  /** [tensors of all programs] edge, first byte, bytes from one row to the next, bytes of an element. */
  readonly #edge: Int32Array;
  readonly #base: Float64Array;
  readonly #rowBytes: Float64Array;
  readonly #elementBytes: Int32Array;
  /** [programs] number of its first tensor. */
  readonly #firstTensor: Int32Array;
  /** [tiles × edges in use] node, −1 without. */
  readonly #nodeOf: Int32Array;
  readonly #edges: number;
  /** [nodes], or one for all channels. */
  readonly #maps: readonly MemoryMap[];
  /** Do several nodes share channels, so that what arrives at them has to be taken line by line, in the order of time? */
  readonly shared: boolean;

  constructor(hardware: Hardware, tile: TileHardware, costs: CostOptions, laid: LaidOutPrograms, placed: PlacedTiles, wanted: Readonly<Record<string, DirectionName>>) {
    const { memory } = hardware;
    if (memory === null || tile.memory === null) throw new CostError('COST_BAD_ARGUMENT', `The hardware "${hardware.name}" has no memory, but a program loads or stores.`, {});
    const { interleaveBytes, scramble, timing } = tile.memory;
    this.memory = createMemory(memory.channels, timing, hardware.clockMegahertz, costs);
    this.#laid = laid;
    this.#placed = placed;
    this.#packetBytes = hardware.link.maxPacketBytes;
    const nodes = edgeNodes(hardware);
    const edges = [...new Set(nodes.map(({ edge }) => edge))];
    this.#edges = Math.max(1, edges.length);
    this.#maps = nodes.length === 0 ? [{ channels: memory.channels, firstChannel: 0, interleaveBytes, scramble }] : nodes.map((node) => mapOf(node, nodes, memory.aliasing === 'column' || memory.aliasing === 'edge', interleaveBytes, scramble));
    for (const map of this.#maps) checkMemoryMap(map);
    this.shared = nodes.length > 0 && this.#maps.some(({ channels }, node) => channels > nodes[node]!.channels);
    this.#nodeOf = nodesOfTiles(hardware, nodes, edges);

    const tensors = laid.programs.flatMap(({ compiled }) => compiled.program.tensors);
    this.#firstTensor = new Int32Array(laid.programs.length);
    let first = 0;
    laid.programs.forEach(({ compiled }, p) => {
      this.#firstTensor[p] = first;
      first += compiled.program.tensors.length;
    });
    this.#base = new Float64Array(tensors.length);
    this.#rowBytes = Float64Array.from(tensors, (tensor) => tensor.columns * elementBytes[tensor.elementType]);
    this.#elementBytes = Int32Array.from(tensors, (tensor) => elementBytes[tensor.elementType]);
    let at = 0;
    let inputs = 0;
    this.#edge = Int32Array.from(tensors, (tensor, i) => {
      this.#base[i] = at;
      at += Math.ceil((tensor.rows * this.#rowBytes[i]!) / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;
      const asked = wanted[tensor.name];
      if (asked !== undefined && nodes.length > 0) {
        const edge = edges.indexOf(asked);
        if (edge < 0) throw new CostError('COST_BAD_ARGUMENT', `Tensor ${tensor.name} is to lie at the ${asked} edge, which has no memory nodes; there are some at ${edges.join(', ')}.`, { tensor: tensor.name, edge: asked });
        return edge;
      }
      return tensor.use === 'input' ? inputs++ % this.#edges : 0;
    });
  }

  /** Node that a tile loads an entry through; −1: memory has no place. */
  nodeOf(tile: number, entry: number): number {
    return this.#nodeOf[tile * this.#edges + this.#edge[this.#tensorOf(tile, entry)]!]!;
  }

  /** Packets of a load or store: bursts of at most a packet, which gather lines of a slice that are shorter. */
  packetsOf(entry: number): number {
    const lines = this.#laid.lines[entry]!;
    const bytes = this.#laid.lineBytes[entry]!;
    if (bytes >= this.#packetBytes) return lines * Math.ceil(bytes / this.#packetBytes);
    return Math.ceil(lines / Math.floor(this.#packetBytes / bytes));
  }

  /** Payload of one packet. */
  bytesOf(entry: number, packet: number): number {
    const lines = this.#laid.lines[entry]!;
    const bytes = this.#laid.lineBytes[entry]!;
    if (bytes >= this.#packetBytes) {
      const perLine = Math.ceil(bytes / this.#packetBytes);
      return Math.min(this.#packetBytes, bytes - (packet % perLine) * this.#packetBytes);
    }
    const perPacket = Math.floor(this.#packetBytes / bytes);
    return Math.min(perPacket, lines - packet * perPacket) * bytes;
  }

  /**
   * Books one packet of a tile's load or store in the channels behind a node.
   *
   * @param arrivalCycle of its first line there
   * @returns cycle in which the last byte of a read is back, or of a write is accepted
   */
  request(tile: number, entry: number, packet: number, node: number, isWrite: boolean, arrivalCycle: number, cyclesPerLine: number): number {
    const { memory } = this;
    const map = this.#maps[Math.max(0, node)]!;
    const tensor = this.#tensorOf(tile, entry);
    const lines = this.#laid.lines[entry]!;
    const bytes = this.#laid.lineBytes[entry]!;
    const start = this.#addressOf(tile, entry, tensor);
    if (bytes >= this.#packetBytes) {
      const perLine = Math.ceil(bytes / this.#packetBytes);
      const line = Math.floor(packet / perLine);
      const offset = (packet % perLine) * this.#packetBytes;
      return requestSpread(memory, map, start + line * this.#rowBytes[tensor]! + offset, Math.min(this.#packetBytes, bytes - offset), isWrite, arrivalCycle, cyclesPerLine);
    }
    const perPacket = Math.floor(this.#packetBytes / bytes);
    const end = Math.min(lines, (packet + 1) * perPacket);
    let done = 0;
    let cycle = arrivalCycle;
    for (let line = packet * perPacket; line < end; line++) {
      const lineDone = requestSpread(memory, map, start + line * this.#rowBytes[tensor]!, bytes, isWrite, Math.floor(cycle), cyclesPerLine);
      if (lineDone > done) done = lineDone;
      cycle += cyclesPerLine * Math.ceil(bytes / 128);
    }
    return done;
  }

  /** Notes in a row of `answers` where the lines of a packet begin, for {@link takeLine}. */
  beginPacket(answers: AnswerColumns, row: number, tile: number, entry: number, packet: number): void {
    const tensor = this.#tensorOf(tile, entry);
    const bytes = this.#laid.lineBytes[entry]!;
    const start = this.#addressOf(tile, entry, tensor);
    const long = bytes >= this.#packetBytes;
    const perLine = long ? Math.ceil(bytes / this.#packetBytes) : 1;
    const line = long ? Math.floor(packet / perLine) : packet * Math.floor(this.#packetBytes / bytes);
    answers.address[row] = start + line * this.#rowBytes[tensor]! + (long ? (packet % perLine) * this.#packetBytes : 0);
    answers.lineBytes[row] = long ? this.#packetBytes : bytes;
    answers.inLine[row] = 0;
    answers.skipBytes[row] = this.#rowBytes[tensor]! - bytes;
    answers.leftBytes[row] = this.bytesOf(entry, packet);
    answers.doneCycle[row] = 0;
  }

  /**
   * Hands the next line of a packet to its channel. A channel that is not ready takes it as soon as it is, in the order in which lines
   * were handed to it, and holds up what is behind it at the node.
   *
   * @returns first cycle in which the node may hand over another line
   */
  takeLine(answers: AnswerColumns, row: number, isWrite: boolean, cycle: number): number {
    const map = this.#maps[answers.node[row]!]!;
    const address = answers.address[row]!;
    const inLine = answers.inLine[row]!;
    const granted = acceptTime(this.memory, channelOf(map, Math.floor(address / map.interleaveBytes)));
    const bytes = Math.min(LINE_BYTES - (address % LINE_BYTES), answers.lineBytes[row]! - inLine, answers.leftBytes[row]!);
    const done = requestSpread(this.memory, map, address, bytes, isWrite, cycle, 0);
    if (done > answers.doneCycle[row]!) answers.doneCycle[row] = done;
    answers.leftBytes[row]! -= bytes;
    const ends = inLine + bytes === answers.lineBytes[row];
    answers.address[row] = address + bytes + (ends ? answers.skipBytes[row]! : 0);
    answers.inLine[row] = ends ? 0 : inLine + bytes;
    return granted > cycle ? Math.floor(granted) + 1 : cycle + 1;
  }

  #tensorOf(tile: number, entry: number): number {
    const program = this.#placed.programOfGroup[this.#placed.groupOfTile[tile]!]!;
    return this.#firstTensor[program]! + this.#laid.programs[program]!.compiled.program.slices.tensor[this.#laid.slice[entry]!]!;
  }

  /** Address of the first byte of the slice that a tile loads or stores. */
  #addressOf(tile: number, entry: number, tensor: number): number {
    const { groupOfTile, placeOfTile, programOfGroup, instanceOfGroup } = this.#placed;
    const group = groupOfTile[tile]!;
    const placed: ProgramInstances = this.#laid.programs[programOfGroup[group]!]!;
    const { program } = placed.compiled;
    const slice = this.#laid.slice[entry]!;
    const place = placeOfTile[tile]!;
    const { width } = program.group;
    const x = place % width;
    const y = (place - x) / width;
    const parameters = program.parameters.length;
    const at = instanceOfGroup[group]! * parameters;
    const row = affineValue(program.affines, program.slices.row[slice]!, parameters, x, y, placed.parameters, at);
    const column = affineValue(program.affines, program.slices.column[slice]!, parameters, x, y, placed.parameters, at);
    return this.#base[tensor]! + row * this.#rowBytes[tensor]! + column * this.#elementBytes[tensor]!;
  }
}

function mapOf(node: EdgeNode, nodes: readonly EdgeNode[], aliasing: boolean, interleaveBytes: number, scramble: boolean): MemoryMap {
  const behind = aliasing ? nodes.filter(({ edge }) => edge === node.edge) : [node];
  const firstChannel = behind[0]!.node * node.channels;
  return { channels: behind.length * node.channels, firstChannel, interleaveBytes, scramble };
}

/** [tiles × edges] the node of a tile's column or row at each edge that has some. */
function nodesOfTiles(hardware: Hardware, nodes: readonly EdgeNode[], edges: readonly DirectionName[]): Int32Array {
  const tiles = tilesPerDie(hardware);
  if (nodes.length === 0) return new Int32Array(tiles).fill(-1);
  const { tilesX } = hardware.die;
  const result = new Int32Array(tiles * edges.length);
  for (let tile = 0; tile < tiles; tile++) {
    edges.forEach((edge, e) => {
      const along = edge === 'west' || edge === 'east' ? Math.floor(tile / tilesX) : tile % tilesX;
      result[tile * edges.length + e] = nodes.find((node) => node.edge === edge && along >= node.first && along < node.first + node.tiles)!.node;
    });
  }
  return result;
}
