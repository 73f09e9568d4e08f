import type { Hardware } from '@kerf/hardware';
import { FabricError } from '../errors.ts';
import type { Fidelity } from '../fabric.ts';
import { routerCycles, type FlitPipeline } from '../flit/pipeline.ts';

/** A mesh as the interconnection literature describes one. */
export interface MeshChoice {
  readonly width: number;
  readonly height: number;
  /** Virtual channels per port. */
  readonly virtualChannels: number;
  /** Flits of buffer per virtual channel and port. */
  readonly bufferFlits: number;
  /** Largest packet, flits. */
  readonly packetFlits: number;
  readonly pipeline: FlitPipeline;
}

/** Bytes of a flit of such a mesh: any number would do. */
export const MESH_FLIT_BYTES = 16;

/** Largest mesh for traffic: a kernel holds up to some kilobytes per tile. */
export const MOST_MESH_TILES = 2 ** 20;
export const MOST_MESH_SIDE = 4096;

/**
 * The mesh as hardware: one die of bare routers. A hop is a router and the wire behind it, so that with t_r cycles in a router
 * the zero-load latency of the literature, (H + 1) t_r + H + 3 + (P − 1) cycles, is H hops of t_r + 1, an injection of 2 and an
 * ejection of t_r + 1 at every fidelity.
 *
 * What the flit kernel takes from the pipeline, the others need as numbers: a credit can be used 1 + creditDelay cycles after
 * a flit has left, so that the loop from sending a flit to using its place again is as long as in the pipeline (8 cycles in A,
 * 5 in B); and a lane rests between two packets for the route computation and VC allocation that nothing overlaps.
 *
 * @param fidelity at all but `flit`, and with `wholePackets`, a buffer has to hold a packet
 * @throws FabricError `FABRIC_BAD_OPTION` for a size out of range, `FABRIC_BUFFER_TOO_SMALL` where packets have to fit into a buffer and do not
 */
export function meshMachine(choice: MeshChoice, fidelity: Fidelity, wholePackets = fidelity !== 'flit'): Hardware {
  const { width, height, virtualChannels, bufferFlits, packetFlits, pipeline } = choice;
  checkMesh(width, height);
  if (wholePackets && bufferFlits < packetFlits) {
    const how = fidelity === 'flit' ? 'With links held until the tail' : `At ${fidelity} fidelity`;
    const message = `${how} a buffer holds at least one packet: --buffer-flits from ${packetFlits} on for packets of ${packetFlits} flits, got ${bufferFlits}.`;
    throw new FabricError('FABRIC_BUFFER_TOO_SMALL', message, { bufferFlits, packetFlits });
  }
  const router = routerCycles(pipeline);
  const plain = { bytesPerCycle: MESH_FLIT_BYTES, picojoulesPerByteHop: 0 };
  const setupCycles = (pipeline.lookAhead ? 0 : pipeline.routing) + (pipeline.speculative ? 0 : pipeline.vcAllocation);
  return {
    formatVersion: 1,
    name: `mesh-${width}x${height}`,
    description: `A mesh of ${width} x ${height} bare routers for traffic.`,
    clockMegahertz: 1000,
    wafer: { diesX: 1, diesY: 1 },
    die: { tilesX: width, tilesY: height },
    // Nothing computes here.
    tile: { matrix: { flopsPerCycle: { fp16: 1, fp8: 1 }, rows: 1, columns: 1, pipelineStages: 0 }, vector: { flopsPerCycle: 1 }, l1Bytes: 1, l1BytesPerCycle: 1 },
    link: {
      ...plain,
      cycles: router + 1,
      // Topologies want room for a packet; at flit fidelity the kernel is told its buffers apart.
      credits: Math.max(bufferFlits, packetFlits),
      creditCycles: 1 + pipeline.creditDelay,
      maxPacketBytes: packetFlits * MESH_FLIT_BYTES,
      virtualChannels,
    },
    localLink: { ...plain, cycles: 2, credits: Math.max(bufferFlits, packetFlits) },
    ejectionLink: { ...plain, cycles: router + 1 },
    ...(setupCycles === 0 ? {} : { router: { setupCycles } }),
    memory: null,
    d2d: null,
  };
}

function checkMesh(width: number, height: number): void {
  for (const side of [width, height]) {
    if (Number.isSafeInteger(side) && side >= 1 && side <= MOST_MESH_SIDE) continue;
    throw new FabricError('FABRIC_BAD_OPTION', `A mesh has 1 to ${MOST_MESH_SIDE} tiles along each side, got ${width}x${height}.`, { width, height });
  }
  if (width * height > MOST_MESH_TILES) {
    throw new FabricError('FABRIC_BAD_OPTION', `A mesh for traffic has at most ${MOST_MESH_TILES} tiles, got ${width}x${height} = ${width * height}.`, { width, height });
  }
}
