// Drives a real VS Code through a story: a copy of a workspace, the extension, the server, the
// scripted provider. Run `tests/editors/install-vscode` and `npm run package` in editors/vscode first.
//
//   node tests/editors/vscode/story.mjs [STORY.json [WORKSPACE]]
//
// A story names the provider's script and its workspace, relative to itself; `{ "crate": NAME }` is a
// crate that the server is built from. steps.mjs lists the steps.
//
//   FARTHING_SERVER    the server; target/debug/farthing when unset
//   FARTHING_VSIX      the extension; editors/vscode/out/farthing.vsix when unset
//   FARTHING_SHOTS     where the screenshots go; target/editors/vscode-shots when unset

import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, start } from './processes.mjs';
import { steps } from './steps.mjs';
import { Workbench } from './workbench.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../../..');
const editors = path.join(root, 'target/editors');
const server = path.resolve(process.env['FARTHING_SERVER'] ?? `${root}/target/debug/farthing`);
const vsix = path.resolve(
  process.env['FARTHING_VSIX'] ?? `${root}/editors/vscode/out/farthing.vsix`,
);
const shots = path.resolve(process.env['FARTHING_SHOTS'] ?? `${editors}/vscode-shots`);
const codeServer = `${editors}/vscode/node_modules/code-server/out/node/entry.js`;
for (const [file, remedy] of [
  [codeServer, 'run tests/editors/install-vscode'],
  [vsix, 'run `npm run package` in editors/vscode'],
  [server, 'run `cargo build -p farthing`, or set FARTHING_SERVER'],
]) {
  if (existsSync(file)) continue;
  console.error(`there is no ${file}; ${remedy}`);
  process.exit(2);
}
const { chromium } = createRequire(`${editors}/vscode-driver/package.json`)('playwright-core');

const [storyFile = path.join(here, 'story.json'), workspaceArgument] = process.argv.slice(2);
const story = JSON.parse(await readFile(storyFile, 'utf8'));
const title = path.basename(storyFile, '.json');
const beside = (file) => path.resolve(path.dirname(storyFile), file);

const temp = await mkdtemp(path.join(tmpdir(), 'farthing-vscode-'));
/** Ended in reverse order, whatever happens. */
const owned = [() => rm(temp, { recursive: true, force: true, maxRetries: 5 })];
const end = async (code) => {
  for (const release of owned.splice(0).reverse()) await release();
  process.exit(code);
};
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(130));
try {
  await tell();
  await end(0);
} catch (error) {
  await keepLogs();
  console.error(`${error.message}\nscreenshots and logs: ${shots}/${title}-*`);
  await end(1);
}

async function tell() {
  const source = workspaceArgument ?? (await findWorkspace());
  const workspace = path.join(temp, story.workspace.crate ?? path.basename(source));
  await cp(source, workspace, {
    recursive: true,
    filter: (file) => !/(^|\/)(target|node_modules)$/.test(file),
  });
  const originals = await readOriginals(workspace);
  await clearShots();

  const { env, provider } = await environment();
  const ledger = {
    async cost() {
      const output = await run(server, ['cost', '--json'], { env, log: `${temp}/cost.log` });
      return JSON.parse(output);
    },
    /** What the provider was asked and what it billed; it answers nothing afterwards. */
    async provided() {
      return JSON.parse(await provider.finish());
    },
  };
  const url = await startWorkbench(workspace, env);
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
  });
  owned.push(() => browser.close());
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
  });
  const workbench = await Workbench.open(page, url, workspace);

  let number = 0;
  for (const { do: name, shot, ...parameters } of story.steps) {
    number += 1;
    const step = steps[name];
    if (!step) throw new Error(`${storyFile}: no step ${name}; there are ${Object.keys(steps)}`);
    const file = `${title}-${String(number).padStart(2, '0')}-${shot ?? name}.png`;
    const began = Date.now();
    try {
      const seen = await step(workbench, parameters, { originals, ledger });
      console.log(`  ${number} ${name} (${Date.now() - began} ms) ${seen}`);
    } catch (error) {
      await page.screenshot({
        path: path.join(shots, file.replace('.png', '-failed.png')),
      });
      await keepLogs();
      error.message = `${number} ${name}: ${error.message}\nscreenshots and logs: ${shots}`;
      throw error;
    }
    if (shot !== undefined)
      await page.screenshot({
        path: path.join(shots, file),
        animations: 'disabled',
      });
  }
}

