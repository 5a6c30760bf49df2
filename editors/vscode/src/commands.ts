// The commands of the client itself. The server's own commands are registered by the language client
// under the names the server announces, so these live under `farthing.client`.

import * as vscode from 'vscode';
import type { Ctx } from './ctx';
import type { Run } from './runs';

export const showLogCommand = 'farthing.client.showLog';

export function registerCommands(ctx: Ctx): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand('farthing.client.restartServer', () => ctx.restart()),
    vscode.commands.registerCommand(showLogCommand, () => {
      ctx.log.show();
    }),
    vscode.commands.registerCommand('farthing.client.cancelRun', () => cancelRun(ctx)),
  );
}

async function cancelRun(ctx: Ctx): Promise<void> {
  const runs = ctx.runs();
  if (runs.length === 0) {
    void vscode.window.showInformationMessage('No Farthing run is in progress.');
    return;
  }
  const items = runs.map((run): vscode.QuickPickItem & { run: Run } => ({
    label: run.title,
    detail: run.message,
    run,
  }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: 'Cancel a run' });
  if (picked) await ctx.cancel(picked.run);
}
