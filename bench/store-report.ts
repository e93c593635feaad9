import type { Machine } from './calibration.ts';
import type { StoreFinding } from './store-run.ts';
import { round, table } from './table.ts';

/** All that `bench:store` finds out; with `--json` it is printed as it is. */
export interface StoreBench {
  readonly machine: Machine;
  readonly command: string;
  /** Milliseconds of the calibration kernel before and after the measurements. */
  readonly calibrationMs: { readonly before: number; readonly after: number };
  /** The median of writing and syncing one page where SQLite's database was put. */
  readonly fsyncMs: number;
  readonly inFlight: number;
  readonly findings: readonly StoreFinding[];
}

/** The findings as a table for a reader: the stores side by side. */
export function describeStores(bench: StoreBench): string {
  const { machine, command, calibrationMs, fsyncMs, inFlight, findings } = bench;
  const versions = new Map(findings.map(({ store, version }) => [store, version]));
  const stores = [...versions.keys()];
  const columns = (title: string) =>
    stores.map((store, index) => (index === 0 ? `${title}: ${store}` : store));
  const lines = findings.filter(({ store }) => store === stores[0]);
  return [
    command,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGib.toFixed(1)} GiB, load ${machine.load.toFixed(1)}; ` +
      `Node ${machine.node}, V8 ${machine.v8}`,
    `Calibration kernel: ${round(calibrationMs.before)} ms before, ${round(calibrationMs.after)} ms after. ` +
      `Writing and syncing 4 KiB: ${round(fsyncMs)} ms.`,
    [...versions].map(([store, version]) => `${store}: ${version}`).join('; '),
    '',
    `Each T0 gives every metric its rows; T1 to T3 are one transaction a metric, ${inFlight} at the same time.`,
    table(
      ['metrics x rows', '', ...columns('rows/s'), ...columns('round trips/row'), ...columns('bytes/row')],
      lines.map((line) => {
        const all = stores.map((store) => sameLine(findings, line, store));
        return [
          `${line.metrics} x ${line.rows}`,
          line.transaction,
          ...all.map((one) => round(one.rowsPerSecond)),
          ...all.map((one) => round(one.roundTripsPerRow)),
          ...all.map((one) => round(one.bytesPerRow)),
        ];
      }),
    ),
    'A server: round trips and bytes on the wire, both ways. SQLite: calls to its thread, bytes written to storage.',
    '',
  ].join('\n');
}

function sameLine(findings: readonly StoreFinding[], line: StoreFinding, store: string): StoreFinding {
  const found = findings.find(
    (one) =>
      one.store === store &&
      one.transaction === line.transaction &&
      one.metrics === line.metrics &&
      one.rows === line.rows,
  );
  if (found === undefined) throw new Error(`${store} was not measured`);
  return found;
}
