/** `die 3`, `dies 4 to 7`, `dies 0, 2, 5`. */
export function diesText(dies: readonly number[]): string {
  const first = dies[0] ?? 0;
  if (dies.length === 1) return `die ${first}`;
  const consecutive = dies.every((die, at) => die === first + at);
  return consecutive ? `dies ${first} to ${first + dies.length - 1}` : `dies ${dies.join(', ')}`;
}
