import assert from 'node:assert/strict';
import { test } from 'node:test';
import { locateServer, type Places } from '../src/bootstrap';

const nowhere: Places = {
  setting: '',
  extension: '/ext',
  path: '',
  home: '/home/ada',
  platform: 'linux',
};

async function check(places: Partial<Places>, executables: string[], expected: string) {
  const located = await locateServer({ ...nowhere, ...places }, (file) =>
    Promise.resolve(executables.includes(file)),
  );
  const actual =
    located.kind === 'found' ? `${located.command} (${located.origin})` : located.message;
  assert.equal(actual, expected);
}

test('the setting comes first', async () => {
  await check(
    { setting: '/opt/farthing', path: '/usr/bin' },
    ['/opt/farthing', '/ext/server/farthing', '/usr/bin/farthing'],
    '/opt/farthing (farthing.server.path)',
  );
});

test('a tilde in the setting is the home folder', async () => {
  await check(
    { setting: '~/bin/farthing' },
    ['/home/ada/bin/farthing'],
    '/home/ada/bin/farthing (farthing.server.path)',
  );
});

test('a setting that names no executable is an error, not a reason to look elsewhere', async () => {
  await check(
    { setting: '/opt/farthing', path: '/usr/bin' },
    ['/usr/bin/farthing'],
    'farthing.server.path names /opt/farthing, which is no executable file; correct the setting or clear it',
  );
  await check(
    { setting: 'farthing', path: '/usr/bin' },
    ['/usr/bin/farthing'],
    'farthing.server.path must be an absolute path, which farthing is not',
  );
});

test('the bundled server comes before the one in PATH', async () => {
  await check(
    { path: '/usr/bin' },
    ['/usr/bin/farthing', '/ext/server/farthing'],
    '/ext/server/farthing (bundled)',
  );
});

test('the first folder of PATH that has it wins', async () => {
  await check({ path: '/a:/b:/c' }, ['/b/farthing', '/c/farthing'], '/b/farthing (PATH)');
});

test('relative entries of PATH are passed over', async () => {
  await check(
    { path: '.:node_modules/.bin::/b' },
    ['farthing', 'node_modules/.bin/farthing', '/b/farthing'],
    '/b/farthing (PATH)',
  );
});

test('on Windows the executable has an extension and PATH another separator', async () => {
  await check(
    { platform: 'win32', extension: 'C:\\ext', path: '.;C:\\tools' },
    ['C:\\tools\\farthing.exe'],
    'C:\\tools\\farthing.exe (PATH)',
  );
});

test('when it is nowhere the message says what to do', async () => {
  await check(
    { path: '/usr/bin' },
    [],
    'The Farthing server is not installed: there is no farthing in PATH. ' +
      'Install it, or say where it is with the setting farthing.server.path',
  );
});
