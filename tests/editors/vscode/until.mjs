import { setTimeout as tick } from 'node:timers/promises';

/** How long any one condition may take before the story fails. */
export const patience = Number(process.env['FARTHING_PATIENCE_MS'] ?? 30_000);

/**
 * Tries `attempt` until it returns something other than `undefined`, and returns that. It fails with
 * what was awaited and what `attempt` saw last, so that a failure reads as a sentence.
 */
export async function until(awaited, attempt) {
  const deadline = Date.now() + patience;
  let seen;
  const note = (value) => {
    seen = value;
  };
  for (;;) {
    const result = await attempt(note);
    if (result !== undefined) return result;
    if (Date.now() > deadline) {
      const last = seen === undefined ? '' : `; last seen: ${JSON.stringify(seen, null, 2)}`;
      throw new Error(`waited ${patience} ms for ${awaited}${last}`);
    }
    await tick(25);
  }
}
