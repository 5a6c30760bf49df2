// The processes of a story: each is started in a group of its own and ended with it.

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** Starts a program and waits for the line of its output that says it is ready. */
export async function start(command, args, { env, cwd, log, ready }) {
  const child = spawn(command, args, {
    env,
    cwd,
    detached: true,
    // The input stays open: the scripted provider ends when it closes.
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const file = createWriteStream(log);
  child.stderr.pipe(file, { end: false });
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity });
  let last = '';
  lines.on('line', (line) => {
    last = line;
    file.write(`${line}\n`);
  });
  const match = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(
        new Error(`${command} ended with ${code} before it was ready; see ${path.basename(log)}`),
      );
    });
    lines.on('line', (line) => {
      const found = ready.exec(line);
      if (found) resolve(found);
    });
  });
  return {
    match,
    stop: () => stop(child),
    /** Closes its input and returns the last line that it writes before it ends. */
    async finish() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end();
      await ended;
      return last;
    },
  };
}

/** Runs a program to its end and returns what it wrote. */
export async function run(command, args, { env, cwd, log }) {
  const child = spawn(command, args, {
    env,
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const file = createWriteStream(log);
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    file.write(chunk);
  });
  child.stderr.pipe(file, { end: false });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0)
    throw new Error(`${command} ${args[0]} ended with ${code}; see ${path.basename(log)}`);
  return output;
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGTERM');
  const patience = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), 5_000);
  await ended;
  clearTimeout(patience);
}
