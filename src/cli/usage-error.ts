/** The command line makes no sense as it was given: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
