export type Level = 'error' | 'warn' | 'info' | 'debug' | 'trace';

export interface LogLine {
  readonly level: Level;
  readonly text: string;
}

/**
 * Reads the level the server wrote at the head of a line of its log, and leaves out the time: the
 * output channel adds its own. A line without a level is the server's last words, so a warning.
 */
export function parseLogLine(line: string): LogLine {
  const match = /^(?:\d{4}-\d\d-\d\dT\S+\s+)?\s*(ERROR|WARN|INFO|DEBUG|TRACE)\s+(.*)$/.exec(line);
  const [, level, text] = match ?? [];
  if (level === undefined || text === undefined) return { level: 'warn', text: line };
  return { level: level.toLowerCase() as Level, text };
}
