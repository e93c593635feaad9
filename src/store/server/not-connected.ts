/**
 * A connection could not be made; the cause says why. What was to be done over it has not begun, so whatever the reason
 * (a password that was changed, a certificate that has expired), it is a fault of the server and not of the operation.
 */
export class NotConnected extends Error {
  /** The cause's, '' if it has none. */
  readonly code: string;

  constructor(cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const message = cause instanceof Error ? cause.message : String(cause);
    // Where a name has several addresses the error is about all of them and has no message of its own.
    super(message === '' ? code : message, { cause });
    this.code = code;
  }
}
