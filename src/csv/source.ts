/** Where the bytes of a series come from. */
export interface Source {
  /** For messages and titles. */
  readonly name: string;
  /** Undefined for a stream. */
  readonly sizeBytes: number | undefined;
  /** The bytes from the first one on; of a file as often as one likes, of a stream once. `onBytes` is told as they are read. */
  read(onBytes?: (bytes: number) => void): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}
