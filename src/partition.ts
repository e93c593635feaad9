import { hash } from 'node:crypto';

/** The number of partitions of a new installation. It is fixed with the first migration. */
export const NEW_INSTALLATION_PARTITIONS = 16;

/**
 * Which of `partitions` shares of the work a metric of this name belongs to: the same on every machine and for ever.
 * The store keeps it with the metric; over a broker it also is the queue that the metric's samples go through.
 */
export function partitionOf(name: string, partitions: number): number {
  return hash('sha256', name, 'buffer').readUInt32BE(0) % partitions;
}
