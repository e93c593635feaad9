/** Tells whether a name matches. */
export type NameMatcher = (name: string) => boolean;

/**
 * What matches a pattern whole: `*` is any run of characters, `?` any one character, everything else itself. Takes at most
 * (length of the pattern) x (length of the name) steps whatever the pattern, unlike a regular expression of many stars.
 */
export function nameMatcher(pattern: string): NameMatcher {
  const wanted = Array.from(pattern);
  return (name) => matches(wanted, Array.from(name));
}

function matches(wanted: readonly string[], name: readonly string[]): boolean {
  let w = 0;
  let n = 0;
  /** The last star, and where in the name what it stands for ends so far. */
  let star = -1;
  let starEnd = 0;
  while (n < name.length) {
    if (wanted[w] === '*') {
      star = w++;
      starEnd = n;
    } else if (w < wanted.length && (wanted[w] === '?' || wanted[w] === name[n])) {
      w += 1;
      n += 1;
    } else if (star >= 0) {
      // Only the last star needs to give way: what those before it stand for is as short as can be.
      w = star + 1;
      n = ++starEnd;
    } else {
      return false;
    }
  }
  while (wanted[w] === '*') w += 1;
  return w === wanted.length;
}
