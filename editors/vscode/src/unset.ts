/** The same value without what is not set: to the settings editor that is an empty text, to the server no key. */
export function withoutUnset(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== '' && inner !== null)
      .map(([name, inner]) => [name, withoutUnset(inner)]),
  );
}
