/** The most that the process was seen to take besides models, and of that what each worker thread is (docs/operating.md). */
const PROCESS_BYTES = 352 * 2 ** 20;
const WORKER_BYTES = 96 * 2 ** 20;
/** Room for a few models at least, on however small a machine. */
const LEAST_BYTES = 64 * 2 ** 20;

/**
 * The memory that models may take unless somebody says otherwise: half of what there is, and less where the rest of the
 * process would not fit beside that.
 * @param totalBytes memory of the machine
 * @param constrainedBytes what the container is allowed; 0 or more than there is where it is not limited
 */
export function memoryShare(totalBytes: number, constrainedBytes: number, workers: number): number {
  const present = constrainedBytes > 0 ? Math.min(totalBytes, constrainedBytes) : totalBytes;
  return Math.max(LEAST_BYTES, Math.floor(Math.min(present / 2, present - besidesModels(workers))));
}

/** The most that an engine takes besides its models, in bytes. */
export function besidesModels(workers: number): number {
  return PROCESS_BYTES + workers * WORKER_BYTES;
}
