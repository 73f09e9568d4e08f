import type { TrafficContext } from './facts.ts';
import type { TrafficFlags } from './flags.ts';
export async function sweepTraffic(_flags: TrafficFlags, _context: TrafficContext): Promise<void> {}
