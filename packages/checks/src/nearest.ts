import { distance } from 'fastest-levenshtein';

/**
 * The known name that a mistyped one most likely meant, or undefined when nothing is close: at most a third of the
 * longer name may differ (at least two letters), case ignored.
 */
export function nearestName(typed: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const name of known) {
    const edits = distance(typed.toLowerCase(), name.toLowerCase());
    if (edits <= Math.max(2, Math.max(typed.length, name.length) / 3) && edits < bestDistance) {
      best = name;
      bestDistance = edits;
    }
  }
  return best;
}

/** “Did you mean …?” with a leading space, or nothing. */
export function suggestion(typed: string, known: Iterable<string>): string {
  const name = nearestName(typed, known);
  return name === undefined ? '' : ` Did you mean "${name}"?`;
}