/** Nothing of the machine's own configuration is seen, and nothing of it is changed. */
async function environment() {
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: `${temp}/home`,
    XDG_CONFIG_HOME: `${temp}/config`,
    XDG_STATE_HOME: `${temp}/state`,
    XDG_CACHE_HOME: `${temp}/cache`,
    XDG_DATA_HOME: `${temp}/data`,
    ANTHROPIC_API_KEY: 'dummy',
    ...(process.env['RUST_LOG'] && { RUST_LOG: process.env['RUST_LOG'] }),
    ...(process.env['RUST_BACKTRACE'] && {
      RUST_BACKTRACE: process.env['RUST_BACKTRACE'],
    }),
  };
  await mkdir(env.HOME, { recursive: true });
  const provider = await start(server, ['scripted', '--script', beside(story.script)], {
    env,
    cwd: temp,
    log: `${temp}/provider.log`,
    ready: /^\{.*"base_url"\s*:\s*"([^"]+)".*\}$/,
  });
  owned.push(provider.stop);
  const baseUrl = provider.match[1];
  await mkdir(`${env.XDG_CONFIG_HOME}/farthing`, { recursive: true });
  await writeFile(
    `${env.XDG_CONFIG_HOME}/farthing/config.toml`,
    story.config.map((line) => `${line.replaceAll('BASE_URL', baseUrl)}\n`).join(''),
  );
  return { env: { ...env, ANTHROPIC_BASE_URL: baseUrl }, provider };
}

async function findWorkspace() {
  const { workspace } = story;
  if (workspace.crate === undefined) return beside(workspace);
  const output = await run('cargo', ['metadata', '--format-version=1', '--locked'], {
    env: process.env,
    cwd: root,
    log: `${temp}/metadata.log`,
  });
  const found = JSON.parse(output).packages.find((candidate) => candidate.name === workspace.crate);
  if (!found) throw new Error(`the server is not built from a crate ${workspace.crate}`);
  return path.dirname(found.manifest_path);
}

async function startWorkbench(workspace, env) {
  const user = `${temp}/vscode`;
  const extensions = `${temp}/extensions`;
  await writeJson(`${user}/User/settings.json`, story.settings ?? {});
  await writeJson(`${user}/Machine/settings.json`, {
    'farthing.server.path': server,
    ...story.machineSettings,
  });
  const folders = ['--user-data-dir', user, '--extensions-dir', extensions];
  await run(process.execPath, [codeServer, ...folders, '--install-extension', vsix], {
    env,
    log: `${temp}/install.log`,
  });
  const flags = ['--auth', 'none', '--disable-telemetry', '--disable-update-check'];
  if (story.trusted !== false) flags.push('--disable-workspace-trust');
  const { match, stop } = await start(
    process.execPath,
    [codeServer, ...folders, '--bind-addr', '127.0.0.1:0', ...flags, workspace],
    {
      env,
      cwd: workspace,
      log: `${temp}/code-server.log`,
      ready: /listening on (http:\S+)/,
    },
  );
  owned.push(stop);
  return match[1];
}

/** The texts of the files a story opens, for steps that expect them back. */
async function readOriginals(workspace) {
  const files = story.steps.filter((step) => step.do === 'open').map((step) => step.file);
  const entries = files.map(async (file) => [
    file,
    await readFile(path.join(workspace, file), 'utf8'),
  ]);
  return new Map(await Promise.all(entries));
}

/** What an earlier telling of the same story left. */
async function clearShots() {
  await mkdir(shots, { recursive: true });
  const stale = (await readdir(shots)).filter((file) => file.startsWith(`${title}-`));
  for (const file of stale) await rm(path.join(shots, file));
}

/** The logs that there are: a story may fail before there are any. */
async function keepLogs() {
  const files = await readdir(temp, { recursive: true });
  const logs = files.filter((file) =>
    /^(provider|code-server|install)\.log$|(^|\/)(Farthing|remoteexthost)\.log$/.test(file),
  );
  for (const log of logs) {
    await cp(path.join(temp, log), path.join(shots, `${title}-${path.basename(log)}`));
  }
}

async function writeJson(file, value) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(value, undefined, 2));
}
