/** A request that failed: what the engine said, or that it did not answer (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
  }

  /** The engine could not be reached, or cannot work at present: worth another try. */
  get passing(): boolean {
    return this.status === 0 || this.status >= 502;
  }
}

/** Any error in words for a person. */
export function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
