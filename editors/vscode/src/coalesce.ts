/**
 * Never runs a task twice at a time, and never misses a reason to run it: whoever asks while it is
 * running gets the one run that follows. Ten settings changed at once restart the server twice at most.
 */
export function coalesce(task: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const start = (): Promise<void> => {
    const run = task().finally(() => {
      if (current === run) current = undefined;
    });
    current = run;
    return run;
  };

  return () => {
    if (current === undefined) return start();
    next ??= settled(current).then(() => {
      next = undefined;
      return start();
    });
    return next;
  };
}

async function settled(promise: Promise<void>): Promise<void> {
  try {
    await promise;
  } catch {
    // Whoever asked for that run has been told.
  }
}
