/**
 * Lets those who ask at the same time share one reading of something large, so that however many ask the store reads it
 * once at a time. Nobody gets what is older than their question: who asks while a reading runs gets the one after it.
 *
 * @returns what reads, for any number of callers; rejects for all that share a reading if it fails
 */
export function sharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  let next: Promise<T> | null = null;
  const begin = (): Promise<T> => {
    next = null;
    const reading = read();
    running = reading;
    const ended = () => {
      if (running === reading) running = null;
    };
    reading.then(ended, ended);
    return reading;
  };
  return () => (running === null ? begin() : (next ??= running.then(begin, begin)));
}
