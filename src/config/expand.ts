/** Environment variables by name; those of the process unless a test says otherwise. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Expansion = { readonly text: string } | { readonly problem: string };

/** `$${` first, so that it is never taken for the beginning of a variable. The last alternative is what is none of them. */
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Puts the values of environment variables in: `${NAME}`, or `${NAME:-default}`, whose default counts if the variable
 * is not set or empty. `$${` is a literal `${`; what is put in is not looked at again.
 * @returns the text, or what is wrong, to come after "it"
 */
export function expand(text: string, environment: Environment): Expansion {
  const problems: string[] = [];
  const expanded = text.replaceAll(
    REFERENCE,
    (reference: string, name: string | undefined, fallback: string | undefined) => {
      if (reference === '$${') return '${';
      if (name === undefined) {
        problems.push(
          'has a "${" that is not of the form ${NAME} or ${NAME:-default}; write "$${" for the characters',
        );
        return '';
      }
      const value = environment[name];
      if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
      if (value === undefined)
        problems.push(
          `needs the environment variable ${name}, which is not set; set it, or write \${${name}:-default}`,
        );
      return value ?? '';
    },
  );
  const [problem] = problems;
  return problem === undefined ? { text: expanded } : { problem: [...new Set(problems)].join('; it ') };
}

/** True for text that `expand` would change. */
export function hasReference(text: string): boolean {
  return text.includes('${');
}
