// What the server says beyond LSP; it mirrors the server's own list of extensions, described in docs/protocol.md.
// Whatever arrives is parsed before it is used: the server may be older or newer than this extension.

/** What the client tells the server about itself, in `initializationOptions`, beside its settings. */
export interface InitializationOptions {
  /** Whether the user trusts the workspace. In one that is not trusted no run starts. */
  readonly trusted: boolean;
  /** Asks for `farthing/spending`. */
  readonly spending: true;
  /** Says that a report returned by a command is shown by the client. */
  readonly reports: true;
}

/** Server to client, after `initialized` and whenever a request to a model is settled. */
export const spendingNotification = 'farthing/spending';

/** Money is text, written by the server; the picodollars are for comparisons only. */
export interface Spending {
  readonly today: string;
  readonly month: string;
  readonly todayPicodollars: number;
  readonly limitDay?: string;
  readonly limitMonth?: string;
  /** A budget is used up: no further run starts until it is raised or its window has passed. */
  readonly exhausted: boolean;
  readonly lastRun?: LastRun;
}

export interface LastRun {
  readonly title: string;
  readonly cost: string;
  readonly state: string;
}

export function parseSpending(params: unknown): Spending | undefined {
  if (!isRecord(params)) return undefined;
  const { today, month, todayPicodollars, limitDay, limitMonth, exhausted, lastRun } = params;
  if (typeof today !== 'string' || typeof month !== 'string') return undefined;
  if (typeof todayPicodollars !== 'number') return undefined;
  const run = parseLastRun(lastRun);
  return {
    today,
    month,
    todayPicodollars,
    ...(typeof limitDay === 'string' && { limitDay }),
    ...(typeof limitMonth === 'string' && { limitMonth }),
    exhausted: exhausted === true,
    ...(run && { lastRun: run }),
  };
}

function parseLastRun(value: unknown): LastRun | undefined {
  if (!isRecord(value)) return undefined;
  const { title, cost, state } = value;
  if (typeof title !== 'string' || typeof cost !== 'string' || typeof state !== 'string') {
    return undefined;
  }
  return { title, cost, state };
}

/** The server's command that answers with a report of what was spent. */
export const costCommand = 'farthing.cost';

/** What `farthing.cost` returns to a client that shows reports. */
export interface Report {
  readonly markdown: string;
}

export function parseReport(result: unknown): Report | undefined {
  if (!isRecord(result) || typeof result['markdown'] !== 'string') return undefined;
  return { markdown: result['markdown'] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Commands that start from where the cursor is. */
export const hunkCommands: readonly string[] = ['farthing.hunk.next', 'farthing.hunk.previous'];

/** The argument of such a command when the user called it by name. */
export interface Place {
  readonly uri: string;
  readonly position: { readonly line: number; readonly character: number };
}
