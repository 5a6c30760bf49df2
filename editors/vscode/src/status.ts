import * as vscode from 'vscode';
import { showLogCommand } from './commands';
import { costCommand } from './lsp_ext';
import { statusText, type StatusInput } from './status_text';

/** The status bar item: today's spending, and a word when the server is not there. */
export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    'farthing.spending',
    vscode.StatusBarAlignment.Left,
  );

  constructor() {
    this.item.name = 'Farthing Spending';
  }

  show(input: StatusInput): void {
    const { text, tooltip, severity, click } = statusText(input);
    const markdown = new vscode.MarkdownString(tooltip, true);
    this.item.text = text;
    this.item.tooltip = markdown;
    this.item.command = click === 'cost' ? costCommand : showLogCommand;
    this.item.backgroundColor =
      severity === 'none'
        ? undefined
        : new vscode.ThemeColor(`statusBarItem.${severity}Background`);
    this.item.show();
  }

  hide(): void {
    this.item.hide();
  }

  dispose(): void {
    this.item.dispose();
  }
}
