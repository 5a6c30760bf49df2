// Owns the client and its lifetime: one server for all folders of the window.

import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import {
  DidChangeConfigurationNotification,
  State,
  WorkDoneProgressCancelNotification,
  type LanguageClient,
} from 'vscode-languageclient/node';
import { locateServer } from './bootstrap';
import { createClient } from './client';
import { coalesce } from './coalesce';
import { parseReport, parseSpending, spendingNotification, type Spending } from './lsp_ext';
import { ReportView } from './report';
import { Runs, type Run } from './runs';
import { readSettings, readSection } from './settings';
import { StatusBar } from './status';
import type { ServerState } from './status_text';

export class Ctx implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel('Farthing', { log: true });
  private readonly status = new StatusBar();
  private readonly reports = new ReportView();
  private readonly running = new Runs();
  private client: LanguageClient | undefined;
  private server: ServerState = { kind: 'stopped' };
  private spending: Spending | undefined;

  constructor(private readonly extension: vscode.Uri) {}

  /** Starts the server, or stops it first when there is one; the settings are read afresh. */
  readonly restart = coalesce(async () => {
    await this.stop();
    await this.start();
  });

  get started(): boolean {
    return this.server.kind !== 'stopped';
  }

  runs(): readonly Run[] {
    return this.running.list();
  }

  async cancel(run: Run): Promise<void> {
    await this.client?.sendNotification(WorkDoneProgressCancelNotification.type, {
      token: run.token,
    });
  }

  /** Tells a running server that settings have changed. */
  async configure(): Promise<void> {
    if (this.server.kind !== 'running') return;
    await this.client?.sendNotification(DidChangeConfigurationNotification.type, {
      settings: { farthing: readSection() },
    });
  }

  private async start(): Promise<void> {
    const settings = readSettings();
    this.setServer({ kind: 'starting' });
    const located = await locateServer(
      {
        setting: settings.serverPath,
        extension: this.extension.fsPath,
        path: process.env['PATH'] ?? '',
        home: homedir(),
        platform: process.platform,
      },
      isExecutable,
    );
    if (located.kind === 'missing') {
      this.fail(located.message);
      return;
    }
    this.log.info(`starting ${located.command} (${located.origin})`);
    const client = createClient(located.command, settings, this.log, {
      progress: (token, value) => {
        this.running.observe(token, value);
        this.refresh();
      },
      costReport: (result) => {
        const report = parseReport(result);
        if (report) void this.reports.show(report);
      },
    });
    client.onNotification(spendingNotification, (params: unknown) => {
      this.spend(params);
    });
    client.onDidChangeState(({ newState }) => {
      if (this.client === client) this.follow(newState);
    });
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      // The client has shown the reason; the log holds the rest.
      this.setServer({ kind: 'failed', reason: `The server did not start: ${String(error)}` });
    }
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.spending = undefined;
    this.running.clear();
    this.setServer({ kind: 'stopped' });
    if (!client) return;
    try {
      await client.dispose();
    } catch (error) {
      // It had died or hung by itself; a fresh one starts all the same.
      this.log.warn(`stopping the server: ${String(error)}`);
    }
  }

  private follow(state: State): void {
    switch (state) {
      case State.Starting:
        this.setServer({ kind: 'starting' });
        break;
      case State.Running: {
        const info = this.client?.initializeResult?.serverInfo;
        this.log.info(`${info?.name ?? 'server'} ${info?.version ?? ''} is ready`);
        this.setServer({ kind: 'running' });
        break;
      }
      case State.Stopped:
      case State.StartFailed:
        this.running.clear();
        this.setServer({ kind: 'failed', reason: 'The server has stopped; the log says why.' });
        break;
    }
  }

  private spend(params: unknown): void {
    const spending = parseSpending(params);
    if (spending) {
      this.spending = spending;
      this.refresh();
    } else {
      this.log.warn(`${spendingNotification}: not understood: ${JSON.stringify(params)}`);
    }
  }

  private fail(message: string): void {
    this.log.error(message);
    this.setServer({ kind: 'failed', reason: message });
    const settings = 'Open Settings';
    const retry = 'Try Again';
    void vscode.window.showErrorMessage(`${message}.`, settings, retry).then(async (choice) => {
      if (choice === settings) await openServerSettings();
      if (choice === retry) await this.restart();
    });
  }

  private setServer(server: ServerState): void {
    this.server = server;
    void vscode.commands.executeCommand(
      'setContext',
      'farthing.serverRunning',
      server.kind === 'running',
    );
    this.refresh();
  }

  private refresh(): void {
    this.status.show({
      server: this.server,
      trusted: vscode.workspace.isTrusted,
      spending: this.spending,
      runs: this.runs(),
    });
  }

  /** Ends the server before the window does; the editor waits for this, but not for `dispose`. */
  async shutdown(): Promise<void> {
    await this.stop();
    this.dispose();
  }

  dispose(): void {
    this.status.dispose();
    this.reports.dispose();
    this.log.dispose();
  }
}

/** Where the server is depends on the machine it runs on, so a remote window keeps that beside the remote. */
async function openServerSettings(): Promise<void> {
  const query = '@ext:farthing.farthing server';
  await (vscode.env.remoteName === undefined
    ? vscode.commands.executeCommand('workbench.action.openSettings', { query })
    : vscode.commands.executeCommand('workbench.action.openRemoteSettings', { query }));
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
