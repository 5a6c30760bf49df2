import * as vscode from 'vscode';
import type { Report } from './lsp_ext';

const scheme = 'farthing-report';
const costUri = vscode.Uri.from({ scheme, path: '/Farthing cost.md' });

/** Shows the server's cost report as a read-only Markdown preview, brought up to date on each request. */
export class ReportView implements vscode.Disposable {
  private markdown = '';
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(scheme, {
    onDidChange: this.changed.event,
    provideTextDocumentContent: () => this.markdown,
  });

  async show(report: Report): Promise<void> {
    this.markdown = report.markdown;
    this.changed.fire(costUri);
    try {
      await vscode.commands.executeCommand('markdown.showPreview', costUri);
    } catch {
      // Somebody has switched the Markdown extension off.
      await vscode.window.showTextDocument(costUri, { preview: true });
    }
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }
}
