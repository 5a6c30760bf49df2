// Bundles the extension into one file, and with `--tests` the tests too.

import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

process.chdir(new URL('..', import.meta.url).pathname);

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  logLevel: 'warning',
};

if (process.argv.includes('--tests')) {
  await rm('out/test', { recursive: true, force: true });
  const tests = (await readdir('test')).filter((name) => name.endsWith('.test.ts'));
  await build({
    ...shared,
    entryPoints: tests.map((name) => `test/${name}`),
    outdir: 'out/test',
    sourcemap: 'inline',
  });
} else {
  const { metafile } = await build({
    ...shared,
    entryPoints: ['src/main.ts'],
    outfile: 'out/main.js',
    minify: true,
    metafile: true,
  });
  await writeFile('out/THIRD-PARTY.txt', await licences(Object.keys(metafile.inputs)));
}

/** The licence of each package that ended up in the bundle, as those licences ask for. */
async function licences(inputs) {
  const folders = new Set(
    inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  );
  const sections = [];
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(
      await readFile(path.join(folder, 'package.json'), 'utf8'),
    );
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${folder} holds no licence text`);
    const text = await readFile(path.join(folder, file), 'utf8');
    sections.push(`${name} ${version} (${license})\n\n${text.trim()}\n`);
  }
  return sections.join(`\n${'-'.repeat(78)}\n\n`);
}
