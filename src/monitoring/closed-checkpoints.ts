import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import type { Log } from '../store/log.ts';

/** Deletes a metric's checkpoints, but for those of a generation that is open. @throws store_unavailable */
export async function deleteClosedCheckpoints(
  log: Pick<Log, 'modelTask'>,
  checkpoints: CheckpointStore,
  metricId: string,
): Promise<void> {
  const task = await log.modelTask(metricId);
  if (task === null) {
    await checkpoints.deleteAll(metricId);
    return;
  }
  for (const name of await checkpoints.list(metricId)) {
    if (name.generation !== task.generation.generation) await checkpoints.delete(name);
  }
}
