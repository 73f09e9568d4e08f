import { memorySource, MemorySink, streamToFile, TableWriter, type TableSpec } from '@kerf/arrow';
import type { Series } from './series.ts';

/** The latency–load curves as an Arrow file: one row per measured rate, series by series, rates rising. */
export function sweepTable(series: readonly Series[], facts: Readonly<Record<string, string>>): Uint8Array {
  const names = (of: (one: Series) => string): string[] => [...new Set(series.map(of))];
  const fidelities = names(({ machine }) => machine.fidelity);
  const patterns = names(({ pattern }) => pattern);
  const spec: TableSpec = {
    name: 'traffic-sweep',
    metadata: { formatVersion: '1', ...facts },
    columns: [
      { name: 'series', type: 'u32', unit: '', description: 'Number of the curve, from 0.' },
      { name: 'fidelity', type: 'name', unit: '', description: 'How closely the fabric was simulated.', names: fidelities },
      { name: 'pattern', type: 'name', unit: '', description: 'Where the packets of each tile go.', names: patterns },
      { name: 'virtual_channels', type: 'u32', unit: '', description: 'Virtual channels per port.' },
      { name: 'packet_flits', type: 'u32', unit: 'flits', description: 'Length of a packet.' },
      { name: 'offered_flit_rate', type: 'f64', unit: 'flits per tile and cycle', description: 'Offered load.' },
      { name: 'accepted_flit_rate', type: 'f64', unit: 'flits per tile and cycle', description: 'What arrived in the measured cycles.' },
      { name: 'accepted_flit_rate_least', type: 'f64', unit: 'flits per tile and cycle', description: 'The same of the tile that got least; 0 where nothing was simulated.' },
      { name: 'packet_latency_cycles', type: 'f64', unit: 'cycles', description: 'Mean from creation to the arrival of the tail; -1 where no measured packet arrived.' },
      { name: 'network_latency_cycles', type: 'f64', unit: 'cycles', description: 'Mean without the time in the source queue; -1 where no measured packet arrived.' },
      { name: 'hops', type: 'f64', unit: 'routers', description: 'Mean routers traversed, links + 1; -1 where no measured packet arrived.' },
      { name: 'saturated', type: 'u8', unit: '', description: '1: the network was saturated at this rate.' },
      { name: 'cycles', type: 'u64', unit: 'cycles', description: 'Simulated in all; 0 where nothing was simulated.' },
      { name: 'packet_hops', type: 'u64', unit: 'router traversals', description: 'Of packets, after the warm-up.' },
    ],
  };
  const stream = new MemorySink();
  const writer = new TableWriter(spec, stream);
  for (const [index, { machine, pattern, flits, points }] of series.entries()) {
    for (const { rate, measured } of [...points].sort((a, b) => a.rate - b.rate)) {
      const row = [
        index, fidelities.indexOf(machine.fidelity), patterns.indexOf(pattern), machine.virtualChannels, flits, rate, measured.acceptedFlitRate, measured.acceptedFlitRateLeast,
        measured.packetLatencyCycles ?? -1, measured.networkLatencyCycles ?? -1, measured.hops ?? -1, measured.status === 'saturated' ? 1 : 0, measured.cycles, measured.packetHops,
      ];
      for (const [column, value] of row.entries()) writer.set(column, value);
      writer.endRow();
    }
  }
  writer.finish();
  const file = new MemorySink();
  streamToFile(memorySource('traffic-sweep', stream.bytes()), file);
  return file.bytes();
}
