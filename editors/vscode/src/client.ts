// Builds the language client. What it decides is how the two sides are joined, never what is shown.

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import * as vscode from 'vscode';
import {
  LanguageClient,
  RevealOutputChannelOn,
  type LanguageClientOptions,
  type ProgressToken,
} from 'vscode-languageclient/node';
import { parseLogLine } from './log_line';
import { costCommand, hunkCommands, type InitializationOptions, type Place } from './lsp_ext';
import type { ProgressValue } from './runs';
import { withoutUnset } from './unset';
import { readSection, type Settings } from './settings';

export interface ClientEvents {
  progress(token: ProgressToken, value: ProgressValue): void;
  costReport(result: unknown): void;
}

export function createClient(
  command: string,
  settings: Settings,
  log: vscode.LogOutputChannel,
  events: ClientEvents,
): LanguageClient {
  const options: LanguageClientOptions = {
    documentSelector: settings.languages.map((language) => ({ scheme: 'file', language })),
    diagnosticCollectionName: 'farthing',
    outputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    stdioOptions: {
      stdout: ignore,
      stderr: (input) => {
        forwardLog(input, log);
      },
    },
    initializationOptions: () => {
      const options: InitializationOptions = {
        trusted: vscode.workspace.isTrusted,
        spending: true,
        reports: true,
      };
      return Object.assign({}, readSection(), options);
    },
    // Hovers quote what a model wrote, and a model must not be able to place a link that runs a command.
    markdown: { isTrusted: false, supportHtml: false, supportThemeIcons: false },
    middleware: {
      workspace: {
        configuration: async (params, token, next): Promise<unknown[]> => {
          const sections: unknown = await next(params, token);
          return Array.isArray(sections) ? sections.map(withoutUnset) : [];
        },
      },
      handleWorkDoneProgress: (token, value, next) => {
        events.progress(token, value);
        next(token, value);
      },
      executeCommand: async (name, args, next): Promise<unknown> => {
        const place = hunkCommands.includes(name) && args.length === 0 ? cursor() : undefined;
        const result: unknown = await next(name, place ? [place] : args);
        if (name === costCommand) events.costReport(result);
        return result;
      },
    },
  };
  return new LanguageClient(
    'farthing',
    'Farthing',
    { command, args: ['serve', ...settings.extraArgs] },
    options,
  );
}

/** Where the cursor is; what is selected counts from its start, so that a hunk that was just shown is not shown again. */
function cursor(): Place | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return undefined;
  const { line, character } = editor.selection.start;
  return { uri: editor.document.uri.toString(), position: { line, character } };
}

function ignore(): void {
  // Standard output is the protocol; the client reads it itself.
}

function forwardLog(input: Readable, log: vscode.LogOutputChannel): void {
  createInterface({ input, crlfDelay: Infinity, terminal: false, historySize: 0 }).on(
    'line',
    (line) => {
      const { level, text } = parseLogLine(line);
      log[level](text);
    },
  );
}
