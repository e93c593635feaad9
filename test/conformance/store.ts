import { afterEach, beforeEach, describe } from 'vitest';
import { anomalyScoreTests } from './store/anomaly-scores.ts';
import { anyOrderTests } from './store/any-order.ts';
import { appendTests } from './store/append.ts';
import { catalogueTests } from './store/catalogue.ts';
import { clearingTests } from './store/clearing.ts';
import { commandTests } from './store/commands.ts';
import { copyingTests } from './store/copying.ts';
import { cursorTests } from './store/cursors.ts';
import { deletingTests } from './store/deleting.ts';
import { durabilityTests } from './store/durability.ts';
import { StoreFixture, type StoreUnderTest } from './store/fixture.ts';
import { incidentTests } from './store/incidents.ts';
import { leaseTests } from './store/leases.ts';
import { migrationTests } from './store/migrating.ts';
import { monitoringTests } from './store/monitoring.ts';
import { outboxTests } from './store/outbox.ts';
import { queryTests } from './store/queries.ts';
import { rawScoreTests } from './store/raw-scores.ts';
import { restartingTests } from './store/restarting.ts';
import { retentionTests } from './store/retention.ts';
import { sweepTests } from './store/sweeps.ts';
import { taskTests } from './store/tasks.ts';
import { viewTests } from './store/views.ts';

export type { StoreUnderTest };

/** What every store must do. `makeStore` gives an empty one. */
export function storeConformance(adapter: string, makeStore: () => Promise<StoreUnderTest>): void {
  describe(`store: ${adapter}`, () => {
    let fixture: StoreFixture | undefined;
    beforeEach(async () => {
      fixture = await StoreFixture.create(await makeStore());
    });
    afterEach(async () => await fixture?.under.dispose());

    /** The fixture of the running test. */
    function current(): StoreFixture {
      if (fixture === undefined) throw new Error('no store was made');
      return fixture;
    }

    appendTests(current);
    rawScoreTests(current);
    anomalyScoreTests(current);
    cursorTests(current);
    taskTests(current);
    sweepTests(current);
    catalogueTests(current);
    leaseTests(current);
    monitoringTests(current);
    clearingTests(current);
    restartingTests(current);
    commandTests(current);
    copyingTests(current);
    retentionTests(current);
    deletingTests(current);
    outboxTests(current);
    queryTests(current);
    incidentTests(current);
    durabilityTests(current);
    viewTests(current);
    migrationTests(current);
    anyOrderTests(current);
  });
}
