// The runs in progress, as the server reports them through work-done progress.

import type {
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient';

export type ProgressValue = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;

export interface Run {
  readonly token: ProgressToken;
  readonly title: string;
  /** The latest thing the server said about it, the money spent so far included. */
  readonly message: string;
}

/** Only what can be cancelled is a run; indexing and the like are not. */
export class Runs {
  private readonly byToken = new Map<ProgressToken, Run>();

  observe(token: ProgressToken, value: ProgressValue): void {
    switch (value.kind) {
      case 'begin':
        if (value.cancellable === true) {
          this.byToken.set(token, { token, title: value.title, message: value.message ?? '' });
        }
        break;
      case 'report': {
        const run = this.byToken.get(token);
        if (run && value.message !== undefined) {
          this.byToken.set(token, { ...run, message: value.message });
        }
        break;
      }
      case 'end':
        this.byToken.delete(token);
        break;
    }
  }

  clear(): void {
    this.byToken.clear();
  }

  list(): readonly Run[] {
    return [...this.byToken.values()];
  }
}
