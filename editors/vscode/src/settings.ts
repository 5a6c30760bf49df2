import * as vscode from 'vscode';
import { withoutUnset } from './unset';

/** What it takes to start the server. A change of one of these starts another. */
export interface Settings {
  readonly serverPath: string;
  readonly extraArgs: readonly string[];
  readonly languages: readonly string[];
}

const startSettings = ['farthing.server', 'farthing.languages'];

export function needsRestart(event: vscode.ConfigurationChangeEvent): boolean {
  return startSettings.some((setting) => event.affectsConfiguration(setting));
}

export function readSettings(): Settings {
  const config = vscode.workspace.getConfiguration('farthing');
  return {
    serverPath: config.get('server.path', ''),
    extraArgs: config.get<string[]>('server.extraArgs', []),
    languages: config.get<string[]>('languages', []),
  };
}

/** All settings as the server reads them; it is told at the start and at every change. */
export function readSection(): unknown {
  return withoutUnset(vscode.workspace.getConfiguration().get('farthing', {}));
}
