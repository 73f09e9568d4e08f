import type { TrafficMachine } from './machine.ts';

/** How far the fidelity of a measurement is off, in sentences for a person. */
export function notesOf({ fidelity, virtualChannels }: TrafficMachine, flits: number | null, simulated: boolean): string[] {
  if (fidelity === 'packet') {
    const held = 'At packet fidelity a packet holds a link until its tail has passed.';
    const same = virtualChannels === 1 || flits === 1;
    const size = 'with several lanes and several flits per packet, that is 13 to 32 % in latency against routers that share a link flit by flit (--fidelity flit --switch-hold flit)';
    return [same ? `${held} Here that changes little; ${size}.` : `${held} Here, ${size}.`];
  }
  if (fidelity === 'analytic') {
    return [
      simulated
        ? 'At analytic fidelity a packet takes the links of its way when it is injected; no queue holds another packet up.'
        : 'Nothing was simulated: zero-load latency, busiest link, and waiting of independent output queues. Too low from about half of saturation on.',
    ];
  }
  return [];
}
