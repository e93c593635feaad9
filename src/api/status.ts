import type { FastifyInstance } from 'fastify';
import { getStatus } from '../contract/engine.ts';
import type { AnswerOf } from '../contract/operation.ts';
import { statusName, type MetricStatus } from '../metric.ts';
import { STAGES, type Leases } from '../store/leases.ts';
import { route } from './route.ts';
import type { ApiServices } from './services.ts';
import { sharedRead } from './shared-read.ts';

/** How the engine is, at a glance. */
export function statusRoutes(
  app: FastifyInstance,
  { queries, ready, leases, version }: Pick<ApiServices, 'queries' | 'ready' | 'leases' | 'version'>,
): void {
  const startedAt = new Date().toISOString();
  // Sums over every metric.
  const totals = sharedRead(() => queries.totals());

  route(app, getStatus, async () => {
    const { metrics, rows, unprocessedRows } = await totals();
    return {
      version,
      startedAt,
      metrics: Object.fromEntries(
        Object.entries(metrics).map(([status, count]) => [statusName(Number(status) as MetricStatus), count]),
      ),
      rows,
      unprocessedRows,
      ready: await ready().then(
        () => true,
        () => false,
      ),
      leases: (await Promise.all(STAGES.map((stage) => sharesOf(leases, stage)))).flat(),
    };
  });
}

type Shares = AnswerOf<typeof getStatus>['leases'];

/** Who works on how many partitions of the stage; nothing where one process has all of them without a word. */
async function sharesOf(leases: Pick<Leases, 'look'>, stage: (typeof STAGES)[number]): Promise<Shares> {
  const { members, leases: held } = await leases.look(stage);
  if (members.length === 0) return [];
  const counts = new Map<string | null, number>(members.map((member) => [member, 0]));
  for (const { owner } of held) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return [...counts].map(([owner, partitions]) => ({
    stage,
    owner,
    alive: owner !== null && members.includes(owner),
    partitions,
  }));
}
