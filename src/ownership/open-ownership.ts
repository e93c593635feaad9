import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import type { StartedServices } from '../started-services.ts';
import type { StoreCosts } from '../store-costs.ts';
import type { Stage } from '../store/leases.ts';
import type { Store } from '../store/store.ts';
import type { Telemetry } from '../telemetry.ts';
import { soleOwnership, type Ownership } from './ownership.ts';
import { OwnershipTelemetry } from './ownership-telemetry.ts';
import { SharedOwnership } from './shared-ownership.ts';

export interface OwnershipParts {
  readonly store: Pick<Store, 'catalogue' | 'leases'>;
  readonly costs: StoreCosts;
  /** No other process can use the store: everything is ours for ever. */
  readonly isSole: boolean;
  readonly settings: Config['ownership'];
  readonly telemetry: Telemetry;
  readonly started: StartedServices;
}

/**
 * Gives a stage of this process its view of the partitions; to be asked before the stage starts, so that the partitions
 * are given up after it has ended.
 */
export type OwnershipOf = (stage: Stage) => Promise<Ownership>;

/** @throws HtmEngineError `store_incomplete`, `store_unavailable` */
export async function openOwnership(parts: OwnershipParts): Promise<OwnershipOf> {
  const { store, costs, isSole, settings, telemetry, started } = parts;
  const owner = randomUUID();
  const shared = new OwnershipTelemetry(telemetry.registry);
  if (isSole) {
    const ownership = soleOwnership(await store.catalogue.takeLeases(owner));
    return () => Promise.resolve(ownership);
  }
  await store.leases.checkServable();
  return async (stage) => {
    const { log } = telemetry;
    const leases = costs.of(stage, store.leases);
    const ownership = new SharedOwnership({ ...settings, stage, owner, leases, log, telemetry: shared });
    started.push(() => ownership.stop());
    await ownership.start();
    return ownership;
  };
}
