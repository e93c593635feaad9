import { hostileRun, type HostileOutcome } from '../support/hostile-run.ts';

const MIB = 2 ** 20;

/** 100,000 valid and 10,000 malformed lines over 50 connections: each stored or counted, memory flat. */
export async function hostile(): Promise<void> {
  const outcome = await hostileRun({ connections: 50, validLines: 100_000, malformedLines: 10_000, seed: 3 });
  process.stdout.write(hostileTable(outcome));
  if (outcome.stored !== 100_000) throw new Error(`${outcome.stored} of 100000 valid lines were stored`);
  if (outcome.refused !== outcome.malformedSent) throw new Error('malformed lines were not all counted');
  const grown = outcome.residentAtEnd - outcome.residentHalfway;
  if (grown > 32 * MIB)
    throw new Error(`resident memory grew by ${Math.round(grown / MIB)} MiB over the second half`);
}

function hostileTable(outcome: HostileOutcome): string {
  const mib = (bytes: number) => `${(bytes / MIB).toFixed(1)} MiB`;
  const reasons = Object.entries(outcome.reasons).map(
    ([reason, count]) => `    ${reason.padEnd(24)}${count}\n`,
  );
  return (
    `  valid lines stored          ${outcome.stored}\n` +
    `  malformed sent, counted     ${outcome.malformedSent}, ${outcome.refused}\n${reasons.join('')}` +
    `  resident after half, end    ${mib(outcome.residentHalfway)}, ${mib(outcome.residentAtEnd)}\n`
  );
}
