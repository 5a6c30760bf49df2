// What the status bar says. Kept apart from the view so that it can be tested without an editor.

import type { Spending } from './lsp_ext';
import type { Run } from './runs';

export type ServerState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface StatusInput {
  readonly server: ServerState;
  readonly trusted: boolean;
  readonly spending: Spending | undefined;
  readonly runs: readonly Run[];
}

export interface StatusText {
  readonly text: string;
  /** Markdown. */
  readonly tooltip: string;
  readonly severity: 'none' | 'warning' | 'error';
  readonly click: 'cost' | 'log';
}

export function statusText(input: StatusInput): StatusText {
  switch (input.server.kind) {
    case 'starting':
      return plain('$(loading~spin) Farthing', 'The server is starting.');
    case 'stopped':
      return plain('$(circle-slash) Farthing', 'The server is stopped.');
    case 'failed':
      return {
        ...plain('$(error) Farthing', escapeMarkdown(input.server.reason)),
        severity: 'error',
      };
    case 'running':
      return running(input);
  }
}

function running({ trusted, spending, runs }: StatusInput): StatusText {
  const sections: string[] = [];
  if (!trusted) {
    sections.push('This workspace is not trusted: nothing is sent to a model until it is.');
  }
  if (spending) {
    sections.push(
      [
        '| | |',
        '|:--|--:|',
        `| Today | ${amount(spending.today, spending.limitDay)} |`,
        `| This month | ${amount(spending.month, spending.limitMonth)} |`,
      ].join('\n'),
    );
    if (spending.exhausted) {
      sections.push('$(warning) A budget is used up: no run starts until it is raised.');
    }
  }
  for (const run of runs) {
    sections.push(`$(sync) ${titleMarkdown(run.title)}  \n${escapeMarkdown(run.message)}`);
  }
  if (spending?.lastRun) {
    const { title, cost, state } = spending.lastRun;
    sections.push(
      `Last run: ${titleMarkdown(title)}  \n${escapeMarkdown(cost)}, ${escapeMarkdown(state)}`,
    );
  }
  sections.push('Click for the cost report.');
  return {
    text: spending ? `$(tag) ${spending.today} today` : '$(tag) Farthing',
    tooltip: sections.join('\n\n'),
    severity: spending?.exhausted === true ? 'warning' : 'none',
    click: 'cost',
  };
}

function plain(text: string, tooltip: string): StatusText {
  return { text, tooltip: `${tooltip}\n\nClick for the log.`, severity: 'none', click: 'log' };
}

function amount(spent: string, limit: string | undefined): string {
  return limit === undefined
    ? escapeMarkdown(spent)
    : `${escapeMarkdown(spent)} of ${escapeMarkdown(limit)}`;
}

/** The server writes the names of symbols between back quotes; between them nothing else is special. */
export function titleMarkdown(title: string): string {
  return title
    .split(/(`[^`\s]+`)/)
    .map((part, index) => (index % 2 === 1 ? part : escapeMarkdown(part)))
    .join('');
}

/** Titles hold the names of the user's symbols, and a name may hold anything. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_{}[\]()#+\-!|<>~$]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/\s+/g, ' ');
}
