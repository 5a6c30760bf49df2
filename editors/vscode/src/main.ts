import * as vscode from 'vscode';
import { registerCommands } from './commands';
import { Ctx } from './ctx';
import { needsRestart, readSettings } from './settings';

let ctx: Ctx | undefined;

/** Cheap: the server starts with the first document it can do something about. */
export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const created = new Ctx(context.extensionUri);
  ctx = created;
  context.subscriptions.push(
    registerCommands(created),
    vscode.workspace.onDidOpenTextDocument(async (document) => {
      if (!created.started && isOurs(document)) await created.restart();
    }),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (!created.started || !event.affectsConfiguration('farthing')) return;
      await (needsRestart(event) ? created.restart() : created.configure());
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(async () => {
      if (created.started) await created.restart();
    }),
  );
  if (vscode.workspace.textDocuments.some(isOurs)) await created.restart();
}

export async function deactivate(): Promise<void> {
  await ctx?.shutdown();
}

function isOurs(document: vscode.TextDocument): boolean {
  return document.uri.scheme === 'file' && readSettings().languages.includes(document.languageId);
}
