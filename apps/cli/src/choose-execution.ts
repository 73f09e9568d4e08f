import { dies, type Hardware } from '@kerf/hardware';
import type { ModelCard, Scenario } from '@kerf/scenario';
import { CliError } from './errors.ts';

export interface ExecutionChoice {
  readonly nodes: number;
  readonly transport: 'websocket' | 'memory';
}

/** Two processes that exchange frames every round gain 1.7× from about here on (docs/architecture.md, section 7). */
export const WORTHWHILE_HOPS_PER_ROUND = 20_000;

/**
 * Over how many processes a run is cut, and what joins them. What was asked for is obeyed; "auto" cuts only where a round,
 * one latency of the links between dies, has work enough for the exchange to pay.
 *
 * @param cores processors that the machine offers
 * @throws CliError `TOO_MANY_NODES`
 */
export function chooseExecution(scenario: Scenario, hardware: Hardware, model: ModelCard, cores: number): ExecutionChoice {
  const { nodes: asked = 'auto', transport = 'auto' } = scenario.execution ?? {};
  const most = dies(hardware);
  if (asked !== 'auto' && asked > most) {
    const message = `${asked} node processes are more than the ${most} ${most === 1 ? 'die' : 'dies'} of ${hardware.name}: a process owns whole dies. Use --nodes ${most} or fewer.`;
    throw new CliError('TOO_MANY_NODES', message, { nodes: asked, dies: most });
  }
  const pays = estimatedHopsPerRound(scenario, hardware, model) >= WORTHWHILE_HOPS_PER_ROUND;
  const nodes = asked !== 'auto' ? asked : pays ? Math.max(1, Math.min(cores, most)) : 1;
  return { nodes, transport: transport === 'auto' ? (nodes > 1 ? 'websocket' : 'memory') : transport };
}

/**
 * Packet-hops of the whole wafer in one latency of the links between dies, roughly: traffic spread evenly over tiles and
 * experts, and a kernel that lasts as long as the links between dies carry its bytes at half their rate, or its packets
 * travel over the mean distance. Compute is left out, so that the true figure is rather lower. Infinite on one die.
 */
export function estimatedHopsPerRound(scenario: Scenario, hardware: Hardware, model: ModelCard): number {
  const { wafer, die, d2d, link } = hardware;
  if (d2d === null || dies(hardware) === 1) return Infinity;
  const copies = dies(hardware) * scenario.workload.tokensPerDie * model.topK;
  const copyBytes = model.hiddenWidth * (model.activationBytes + model.combineBytes);
  const packets = copies * 2 * Math.ceil(copyBytes / 2 / link.maxPacketBytes);
  // The mean distance of two random points on a line of n is about n / 3.
  const dieHops = (wafer.diesX + wafer.diesY) / 3;
  const tileHops = (wafer.diesX * die.tilesX + wafer.diesY * die.tilesY) / 3;
  const borders = { x: 2 * (wafer.diesX - 1) * wafer.diesY, y: 2 * (wafer.diesY - 1) * wafer.diesX };
  const links = d2d.shape === 'hub' ? borders.x + borders.y : borders.x * die.tilesY + borders.y * die.tilesX;
  const rate = d2d.link.bytesPerCycle;
  const bytesPerCycle = typeof rate === 'number' ? rate : rate[0] / rate[1];
  const transferCycles = (2 * copies * copyBytes * dieHops) / (links * bytesPerCycle);
  const travelCycles = 2 * (tileHops * link.cycles + dieHops * d2d.link.cycles);
  return (packets * tileHops * d2d.link.cycles) / Math.max(transferCycles, travelCycles);
}
